package shm

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The futex operations without FUTEX_PRIVATE_FLAG: those who sleep and those who wake are different processes.
const (
	futexWait = 0
	futexWake = 1
)

// sleepOn sleeps until word is woken, at most for that long, and not at all when word is not value any more. It may
// return early without a reason, so that the caller looks again at what it waits for.
func sleepOn(word *atomic.Uint32, value uint32, most time.Duration) {
	timeout := unix.NsecToTimespec(int64(most))
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWait, uintptr(value),
		uintptr(unsafe.Pointer(&timeout)), 0, 0)
}

// wakeAll wakes all who sleep on word, in every process.
func wakeAll(word *atomic.Uint32) {
	const everybody = 1<<31 - 1
	_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, everybody, 0, 0, 0)
}

// monotonic is CLOCK_MONOTONIC in nanoseconds, which all processes of the machine share.
func monotonic() uint64 {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // It cannot fail: the clock exists everywhere.
	return uint64(now.Nano())
}
