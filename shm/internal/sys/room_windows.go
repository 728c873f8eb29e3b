package sys

// #include "memory_windows.h"
import "C"

import (
	"errors"
	"fmt"
	"math"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

// claim is what is going to be taken of shared memory.
type claim struct {
	name   string
	wanted string // How much, for messages.
	size   uint64 // The same in bytes.
}

// check returns an error if the system can never promise that much memory. What it promises now, only asking tells: it may make
// its page file larger.
func (c claim) check() error {
	if c.size > uint64(C.shmcv_commit_most()) {
		return c.noRoom()
	}
	return nil
}

func (c claim) noRoom() error {
	left := "fewer are left"
	if free := uint64(C.shmcv_commit_left()); free != math.MaxUint64 {
		left = fmt.Sprintf("%d are left to this process (memory and page file)", free)
	}
	return abi.Errorf(abi.ENoSpace, "shm: create %q: %s, and %s; clear segments that nobody needs, end programs, or make the page file larger",
		c.name, c.wanted, left)
}

// noMemory returns true for the errors with which the system refuses to promise memory.
func noMemory(err error) bool {
	for _, number := range []windows.Errno{windows.ERROR_COMMITMENT_LIMIT, windows.ERROR_NOT_ENOUGH_MEMORY, windows.ERROR_DISK_FULL,
		windows.ERROR_NO_SYSTEM_RESOURCES, windows.ERROR_COMMITMENT_MINIMUM} {
		if errors.Is(err, number) {
			return true
		}
	}
	return false
}
