// Streams: frame after frame from one writer to any number of readers. Every frame is seen whole, and none is copied.
//
// A stream is a segment that is divided into slots of one size. The writer begins a frame, which is a free slot. Every
// function that works on a segment's image works on the frame's pixels (shmcv_load, shmcv_write, shmcv_flip into it,
// shmcv_data and shmcv_image_set), and no other program sees the frame until shmcv_frame_publish. A reader waits for a
// frame that is newer than its last one, gets the newest, and may look at it until it closes it. A reader that is slower
// than the writer skips frames, and the writer does not wait for readers. A reader that wants every frame says so
// (shmcv_stream_deliver); what the writer does when such a reader is behind is chosen with the stream.
//
//	shmcv_stream stream;                                          (the writer)
//	shmcv_frame frame;
//	shmcv_stream_create("cam0", 3840 * 2160 * 3, 0, SHMCV_WHEN_BEHIND_DROP, &stream);
//	for (;;) {
//	    shmcv_stream_begin(stream, 0, &frame);
//	    shmcv_load(frame.pixels, next_file(), SHMCV_LOAD_COLOR, NULL);
//	    shmcv_frame_publish(frame, NULL);
//	}
//
//	shmcv_stream stream;                                          (a reader)
//	shmcv_frame frame;
//	shmcv_frame_info info = {0};
//	shmcv_stream_open("cam0", -1, &stream);                       (waits until there is one)
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
// #include "serve.h"
import "C"

import (
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm"
)

// shmcv_stream_create makes a stream of slots frames with at most slot_size bytes of pixels each, and opens it. slots
// is 2 to 1024, or 0 for 4. slot_size is rounded up to whole pages of 4096 bytes. when_behind is what the
// writer does when a reader that wants every frame is behind: SHMCV_WHEN_BEHIND_DROP, SHMCV_WHEN_BEHIND_BLOCK or
// SHMCV_WHEN_BEHIND_FAIL. Close the handle with shmcv_stream_close; shmcv_clear removes the name. Only this user may open
// the stream; see shmcv_stream_create_for.
//
// Errors: SHMCV_E_EXISTS if the name is taken; SHMCV_E_NO_SPACE if there is less shared memory free than all slots
// need; SHMCV_E_INVALID for a bad name, size, number of slots or when_behind.
//
//export goStreamCreate
func goStreamCreate(name *C.in_char, slotSize C.uint64_t, slots C.uint32_t, whenBehind C.int32_t, out *C.shmcv_stream) C.int32_t {
	return newStream(name, out, func(name string) (*shm.Stream, error) {
		return shm.CreateStream(name, uint64(slotSize), uint32(slots), abi.WhenBehind(whenBehind))
	})
}

// shmcv_stream_open opens a stream that any process has created. timeout_ms says how long to wait until there is one, in
// milliseconds: with 0 it has to be there, and a negative number waits without an end. A stream that another process makes is
// found within some 5 ms. Nothing else is waited for: an error other than that there is none ends the wait.
//
// A stream that this process may only read is opened as shmcv_stream_open_read_only does, if its owner has given a group of
// this process to read it (mode 0640).
//
// Errors: SHMCV_E_NOT_FOUND if there is none and timeout_ms is 0; SHMCV_E_TIMEOUT if there is none in time; SHMCV_E_INVALID if
// there is a segment of that name that is no stream; otherwise those of shmcv_open.
//
//export goStreamOpen
func goStreamOpen(name *C.in_char, timeoutMs C.int32_t, out *C.shmcv_stream, nap *C.shmcv_nap) C.int32_t {
	return newStreamWithin(name, timeoutMs, out, nap, shm.OpenStream)
}

