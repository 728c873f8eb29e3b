package shm

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// futexWake is the operation without FUTEX_PRIVATE_FLAG: those who sleep and those who wake are different processes.
const futexWake = 1

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
