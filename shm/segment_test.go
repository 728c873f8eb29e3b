package shm

import (
	"fmt"
	"math"
	"os"
	"sync"
	"testing"
	"time"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

func TestCreatedSegmentTellsAboutItself(t *testing.T) {
	before := uint64(time.Now().UnixNano())
	s, other := newSegmentFor(t, 100), newSegmentFor(t, 100)
	info := mustInfo(t, s)
	want := abi.SegmentInfo{
		Size: 100, FileSize: 65536, Owner: uint32(os.Getpid()), OwnerAlive: 1,
		UUID: info.UUID, CreatedAt: info.CreatedAt,
	}
	copy(want.Name[:], s.Name())
	if info != want {
		t.Errorf("got  %+v\nwant %+v", info, want)
	}
	if info.CreatedAt < before || info.CreatedAt > uint64(time.Now().UnixNano()) {
		t.Errorf("created at %d, it is %d", info.CreatedAt, before)
	}
	if info.UUID == mustInfo(t, other).UUID {
		t.Error("another segment has the same UUID")
	}
	if s.identity.OwnerStart == 0 || s.identity.OwnerStart != sys.ProcessStart() {
		t.Errorf("owner's start %d", s.identity.OwnerStart)
	}
}

func TestUUIDsSayThatTheyAreRandom(t *testing.T) {
	for range 100 {
		if uuid := newUUID(); uuid[6]>>4 != 4 || uuid[8]>>6 != 2 {
			t.Fatalf("%x is not of version 4", uuid)
		}
	}
}

func TestSizesThatMakeNoSenseAreRefused(t *testing.T) {
	for _, size := range []uint64{0, maxSize + 1, 1 << 63, math.MaxInt64, math.MaxUint64, math.MaxUint64 - 4095} {
		_, err := Create(newName(t), size)
		must(t, err, abi.EInvalid, fmt.Sprint(size))
	}
}

func TestSizeLargerThanSharedMemoryIsRefusedAtOnce(t *testing.T) {
	name := newName(t)
	_, err := Create(name, maxSize)
	must(t, err, abi.ENoSpace, name, fmt.Sprint(uint64(maxSize+65536), " with metadata"))
	_, err = Open(name)
	must(t, err, abi.ENotFound)
}

func TestTakenNameIsRefused(t *testing.T) {
	s := newSegmentFor(t, 100)
	_, err := Create(s.Name(), 100)
	must(t, err, abi.EExists, s.Name())
	_, err = Create(s.Name(), maxSize) // The size does not fit either, but the name is what has to be mended.
	must(t, err, abi.EExists, s.Name())
}

func TestErrorOfATakenNameTellsWhoseItIsAndWhatToDo(t *testing.T) {
	s := newSegmentFor(t, 100)
	_, err := Create(s.Name(), 100)
	must(t, err, abi.EExists, fmt.Sprintf("process %d, which has it open", os.Getpid()), "clear", "sweep")

	name := newName(t)
	owner := startChild(t, "own", []string{name})
	owner.expect("ready")
	defer open(t, name).Release() // On Windows a segment ends with its last process.
	owner.kill()
	_, err = Create(name, 100)
	must(t, err, abi.EExists, fmt.Sprintf("process %d, which has ended", owner.cmd.Process.Pid), "sweep")
}

func TestOpenOrCreateOpensWhatFitsAndCreatesWhatIsMissing(t *testing.T) {
	name := newName(t)
	first, made, err := OpenOrCreate(name, 100)
	must(t, err, abi.OK)
	defer first.Release()
	if !made || first.size != 100 {
		t.Errorf("made %v, with %d bytes", made, first.size)
	}
	must(t, first.SetImage(abi.NewImageInfo(3, 2, abi.DepthU8, abi.OrderGray)), abi.OK)
	for _, size := range []uint64{1, 100} {
		again, made, err := OpenOrCreate(name, size)
		must(t, err, abi.OK)
		if made || again != first {
			t.Errorf("%d bytes: made %v", size, made)
		}
		mustImage(t, again, small)
		again.Release()
	}
	_, _, err = OpenOrCreate(name, 101)
	must(t, err, abi.ETooSmall, name, "100 bytes", "101 are wanted", "clear")
	_, _, err = OpenOrCreate(name, 0)
	must(t, err, abi.EInvalid)
	_, _, err = OpenOrCreate("../"+name, 1)
	must(t, err, abi.EInvalid)
	_, _, err = OpenOrCreateStream(name, 1, 0, abi.WhenBehindDrop)
	must(t, err, abi.EInvalid, "no stream")
	if n := first.references.Load(); n != 1 {
		t.Errorf("%d references are left", n)
	}
}

func TestOpenOrCreateStreamOpensWhatFitsAndCreatesWhatIsMissing(t *testing.T) {
	name := newName(t)
	first, made, err := OpenOrCreateStream(name, 100, 0, abi.WhenBehindDrop)
	must(t, err, abi.OK)
	defer first.Release()
	if !made || first.identity.SlotCount != defaultSlots {
		t.Errorf("made %v, with %d slots", made, first.identity.SlotCount)
	}
	for _, slots := range []uint32{0, 2, 4} {
		again, made, err := OpenOrCreateStream(name, pageSize, slots, abi.WhenBehindDrop)
		must(t, err, abi.OK)
		if made {
			t.Errorf("%d slots: made", slots)
		}
		again.Release()
	}
	_, _, err = OpenOrCreateStream(name, pageSize+1, 0, abi.WhenBehindDrop)
	must(t, err, abi.ETooSmall, name, "4 slots of 4096 bytes", "4097", "clear")
	_, _, err = OpenOrCreateStream(name, 1, 5, abi.WhenBehindDrop)
	must(t, err, abi.ETooSmall, name, "5 slots")
	_, _, err = OpenOrCreateStream(name, 1, 1025, abi.WhenBehindDrop)
	must(t, err, abi.EInvalid, "1025 slots")
	_, _, err = OpenOrCreate(name, 1)
	must(t, err, abi.EInvalid, "is a stream")
}

func TestManyWhoOpenOrCreateGetOneSegment(t *testing.T) {
	for range 100 {
		name := newName(t)
		var group sync.WaitGroup
		var mu sync.Mutex
		got, created := map[*Segment]int{}, 0
		for range 8 {
			group.Go(func() {
				s, made, err := OpenOrCreate(name, 100)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
					return
				}
				got[s]++
				if made {
					created++
				}
			})
		}
		group.Wait()
		if len(got) != 1 || created != 1 {
			t.Fatalf("%d segments, created %d times", len(got), created)
		}
		for s, n := range got {
			for range n {
				s.Release()
			}
		}
	}
}

