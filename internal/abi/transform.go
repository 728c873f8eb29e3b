package abi

// FlipCode is the direction of a flip, as OpenCV numbers them.
type FlipCode int32

const (
	FlipVertical   FlipCode = 0  // Top and bottom change places.
	FlipHorizontal FlipCode = 1  // Left and right change places.
	FlipBoth       FlipCode = -1 // Both: a rotation by 180 degrees.
)

// Interpolation is how shmcv_resize makes the pixels of another size. The numbers are those of OpenCV's InterpolationFlags,
// and so is what each does.
type Interpolation int32

const (
	InterpolationNearest      Interpolation = 0 // The nearest pixel, as cv2.INTER_NEAREST.
	InterpolationLinear       Interpolation = 1 // Between 2 x 2 pixels; what cv2.resize does unless it is told otherwise.
	InterpolationCubic        Interpolation = 2 // Between 4 x 4 pixels.
	InterpolationArea         Interpolation = 3 // The mean of the pixels that become one: for making an image smaller.
	InterpolationLanczos4     Interpolation = 4 // Lanczos, between 8 x 8 pixels.
	InterpolationNearestExact Interpolation = 6 // The pixel whose middle is the nearest, as cv2.INTER_NEAREST_EXACT, Pillow and scikit-image have it.
)

// Exists returns true for an interpolation that has a name here.
func (i Interpolation) Exists() bool {
	return i >= InterpolationNearest && i <= InterpolationLanczos4 || i == InterpolationNearestExact
}

// RotateCode is a rotation by quarter turns, as OpenCV numbers them.
type RotateCode int32

const (
	Rotate90Clockwise        RotateCode = 0 // Left becomes top.
	Rotate180                RotateCode = 1 // As FlipBoth.
	Rotate90Counterclockwise RotateCode = 2 // Right becomes top.
)
