package abi

// Segment is a handle, closed by shmcv_close.
type Segment struct {
	Handle uint64 // Opaque.
}

// Frame is a handle of a part.
type Frame struct {
	Pixels Segment // Its pixels.
}

// SegmentInfo tells of a segment.
type SegmentInfo struct {
	Name     [24]byte  // The name.
	UUID     [16]byte  // The identity.
	HasImage uint64    // 1 when Image means something.
	Data     uintptr   // The pixels.
	Image    ImageInfo // The image.
}
