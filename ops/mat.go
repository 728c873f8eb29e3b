package ops

// #include "mat.h"
import "C"

import (
	"runtime"
	"unsafe"

	"gocv.io/x/gocv"

	"shmcv/internal/abi"
)

// into runs one of OpenCV's functions from one image to another. Both have been checked. It returns an error if the
// result is not in dst's memory, and ENoSpace if OpenCV finds no memory for its work.
func into(what string, src, dst Pixels, function C.enum_ops_function, argument float64) error {
	var reason [256]C.char
	code := C.ops_into(function, C.double(argument),
		C.int(src.Height), C.int(src.Width), C.int(matType(src.ImageInfo)), unsafe.Pointer(unsafe.SliceData(src.Data)), C.size_t(src.Stride),
		C.int(dst.Height), C.int(dst.Width), C.int(matType(dst.ImageInfo)), unsafe.Pointer(unsafe.SliceData(dst.Data)), C.size_t(dst.Stride),
		&reason[0], C.size_t(len(reason)))
	runtime.KeepAlive(src.Data)
	runtime.KeepAlive(dst.Data)
	switch code {
	case C.OPS_OK:
		return nil
	case C.OPS_NO_MEMORY:
		return abi.Errorf(abi.ENoSpace, "%s: OpenCV finds no memory for its work on %s", what, describe(src.ImageInfo))
	}
	return abi.Errorf(abi.EInternal, "%s: OpenCV, from %s to %s: %s", what, describe(src.ImageInfo), describe(dst.ImageInfo), C.GoString(&reason[0]))
}

// matType returns OpenCV's type for the image's samples, CV_8UC3 for example.
func matType(image abi.ImageInfo) gocv.MatType {
	depth := gocv.MatTypeCV8U
	switch image.Depth {
	case abi.DepthU16:
		depth = gocv.MatTypeCV16U
	case abi.DepthF32:
		depth = gocv.MatTypeCV32F
	}
	return depth + gocv.MatType(image.Channels-1)<<3
}

// describe returns an image's description for an error.
func describe(image abi.ImageInfo) string { return image.String() }
