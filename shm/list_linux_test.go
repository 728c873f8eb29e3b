package shm

import (
	"os"
	"slices"
	"syscall"
	"testing"

	"shmcv/internal/abi"
)

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

func TestListLeavesNothingOpen(t *testing.T) {
	owner := startChild(t, "own", []string{newName(t)})
	owner.expect("ready")
	listed(t)
	before, maps := descriptors(t), mapped(t)
	listed(t)
	if after := descriptors(t); after != before {
		t.Errorf("%d file descriptors before, %d after", before, after)
	}
	if after := mapped(t); after != maps {
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