// shmcv_stream_follow opens the stream that has got the name of an open one; see SHMCV_E_REPLACED. The new handle waits for
// frames as the old one does: it watches for as long before it sleeps; it heeds the writer, from the first one on; and if the
// old handle reads every frame, so does the new one, from the oldest frame on that is there. The numbers of its frames begin at
// 1, so begin again with a newer_than of 0. The old handle and its frames stay open. timeout_ms is as for shmcv_stream_open:
// there is no stream to follow as long as the name is still the old one's, or nobody's.
//
// Errors: those of shmcv_stream_open; SHMCV_E_BUSY if 63 others read the new stream and the old handle reads every frame;
// SHMCV_E_CLOSED, also when another thread closes stream during the wait.
//
//export goStreamFollow
func goStreamFollow(stream C.shmcv_stream, timeoutMs C.int32_t, out *C.shmcv_stream, nap *C.shmcv_nap) C.int32_t {
	napOf(nap).Heed(closingOf(handle(stream.handle)))
	return withStream(stream, func(stream *shm.Stream) error {
		if err := required("out", unsafe.Pointer(out)); err != nil {
			return err
		}
		next, err := addStream(func() (*shm.Stream, error) { return stream.Follow(milliseconds(timeoutMs), napOf(nap)) })
		if next != 0 {
			out.handle = C.uint64_t(next)
		}
		return err
	})
}

// shmcv_stream_open_read_only opens a stream to read alone, as shmcv_open_read_only does a segment: any regular file will do
// that this process may read. The handle is no party to the stream: it takes none of the 63 places, no writer ever waits for
// it, and of its frames shmcv_frame_info.held is 0. The writer may write over such a frame while this process reads it. Every
// function that reads pixels or metadata of it then fails with SHMCV_E_OVERTAKEN, and what it has stored is not to be used. A
// program that reads the memory by itself (shmcv_data) asks shmcv_frame_check when it has done so. timeout_ms is as for
// shmcv_stream_open.
//
// Errors: those of shmcv_stream_open; SHMCV_E_PERMISSION only if this process may not read the file.
//
//export goStreamOpenReadOnly
func goStreamOpenReadOnly(name *C.in_char, timeoutMs C.int32_t, out *C.shmcv_stream, nap *C.shmcv_nap) C.int32_t {
	return newStreamWithin(name, timeoutMs, out, nap, shm.OpenStreamReadOnly)
}

