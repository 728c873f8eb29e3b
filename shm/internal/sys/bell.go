package sys

import (
	"sync/atomic"
	"unsafe"
)

// Bell wakes the threads of all processes that sleep until something new is in a mapping. It stands on two words of the
// mapping, of 4 bytes each: a value, which changes with each news, and a mark that somebody may be asleep. The mark is
// no count, because a process that is killed asleep cannot take its part back.
//
// A process that has news stores it, and then calls Ring. A process that waits calls Listen, looks for news once more,
// and only then sleeps on the result of Listen. All these accesses are sequentially consistent: there is one order of
// them all. Ring takes the mark away, then changes the value, and then wakes, if there was a mark. Listen sets the mark, then
// reads the value, and begins again if the mark is gone by then. So who sleeps has a mark in place for as long as the bell has
// the value that was slept on: whoever takes the mark afterwards changes the value and wakes. If Ring finds no mark, Listen
// comes after it, and the look that follows Listen sees the news. (If Ring changed the value first, Listen might read the new
// value and lose the mark after that; the next Ring would then wake nobody. A reader that took the news before it listened
// would sleep over the news after that; shm/replaced_model_test.go.)
type Bell struct {
	word, mark *atomic.Uint32
	writable   bool
	system     bell // Those who sleep on the word.
}

// Bell makes the bell whose value is at one offset of a mapping and whose mark is at another. Both are multiples of 4.
// The mapping begins at the same byte of the file in all processes. The bell is valid until Close. If the mapping is not
// writable, Listen cannot set the mark, and Ring may not wake who sleeps on its result.
func (f *File) Bell(memory []byte, value, mark uint64, writable bool) Bell {
	word := (*atomic.Uint32)(unsafe.Pointer(&memory[value]))
	return Bell{word, (*atomic.Uint32)(unsafe.Pointer(&memory[mark])), writable, f.system.bell(word, value)}
}

// Ring changes the value, and wakes everybody who sleeps on this bell. Where nobody does, it makes no system call.
// Only one caller in all processes may ring a bell at a time.
func (b *Bell) Ring(value uint32) {
	sleepers := b.mark.Load() != 0 && b.mark.Swap(0) != 0
	b.word.Store(value)
	if sleepers {
		b.system.wake()
	}
}

// Value gives the value.
func (b *Bell) Value() uint32 { return b.word.Load() }

// Listen sets the mark that somebody may be asleep, and gives the value. The caller may then sleep on the word as long
// as the bell has that value.
func (b *Bell) Listen() (Word, uint32) {
	word, value := b.system.heard()
	for attempt := 0; b.writable && attempt < listens; attempt++ {
		b.mark.Store(1)
		word, value = b.system.heard()
		if b.mark.Load() != 0 {
			break
		}
	}
	return Word{word}, value
}

// listens is how often a bell is listened to that others ring meanwhile. More often than a few times, a neighbour takes the
// mark away for no reason.
const listens = 64

// Alarm wakes the threads of this process that sleep on it. It stands on no mapping. The zero value is ready. An alarm
// must not move in memory while a thread may sleep on it.
type Alarm struct{ alarm }

// Raise wakes everybody who sleeps on the alarm, and everybody who goes to sleep on what Listen gave before.
func (a *Alarm) Raise() { a.raise() }

// Listen gives the word on which the caller may sleep until the next Raise.
func (a *Alarm) Listen() Word { return Word{a.listen()} }

// Word is what a thread can sleep on. It means something to the system only. In C it is shmcv_word.
type Word struct{ word }

// MostWords is the greatest number of words that a thread can sleep on.
const MostWords = mostWords

// Sleep sleeps on the results of Listen until one bell rings or one alarm is raised, or until the time until (see
// Monotonic) at the latest. It may return earlier without a reason. It does so at once if a bell or alarm has changed
// since Listen, or a bell's mapping has gone.
func Sleep(words []Word, until uint64) { sleep(words, until) }
