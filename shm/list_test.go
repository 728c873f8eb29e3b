package shm

import (
	"bytes"
	"slices"
	"testing"

	"shmcv/internal/abi"
)

// listed gives the names in the result of List.
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
	name := newName(t)
	owner := startChild(t, "own", []string{name})
	owner.expect("ready")
	defer open(t, name).Release() // On Windows a segment ends with its last process.
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
