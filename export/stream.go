// Streams: frame after frame from one writer to any number of readers, each seen whole and none copied.
//
// A stream is a segment divided into slots of one size. The writer begins a frame, which gives it a handle on a free
// slot; every function works on that handle as on a segment (shmcv_load, shmcv_write_pixels, shmcv_flip into it,
// shmcv_data and shmcv_image_set), and nobody sees the frame until shmcv_stream_publish. A reader waits for a frame that is
// newer than its last, and gets a handle on the newest, to look at until it closes it. A reader that is slower
// than the writer skips frames; the writer waits for nobody.
//
//	shmcv_segment stream, frame;                                  (the writer)
//	shmcv_create_stream("cam0", 3840 * 2160 * 3, 0, &stream);
//	for (;;) {
//	    shmcv_stream_begin(stream, &frame);
//	    shmcv_load(frame, next_file(), SHMCV_LOAD_COLOR, NULL);
//	    shmcv_stream_publish(frame, NULL);
//	}
//
//	shmcv_segment stream, frame;                                  (a reader)
//	shmcv_frame_info info = {0};
//	shmcv_open("cam0", &stream);
//	for (;;) {
//	    shmcv_stream_wait(stream, info.sequence, -1, &frame, &info);
//	    shmcv_save(frame, "newest.png", SHMCV_QUALITY_DEFAULT);
//	    shmcv_close(frame);
//	}
//
// A slot is the writer's, the newest frame's, or a reader's: with one for each reader and 2 more, nobody ever waits for
// a slot. A process that dies takes nothing with it: its half-filled frame is never seen, what it read is free again,
// and the next writer goes on where it stopped.

package main

// #include "native.h"
import "C"

import (
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm"
)

// shmcv_create_stream makes a stream of slots frames with at most slot_size bytes of pixels each, and opens it. slots
// is 2 to 16, or 0 for 4; slot_size is rounded up to whole pages of 4096 bytes. Others open it by shmcv_open. The handle is
// closed by shmcv_close; on the stream itself, functions that need pixels are SHMCV_E_INVALID.
//
// Errors: SHMCV_E_EXISTS when the name is taken; SHMCV_E_NO_SPACE when there is less shared memory free than all slots
// need; SHMCV_E_INVALID for a bad name, size or number of slots.
//
//export goCreateStream
func goCreateStream(name *C.in_char, slotSize C.uint64_t, slots C.uint32_t, out *C.shmcv_segment) C.int32_t {
	return newHandle(name, out, func(name string) (resource, error) {
		return shm.CreateStream(name, uint64(slotSize), uint32(slots))
	})
}

// shmcv_stream_begin gives the stream's writer a free slot to fill, as a handle that works as a segment's does. It has no
// image yet, and what its memory holds is undefined. shmcv_stream_publish makes it the newest frame; shmcv_close instead
// gives it back, and nobody has seen it. A handle on a stream becomes its writer with the first frame it begins, and
// stays it until it is closed or its process ends.
//
// Errors: SHMCV_E_BUSY when another handle is the writer (the message names the process), when the frame begun before is
// neither published nor closed, and when readers hold all slots; SHMCV_E_INVALID when stream is none; SHMCV_E_CLOSED;
// SHMCV_E_CORRUPT; SHMCV_E_TRUNCATED.
//
//export goStreamBegin
func goStreamBegin(stream C.shmcv_segment, frame *C.shmcv_segment) C.int32_t {
	return withStream(stream, func(stream *shm.Stream) error {
		if err := required("frame", unsafe.Pointer(frame)); err != nil {
			return err
		}
		begun, err := stream.Begin()
		if err != nil {
			return err
		}
		*frame = C.shmcv_segment(handles.add(begun))
		return nil
	})
}

// shmcv_stream_publish makes a frame that was begun the stream's newest, wakes those who wait for it, and closes its
// handle; what shmcv_data gave of it must not be written to any more. sequence gets the frame's number, 1 more than
// the last one's; it may be NULL. When it fails the frame is still open.
//
// Errors: SHMCV_E_NO_IMAGE when nothing has said what the pixels mean; SHMCV_E_BUSY while another thread's call stores
// pixels in it; SHMCV_E_INVALID when frame is no frame, or one to read; SHMCV_E_CLOSED; SHMCV_E_CORRUPT;
// SHMCV_E_TRUNCATED.
//
//export goStreamPublish
func goStreamPublish(frame C.shmcv_segment, sequence *C.uint64_t) C.int32_t {
	return withResource(frame, func(used resource) error {
		begun, ok := used.(*shm.Frame)
		if !ok {
			return abi.Errorf(abi.EInvalid, "shmcv: publish: handle %#x is no frame; shmcv_stream_begin gives one", uint64(frame))
		}
		published, err := begun.Publish()
		if err != nil {
			return err
		}
		if owner, err := handles.remove(handle(frame)); err == nil { // Unless another thread has just closed it.
			owner.Release()
		}
		if sequence != nil {
			*sequence = C.uint64_t(published)
		}
		return nil
	})
}

// shmcv_stream_wait gives the newest frame of a stream, once there is one with a number greater than newer_than, as a handle to
// read: all functions that do not change it work on it, and it stays as it is until shmcv_close. With newer_than
// 0 that is any frame; with info->sequence of the last one, each is seen once. timeout_ms is in milliseconds; 0 only
// looks, and less than 0 waits without an end. info gets the frame's number, time and image; it may be NULL.
//
// A wait ends with SHMCV_E_CLOSED within 0.1 s when another thread closes stream.
//
// Errors: SHMCV_E_TIMEOUT; SHMCV_E_BUSY when 64 frames are being read; SHMCV_E_INVALID when stream is none;
// SHMCV_E_CLOSED; SHMCV_E_CORRUPT; SHMCV_E_TRUNCATED.
//
//export goStreamWait
func goStreamWait(stream C.shmcv_segment, newerThan C.uint64_t, timeoutMs C.int32_t, frame *C.shmcv_segment, info *C.shmcv_frame_info, nap *C.shmcv_nap) C.int32_t {
	return withStream(stream, func(stream *shm.Stream) error {
		if err := required("frame", unsafe.Pointer(frame)); err != nil {
			return err
		}
		leased, err := stream.Wait(uint64(newerThan), milliseconds(timeoutMs), napOf(nap))
		if leased == nil {
			return err
		}
		if info != nil {
			*(*abi.FrameInfo)(unsafe.Pointer(info)) = leased.Details(uint64(newerThan))
		}
		*frame = C.shmcv_segment(handles.add(leased))
		return nil
	})
}

// withStream runs body, guarded, on the stream behind h.
func withStream(h C.shmcv_segment, body func(stream *shm.Stream) error) C.int32_t {
	return withResource(h, func(used resource) error {
		stream, ok := used.(*shm.Stream)
		if !ok {
			return abi.Errorf(abi.EInvalid, "shmcv: handle %#x is no stream; shmcv_create_stream makes one", uint64(h))
		}
		return body(stream)
	})
}
