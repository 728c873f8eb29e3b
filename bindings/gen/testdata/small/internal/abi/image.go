package abi

// Depth is the type of one sample.
type Depth uint32

const (
	DepthU8  Depth = iota + 1 // 8 bits.
	DepthF32                  // 32 bits, see EInvalid.
)

// Limits on images.
const (
	MaxDimension = 1 << 20 // Greatest width.
)

// ImageInfo describes pixels, as SegmentInfo does a segment.
type ImageInfo struct {
	Width     uint32    // Pixels in a row, 1 to SHMCV_MAX_DIMENSION; not Stride.
	Depth     Depth     // Depth of a sample: SHMCV_DEPTH_U8 or _F32.
	Stride    uint64    // Bytes from one row to the next.
	Reserved0 [2]uint64 // 0.
}
