// Wait sets: one thread waits for frames of many streams, and for images of many segments.
//
// A wait set is a list of waits. Any thread adds waits, each with a key of the caller's choice, and one thread sleeps for
// all of them in shmcv_wait_set_wait, which gives the keys of those that are over. No frame is leased by that: whoever
// wants the frame then calls shmcv_stream_wait with a timeout of 0. That call gives the frame, or the error that ended the
// wait.
//
//	uint64_t keys[16], count;
//	shmcv_wait_set_create(&set);
//	shmcv_wait_set_add_stream(set, left, 0, 1);
//	shmcv_wait_set_add_stream(set, right, 0, 2);
//	while (shmcv_wait_set_wait(set, -1, keys, 16, &count) == SHMCV_OK)
//	    for (uint64_t i = 0; i < count; i++) {
//	        shmcv_stream which = keys[i] == 1 ? left : right;
//	        shmcv_stream_wait(which, seen[keys[i]], 0, &frame, &info);
//	        seen[keys[i]] = info.sequence;
//	        ...
//	        shmcv_wait_set_add_stream(set, which, info.sequence, keys[i]);
//	    }
//
// The thread learns of up to 127 streams and segments as soon as it could by a wait of its own. Of those beyond the 127 that
// were added last it learns within 1 ms, or 8 ms after a quiet time. So it is for all of them where the kernel has no
// futex_waitv (Linux before 5.16, and containers that forbid it).

package main

// #include "native.h"
import "C"

import (
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm"
)

// shmcv_wait_set_create makes an empty wait set. Close the handle with shmcv_wait_set_close.
//
//export goWaitSetCreate
func goWaitSetCreate(out *C.shmcv_wait_set) C.int32_t {
	return guard(func() error {
		if err := required("out", unsafe.Pointer(out)); err != nil {
			return err
		}
		giveHandle(unsafe.Pointer(out), shm.NewWaitSet())
		return nil
	})
}

// shmcv_wait_set_close ends a wait set with all of its waits. A thread that waits on the set returns at once with
// SHMCV_E_CLOSED.
//
// Errors: SHMCV_E_CLOSED if set is closed already; SHMCV_E_INVALID if it is none.
//
//export goWaitSetClose
func goWaitSetClose(set C.shmcv_wait_set) C.int32_t {
	return guard(func() error {
		ended, err := take(handle(set.handle), isWaitSet)
		if err != nil {
			return err
		}
		ended.End()
		ended.Release()
		return nil
	})
}

// shmcv_wait_set_add_stream adds a wait for a frame of a stream with a number greater than newer_than. The wait is over
// when there is such a frame, which may be at once; when stream is closed; when shmcv_stream_wait would tell that the stream has
// ended, was replaced, or has no writer; and when something is wrong with the stream.
// key is the caller's name for the wait. A thread that waits on the set learns of the new wait at once.
//
// Errors: SHMCV_E_EXISTS if the set has a wait of that key; SHMCV_E_CLOSED; SHMCV_E_CORRUPT; SHMCV_E_TRUNCATED;
// SHMCV_E_INVALID if set or stream is none.
//
//export goWaitSetAddStream
func goWaitSetAddStream(set C.shmcv_wait_set, stream C.shmcv_stream, newerThan C.uint64_t, key C.uint64_t) C.int32_t {
	return addWait(set, handle(stream.handle), isStream, uint64(newerThan), uint64(key))
}

// shmcv_wait_set_add_segment does the same for a segment, in which more than newer_than images must have been stored.
//
// Errors: those of shmcv_wait_set_add_stream; SHMCV_E_UNSUPPORTED for a segment that another program made; SHMCV_E_INVALID
// for the pixels of a frame.
//
//export goWaitSetAddSegment
func goWaitSetAddSegment(set C.shmcv_wait_set, seg C.shmcv_segment, newerThan C.uint64_t, key C.uint64_t) C.int32_t {
	return addWait(set, handleOf(seg), isSegment, uint64(newerThan), uint64(key))
}

func addWait[T interface {
	object
	shm.Waitable
}](set C.shmcv_wait_set, on handle, isKind func(object) (T, bool), newerThan, key uint64) C.int32_t {
	return with(handle(set.handle), isWaitSet, func(set *shm.WaitSet) error {
		found, err := use(on, isKind)
		if err != nil {
			return err
		}
		defer found.Release()
		if err := set.Add(key, found, uint64(on), newerThan); err != nil {
			return err
		}
		// Another thread may have closed the handle before it could end this wait.
		again, err := use(on, isKind)
		if err != nil {
			_ = set.Remove(key) // It fails if the wait is over, and a thread has been told so.
			return err
		}
		again.Release()
		return nil
	})
}

// shmcv_wait_set_remove takes a wait out of a set.
//
// Errors: SHMCV_E_NOT_FOUND if the set has no wait of that key, for example because shmcv_wait_set_wait has given the
// key; SHMCV_E_CLOSED; SHMCV_E_INVALID if set is none.
//
//export goWaitSetRemove
func goWaitSetRemove(set C.shmcv_wait_set, key C.uint64_t) C.int32_t {
	return with(handle(set.handle), isWaitSet, func(set *shm.WaitSet) error { return set.Remove(uint64(key)) })
}

// shmcv_wait_set_wait sleeps until waits of the set are over. It fills keys with the keys of the first capacity of them,
// gives in count how many these are, and takes them out of the set. The next call gives those for which there was no
// room. timeout_ms is in milliseconds: 0 does not sleep, and a negative number waits without an end. One thread at a time
// may wait on a set. A set without waits is waited on too, because another thread may add one.
//
// Errors: SHMCV_E_TIMEOUT; SHMCV_E_BUSY if another thread waits on the set; SHMCV_E_CLOSED, also when another thread
// closes the set during the wait; SHMCV_E_INVALID if set is none, or capacity is 0.
//
//export goWaitSetWait
func goWaitSetWait(set C.shmcv_wait_set, timeoutMs C.int32_t, keys *C.uint64_t, capacity C.uint64_t, count *C.uint64_t, nap *C.shmcv_nap) C.int32_t {
	return with(handle(set.handle), isWaitSet, func(set *shm.WaitSet) error {
		if err := required("keys", unsafe.Pointer(keys)); err != nil {
			return err
		}
		if err := required("count", unsafe.Pointer(count)); err != nil {
			return err
		}
		if capacity == 0 {
			return abi.Errorf(abi.EInvalid, "shmcv: capacity is 0; there must be room for one key at least")
		}
		room := unsafe.Slice((*uint64)(unsafe.Pointer(keys)), min(uint64(capacity), 1<<20))
		told, err := set.Wait(milliseconds(timeoutMs), napOf(nap), room)
		if err != nil {
			return err
		}
		*count = C.uint64_t(told)
		return nil
	})
}
