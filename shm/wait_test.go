package shm

import (
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// sleep does what a nap asks for, as shmcv_sleep in export/sleep_linux.c does; false when it asks for nothing.
func (n *Nap) sleep() bool {
	if n.Word == nil {
		return false
	}
	const futexWaitBitset, anyBit = 9, 1<<32 - 1
	until := unix.NsecToTimespec(int64(n.Until))
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(n.Word)), futexWaitBitset, uintptr(n.Value),
		uintptr(unsafe.Pointer(&until)), 0, anyBit)
	n.Word = nil
	return true
}

// waitFor is shmcv_stream_wait.
func waitFor(s *Stream, newerThan uint64, timeout time.Duration) (f *Frame, err error) {
	nap := Nap{}
	for again := true; again; again = nap.sleep() {
		f, err = s.Wait(newerThan, timeout, &nap)
	}
	return f, err
}

// awaitImage is shmcv_image_wait.
func awaitImage(s *Segment, newerThan uint64, timeout time.Duration) (sequence uint64, err error) {
	nap := Nap{}
	for again := true; again; again = nap.sleep() {
		sequence, err = s.AwaitImage(newerThan, timeout, &nap)
	}
	return sequence, err
}

func TestNapHoldsNothingThatACloseWouldWaitFor(t *testing.T) {
	s := create(t, newName(t), frameBytes)
	nap := Nap{}
	if _, err := s.AwaitImage(0, -1, &nap); err != nil || nap.Word == nil {
		t.Fatalf("%+v, %v", nap, err)
	}
	s.Release() // unmaps: to sleep on the word now is refused by the kernel, and hurts nobody
	if !nap.sleep() {
		t.Error("the nap asked for nothing")
	}
}

func TestImageStoredBetweenTheLookAndTheSleepIsNotSleptOver(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	nap := Nap{}
	if _, err := s.AwaitImage(0, time.Hour, &nap); err != nil || nap.Word == nil {
		t.Fatalf("%+v, %v", nap, err)
	}
	must(t, s.SetImage(tall), abi.OK)
	if word := nap.Word.Load(); word == nap.Value {
		t.Errorf("the word is still %d: the kernel would let a reader sleep", word)
	}
	nap.sleep()
	if sequence, err := s.AwaitImage(0, time.Hour, &nap); sequence != 1 || err != nil || nap.Word != nil {
		t.Errorf("%d, %v, %+v", sequence, err, nap)
	}
}

func TestNapsOfOneWaitEndAtItsDeadline(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	nap, begun := Nap{}, monotonic()
	const timeout = uint64(time.Hour)
	for range 3 {
		before := monotonic()
		if _, err := s.AwaitImage(0, time.Hour, &nap); err != nil || nap.Word == nil {
			t.Fatalf("%+v, %v", nap, err)
		}
		if nap.Until < before || nap.Until > monotonic()+uint64(sleepSlice) {
			t.Errorf("a nap from %d to %d", before, nap.Until)
		}
		if nap.deadline < begun+timeout || nap.deadline > monotonic()+timeout {
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
