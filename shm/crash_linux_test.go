package shm

import (
	"os"
	"strconv"
	"syscall"
	"testing"
)

// duplicateOf gives another descriptor of the file description by which this process has opened a name.
func duplicateOf(t testing.TB, name string) *os.File {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		// The link names an unnamed file by "#" and its number, also when the file has got a name since: so ask stat.
		named, err := os.Stat(pathOf(name))
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := os.Stat("/proc/self/fd/" + entry.Name()); err == nil && os.SameFile(opened, named) {
			number, _ := strconv.Atoi(entry.Name())
			duplicate, err := syscall.Dup(number)
			if err != nil {
				t.Fatal(err)
			}
			return os.NewFile(uintptr(duplicate), name)
		}
	}
	t.Fatalf("%s is not open", name)
	return nil
}

// A fork of the creator has its file description, as the process has here that inherits it.
func TestCreatorThatForkedCanClose(t *testing.T) {
	s := create(t, newName(t), 100)
	file := duplicateOf(t, s.Name())
	startChild(t, "wait", nil, file)
	file.Close()
	s.Release()
	s = open(t, s.Name())
	defer s.Release()
	if info := mustInfo(t, s); info.OwnerAlive != 0 {
		t.Errorf("%+v", info)
	}
}
