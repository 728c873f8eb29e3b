package shm

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

func TestForeignFileCanBeUsed(t *testing.T) {
	for _, size := range []int{1, 100, 4096, 5000, 65536} {
		name := newName(t)
		writeFile(t, name, bytes.Repeat([]byte{7}, size))
		s := open(t, name)
		defer s.Release()
		pixels, err := s.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if len(pixels) != size || pixels[0] != 7 || pixels[size-1] != 7 {
			t.Errorf("%d bytes", len(pixels))
		}
		pixels[size-1] = 8
		file, err := os.ReadFile(pathOf(name))
		if err != nil {
			t.Fatal(err)
		}
		if file[size-1] != 8 {
			t.Error("what is written is not in the file")
		}
		want := abi.SegmentInfo{Size: uint64(size), FileSize: uint64(size), Foreign: 1}
		copy(want.Name[:], name)
		if info := mustInfo(t, s); info != want {
			t.Errorf("info %+v", info)
		}
	}
}

func TestForeignImageIsKnownToThisProcessOnly(t *testing.T) {
	name := newName(t)
	writeFile(t, name, make([]byte, roomForBoth))
	s := open(t, name)
	defer s.Release()
	_, err := s.Image()
	must(t, err, abi.ENoImage, name)
	if err := s.SetImage(large); err != nil {
		t.Fatal(err)
	}
	mustImage(t, s, large)
	again := open(t, name)
	defer again.Release()
	mustImage(t, again, large)
	if info := mustInfo(t, s); info.HasImage != 1 || info.Image != large {
		t.Errorf("info %+v", info)
	}
	startChild(t, "image", []string{name}).expect(fmt.Sprint(int(abi.ENoImage)))
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

	// A name that this process gave to a segment, and another program to a file of its own since.
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
		if sys.Exists(name) != want {
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

func TestSweepLeavesForeignFilesAlone(t *testing.T) {
	name := newName(t)
	writeFile(t, name, make([]byte, 65536))
	mustSweep(t)
	mustExist(t, name, true)
}

func TestForeignSegmentsImagesAreCountedInThisProcess(t *testing.T) {
	name := newName(t)
	writeFile(t, name, make([]byte, frameBytes))
	s := open(t, name)
	defer s.Release()
	must(t, storeMark(s, 5), abi.OK)
	if mark, err := readMark(s); mark != 5 || err != nil {
		t.Errorf("%d, %v", mark, err)
	}
	if sequence, err := s.Sequence(); sequence != 1 || err != nil {
		t.Errorf("%d, %v", sequence, err)
	}
	_, err := awaitImage(s, 1, 0)
	must(t, err, abi.EUnsupported)
}

func TestImageThatDoesNotFitAForeignSegmentIsRefused(t *testing.T) {
	checkFit(t, func(size uint64) *Segment {
		name := newName(t)
		writeFile(t, name, make([]byte, size))
		s := open(t, name)
		t.Cleanup(s.Release)
		return s
	})
}

func TestErrorOfANameThatAnotherProgramHasTakenTellsSo(t *testing.T) {
	name := newName(t)
	writeFile(t, name, []byte("x"))
	_, err := Create(name, 100)
	must(t, err, abi.EExists, "another program", "clear")
}
