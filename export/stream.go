// Streams: frame after frame from one writer to any number of readers. Every frame is seen whole, and none is copied.
//
// A stream is a segment that is divided into slots of one size. The writer begins a frame, which is a free slot. Every
// function that works on a segment's image works on the frame's pixels (shmcv_load, shmcv_write, shmcv_flip into it,
// shmcv_data and shmcv_image_set), and no other program sees the frame until shmcv_frame_publish. A reader waits for a
// frame that is newer than its last one, gets the newest, and may look at it until it closes it. A reader that is slower
// than the writer skips frames. The writer does not wait for readers.
//
//	shmcv_stream stream;                                          (the writer)
//	shmcv_frame frame;
//	shmcv_stream_create("cam0", 3840 * 2160 * 3, 0, &stream);
//	for (;;) {
//	    shmcv_stream_begin(stream, &frame);
//	    shmcv_load(frame.pixels, next_file(), SHMCV_LOAD_COLOR, NULL);
//	    shmcv_frame_publish(frame, NULL);
//	}
//
//	shmcv_stream stream;                                          (a reader)
//	shmcv_frame frame;
//	shmcv_frame_info info = {0};
//	shmcv_stream_open("cam0", &stream);
//	for (;;) {
//	    shmcv_stream_wait(stream, info.sequence, -1, &frame, &info);
//	    shmcv_save(frame.pixels, "newest.png", SHMCV_QUALITY_DEFAULT);
//	    shmcv_frame_close(frame);
//	}
//
// A slot is the writer's, the newest frame's, or a reader's. With one slot for each reader and 2 more, no program waits
// for a slot. A process that dies takes nothing with it: its half-filled frame is never seen, what it read is free again,
// and the next writer goes on where it stopped.

package main

// #include "native.h"
import "C"

import (
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm"
)

// shmcv_stream_create makes a stream of slots frames with at most slot_size bytes of pixels each, and opens it. slots
// is 2 to 1024, or 0 for 4. slot_size is rounded up to whole pages of 4096 bytes. Close the handle with
// shmcv_stream_close; shmcv_clear removes the name. Only this user may open the stream; see shmcv_stream_create_for.
//
// Errors: SHMCV_E_EXISTS if the name is taken; SHMCV_E_NO_SPACE if there is less shared memory free than all slots
// need; SHMCV_E_INVALID for a bad name, size or number of slots.
//
//export goStreamCreate
func goStreamCreate(name *C.in_char, slotSize C.uint64_t, slots C.uint32_t, out *C.shmcv_stream) C.int32_t {
	return newStream(name, out, func(name string) (*shm.Stream, error) {
		return shm.CreateStream(name, uint64(slotSize), uint32(slots))
	})
}

// shmcv_stream_open opens a stream that any process has created.
//
// Errors: SHMCV_E_INVALID if there is a segment of that name that is no stream; otherwise those of shmcv_open.
//
//export goStreamOpen
func goStreamOpen(name *C.in_char, out *C.shmcv_stream) C.int32_t {
	return newStream(name, out, shm.OpenStream)
}

// shmcv_stream_open_or_create opens the stream of that name, or makes one as shmcv_stream_create does if there is none. A
// stream that is there must have slots of at least slot_size bytes, and at least slots of them; 0 slots are 4 for a new
// stream, and any number for one that is there. created gets 1 if the stream is new and 0 if it was there; it may be NULL.
//
// Errors: SHMCV_E_TOO_SMALL if there is a stream of that name with smaller or fewer slots, which the message tells;
// otherwise those of shmcv_stream_open and shmcv_stream_create.
//
//export goStreamOpenOrCreate
func goStreamOpenOrCreate(name *C.in_char, slotSize C.uint64_t, slots C.uint32_t, out *C.shmcv_stream, created *C.int32_t) C.int32_t {
	return newStream(name, out, func(name string) (*shm.Stream, error) {
		stream, made, err := shm.OpenOrCreateStream(name, uint64(slotSize), uint32(slots))
		return opened(stream, made, err, created)
	})
}

// shmcv_stream_clear removes the name of an open stream, as shmcv_clear does, if the name is still this stream's.
//
// Errors: SHMCV_E_NOT_FOUND if the name is removed already, also if another stream has it now; SHMCV_E_CLOSED;
// SHMCV_E_INVALID if stream is none.
//
//export goStreamClear
func goStreamClear(stream C.shmcv_stream) C.int32_t {
	return withStream(stream, func(stream *shm.Stream) error { return stream.ClearName() })
}

// shmcv_stream_close ends this handle's use of its stream, and a wait of another thread on it. Its frames stay open. If
// the handle was the stream's writer, the next writer may begin when the frame that it has begun is closed too.
//
// Errors: SHMCV_E_CLOSED if stream is closed already; SHMCV_E_INVALID if it is none.
//
//export goStreamClose
func goStreamClose(stream C.shmcv_stream) C.int32_t {
	return guard(func() error { return remove[*shm.Stream](handle(stream.handle)) })
}

// shmcv_stream_info tells what is known of an open stream. Its image is that of the newest frame.
//
// Errors: SHMCV_E_CLOSED; SHMCV_E_TRUNCATED; SHMCV_E_INVALID if stream is none.
//
//export goStreamInfo
func goStreamInfo(stream C.shmcv_stream, out *C.shmcv_segment_info) C.int32_t {
	return withStream(stream, func(stream *shm.Stream) error { return giveInfo(stream, out) })
}

