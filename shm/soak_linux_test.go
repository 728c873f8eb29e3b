package shm

import (
	"math/bits"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

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

// A reader of every frame dies while it holds a frame and is behind, so that the writer waits for this reader alone. The
// writer goes on, and readers that live and are fast get every frame. SHMCV_KILL_ROUNDS says how many readers die. For times
// on a machine that does other work too:
//
//	go test -c -o /tmp/shm.test ./shm && cd shm
//	SHMCV_KILL_ROUNDS=1000 chrt -f 10 /tmp/shm.test -test.v -test.run 'HoldsItDies|KilledWriter'
func TestAWriterGoesOnWhenTheReaderThatHoldsItDies(t *testing.T) {
	const living, slots = 2, 8
	// The writer sleeps in a system call. With fewer, Go takes up to 10 ms to see that the writer may run.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(8))
	s, err := CreateStream(newName(t), uint64(line.Bytes()), slots, abi.WhenBehindBlock)
	must(t, err, abi.OK)
	defer s.Release()
	var fast [living]*child
	for i := range fast {
		fast[i] = startChild(t, "every frame in order", []string{s.Name()})
		fast[i].expect("ready")
	}
	sequence := uint64(0)
	put := func(timeout time.Duration) (time.Time, error) {
		f, err := begin(s, timeout)
		if err != nil {
			return time.Time{}, err
		}
		begun := time.Now()
		defer f.Release()
		sequence++
		must(t, paint(f, sequence, int(line.Bytes())), abi.OK)
		must(t, f.SetImage(line), abi.OK)
		_, err = f.Publish()
		must(t, err, abi.OK)
		return begun, nil
	}
	var held []time.Duration
	for range kills() {
		slow := startChild(t, "every frame", []string{s.Name(), "1"})
		slow.expect("ready")
		_, err := put(time.Minute)
		must(t, err, abi.OK)
		if !slow.from.Scan() { // It has the frame, and keeps it.
			t.Fatal("the slow reader has ended")
		}
		blockers := uint64(0)
		for err = nil; err == nil || bits.OnesCount64(blockers) != 1; blockers = s.ring.Blockers() {
			_, err = put(0)
			if err != nil {
				must(t, err, abi.EBusy)
				runtime.Gosched() // A fast reader has not taken all yet.
			}
		}
		released, gone := make(chan time.Time, 1), make(chan struct{})
		place := lockPlace + bits.TrailingZeros64(blockers)
		go func() {
			slow.kill()
			close(gone)
		}()
		go func() {
			for {
				if held, err := s.file.HeldByOther(place); !held || err != nil {
					released <- time.Now()
					return
				}
			}
		}()
		begun, err := put(time.Minute)
		must(t, err, abi.OK)
		held = append(held, begun.Sub(<-released))
		<-gone
	}
	must(t, s.End(), abi.OK)
	for i, reader := range fast {
		if !reader.from.Scan() || reader.from.Text() != "whole" {
			t.Errorf("reader %d: %s", i, reader.from.Text())
		}
	}
	slices.Sort(held)
	late, _ := slices.BinarySearch(held, time.Millisecond)
	t.Logf("%d readers killed, %d frames: from the release of the dead reader's lock to the writer's frame: median %v, longest %v "+
		"(%d more than 1 ms)", len(held), sequence, held[len(held)/2], held[len(held)-1], len(held)-late)
}
