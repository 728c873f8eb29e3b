package abi

// FrameInfo tells of a frame that a reader has been given. It is 128 bytes long.
type FrameInfo struct {
	Sequence uint64    // The frame's number: 1 for the stream's first, then 1 more each, across writers.
	Time     uint64    // When it was published: CLOCK_MONOTONIC, nanoseconds.
	Missed   uint64    // How many frames were published between the one that was waited beyond and this one.
	Image    ImageInfo // What its pixels mean.
	Reserved [5]uint64 // 0.
}
