package shm

import (
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// futexWake is the operation without FUTEX_PRIVATE_FLAG: those who sleep and those who wake are different processes.
const futexWake = 1

// Neither call below blocks: they are raw, because telling Go's scheduler would take longer than they do, and may wake
// another of its threads when a reader's is the one that is to run.

// wakeAll wakes all who sleep on word, in every process.
func wakeAll(word *atomic.Uint32) {
	const everybody = 1<<31 - 1
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), futexWake, everybody, 0, 0, 0)
}

// monotonic is CLOCK_MONOTONIC in nanoseconds, which all processes of the machine share.
func monotonic() uint64 {
	var now unix.Timespec
	_, _, _ = unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&now)), 0)
	return uint64(now.Nano())
}
