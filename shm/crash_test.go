package shm

import (
	"testing"

	"shmcv/internal/abi"
)

func TestSegmentSurvivesItsKilledCreator(t *testing.T) {
	name := newName(t)
	owner := startChild(t, "own", []string{name})
	owner.expect("ready")
	s := open(t, name)
	defer s.Release()
	if info := mustInfo(t, s); info.OwnerAlive != 1 || int(info.Owner) != owner.cmd.Process.Pid {
		t.Fatalf("while it lives: %+v", info)
	}
	owner.kill()
	if info := mustInfo(t, s); info.OwnerAlive != 0 || int(info.Owner) != owner.cmd.Process.Pid {
		t.Fatalf("after it was killed: %+v", info)
	}
	mustImage(t, s, small)
	must(t, s.SetImage(large), abi.OK)
	mustImage(t, s, large)
	_, err := Create(name, 1)
	must(t, err, abi.EExists)
	must(t, Clear(name), abi.OK)
}

func TestCreatorThatClosesIsNoLongerOwner(t *testing.T) {
	name := newName(t)
	owner := startChild(t, "own", []string{name})
	owner.expect("ready")
	s := open(t, name)
	defer s.Release()
	owner.say("release")
	owner.expect("released")
	if info := mustInfo(t, s); info.OwnerAlive != 0 {
		t.Errorf("%+v", info)
	}
}

func TestImageOfAWriterThatStoppedIsBusyUntilItDies(t *testing.T) {
	s := newSegmentFor(t, roomForBoth)
	must(t, s.SetImage(small), abi.OK)
	writer := startChild(t, "store half", []string{s.Name()})
	writer.expect("ready")
	_, err := s.Image()
	must(t, err, abi.EBusy, s.Name())
	must(t, s.SetImage(large), abi.EBusy, s.Name())
	if info := mustInfo(t, s); info.HasImage != 0 || info.Size != roomForBoth {
		t.Errorf("%+v", info)
	}
	writer.kill()
	_, err = s.Image()
	must(t, err, abi.ENoImage)
	must(t, s.SetImage(large), abi.OK)
	mustImage(t, s, large)
}

func TestNextWriterRepairsWhatADeadOneLeft(t *testing.T) {
	s := newSegmentFor(t, roomForBoth)
	writer := startChild(t, "store half", []string{s.Name()})
	writer.expect("ready")
	writer.kill()
	must(t, s.SetImage(large), abi.OK)
	mustImage(t, s, large)
}

func TestImageStaysWholeWhenWritersAreKilled(t *testing.T) {
	s := newSegmentFor(t, roomForBoth)
	for round := range 20 {
		writer := startChild(t, "store", []string{s.Name()})
		writer.expect("ready")
		for range 100 * round { // so that they die at different points
			s.trailer.ImageSequence.Load()
		}
		writer.kill()
		image, err := s.Image()
		if abi.CodeOf(err) != abi.ENoImage && (err != nil || image != small && image != large) {
			t.Fatalf("%+v, %v", image, err)
		}
	}
	must(t, s.SetImage(large), abi.OK)
	mustImage(t, s, large)
}

func TestKilledCreatorLeavesAWholeSegmentOrNone(t *testing.T) {
	name := newName(t)
	for range 20 {
		creator := startChild(t, "create", []string{name})
		creator.expect("ready")
		creator.kill()
		s, err := Open(name)
		if abi.CodeOf(err) == abi.ENotFound {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if info := mustInfo(t, s); info.Size != 8<<20 || info.Foreign != 0 || info.OwnerAlive != 0 {
			t.Fatalf("%+v", info)
		}
		s.Release()
		must(t, Clear(name), abi.OK)
	}
}
