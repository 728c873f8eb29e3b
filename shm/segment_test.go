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
	_, err = Create(s.Name(), maxSize) // It would not fit either, but that is not what has to be mended.
	must(t, err, abi.EExists, s.Name())
}

func TestOneOfManyCreatorsGetsTheName(t *testing.T) {
	for range 100 {
		name := newName(t)
		var group sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			group.Go(func() {
				s, err := Create(name, 100)
				if results[i] = err; err == nil {
					s.Release()
				}
			})
		}
		group.Wait()
		got := 0
		for _, err := range results {
			if err == nil {
				got++
			} else {
				must(t, err, abi.EExists)
			}
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

// One goroutine opens a file while another is about to unmap it, having released its last use.
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
			create(t, name, 1<<20).Release()
			must(t, Clear(name), abi.OK)
		}
	}
}
