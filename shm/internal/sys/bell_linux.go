package sys

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bell is a futex in shared memory.
type bell struct{ word *atomic.Uint32 }

func (f openFile) bell(value *atomic.Uint32, _ uint64) bell { return bell{value} }

func (b *bell) heard() (word, uint32) {
	value := b.word.Load()
	return word{value: uint64(value), address: uint64(uintptr(unsafe.Pointer(b.word))), flags: futex32}, value
}

func (b *bell) wake() { wakeAll(b.word) }

// alarm is a futex of this process. It has no mark: who raises an alarm does it rarely.
type alarm struct{ word atomic.Uint32 }

func (a *alarm) raise() {
	a.word.Add(1)
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&a.word)), futexWake|futexPrivate, everybody, 0, 0, 0)
}

func (a *alarm) listen() word {
	return word{value: uint64(a.word.Load()), address: uint64(uintptr(unsafe.Pointer(&a.word))), flags: futex32 | futexPrivate}
}

// word is the kernel's struct futex_waitv. shmcv_sleep in export/sleep_linux.c passes it on as it is.
type word struct {
	value, address uint64
	flags, _       uint32
}

// mostWords is the kernel's FUTEX_WAITV_MAX.
const mostWords = 128

// The futex operations of bells are without FUTEX_PRIVATE_FLAG, because the sleeper and the process that wakes it are
// different ones.
const (
	futexWake    = 1
	futexPrivate = 128 // FUTEX_PRIVATE_FLAG and FUTEX2_PRIVATE
	futex32      = 2   // FUTEX2_SIZE_U32
	everybody    = 1<<31 - 1
)

// Neither wakeAll nor monotonic blocks. Both are raw system calls, because to tell Go's scheduler of a call takes
// longer than the call does, and may wake another of Go's threads when a reader's thread is the one that should run.

func wakeAll(word *atomic.Uint32) {
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, everybody, 0, 0, 0)
}

// monotonic reads CLOCK_MONOTONIC.
func monotonic() uint64 {
	var now unix.Timespec
	_, _, _ = unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&now)), 0)
	return uint64(now.Nano())
}

// sleep does in Go what shmcv_sleep does in C (export/sleep_linux.c), on kernels that have futex_waitv.
func sleep(words []Word, until uint64) {
	end := unix.NsecToTimespec(int64(until))
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX_WAITV, uintptr(unsafe.Pointer(&words[0])), uintptr(len(words)), 0,
		uintptr(unsafe.Pointer(&end)), unix.CLOCK_MONOTONIC, 0)
}
