package shm

import (
	"testing"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
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

func TestNamesThatOthersClearedAreForgotten(t *testing.T) {
	must(t, ClearAll(), abi.OK)
	name := newName(t)
	for i := range 1000 {
		name := name + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676))
		s := create(t, name, 1)
		if err := sys.Remove(name); err != nil {
			t.Fatal(err)
		}
		s.Release()
	}
	if n := len(created.all()); n > 64 {
		t.Errorf("%d names are remembered", n)
	}
}

func TestClearNameRemovesItsOwnNameOnly(t *testing.T) {
	s := newSegmentFor(t, 10)
	must(t, s.ClearName(), abi.OK)
	_, err := Open(s.Name())
	must(t, err, abi.ENotFound)
	must(t, s.ClearName(), abi.ENotFound, s.Name())

	newcomer := create(t, s.Name(), 10)
	defer newcomer.Release()
	must(t, s.ClearName(), abi.ENotFound, s.Name(), "another")
	must(t, newcomer.ClearName(), abi.OK)
}
