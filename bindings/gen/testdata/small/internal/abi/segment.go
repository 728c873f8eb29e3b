package abi

// SegmentInfo tells of a segment.
type SegmentInfo struct {
	Name     [24]byte // The name.
	UUID     [16]byte // The identity.
	HasImage uint64   // 1 when Image means something.
	Image    Image    // The image.
}
