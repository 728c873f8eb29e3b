package shm

import (
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// remade gives the name of a stream to a new one, as another program would do it.
func remade(t testing.TB, s *Stream) *Stream {
	t.Helper()
	next, err := CreateStream(s.Name(), frameBytes, 4, abi.WhenBehindDrop)
	must(t, err, abi.OK)
	t.Cleanup(next.Release)
	return next
}

// awaitStream waits until a stream is there, as shmcv_stream_open and shmcv_stream_follow do.
func awaitStream(t testing.TB, open func(nap *Nap) (*Stream, error)) (s *Stream, err error) {
	t.Helper()
	nap := Nap{}
	for again := true; again; again = nap.Sleep() {
		s, err = open(&nap)
	}
	if s != nil {
		t.Cleanup(s.Release)
	}
	return s, err
}

func follow(t testing.TB, s *Stream, timeout time.Duration) (*Stream, error) {
	t.Helper()
	return awaitStream(t, func(nap *Nap) (*Stream, error) { return s.Follow(timeout, nap) })
}

func TestReaderOfAReplacedStreamIsTold(t *testing.T) {
	s := newStreamFor(t, 4)
	reader := reopened(t, s)
	mustPut(t, s, 1, 1)
	must(t, Clear(s.Name()), abi.OK)
	mustGet(t, reader, 0, 1, 1).Release()
	_, err := waitFor(reader, 1, time.Millisecond)
	must(t, err, abi.ETimeout) // Nobody has the name.
	mustPut(t, s, 2, 2)        // The writer may go on.
	next := remade(t, s)
	mustGet(t, reader, 1, 2, 2).Release() // What is there comes first.
	_, err = waitFor(reader, 2, -1)
	must(t, err, abi.EReplaced, s.Name(), "frame 2 was the last")
	_, err = waitFor(reader, 2, 0)
	must(t, err, abi.EReplaced)
	must(t, waitWriter(reader, 0), abi.OK) // Until it closes the old stream, or begins a frame.
	_, err = put(s, 3)
	must(t, err, abi.EReplaced)
	must(t, s.End(), abi.OK)
	_, err = waitFor(reader, 2, -1)
	must(t, err, abi.EEnded)
	_, err = waitFor(next, 0, 0)
	must(t, err, abi.ETimeout)
}

func TestReplacementComesBeforeTheWritersAbsence(t *testing.T) {
	s := newStreamFor(t, 4)
	s.HeedWriter(true)
	must(t, s.ClearName(), abi.OK)
	_, err := waitFor(s, 0, -1)
	must(t, err, abi.EWriterGone)
	remade(t, s)
	_, err = waitFor(s, 0, -1)
	must(t, err, abi.EReplaced)
	must(t, waitWriter(s, -1), abi.EReplaced)
}

func TestStreamWhoseNameASegmentGetsIsNotReplaced(t *testing.T) {
	s := newStreamFor(t, 4)
	must(t, Clear(s.Name()), abi.OK)
	create(t, s.Name(), 1).Release()
	_, err := waitFor(s, 0, 20*time.Millisecond)
	must(t, err, abi.ETimeout)
}

func TestNameOfAnotherUsersFileIsTold(t *testing.T) {
	s := newStreamFor(t, 4)
	must(t, Clear(s.Name()), abi.OK)
	path := sys.Folder() + "/" + s.Name()
	if err := os.WriteFile(path, make([]byte, granularity), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 12345, 12345); err != nil {
		t.Skip("only the superuser gives files away")
	}
	_, err := waitFor(s, 0, -1)
	must(t, err, abi.EReplaced)
	_, err = follow(t, s, -1)
	must(t, err, abi.EPermission, "12345")
}

// A reader that sleeps is told, whoever removes the name, and when.
func TestSleepingReadersOfAReplacedStreamAreTold(t *testing.T) {
	for how, remove := range map[string]func(s *Stream) error{
		"cleared by its name":  func(s *Stream) error { return Clear(s.Name()) },
		"cleared by its owner": func(s *Stream) error { return s.ClearName() },
		"cleared with all":     func(*Stream) error { return ClearAll() },
		"removed by others":    func(s *Stream) error { return sys.Remove(s.Name()) },
	} {
		t.Run(how, func(t *testing.T) {
			s := newStreamFor(t, 4)
			heeding, every := reopened(t, s), reopened(t, s)
			mustPut(t, s, 1, 1)
			heeding.HeedWriter(true)
			must(t, every.Deliver(abi.DeliveryEvery), abi.OK)
			w := newWaitSetFor(t)
			must(t, w.Add(1, s, 11, 1), abi.OK)
			var waiters sync.WaitGroup
			for _, reader := range []*Stream{s, heeding, every} {
				waiters.Go(func() {
					_, err := waitFor(reader, 1, -1)
					if abi.CodeOf(err) != abi.EReplaced {
						t.Errorf("%v", err)
					}
				})
			}
			waiters.Go(func() { checkKeys(t, keysOf(t, w, -1), 1) })
			must(t, remove(s), abi.OK)
			remade(t, s)
			waiters.Wait()
			must(t, w.Add(2, s, 11, 1), abi.OK) // Over at once.
			checkKeys(t, keysOf(t, w, 0), 2)
			_, err := waitFor(s, 1, 0)
			must(t, err, abi.EReplaced)
		})
	}
}

// By the mark, and not because a sleep has its end.
func TestClearingWakesTheReaderThatSleeps(t *testing.T) {
	for how, clear := range map[string]func(s *Stream){
		"in this process": func(s *Stream) { must(t, Clear(s.Name()), abi.OK) },
		"in another":      func(s *Stream) { startChild(t, "clear", []string{s.Name()}).expect("cleared") },
	} {
		t.Run(how, func(t *testing.T) {
			s := newStreamFor(t, 4)
			nap := Nap{}
			if _, err := s.Wait(0, -1, &nap); err != nil || nap.Count == 0 {
				t.Fatal(nap.Count, err)
			}
			clear(s)
			if word, _ := s.bell.Listen(); word == nap.words[0] {
				t.Error("the bell has not changed: the system would let the reader sleep")
			}
			nap.Count = 0
			if _, err := s.Wait(0, -1, &nap); err != nil || nap.Count == 0 || nap.Until > sys.Monotonic()+uint64(heedSlice) {
				t.Error("the reader does not look again soon", nap.Count, err)
			}
		})
	}
}

func TestWriterThatWaitsForASlotIsTold(t *testing.T) {
	s, err := CreateStream(newName(t), frameBytes, 2, abi.WhenBehindBlock)
	must(t, err, abi.OK)
	t.Cleanup(s.Release)
	mustPut(t, s, 1, 1)
	defer mustGet(t, s, 0, 1, 1).Release()
	mustPut(t, s, 2, 2)
	nap := Nap{}
	if f, err := s.Begin(-1, &nap); f != nil || err != nil {
		t.Fatal(f, err)
	}
	must(t, s.ClearName(), abi.OK)
	remade(t, s)
	nap.Sleep()
	_, err = s.Begin(-1, &nap)
	must(t, err, abi.EReplaced)
}

func TestFollowerReadsTheNewStreamAsTheOldOne(t *testing.T) {
	s := newStreamFor(t, 4)
	old := reopened(t, s)
	mustPut(t, s, 1, 1)
	must(t, s.Deliver(abi.DeliveryEvery), abi.OK)
	s.HeedWriter(true)
	s.Spin(7)
	_, err := follow(t, s, 0)
	must(t, err, abi.ENotFound, "still")
	_, err = follow(t, s, time.Millisecond)
	must(t, err, abi.ETimeout, "still")
	must(t, s.ClearName(), abi.OK)
	_, err = follow(t, s, 0)
	must(t, err, abi.ENotFound)
	next := remade(t, s)
	follower, err := follow(t, s, -1)
	must(t, err, abi.OK)
	_, err = waitFor(follower, 0, 1)
	must(t, err, abi.ETimeout) // There has been no writer yet, which is not to say that it is gone.
	for mark := range uint64(3) {
		mustPut(t, next, mark+1, mark+1)
	}
	for mark := range uint64(3) {
		mustGet(t, follower, mark, mark+1, mark+1).Release()
	}
	next.resign()
	_, err = waitFor(follower, 3, -1)
	must(t, err, abi.EWriterGone)
	if spin := follower.ring.SpinTime(); spin != 7 {
		t.Errorf("it watches for %d ns", spin)
	}
	mustGet(t, old, 0, 1, 1).Release() // The old one is there until it is closed.
}

func TestOpenWaitsForTheStream(t *testing.T) {
	name := newName(t)
	openNow := func() (*Stream, error) { return OpenStream(name) }
	open := func(timeout time.Duration) (*Stream, error) {
		return awaitStream(t, func(nap *Nap) (*Stream, error) { return Within(timeout, nap, openNow) })
	}
	_, err := open(0)
	must(t, err, abi.ENotFound, name)
	_, err = open(time.Millisecond)
	must(t, err, abi.ETimeout, name, "1ms")
	var opener sync.WaitGroup
	opener.Go(func() {
		if _, err := open(-1); err != nil {
			t.Error(err)
		}
	})
	child := startChild(t, "make stream", []string{name})
	child.expect("made")
	opener.Wait()
	must(t, Clear(name), abi.OK)
	segment := create(t, name, 1)
	_, err = open(-1)
	must(t, err, abi.EInvalid, "segment")
	segment.Release() // Not before: on Windows a segment ends with its last process.
}

func init() {
	roles["clear"] = func(a []string) {
		childCheck(Clear(a[0]))
		fmt.Println("cleared")
	}
	roles["make stream"] = func(a []string) {
		_, err := CreateStream(a[0], frameBytes, 4, abi.WhenBehindDrop)
		childCheck(err)
		fmt.Println("made")
		nextLine()
	}
}
