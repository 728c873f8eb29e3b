package shm

import (
	"os"
	"testing"

	"shmcv/internal/abi"
)

func TestClearWhileInUseLeavesTheMemoryWhole(t *testing.T) {
	s := newSegmentFor(t, roomForBoth)
	pixels, err := s.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	pixels[5] = 55
	must(t, s.SetImage(small), abi.OK)
	must(t, Clear(s.Name()), abi.OK)
	_, err = Open(s.Name())
	must(t, err, abi.ENotFound)
	mustImage(t, s, small)
	must(t, s.SetImage(large), abi.OK)
	if pixels[5] != 55 {
		t.Error("the pixels changed")
	}

	next := create(t, s.Name(), 10)
	defer next.Release()
	if next == s || mustInfo(t, next).UUID == mustInfo(t, s).UUID {
		t.Error("the new segment of that name is the old one")
	}
	if pixels[5] != 55 || mustInfo(t, s).Size != roomForBoth {
		t.Error("the old segment changed")
	}
}

func TestClearRemovesSegmentsOfOthers(t *testing.T) {
	foreign, corrupted := newName(t), newSegmentFor(t, 10)
	writeFile(t, foreign, []byte("x"))
	corrupted.trailer.Identity.UUID[0]++
	owner := startChild(t, "own", []string{newName(t)})
	owner.expect("ready")
	for _, name := range []string{foreign, corrupted.Name(), owner.cmd.Args[1]} {
		must(t, Clear(name), abi.OK)
		must(t, Clear(name), abi.ENotFound)
	}
}

func TestClearAllRemovesWhatThisProcessCreated(t *testing.T) {
	open, closed, foreign := newSegmentFor(t, 10), create(t, newName(t), 10), newName(t)
	closed.Release()
	writeFile(t, foreign, []byte("x"))
	owner := startChild(t, "own", []string{newName(t)})
	owner.expect("ready")

	// A name that was this process's and is somebody else's now
	taken := create(t, newName(t), 10)
	taken.Release()
	if err := os.Remove(pathOf(taken.Name())); err != nil {
		t.Fatal(err)
	}
	writeFile(t, taken.Name(), []byte("x"))

	must(t, ClearAll(), abi.OK)
	for name, want := range map[string]bool{
		open.Name(): false, closed.Name(): false, foreign: true, owner.cmd.Args[1]: true, taken.Name(): true,
	} {
		if exists(name) != want {
			t.Errorf("%s: is there: %v", name, !want)
		}
	}
	if n := len(created.all()); n != 0 {
		t.Errorf("%d names are remembered", n)
	}
	if _, err := open.Bytes(); err != nil {
		t.Error(err)
	}
	must(t, ClearAll(), abi.OK)
}

func TestNamesThatOthersClearedAreForgotten(t *testing.T) {
	must(t, ClearAll(), abi.OK)
	name := newName(t)
	for i := range 1000 {
		name := name + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
		create(t, name, 1).Release()
		if err := os.Remove(pathOf(name)); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(created.all()); n > 64 {
		t.Errorf("%d names are remembered", n)
	}
}
