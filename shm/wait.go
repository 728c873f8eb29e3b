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

// await waits until news is true, at most for that long, without an end if timeout is negative; false when the time
// is up. news is asked at least once, and an error of it ends the wait.
//
// The one who rings stores what is new, then word, then looks at waiters; this stores waiters, then looks at word,
// then at what is new. In one order of all these (they are sequentially consistent) either the look at waiters sees
// the store, and wakes; or the look at what is new sees that.
func (b bell) await(timeout time.Duration, news func() (bool, error)) (bool, error) {
	done, err := news()
	if done || err != nil || timeout == 0 {
		return done, err
	}
	begun := time.Now()
	left := func() time.Duration {
		if timeout < 0 {
			return sleepSlice
		}
		return timeout - time.Since(begun)
	}
	heard := b.word.Load()
	if done, err = news(); done || err != nil {
		return done, err
	}
	if runtime.NumCPU() > 1 {
		for time.Since(begun) < min(spinTime, left()) {
			for range 32 {
				if b.word.Load() != heard {
					break
				}
			}
			if b.word.Load() != heard {
				break
			}
		}
	}
	for {
		b.waiters.Store(1)
		value := b.word.Load()
		if done, err = news(); done || err != nil {
			return done, err
		}
		remaining := left()
		if remaining <= 0 {
			return false, nil
		}
		sleepOn(b.word, value, min(remaining, sleepSlice))
	}
}