// shmcv_stream_begin gives the stream's writer a frame to fill, in a free slot. The frame has no image yet, and its
// memory holds anything. shmcv_frame_publish makes it the newest frame. shmcv_frame_close gives the slot back instead, and
// no other program sees anything of it. A handle on a stream becomes the stream's writer with the first frame that it
// begins, and stays the writer until it and its frame are closed or its process ends.
//
// Errors: SHMCV_E_BUSY if another handle is the writer (the message names the process), if the frame begun before is
// neither published nor closed, or if readers hold all slots; SHMCV_E_INVALID if stream is none; SHMCV_E_CLOSED;
// SHMCV_E_CORRUPT; SHMCV_E_TRUNCATED.
//
//shmcv:try
//export goStreamBegin
func goStreamBegin(stream C.shmcv_stream, frame *C.shmcv_frame) C.int32_t {
	return withStream(stream, func(party *shm.Stream) error {
		if err := required("frame", unsafe.Pointer(frame)); err != nil {
			return err
		}
		return giveFrame(handle(stream.handle), frame, func(slot unsafe.Pointer) (bool, error) {
			err := party.BeginIn(slot)
			return err == nil, err
		})
	})
}

// shmcv_stream_wait gives the newest frame of a stream, to read, as soon as there is one with a number greater than
// newer_than. The frame stays as it is until shmcv_frame_close; functions that would change it are SHMCV_E_PERMISSION, and
// its memory faults when it is written to. newer_than 0 accepts any frame; with info->sequence of the last frame, each frame is seen once. timeout_ms is in
// milliseconds: 0 does not sleep, and a negative number waits without an end. info gets the frame's number, time and
// image; it may be NULL. A wait ends with SHMCV_E_CLOSED when another thread closes stream, within 0.1 s.
//
// Errors: SHMCV_E_TIMEOUT; SHMCV_E_BUSY if 63 others read the stream; SHMCV_E_INVALID if stream is none;
// SHMCV_E_CLOSED; SHMCV_E_CORRUPT; SHMCV_E_TRUNCATED.
//
//shmcv:try
//export goStreamWait
func goStreamWait(stream C.shmcv_stream, newerThan C.uint64_t, timeoutMs C.int32_t, frame *C.shmcv_frame, info *C.shmcv_frame_info, nap *C.shmcv_nap) C.int32_t {
	napOf(nap).Heed(closingOf(handle(stream.handle))) // Before the handle is looked up, so that no close is missed.
	return withStream(stream, func(party *shm.Stream) error {
		if err := required("frame", unsafe.Pointer(frame)); err != nil {
			return err
		}
		return giveFrame(handle(stream.handle), frame, func(slot unsafe.Pointer) (bool, error) {
			there, err := party.WaitIn(uint64(newerThan), milliseconds(timeoutMs), napOf(nap), slot)
			if there && info != nil {
				*(*abi.FrameInfo)(unsafe.Pointer(info)) = party.FrameIn(slot, nil).Details()
			}
			return there, err
		})
	})
}

// shmcv_frame_publish makes a frame that was begun the stream's newest, wakes those who wait for it, and closes its
// handle. The memory that shmcv_data gave of the frame must not be written to any more. sequence gets the frame's number,
// 1 more than that of the frame before; it may be NULL. When the function fails the frame is still open.
//
// Errors: SHMCV_E_NO_IMAGE if the frame holds no image; SHMCV_E_BUSY while another thread's call stores pixels in it;
// SHMCV_E_INVALID if frame is no frame; SHMCV_E_PERMISSION if it is one to read; SHMCV_E_CLOSED; SHMCV_E_CORRUPT; SHMCV_E_TRUNCATED.
//
//shmcv:try
//export goFramePublish
func goFramePublish(frame C.shmcv_frame, sequence *C.uint64_t) C.int32_t {
	h := handleOf(frame.pixels)
	return with(h, isFrame, func(begun *shm.Frame) error {
		published, err := begun.Publish()
		if err != nil {
			return err
		}
		_ = remove[*shm.Frame](h) // It fails if another thread has just closed the frame.
		if sequence != nil {
			*sequence = C.uint64_t(published)
		}
		return nil
	})
}

// shmcv_frame_close gives a frame back. One to read may be written over then. Nothing of one to fill is ever seen.
// Pointers from shmcv_data are invalid afterwards.
//
// Errors: SHMCV_E_CLOSED if frame is closed or published already; SHMCV_E_INVALID if it is none.
//
//shmcv:try
//export goFrameClose
func goFrameClose(frame C.shmcv_frame) C.int32_t {
	return guard(func() error { return remove[*shm.Frame](handleOf(frame.pixels)) })
}

// withStream runs body, guarded, on the stream behind its handle.
func withStream(stream C.shmcv_stream, body func(stream *shm.Stream) error) C.int32_t {
	return with(handle(stream.handle), isStream, body)
}

// newStream opens a stream by name and stores its handle in *out.
func newStream(name *C.in_char, out *C.shmcv_stream, open func(name string) (*shm.Stream, error)) C.int32_t {
	return newHandle(name, unsafe.Pointer(out), func(name string) (handle, error) {
		return addStream(func() (*shm.Stream, error) { return open(name) })
	})
}
