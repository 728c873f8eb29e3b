package shm

import (
	"sync"
	"testing"
	"time"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// waitFor is shmcv_stream_wait.
func waitFor(s *Stream, newerThan uint64, timeout time.Duration) (f *Frame, err error) {
	nap := Nap{}
	for again := true; again; again = nap.Sleep() {
		f, err = s.Wait(newerThan, timeout, &nap)
	}
	return f, err
}

// awaitImage is shmcv_image_wait.
func awaitImage(s *Segment, newerThan uint64, timeout time.Duration) (sequence uint64, err error) {
	nap := Nap{}
	for again := true; again; again = nap.Sleep() {
		sequence, err = s.Wait(newerThan, timeout, &nap)
	}
	return sequence, err
}

func TestNapHoldsNothingThatACloseWouldWaitFor(t *testing.T) {
	s := create(t, newName(t), frameBytes)
	nap := Nap{}
	if _, err := s.Wait(0, -1, &nap); err != nil || nap.Word == 0 {
		t.Fatalf("%+v, %v", nap, err)
	}
	s.Release() // unmaps: to sleep on the word now is refused by the kernel, and hurts nobody
	if !nap.Sleep() {
		t.Error("the nap asked for nothing")
	}
}

func TestImageStoredBetweenTheLookAndTheSleepIsNotSleptOver(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	nap := Nap{}
	if _, err := s.Wait(0, time.Hour, &nap); err != nil || nap.Word == 0 {
		t.Fatalf("%+v, %v", nap, err)
	}
	must(t, s.SetImage(tall), abi.OK)
	if value := s.bell.Value(); value == nap.Value {
		t.Errorf("the bell still has the value %d: the system would let a reader sleep", value)
	}
	nap.Sleep()
	if sequence, err := s.Wait(0, time.Hour, &nap); sequence != 1 || err != nil || nap.Word != 0 {
		t.Errorf("%d, %v, %+v", sequence, err, nap)
	}
}

func TestNapsOfOneWaitEndAtItsDeadline(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	nap, begun := Nap{}, sys.Monotonic()
	const timeout = uint64(time.Hour)
	for range 3 {
		before := sys.Monotonic()
		if _, err := s.Wait(0, time.Hour, &nap); err != nil || nap.Word == 0 {
			t.Fatalf("%+v, %v", nap, err)
		}
		if nap.Until < before || nap.Until > sys.Monotonic()+uint64(sleepSlice) {
			t.Errorf("a nap from %d to %d", before, nap.Until)
		}
		if nap.deadline < begun+timeout || nap.deadline > sys.Monotonic()+timeout {
			t.Errorf("the wait of an hour from %d ends at %d", begun, nap.deadline)
		}
	}
}

func TestAllWhoSleepAreWoken(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			if _, err := awaitImage(s, 0, -1); err != nil {
				t.Error(err)
			}
		})
	}
	must(t, s.SetImage(tall), abi.OK)
	readers.Wait()
}
