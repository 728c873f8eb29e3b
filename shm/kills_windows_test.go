package shm

import (
	"os"
	"testing"
	"time"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// filesLeft gives the files in this process's folder.
func filesLeft(t testing.TB) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir(sys.Folder())
	must(t, err, abi.OK)
	files := map[string]bool{}
	for _, entry := range entries {
		files[entry.Name()] = true
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
	before := filesLeft(t)
	most, leftOver := 0, 0
	// mustBeClean removes nothing itself: a call has done so.
	mustBeClean := func(what string) {
		t.Helper()
		if now := filesLeft(t); len(now) != len(before) {
			t.Fatalf("%s: %v, and before %v", what, now, before)
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
			if left := len(filesLeft(t)) - len(before); left != 1 {
				t.Fatalf("%d files are left", left)
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
			left := len(filesLeft(t)) - len(before)
			if most = max(most, left); left > 1 {
				t.Fatalf("%d files are left: %v", left, filesLeft(t))
			}
			leftOver += left
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