// shmcv_stream_open_or_create opens the stream of that name, or makes one as shmcv_stream_create does if there is none. A
// stream that is there must have slots of at least slot_size bytes, and at least slots of them; 0 slots are 4 for a new
// stream, and any number for one that is there. A stream that is there keeps its own when_behind. created gets 1 if the stream is new and 0 if it was there; it may be NULL.
//
// Errors: SHMCV_E_TOO_SMALL if there is a stream of that name with smaller or fewer slots, which the message tells;
// otherwise those of shmcv_stream_open and shmcv_stream_create.
//
//export goStreamOpenOrCreate
func goStreamOpenOrCreate(name *C.in_char, slotSize C.uint64_t, slots C.uint32_t, whenBehind C.int32_t, out *C.shmcv_stream, created *C.int32_t) C.int32_t {
	return newStream(name, out, func(name string) (*shm.Stream, error) {
		stream, made, err := shm.OpenOrCreateStream(name, uint64(slotSize), uint32(slots), abi.WhenBehind(whenBehind))
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
	return guard(func() error { return remove(handle(stream.handle), isStream) })
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
// timeout_ms says how long to wait for a slot, in milliseconds, in a stream of SHMCV_WHEN_BEHIND_BLOCK; a negative number
// waits without an end. The wait is over as soon as those are dead who hold the slots. In other streams, and with 0, the
// function does not wait.
//
// Errors: SHMCV_E_PERMISSION if stream was opened read-only; SHMCV_E_BUSY if another handle is the writer (the message names
// the process), if the frame begun before is neither published nor closed, or if there is no slot, because readers hold them,
// or are behind; SHMCV_E_TIMEOUT; SHMCV_E_REPLACED if the stream's name was cleared, and another stream has the name;
// SHMCV_E_INVALID if stream is none; SHMCV_E_CLOSED; SHMCV_E_CORRUPT; SHMCV_E_TRUNCATED.
//
//shmcv:try
//export goStreamBegin
func goStreamBegin(stream C.shmcv_stream, timeoutMs C.int32_t, frame *C.shmcv_frame, nap *C.shmcv_nap) C.int32_t {
	napOf(nap).Heed(closingOf(handle(stream.handle)))
	return withStream(stream, func(party *shm.Stream) error {
		if err := required("frame", unsafe.Pointer(frame)); err != nil {
			return err
		}
		return giveFrame(handle(stream.handle), frame, func(slot unsafe.Pointer) (bool, error) {
			return party.BeginIn(milliseconds(timeoutMs), napOf(nap), slot)
		})
	})
}

// shmcv_stream_deliver chooses which frames shmcv_stream_wait gives to this handle: delivery is SHMCV_DELIVERY_NEWEST,
// with which every handle begins, SHMCV_DELIVERY_EVERY or SHMCV_DELIVERY_OLDEST. Frames that are open stay as they are.
//
// A reader of every frame is owed each frame until it has taken it, has closed its handle, or its process has ended. What
// the writer does meanwhile is the stream's when_behind. A handle that was opened read-only can have every frame of a stream
// of SHMCV_WHEN_BEHIND_DROP, and of no other.
//
// Errors: SHMCV_E_PERMISSION for every frame of another stream that was opened read-only; SHMCV_E_BUSY if 63 others read the stream; SHMCV_E_INVALID for another delivery, or if stream is none;
// SHMCV_E_CLOSED; SHMCV_E_CORRUPT; SHMCV_E_TRUNCATED.
//
//export goStreamDeliver
func goStreamDeliver(stream C.shmcv_stream, delivery C.int32_t) C.int32_t {
	return withStream(stream, func(stream *shm.Stream) error { return stream.Deliver(abi.Delivery(delivery)) })
}

// shmcv_stream_spin sets for how many microseconds a wait on this handle watches for a frame before it sleeps. It is 20 at
// first: to wake a thread takes some microseconds, which a frame that comes soon saves. A reader that has a processor for
// itself may watch for longer, and occupies that processor. On a machine with one processor no wait watches.
//
// Errors: SHMCV_E_CLOSED; SHMCV_E_INVALID if stream is none.
//
//export goStreamSpin
func goStreamSpin(stream C.shmcv_stream, microseconds C.uint32_t) C.int32_t {
	return withStream(stream, func(stream *shm.Stream) error {
		stream.Spin(uint64(microseconds) * 1000)
		return nil
	})
}

// shmcv_stream_heed_writer lets waits on this handle fail with SHMCV_E_WRITER_GONE when there is no further frame and no
// program that writes to the stream, if heed is not 0: the writer has closed the stream, has been killed, or there has been
// none yet. A wait that sleeps is told within some 2 ms. With heed 0, as at first, waits go on until another program writes.
//
// Errors: SHMCV_E_CLOSED; SHMCV_E_INVALID if stream is none.
//
//export goStreamHeedWriter
func goStreamHeedWriter(stream C.shmcv_stream, heed C.int32_t) C.int32_t {
	return withStream(stream, func(stream *shm.Stream) error {
		stream.HeedWriter(heed != 0)
		return nil
	})
}

// shmcv_stream_wait_writer sleeps until a program writes to the stream. A handle writes from its first
// shmcv_stream_begin on. timeout_ms is in milliseconds: 0 does not sleep, and a negative number waits without an end.
//
// Errors: SHMCV_E_TIMEOUT; SHMCV_E_REPLACED if there is no writer, and another stream has the name; SHMCV_E_CLOSED;
// SHMCV_E_INVALID if stream is none; SHMCV_E_CORRUPT; SHMCV_E_TRUNCATED.
//
//export goStreamWaitWriter
func goStreamWaitWriter(stream C.shmcv_stream, timeoutMs C.int32_t, nap *C.shmcv_nap) C.int32_t {
	napOf(nap).Heed(closingOf(handle(stream.handle)))
	return withStream(stream, func(stream *shm.Stream) error {
		_, err := stream.WaitWriter(milliseconds(timeoutMs), napOf(nap))
		return err
	})
}

// shmcv_stream_end tells all readers that no frame follows. They get the frames that are there, and then SHMCV_E_ENDED. A
// handle that has begun no frame yet becomes the stream's writer by this. The stream goes on if its writer, or the next one,
// begins another frame.
//
// Errors: SHMCV_E_PERMISSION if stream was opened read-only; SHMCV_E_BUSY if another handle is the writer, or if a frame is
// begun and neither published nor closed; SHMCV_E_INVALID if stream is none; SHMCV_E_CLOSED; SHMCV_E_CORRUPT; SHMCV_E_TRUNCATED.
//
//export goStreamEnd
func goStreamEnd(stream C.shmcv_stream) C.int32_t {
	return withStream(stream, func(stream *shm.Stream) error { return stream.End() })
}

// shmcv_stream_wait gives a frame of a stream, to read, as soon as there is one with a number greater than newer_than: the
// newest one, or what shmcv_stream_deliver has chosen. The frame stays as it is until shmcv_frame_close, unless stream was
// opened read-only; see shmcv_stream_open_read_only. Functions that would change it are SHMCV_E_PERMISSION, and its memory
// faults when it is written to. newer_than 0 accepts any frame; with info->sequence of the last frame, each frame is seen once.
// timeout_ms is in milliseconds: 0 does not sleep, and a negative number waits without an end. info gets the frame's number,
// time and image, and the address of its pixels, as shmcv_data gives it; it may be NULL. A wait ends with SHMCV_E_CLOSED when
// another thread closes stream, within 0.1 s.
//
// When the stream's name is cleared and given to another stream, a wait ends with SHMCV_E_REPLACED, as soon as there is no
// further frame: within some 5 ms, and within 0.1 s if the name was removed without shmcv_clear or its kin. shmcv_stream_follow
// goes on with the other stream. Nothing else that happens to the name ends a wait.
//
// Errors: SHMCV_E_TIMEOUT; SHMCV_E_ENDED if the writer has ended the stream, and there is no further frame; SHMCV_E_REPLACED;
// SHMCV_E_WRITER_GONE, see shmcv_stream_heed_writer; SHMCV_E_BUSY if 63 others read the stream; SHMCV_E_INVALID if stream is none;
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

// shmcv_stream_descriptor gives a descriptor on which a program's own loop waits for frames of a stream, among sockets and
// timers: by poll, select, epoll, or asyncio. On Linux it is a file descriptor that polls readable; on Windows it
// is the handle of an event, which is set when this text says readable. All calls on a handle give the same one.
//
// The descriptor is readable at first. When it is readable, call shmcv_stream_wait with a timeout of 0, as often as it gives
// frames. The descriptor stays readable until such a call is SHMCV_E_TIMEOUT. It is readable again when there is a frame that
// is newer than newer_than of that call, or when the call would tell that the stream has ended, was replaced or has no writer,
// or that something is wrong. Now and then it is readable for nothing.
//
// The descriptor is the handle's: do not read, write or close it. shmcv_stream_close closes it, and wakes who waits on it; take
// it out of your loop before, because another file may get the number. A forked child has closed its copy, and asks for one
// of its own handle's. One thread of the library serves all descriptors of the process. It begins with the first and ends with
// the last of them, and has all signals blocked.
//
// Errors: SHMCV_E_IO if the process has no file descriptors left; SHMCV_E_NO_SPACE if it gets no thread; SHMCV_E_CLOSED;
// SHMCV_E_INVALID if stream is none.
//
//export goStreamDescriptor
func goStreamDescriptor(stream C.shmcv_stream, descriptor *C.int64_t) C.int32_t {
	return withStream(stream, func(stream *shm.Stream) error {
		if err := required("descriptor", unsafe.Pointer(descriptor)); err != nil {
			return err
		}
		number, err := stream.Descriptor(func() bool { return bool(C.shmcv_start_serving()) })
		if err == nil {
			*descriptor = C.int64_t(number)
		}
		return err
	})
}

// goServeDescriptors returns 0 when the thread that calls it is to end. Serve.c calls it.
//
//shmcv:private
//export goServeDescriptors
func goServeDescriptors(nap *C.shmcv_nap) C.int32_t {
	on := false
	_ = guard(func() error { on = shm.ServeDescriptors(napOf(nap)); return nil })
	if on {
		return 1
	}
	return 0
}

// shmcv_frame_describe gives a frame that was begun the time when its picture was captured, and metadata: size bytes, at most
// SHMCV_MAX_METADATA, which mean what the programs make of them. Readers get both with the frame. capture_time_ns is on the
// clock of time_ns; 0 says nothing. metadata may be NULL if size is 0. Each call replaces what the one before has
// given.
//
// Errors: SHMCV_E_LIMIT for more bytes; SHMCV_E_INVALID if frame is no frame, or metadata is NULL; SHMCV_E_PERMISSION if frame
// is one to read; SHMCV_E_BUSY while another thread publishes it; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goFrameDescribe
func goFrameDescribe(frame C.shmcv_frame, captureTimeNs C.uint64_t, metadata *C.in_byte, size C.uint64_t) C.int32_t {
	return with(handleOf(frame.pixels), isFrame, func(begun *shm.Frame) error {
		var bytes []byte
		if size > 0 {
			if err := required("metadata", unsafe.Pointer(metadata)); err != nil {
				return err
			}
			bytes = unsafe.Slice((*byte)(unsafe.Pointer(metadata)), min(uint64(size), abi.MaxMetadata+1))
		}
		return begun.Describe(uint64(captureTimeNs), bytes)
	})
}

// shmcv_frame_metadata copies the metadata of a frame into buffer, which has capacity bytes, and gives in size how many
// there are. If they do not fit, size is given all the same. buffer may be NULL if capacity is 0. SHMCV_MAX_METADATA bytes
// always suffice.
//
// Errors: SHMCV_E_TOO_SMALL; SHMCV_E_OVERTAKEN; SHMCV_E_INVALID if frame is no frame; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goFrameMetadata
func goFrameMetadata(frame C.shmcv_frame, buffer unsafe.Pointer, capacity C.uint64_t, size *C.uint64_t) C.int32_t {
	return with(handleOf(frame.pixels), isFrame, func(frame *shm.Frame) error {
		if err := required("size", unsafe.Pointer(size)); err != nil {
			return err
		}
		return frame.Metadata(func(bytes []byte) error {
			*size = C.uint64_t(len(bytes))
			if uint64(len(bytes)) > uint64(capacity) {
				return abi.Errorf(abi.ETooSmall, "shmcv: %d bytes of metadata, and the buffer has %d", len(bytes), uint64(capacity))
			}
			if len(bytes) > 0 {
				if err := required("buffer", buffer); err != nil {
					return err
				}
				copy(unsafe.Slice((*byte)(buffer), len(bytes)), bytes)
			}
			return nil
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
		_ = remove(h, isFrame) // It fails if another thread has just closed the frame.
		if sequence != nil {
			*sequence = C.uint64_t(published)
		}
		return nil
	})
}

// shmcv_frame_check tells if a frame to read is whole: SHMCV_OK says that all that was read of its memory before the call is
// of this frame. A frame that is held, as every frame is unless its stream was opened read-only, is always whole.
//
// Errors: SHMCV_E_OVERTAKEN if the stream's writer has begun to write over it; SHMCV_E_CLOSED; SHMCV_E_INVALID if frame is no
// frame; SHMCV_E_TRUNCATED.
//
//shmcv:try
//export goFrameCheck
func goFrameCheck(frame C.shmcv_frame) C.int32_t {
	return with(handleOf(frame.pixels), isFrame, (*shm.Frame).Check)
}

// shmcv_frame_close gives a frame back. One to read may be written over then. Nothing of one to fill is ever seen.
// Pointers from shmcv_data are invalid afterwards.
//
// Errors: SHMCV_E_CLOSED if frame is closed or published already; SHMCV_E_INVALID if it is none; SHMCV_E_OVERTAKEN as for
// shmcv_frame_check, and the frame is closed all the same.
//
//shmcv:try
//export goFrameClose
func goFrameClose(frame C.shmcv_frame) C.int32_t {
	return guard(func() error { return remove(handleOf(frame.pixels), isFrame) })
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

// newStreamWithin does the same, and waits until open finds a stream.
func newStreamWithin(name *C.in_char, timeoutMs C.int32_t, out *C.shmcv_stream, nap *C.shmcv_nap,
	open func(name string) (*shm.Stream, error)) C.int32_t {
	return newStream(name, out, func(name string) (*shm.Stream, error) {
		return shm.Within(milliseconds(timeoutMs), napOf(nap), func() (*shm.Stream, error) { return open(name) })
	})
}
