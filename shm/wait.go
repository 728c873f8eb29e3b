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

	// closeSlice is the same where the system sleeps on one word, and a close is therefore no wake-up.
	closeSlice = 50 * time.Millisecond
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
// The caller holds no reference while it sleeps, so that a word may be unmapped when it goes to sleep. The system then
// refuses to sleep, or, if something else has been mapped there, sleeps until Until at the latest.
//
// In C this is the structure shmcv_nap. There the words beyond Count hold anything.
type Nap struct {
	Count uint32 // How many words to sleep on; 0 if there is no need to sleep. Sleeping sets it to 0.
	heeds uint32 // 1 if the caller has asked, by Heed, for a second word to sleep on.
	Until uint64 // Sleep only until this time: sys.Monotonic.
	Soon  uint64 // And only until this time, if the system cannot sleep on all words.

	deadline uint64 // When the wait is over; 0 before it has begun.
	words    [sys.MostWords]sys.Word
}

// Heed makes the nap end when an alarm is raised that had not been raised when Heed was called.
func (n *Nap) Heed(alarm *Alarm) { n.heeds, n.words[1] = 1, alarm.Listen() }

// Sleep sleeps as the nap says, for callers that are Go throughout. It returns false if there is no need to sleep.
func (n *Nap) Sleep() bool {
	if n.Count == 0 {
		return false
	}
	sys.Sleep(n.words[:n.Count], n.Until)
	n.Count = 0
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
// as nap says and call again; if nap.Count is 0, the timeout has expired. timeout counts from the first call with this nap;
// if it is 0 the timeout expires at once, if it is negative never. slice gives the longest sleep. An error of news ends the
// wait.
//
// sys.Bell tells why a sleeper misses no news.
func await(bell *sys.Bell, nap *Nap, timeout time.Duration, slice func() time.Duration, news func() (bool, error)) (bool, error) {
	if timeout == 0 {
		return false, nil
	}
	if nap.deadline == 0 {
		nap.begin(timeout)
		watch(bell, nap.deadline)
	}
	word, _ := bell.Listen()
	if done, err := news(); done || err != nil {
		return done, err
	}
	if now := sys.Monotonic(); now < nap.deadline {
		nap.words[0], nap.Count = word, 1+nap.heeds
		longest := slice()
		nap.Until, nap.Soon = min(nap.deadline, now+uint64(longest)), now+uint64(min(longest, closeSlice))
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
