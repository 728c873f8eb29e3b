package shm

import (
	"runtime"
	"time"

	"shmcv/shm/internal/sys"
)

const (
	// spinTime is how long a waiting thread watches a bell before it sleeps. To wake a sleeper takes a few
	// microseconds: watching pays for news that come soon, and burns a processor for all others.
	spinTime = 20 * time.Microsecond

	// sleepSlice is the longest sleep without a look at the segment and the clock. It bounds the harm of a neighbour
	// that spoils a wake-up.
	sleepSlice = 100 * time.Millisecond

	// unmarkedSlice is the same for a process that cannot mark the bell, so that nobody may wake it.
	unmarkedSlice = 10 * time.Millisecond
)

// sleepSlice is the longest sleep of who waits for news of this file.
func (m *mapping) sleepSlice() time.Duration {
	if m.file.Writable() {
		return sleepSlice
	}
	return unmarkedSlice
}

// Nap is a wait in pieces. The functions that wait do not sleep themselves: they ask their caller to sleep, and to call
// again with the same Nap. The caller is C (shmcv_sleep in export/host.h). A thread that sleeps there goes on as soon
// as the kernel lets it; a thread that sleeps in Go must first be taken up by Go's scheduler, which takes 20 to 30 µs
// more on a quiet machine (scripts/bench/handover.c).
//
// The caller holds no reference while it sleeps, so that Word may be unmapped when it goes to sleep. The system then
// refuses to sleep, or, if something else has been mapped there, sleeps until Until at the latest.
//
// In C this is the structure shmcv_nap.
type Nap struct {
	Word  uintptr // What to sleep on, for the system; 0 if there is no need to sleep. Sleeping sets it to 0.
	Value uint32  // Sleep only as long as the bell has this value.
	Until uint64  // And only until this time: sys.Monotonic.

	deadline uint64 // When the wait is over; 0 before it has begun.
}

// Sleep sleeps as the nap says, for callers that are Go throughout. It returns false if there is no need to sleep.
func (n *Nap) Sleep() bool {
	if n.Word == 0 {
		return false
	}
	sys.Sleep(n.Word, n.Value, n.Until)
	n.Word = 0
	return true
}

// forEver is the deadline of a wait without an end.
const forEver = 1<<64 - 1

// begin sets when the wait is over: timeout from now, or never if timeout is negative.
func (n *Nap) begin(timeout time.Duration) {
	n.deadline = forEver
	if timeout > 0 {
		n.deadline = sys.Monotonic() + uint64(timeout)
	}
}

// await prepares a wait. The caller has found no news. It returns true if news became true meanwhile. Otherwise sleep
// on nap.Word and call again; if that is 0, the timeout has expired. timeout counts from the first call with this nap;
// if it is 0 the timeout expires at once, if it is negative never. slice is the longest sleep. An error of news ends the
// wait.
//
// sys.Bell tells why a sleeper misses no news.
func await(bell *sys.Bell, nap *Nap, timeout, slice time.Duration, news func() (bool, error)) (bool, error) {
	if timeout == 0 {
		return false, nil
	}
	if nap.deadline == 0 {
		nap.begin(timeout)
		watch(bell, nap.deadline)
	}
	word, value := bell.Listen()
	if done, err := news(); done || err != nil {
		return done, err
	}
	if now := sys.Monotonic(); now < nap.deadline {
		nap.Word, nap.Value, nap.Until = word, value, min(nap.deadline, now+uint64(slice))
	}
	return false, nil
}

// watch spins until the bell's value changes, for spinTime at most.
func watch(bell *sys.Bell, deadline uint64) {
	if runtime.NumCPU() == 1 {
		return
	}
	heard := bell.Value()
	for end := min(deadline, sys.Monotonic()+uint64(spinTime)); sys.Monotonic() < end; {
		for range 32 {
			if bell.Value() != heard {
				return
			}
		}
	}
}
