package shm

import (
	"bytes"
	"slices"
	"testing"

	"shmcv/internal/abi"
)

// listed gives the names that List tells of.
func listed(t testing.TB) []string {
	t.Helper()
	infos, err := List()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, info := range infos {
		name, _, _ := bytes.Cut(info.Name[:], []byte{0})
		names = append(names, string(name))
	}
	return names
}

func TestListTellsWhatInfoTells(t *testing.T) {
	owner := startChild(t, "own", []string{newName(t)})
	owner.expect("ready")
	find := func() abi.SegmentInfo {
		infos, err := List()
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(infos, func(info abi.SegmentInfo) bool { return int(info.Owner) == owner.cmd.Process.Pid })
		if i < 0 {
			t.Fatal("not listed")
		}
		return infos[i]
	}
	if info := find(); info.OwnerAlive != 1 || info.HasImage != 1 || info.Image != small || info.Size != roomForBoth {
		t.Errorf("%+v", info)
	}
	owner.kill()
	if info := find(); info.OwnerAlive != 0 || info.Image != small {
		t.Errorf("%+v", info)
	}
}
