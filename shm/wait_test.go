package shm

import (
	"sync"
	"testing"
	"time"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// waitFor waits for a frame, as shmcv_stream_wait does.
func waitFor(s *Stream, newerThan uint64, timeout time.Duration) (f *Frame, err error) {
	nap := Nap{}
	for again := true; again; again = nap.Sleep() {
		f, err = s.Wait(newerThan, timeout, &nap)
	}
	return f, err
}

// awaitImage waits for an image, as the C function does.
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
	if _, err := s.Wait(0, -1, &nap); err != nil || nap.Count == 0 {
		t.Fatalf("%d, %v", nap.Count, err)
	}
	s.Release() // Unmaps the word. The system then refuses to sleep on it.
	if !nap.Sleep() {
		t.Error("the nap asked for nothing")
	}
}

func TestImageStoredBetweenTheLookAndTheSleepIsNotSleptOver(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	nap := Nap{}
	if _, err := s.Wait(0, time.Hour, &nap); err != nil || nap.Count == 0 {
		t.Fatalf("%d, %v", nap.Count, err)
	}
	must(t, s.SetImage(tall), abi.OK)
	if word, _ := s.bell.Listen(); word == nap.words[0] {
		t.Errorf("the bell has not changed since %+v: the system would let a reader sleep", word)
	}
	nap.Sleep()
	if sequence, err := s.Wait(0, time.Hour, &nap); sequence != 1 || err != nil || nap.Count != 0 {
		t.Errorf("%d, %v, %d", sequence, err, nap.Count)
	}
}

func TestNapsOfOneWaitEndAtItsDeadline(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	nap, begun := Nap{}, sys.Monotonic()
	const timeout = uint64(time.Hour)
	for range 3 {
		before := sys.Monotonic()
		if _, err := s.Wait(0, time.Hour, &nap); err != nil || nap.Count == 0 {
			t.Fatalf("%d, %v", nap.Count, err)
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
