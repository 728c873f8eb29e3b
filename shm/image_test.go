package shm

import (
	"fmt"
	"testing"

	"shmcv/internal/abi"
)

func TestImageIsWhatWasSetLast(t *testing.T) {
	s := newSegmentFor(t, roomForBoth)
	_, err := s.Image()
	must(t, err, abi.ENoImage, s.Name())
	for _, image := range []abi.ImageInfo{small, large, small} {
		must(t, s.SetImage(image), abi.OK)
		mustImage(t, s, image)
	}
	if info := mustInfo(t, s); info.HasImage != 1 || info.Image != small {
		t.Errorf("info %+v", info)
	}
	if futex := s.trailer.ImageBell.Load(); futex != 3 {
		t.Errorf("3 images were stored, and the futex word is %d", futex)
	}
}

func TestImageIsSeenByOtherProcesses(t *testing.T) {
	owner := startChild(t, "own", []string{newName(t)})
	owner.expect("ready")
	s := open(t, owner.cmd.Args[1])
	defer s.Release()
	mustImage(t, s, small)
	must(t, s.SetImage(large), abi.OK)
	startChild(t, "image", []string{s.Name()}).expect("0")
}

func TestStrideOfZeroMeansPacked(t *testing.T) {
	s := newSegmentFor(t, 100)
	packed := small
	packed.Stride = 0
	must(t, s.SetImage(packed), abi.OK)
	mustImage(t, s, small)
}

func TestImageThatDoesNotFitIsRefused(t *testing.T) {
	checkFit(t, func(size uint64) *Segment { return newSegmentFor(t, size) })
}

// checkFit stores an image in segments that are as large as the image, and a byte smaller.
func checkFit(t *testing.T, make func(size uint64) *Segment) {
	exact := large.Bytes()
	s := make(exact)
	must(t, s.SetImage(large), abi.OK)
	if room, err := s.Room(large); err != nil || room != large {
		t.Errorf("room for %v, %v", room, err)
	}
	s = make(exact - 1)
	must(t, s.SetImage(small), abi.OK)
	must(t, s.SetImage(large), abi.ETooSmall, s.Name(), fmt.Sprint(exact), fmt.Sprint(exact-1))
	_, err := s.Room(large)
	must(t, err, abi.ETooSmall)
	mustImage(t, s, small)
}

func TestNonsenseImageIsRefused(t *testing.T) {
	s := newSegmentFor(t, 100)
	must(t, s.SetImage(abi.ImageInfo{}), abi.EInvalid)
	must(t, s.SetImage(abi.NewImageInfo(1<<20, 1<<20, abi.DepthU8, abi.OrderGray)), abi.ELimit)
	_, err := s.Image()
	must(t, err, abi.ENoImage)
}

func TestImageIsNeverMixedWhileOthersStore(t *testing.T) {
	s := newSegmentFor(t, roomForBoth)
	for range 2 {
		startChild(t, "store", []string{s.Name()}).expect("ready")
	}
	seen := map[abi.ImageInfo]int{}
	for seen[small] < 1000 || seen[large] < 1000 {
		image, err := s.Image()
		if err != nil {
			t.Fatal(err)
		}
		if image != small && image != large {
			t.Fatalf("nobody stored %+v", image)
		}
		seen[image]++
	}
}
