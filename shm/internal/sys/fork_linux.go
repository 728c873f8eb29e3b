package sys

// #include "fork_linux.h"
import "C"

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// descriptors, descriptorWords, forksBegun and forksOver are C's, because a forked child reads them before it does
// anything else, and no Go code may run there.
var (
	descriptors     = (*[C.SHMCV_DESCRIPTORS / 64]atomic.Uint64)(unsafe.Pointer(&C.shmcv_descriptors))
	descriptorWords = (*atomic.Uint32)(unsafe.Pointer(&C.shmcv_descriptor_words))
	forksBegun      = (*atomic.Uint32)(unsafe.Pointer(&C.shmcv_forks_begun))
	forksOver       = (*atomic.Uint32)(unsafe.Pointer(&C.shmcv_forks_over))
)

// noted opens a file, and notes the descriptor so that forked children close their copies of it.
//
// A fork on another thread may copy the descriptor before it is noted. Nothing is locked by then, so the child's copy
// does no harm as long as nothing will be: noted closes the file, and opens it once more. It does so when a fork was
// under way at any time between the two. It tries for about a second, for no longer, because a handler of the host's
// that belongs to the fork may wait for this thread.
func noted(open func() (int, error)) (fd int, err error) {
	const tries = 1000
	for try := 1; ; try++ {
		over := forksOver.Load()
		if fd, err = open(); err != nil {
			return fd, err
		}
		note(fd)
		if forksBegun.Load() == over || try == tries {
			return fd, nil
		}
		closeNoted(fd)
		time.Sleep(time.Millisecond)
	}
}

func note(fd int) {
	if fd >= C.SHMCV_DESCRIPTORS {
		return
	}
	word := uint32(fd / 64)
	for words := descriptorWords.Load(); words <= word; words = descriptorWords.Load() {
		descriptorWords.CompareAndSwap(words, word+1)
	}
	descriptors[word].Or(1 << (fd % 64))
}

// closeNoted closes a file of noted. The note goes first: another thread may be given the number as soon as the file is
// closed.
func closeNoted(fd int) {
	if fd < C.SHMCV_DESCRIPTORS {
		descriptors[fd/64].And(^(uint64(1) << (fd % 64)))
	}
	_ = unix.Close(fd)
}
