package abi

// Stream is a handle of an open stream, given by shmcv_stream_create and shmcv_stream_open, and valid in this process
// until shmcv_stream_close. {0} is no stream.
type Stream struct {
	Handle uint64 // Opaque; never 0 in a stream that is open.
}

// Frame is a handle of a frame: one to fill, given by shmcv_stream_begin, or one to read, given by shmcv_stream_wait. It
// is valid in this process until shmcv_frame_publish or shmcv_frame_close. {0} is no frame.
type Frame struct {
	Pixels Segment // Its pixels, for every function that works on a segment's image: shmcv_load(frame.pixels, ...).
}

// FrameInfo tells of a frame that a reader has been given. It is 128 bytes long.
type FrameInfo struct {
	Sequence      uint64    // The frame's number: 1 for the stream's first, then 1 more each, across writers.
	TimeNs        uint64    // When it was published, in nanoseconds: CLOCK_MONOTONIC, on Windows QueryPerformanceCounter.
	Missed        uint64    // How many frames this reader has missed: after newer_than and after it opened the stream.
	CaptureTimeNs uint64    // When it was captured, as its writer has told, on the same clock; 0 if it has not.
	MetadataSize  uint64    // Bytes of metadata that its writer has given it, 0 to MaxMetadata.
	Image         ImageInfo // What its pixels mean.
	Data          uintptr   // Its pixels, as shmcv_data gives them: not to be written to, and there until the frame is closed.
	Size          uint64    // Bytes at data, as shmcv_data gives them.
	Held          uint32    // 1 if nobody writes to its slot until it is closed; 0 if the stream was opened read-only: see shmcv_frame_check.
	Reserved      uint32    // 0.
}

// Limits on streams.
const (
	MaxSlots    = 1024 // Greatest number of a stream's slots.
	MaxMetadata = 1024 // Most bytes of metadata that a frame can have.
)

// Delivery is which frames a reader gets.
type Delivery int32

const (
	DeliveryNewest Delivery = 0 // The newest frame. The reader skips those before it, and never holds up the writer.
	DeliveryEvery  Delivery = 1 // Every frame, in order, from the next one on.
	DeliveryOldest Delivery = 2 // Every frame, in order, from the oldest one on that the stream still has.
)

// WhenBehind is what the writer of a stream does when a reader of every frame has not yet taken what is in the slots.
type WhenBehind int32

const (
	WhenBehindDrop  WhenBehind = 1 // It writes over the oldest frame. The reader misses that frame, and is told how many it missed.
	WhenBehindBlock WhenBehind = 2 // It waits until the reader has taken a frame, has closed the stream, or has ended.
	WhenBehindFail  WhenBehind = 3 // It gets SHMCV_E_BUSY.
)
