package shm

import (
	"bytes"
	"os"
	"slices"
	"syscall"
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

func TestListTellsOfOurSegmentsOnly(t *testing.T) {
	mine, corrupted, pipe, foreign, hidden := newSegmentFor(t, 10), newSegmentFor(t, 10), newName(t), newName(t), "."+newName(t)
	t.Cleanup(func() { os.Remove(pathOf(hidden)) })
	corrupted.trailer.Identity.Size++
	writeFile(t, foreign, []byte("x"))
	writeFile(t, hidden, []byte("x"))
	if err := syscall.Mkfifo(pathOf(pipe), 0o600); err != nil {
		t.Fatal(err)
	}
	owner := startChild(t, "own", []string{newName(t)})
	owner.expect("ready")

	names := listed(t)
	for name, want := range map[string]bool{
		mine.Name(): true, owner.cmd.Args[1]: true, corrupted.Name(): false, pipe: false, foreign: false, hidden: false,
	} {
		if slices.Contains(names, name) != want {
			t.Errorf("%s: is listed: %v", name, !want)
		}
	}
	if !slices.IsSorted(names) {
		t.Error(names)
	}
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

func TestListLeavesNothingOpen(t *testing.T) {
	owner := startChild(t, "own", []string{newName(t)})
	owner.expect("ready")
	listed(t)
	before, maps := descriptors(t), mappings(t)
	listed(t)
	if after := descriptors(t); after != before {
		t.Errorf("%d file descriptors before, %d after", before, after)
	}
	if after := mappings(t); after != maps {
		t.Errorf("%d mappings before, %d after", maps, after)
	}
}

// A list that is empty because nothing could be opened would be a lie.
func TestListFailsWhenNoFileCanBeOpened(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	lowered := limit
	lowered.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &lowered); err != nil {
		t.Fatal(err)
	}
	_, err := List()
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	must(t, err, abi.EIO)
}