func TestOneOfManyCreatorsGetsTheName(t *testing.T) {
	for range 100 {
		name := newName(t)
		var group sync.WaitGroup
		segments, results := make([]*Segment, 8), make([]error, 8)
		for i := range results {
			group.Go(func() { segments[i], results[i] = Create(name, 100) })
		}
		group.Wait()
		got := 0
		for i, err := range results {
			if err != nil {
				must(t, err, abi.EExists)
				continue
			}
			got++
			segments[i].Release()
		}
		if got != 1 {
			t.Fatalf("%d creators got the name", got)
		}
	}
}

func TestUnknownNameIsNotFound(t *testing.T) {
	name := newName(t)
	_, err := Open(name)
	must(t, err, abi.ENotFound, name)
	must(t, Clear(name), abi.ENotFound, name)
}

// One goroutine opens a file while another has released the last reference and is about to unmap it.
func TestOpenDuringTheLastReleaseMapsAnew(t *testing.T) {
	dying := create(t, newName(t), 100)
	dying.references.Store(0)
	next := open(t, dying.Name())
	defer next.Release()
	if next == dying {
		t.Fatal("a segment without users was given out")
	}
	dying.references.Store(1)
	dying.Release()
	if again := open(t, dying.Name()); again != next {
		t.Error("the release made the process forget the other mapping")
	} else {
		again.Release()
	}
}

func TestSegmentAppearsOnlyWhenComplete(t *testing.T) {
	name := newName(t)
	watcher := startChild(t, "watch", []string{name})
	watcher.expect("ready")
	done := make(chan struct{})
	go func() {
		defer close(done)
		watcher.from.Scan()
	}()
	for {
		select {
		case <-done:
			if watcher.from.Text() != "complete" {
				t.Error(watcher.from.Text())
			}
			return
		default:
			s := create(t, name, 1<<20)
			must(t, Clear(name), abi.OK)
			s.Release()
		}
	}
}
