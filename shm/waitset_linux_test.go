package shm

import (
	"os"
	"runtime/debug"
	"testing"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

func TestForeignSegmentIsNotWaitedOnInASet(t *testing.T) {
	name := newName(t)
	if err := os.WriteFile(sys.Folder()+"/"+name, make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := open(t, name)
	defer foreign.Release()
	must(t, newWaitSetFor(t).Add(1, foreign, 1, 0), abi.EUnsupported)
}

func TestWaitOnAFileThatIsCutIsOver(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	w, cut, whole := newWaitSetFor(t), newStreamFor(t, 4), newStreamFor(t, 4)
	must(t, w.Add(1, cut, 11, 0), abi.OK)
	must(t, w.Add(2, whole, 12, 0), abi.OK)
	if err := os.Truncate(sys.Folder()+"/"+cut.Name(), 0); err != nil {
		t.Fatal(err)
	}
	checkKeys(t, keysOf(t, w, -1), 1)
	must(t, w.Add(1, cut, 11, 0), abi.ETruncated)
	checkKeys(t, keysOf(t, w, 0))
}
