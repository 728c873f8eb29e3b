package abi

// FlipCode is the direction of a flip, as OpenCV numbers them.
type FlipCode int32

const (
	FlipVertical   FlipCode = 0  // Top and bottom change places.
	FlipHorizontal FlipCode = 1  // Left and right change places.
	FlipBoth       FlipCode = -1 // Both: a rotation by 180 degrees.
)
