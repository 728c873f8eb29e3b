package sys

// #cgo CFLAGS: -std=gnu11
// #include <stdlib.h>
// #include "bell_windows.h"
import "C"

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/windows"
)

// bell is a pair of events beside a word in shared memory; see bell_windows.h.
type bell struct {
	word *atomic.Uint32
	pair C.shmcv_pair
}

// bell gives the file's bell that has its value at an offset. The names of its events are of the file's id and of that place.
func (f openFile) bell(value *atomic.Uint32, offset uint64) bell {
	b := bell{word: value}
	if f.bells == nil { // There was no memory for it.
		return b
	}
	f.bellsLock.Lock()
	defer f.bellsLock.Unlock()
	address := (*C.uint32_t)(unsafe.Pointer(b.word))
	for i, known := range f.bells.values {
		switch known {
		case address:
			b.pair = f.bells.pairs[i]
			return b
		case nil:
			b.pair = f.openPair(offset)
			f.bells.pairs[i], f.bells.values[i] = b.pair, address
			return b
		}
	}
	panic("more bells than a file has")
}

// openPair opens a bell's events. Who may write to the section also makes them, as the section's creator does, so that their access
// lists are the section's. Without them the sleeper looks again and again; see shmcv_pair_sleep.
func (f openFile) openPair(value uint64) C.shmcv_pair {
	var events [2]windows.Handle
	for parity := range events {
		events[parity] = f.openBell(fmt.Sprintf("%s-%d-%d", f.objects(), value, parity))
	}
	return C.shmcv_pair_open(C.uintptr_t(events[0]), C.uintptr_t(events[1]))
}

func (f openFile) openBell(name string) windows.Handle {
	if f.readOnly {
		event, _ := windows.OpenEvent(windows.SYNCHRONIZE|windows.EVENT_MODIFY_STATE, false, utf16(name))
		return event
	}
	security := f.sharedSecurity
	if f.made != "" { // It is the creator's, and has no name yet.
		security = f.security
	}
	attributes, err := security(aBell)
	if err != nil {
		return 0
	}
	event, _ := createEvent(name, attributes)
	return event
}

func (b *bell) heard() (word, uint32) {
	value := uint32(C.shmcv_bell_listen(b.pair, (*C.uint32_t)(unsafe.Pointer(b.word))))
	return word{pair: uint64(b.pair), value: uint64(value)}, value
}

func (b *bell) wake() { C.shmcv_pair_set(b.pair) }

// alarm is a word of this process, whose events it shares with other alarms.
type alarm struct{ word atomic.Uint32 }

func (a *alarm) pair() C.shmcv_pair { return C.shmcv_alarm((*C.uint32_t)(unsafe.Pointer(&a.word))) }

func (a *alarm) raise() {
	a.word.Add(1)
	C.shmcv_pair_set(a.pair())
}

func (a *alarm) listen() word {
	pair := a.pair()
	value := C.shmcv_bell_listen(pair, (*C.uint32_t)(unsafe.Pointer(&a.word)))
	return word{pair: uint64(pair), value: uint64(value)}
}

// word is C's shmcv_pair_word.
type word struct{ pair, value, _ uint64 }

const mostWords = C.SHMCV_MOST_PAIRS

func monotonic() uint64 { return uint64(C.shmcv_monotonic()) }

func sleep(words []Word, until uint64) {
	C.shmcv_pair_sleep((*C.shmcv_pair_word)(unsafe.Pointer(unsafe.SliceData(words))), C.uint32_t(len(words)), C.uint64_t(until))
}

// createEvent opens the event that has a name, or makes it. The error is windows.ERROR_ALREADY_EXISTS, and the handle good,
// if it was there. It asks for no more rights than others have to what they may use.
func createEvent(name string, security *windows.SecurityAttributes) (windows.Handle, error) {
	return windows.CreateEventEx(security, utf16(name), windows.CREATE_EVENT_MANUAL_RESET, windows.SYNCHRONIZE|windows.EVENT_MODIFY_STATE)
}
