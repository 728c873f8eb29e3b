package sys

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// bell is a futex in shared memory.
type bell struct {
	word, mark *atomic.Uint32
	writable   bool
}

func (f openFile) bell(memory []byte, value, mark uint64, writable bool) bell {
	return bell{
		word:     (*atomic.Uint32)(unsafe.Pointer(&memory[value])),
		mark:     (*atomic.Uint32)(unsafe.Pointer(&memory[mark])),
		writable: writable,
	}
}

func (b *bell) value() uint32 { return b.word.Load() }

func (b *bell) listen() (uintptr, uint32) {
	if b.writable {
		b.mark.Store(1)
	}
	return uintptr(unsafe.Pointer(b.word)), b.word.Load()
}

func (b *bell) ring(value uint32) {
	b.word.Store(value)
	if b.mark.Load() != 0 && b.mark.Swap(0) != 0 {
		wakeAll(b.word)
	}
}

// The futex operations are without FUTEX_PRIVATE_FLAG, because the sleeper and the process that wakes it are different
// ones.
const (
	futexWake       = 1
	futexWaitBitset = 9
)

// Neither wakeAll nor monotonic blocks. Both are raw system calls, because to tell Go's scheduler of a call takes
// longer than the call does, and may wake another of Go's threads when a reader's thread is the one that should run.

func wakeAll(word *atomic.Uint32) {
	const everybody = 1<<31 - 1
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, everybody, 0, 0, 0)
}

// monotonic reads CLOCK_MONOTONIC.
func monotonic() uint64 {
	var now unix.Timespec
	_, _, _ = unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&now)), 0)
	return uint64(now.Nano())
}

// sleep does in Go what shmcv_sleep does in C (export/sleep_linux.c).
func sleep(word uintptr, value uint32, until uint64) {
	const anyBit = 1<<32 - 1
	end := unix.NsecToTimespec(int64(until))
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, word, futexWaitBitset, uintptr(value), uintptr(unsafe.Pointer(&end)), 0, anyBit)
}
