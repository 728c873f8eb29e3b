package shm

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"shmcv/internal/abi"
)

// waitWriter waits for a writer, as shmcv_stream_wait_writer does.
func waitWriter(s *Stream, timeout time.Duration) (err error) {
	nap := Nap{}
	for again := true; again; again = nap.Sleep() {
		_, err = s.WaitWriter(timeout, &nap)
	}
	return err
}

func TestReaderThatHeedsTheWriterIsToldThatThereIsNone(t *testing.T) {
	s := newStreamFor(t, 4)
	reader := reopened(t, s)
	reader.HeedWriter(true)
	_, err := waitFor(reader, 0, -1)
	must(t, err, abi.EWriterGone, s.Name(), "newest frame is 0")
	must(t, waitWriter(reader, 0), abi.ETimeout)
	mustPut(t, s, 1, 1)
	must(t, waitWriter(reader, 0), abi.OK)
	_, err = waitFor(reader, 1, time.Millisecond)
	must(t, err, abi.ETimeout)
	s.resign()
	mustGet(t, reader, 0, 1, 1).Release() // The last frame is still there.
	_, err = waitFor(reader, 1, -1)
	must(t, err, abi.EWriterGone, "newest frame is 1")
	reader.HeedWriter(false)
	_, err = waitFor(reader, 1, time.Millisecond)
	must(t, err, abi.ETimeout)
}

func TestWaitSetTellsThatThereIsNoWriter(t *testing.T) {
	w, s := newWaitSetFor(t), newStreamFor(t, 4)
	mustPut(t, s, 1, 1)
	reader, patient := reopened(t, s), reopened(t, s)
	reader.HeedWriter(true)
	must(t, w.Add(1, reader, 11, 1), abi.OK)
	must(t, w.Add(2, patient, 12, 1), abi.OK)
	checkKeys(t, keysOf(t, w, 0))
	s.resign()
	checkKeys(t, keysOf(t, w, time.Minute), 1)
	must(t, w.Add(3, reader, 11, 1), abi.OK) // Over at once.
	checkKeys(t, keysOf(t, w, 0), 3)
	mustPut(t, reopened(t, s), 2, 2)
	checkKeys(t, keysOf(t, w, time.Minute), 2)
}

// kills gives how many writers the test below kills: SHMCV_KILL_ROUNDS, or 50.
func kills() int {
	if n, err := strconv.Atoi(os.Getenv("SHMCV_KILL_ROUNDS")); err == nil {
		return n
	}
	return 50
}

// Readers that sleep are told of each writer's death, and go on with the next writer's first frame.
func TestEveryReaderKnowsOfAKilledWriterAndGoesOnWithTheNext(t *testing.T) {
	const readers = 3
	// Each reader sleeps in a system call. With fewer, Go takes up to 10 ms to see that one of them may run.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(readers + 5))
	s := newStreamFor(t, readers+2)
	type event struct {
		at  time.Time
		err error
	}
	events := make(chan event, readers)
	begin := make(chan uint64, readers)
	for range readers {
		reader := reopened(t, s)
		reader.HeedWriter(true)
		go func() {
			for newest := range begin { // Until the writer is gone; then until the next frame.
				f, err := waitFor(reader, newest, time.Minute)
				events <- event{time.Now(), err}
				if err == nil {
					f.Release()
					events <- event{time.Now(), abi.Errorf(abi.EInternal, "a frame where none was published")}
					continue
				}
				if err = waitWriter(reader, time.Minute); err == nil {
					if f, err = waitFor(reader, newest, time.Minute); err == nil {
						f.Release()
					}
				}
				events <- event{time.Now(), err}
			}
		}()
	}
	defer close(begin)
	writer := startChild(t, "stream", []string{s.Name()})
	writer.expect("ready")
	writer.say("put")
	writer.expect("1")
	var toldLate, diedLate, wentOnLate time.Duration
	late := 0
	for round := range kills() {
		for range readers {
			begin <- uint64(round + 1)
		}
		next := startChild(t, "stream", []string{s.Name()})
		next.expect("ready")
		killed := time.Now()
		writer.kill()
		died := time.Now() // The kernel has taken its locks before.
		for range readers {
			e := <-events
			must(t, e.err, abi.EWriterGone)
			toldLate = max(toldLate, e.at.Sub(killed))
			if e.at.Sub(killed) > 10*time.Millisecond {
				late++
			}
			diedLate = max(diedLate, e.at.Sub(died))
		}
		writer = next
		wrote := time.Now()
		writer.say("put")
		writer.expect(strconv.Itoa(round + 2))
		for range readers {
			e := <-events
			must(t, e.err, abi.OK)
			wentOnLate = max(wentOnLate, e.at.Sub(wrote))
		}
	}
	t.Logf("%d writers killed: every reader knew within %v of the signal (%d later than 10 ms) and %v of the process's end, "+
		"and had the next writer's first frame within %v", kills(), toldLate, late, diedLate, wentOnLate)
}
