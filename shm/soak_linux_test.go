package shm

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"shmcv/internal/abi"
)

func TestTenThousandRoundsLeaveNothing(t *testing.T) {
	name := newName(t)
	round := func() {
		s := create(t, name, 100)
		again := open(t, name)
		must(t, again.SetImage(small), abi.OK)
		s.Release()
		must(t, Clear(name), abi.OK)
		again.Release()
	}
	round()
	files, maps := descriptors(t), mapped(t)
	for range 10000 {
		round()
	}
	if n := descriptors(t); n != files {
		t.Errorf("%d file descriptors before, %d after", files, n)
	}
	if n := mapped(t); n != maps {
		t.Errorf("%d mappings before, %d after", maps, n)
	}
	if len(mappings.byFile) != 0 {
		t.Errorf("%d segments are remembered", len(mappings.byFile))
	}
}

func TestFailuresLeaveNothing(t *testing.T) {
	taken, empty, corrupted := newSegmentFor(t, 100), newName(t), newSegmentFor(t, 100)
	writeFile(t, empty, nil)
	overwritten := newName(t)
	id := sealed(newIdentity(shape{size: 100}, 131072))
	writeFile(t, overwritten, append(append(make([]byte, 61440), id...), make([]byte, trailerSize-128)...))
	corrupted.trailer.Identity.Size++
	files, maps := descriptors(t), mapped(t)
	for range 100 {
		_, err := Create(taken.Name(), 100)
		must(t, err, abi.EExists)
		_, err = Create(newName(t), maxSize)
		must(t, err, abi.ENoSpace)
		_, err = Open(empty)
		must(t, err, abi.EInvalid)
		_, err = Open(overwritten)
		must(t, err, abi.ECorrupt)
	}
	if n := descriptors(t); n != files {
		t.Errorf("%d file descriptors before, %d after", files, n)
	}
	if n := mapped(t); n != maps {
		t.Errorf("%d mappings before, %d after", maps, n)
	}
}

func TestEverythingAtOnceFromEightGoroutines(t *testing.T) {
	names := []string{newName(t), newName(t), newName(t)}
	files := descriptors(t)
	allowed := func(err error, codes ...abi.Code) {
		for _, code := range append(codes, abi.OK) {
			if abi.CodeOf(err) == code {
				return
			}
		}
		t.Errorf("code %d: %v", abi.CodeOf(err), err)
	}
	use := func(s *Segment) {
		defer s.Release()
		s.Retain()
		defer s.Release()
		pixels, err := s.Bytes()
		allowed(err)
		if len(pixels) != roomForBoth {
			t.Errorf("%d bytes", len(pixels))
		}
		allowed(s.SetImage(small))
		allowed(s.SetImage(large))
		if image, err := s.Image(); err != nil || image != small && image != large {
			t.Errorf("%+v, %v", image, err)
		}
		info, err := s.Info()
		allowed(err)
		if info.Foreign != 0 || !strings.HasPrefix(s.Name(), "shmcv-test-") {
			t.Errorf("%+v", info)
		}
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 2000 {
				name := names[rand.IntN(len(names))]
				switch rand.IntN(8) {
				case 0, 1:
					s, err := Create(name, roomForBoth)
					allowed(err, abi.EExists)
					if err == nil {
						use(s)
					}
				case 2, 3, 4, 5:
					s, err := Open(name)
					allowed(err, abi.ENotFound)
					if err == nil {
						use(s)
					}
				case 6:
					allowed(Clear(name), abi.ENotFound)
				case 7:
					if rand.IntN(10) == 0 {
						allowed(ClearAll())
					} else {
						_, err := List()
						allowed(err)
					}
				}
			}
		})
	}
	group.Wait()
	must(t, ClearAll(), abi.OK)
	if n := descriptors(t); n != files {
		t.Errorf("%d file descriptors before, %d after", files, n)
	}
	if len(mappings.byFile) != 0 {
		t.Errorf("%d segments are remembered", len(mappings.byFile))
	}
}
