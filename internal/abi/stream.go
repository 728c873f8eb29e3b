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
	Sequence uint64    // The frame's number: 1 for the stream's first, then 1 more each, across writers.
	TimeNs   uint64    // When it was published: CLOCK_MONOTONIC, nanoseconds.
	Missed   uint64    // How many frames this reader has missed: after newer_than and after it opened the stream.
	Image    ImageInfo // What its pixels mean.
	Reserved [5]uint64 // 0.
}
