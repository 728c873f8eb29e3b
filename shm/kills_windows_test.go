package shm

import (
	"os"
	"slices"
	"testing"
	"time"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// newFiles gives the files in this process's folder that were not there before.
func newFiles(t testing.TB, before []string) (files []string) {
	t.Helper()
	entries, err := os.ReadDir(sys.Folder())
	must(t, err, abi.OK)
	for _, entry := range entries {
		if !slices.Contains(before, entry.Name()) {
			files = append(files, entry.Name())
		}
	}
	return files
}

// Writers, readers and creators are killed. Their leases, locks and names come back. A crash leaves one file at most, which the
// next call removes. SHMCV_KILL_ROUNDS says how many are killed.
func TestWhoIsKilledLeavesAtMostOneFileUntilTheNextCall(t *testing.T) {
	stream := newStreamFor(t, 2)
	mustPut(t, stream, 1, 1)
	stream.resign()
	newest := uint64(1)
	name := newName(t)
	mustSweep(t)
	before := newFiles(t, nil)
	most, leftOver := 0, 0
	// mustBeClean removes nothing itself: a call has done so.
	mustBeClean := func(what string) {
		t.Helper()
		if left := newFiles(t, before); len(left) != 0 {
			t.Fatalf("%s: %v", what, left)
		}
	}
	looks := []func(){
		func() { _, err := Open(name); must(t, err, abi.ENotFound) },
		func() { mustExist(t, name, false) },
		func() { mustSweep(t) },
		func() { must(t, Clear(name), abi.ENotFound) },
		func() {
			s := create(t, name, 100)
			must(t, Clear(name), abi.OK)
			s.Release()
		},
	}
	begun := time.Now()
	for round := range kills() {
		switch round % 4 {
		case 0: // The only one who has a segment.
			owner := startChild(t, "own", []string{name})
			owner.expect("ready")
			owner.kill()
			if left := newFiles(t, before); len(left) != 1 {
				t.Fatalf("these files are left: %v", left)
			}
			leftOver++
			looks[round/4%len(looks)]()
			mustBeClean("the owner")
		case 1: // Somebody who makes segments and clears them all the time.
			creator := startChild(t, "create", []string{name})
			creator.expect("ready")
			for range round % 97 {
				sys.Exists(name)
			}
			creator.kill()
			left := newFiles(t, before)
			if most = max(most, len(left)); len(left) > 1 {
				t.Fatalf("these files are left: %v", left)
			}
			leftOver += len(left)
			mustSweep(t)
			mustBeClean("the creator")
		case 2: // A writer in the middle of a frame.
			writer := startChild(t, "stream", []string{stream.Name()})
			writer.expect("ready")
			writer.say("half")
			writer.expect("half")
			if _, err := stream.Begin(0, &Nap{}); abi.CodeOf(err) != abi.EBusy {
				t.Fatal(err)
			}
			writer.kill()
			newest++
			mustPut(t, stream, newest, newest)
			stream.resign()
			mustBeClean("the writer")
		case 3: // A reader that holds a frame, so that the writer has no other.
			reader := startChild(t, "stream", []string{stream.Name()})
			reader.expect("ready")
			reader.say("get")
			if !reader.from.Scan() {
				t.Fatal("the reader has ended")
			}
			newest++
			mustPut(t, stream, newest, newest)
			_, err := stream.Begin(0, &Nap{})
			must(t, err, abi.EBusy)
			reader.kill()
			for range 3 {
				newest++
				mustPut(t, stream, newest, newest)
			}
			stream.resign()
			mustBeClean("the reader")
		}
	}
	t.Logf("%d processes killed in %v; %d left a file, %d files at the most", kills(), time.Since(begun).Round(time.Second), leftOver, max(most, 1))
}
