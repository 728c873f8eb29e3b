package shm

import (
	"runtime"
	"sync/atomic"
	"time"
)

const (
	// spinTime is how long a word is watched before sleeping. Waking costs a few microseconds, so that watching pays
	// for what comes soon, and burns a processor for what does not.
	spinTime = 20 * time.Microsecond

	// sleepSlice is the longest sleep without a look at the segment and the clock: it bounds the harm of a wake-up that
	// a neighbour has spoilt.
	sleepSlice = 100 * time.Millisecond
)

// Nap is a wait in pieces. What waits here does not sleep itself: it asks its caller to, who then asks again with the
// same Nap. The caller is C (shmcv_sleep in export/native.c), because a thread that sleeps there goes on as soon as the
// kernel lets it, while one that sleeps in Go has to be taken up by Go's scheduler first: 20 to 30 µs more on a quiet
// machine (scripts/bench/handover.c).
//
// A caller who asks for a while holds no reference meanwhile: Word may be unmapped when it goes to sleep. The kernel
// then refuses to sleep, or, on another mapping at this address, sleeps no longer than until Until.
type Nap struct {
	Word  *atomic.Uint32 // What to sleep on, by a futex without FUTEX_PRIVATE_FLAG; nil where not to sleep. The caller sets it back to nil.
	Value uint32         // Sleep only while Word has this value.
	Until uint64         // And no longer than until then: CLOCK_MONOTONIC, nanoseconds.

	deadline uint64 // When the wait is over; 0 before it has begun.
}

// forEver is the deadline of a wait without an end.
const forEver = 1<<64 - 1

// begin sets when the wait is over: timeout from now, never if that is negative.
func (n *Nap) begin(timeout time.Duration) {
	n.deadline = forEver
	if timeout > 0 {
		n.deadline = monotonic() + uint64(timeout)
	}
}

// bell is what readers sleep on until something new is there.
type bell struct {
	word    *atomic.Uint32 // Changes with every news.
	waiters *atomic.Uint32 // Not 0 when somebody may be asleep. A flag and no count: those who are killed asleep cannot take theirs back.
}

// ring tells everybody that word has changed. With nobody asleep it is one load.
func (b bell) ring() {
	if b.waiters.Load() != 0 && b.waiters.Swap(0) != 0 {
		wakeAll(b.word)
	}
}

// await is for a caller who has found nothing new. It is true when news is after all. Otherwise the caller is to sleep as
// nap says, and to look again; or nap's Word is nil, and the time is up: timeout after the first await with this nap, at
// once where that is 0, never where it is negative. An error of news ends the wait.
//
// The one who rings stores what is new, then word, then looks at waiters; this stores waiters, then looks at word,
// then at what is new. In one order of all these (they are sequentially consistent) either the look at waiters sees
// the store, and wakes; or the look at what is new sees that.
func (b bell) await(nap *Nap, timeout time.Duration, news func() (bool, error)) (bool, error) {
	if timeout == 0 {
		return false, nil
	}
	if nap.deadline == 0 {
		nap.begin(timeout)
		b.watch(nap.deadline)
	}
	b.waiters.Store(1)
	value := b.word.Load()
	if done, err := news(); done || err != nil {
		return done, err
	}
	if now := monotonic(); now < nap.deadline {
		nap.Word, nap.Value, nap.Until = b.word, value, min(nap.deadline, now+uint64(sleepSlice))
	}
	return false, nil
}

// watch spins until word changes, for spinTime at most.
func (b bell) watch(deadline uint64) {
	if runtime.NumCPU() == 1 {
		return
	}
	heard := b.word.Load()
	for end := min(deadline, monotonic()+uint64(spinTime)); monotonic() < end; {
		for range 32 {
			if b.word.Load() != heard {
				return
			}
		}
	}
}
