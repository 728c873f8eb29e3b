package ops

// #include "flip.h"
import "C"

import (
	"runtime"
	"unsafe"

	"shmcv/internal/abi"
)

// flipVectors is for a processor with the instructions that flip.c is written for.
func flipVectors(src, dst Pixels, code abi.FlipCode) {
	C.ops_flip(unsafe.Pointer(unsafe.SliceData(src.Data)), C.size_t(src.Stride),
		unsafe.Pointer(unsafe.SliceData(dst.Data)), C.size_t(dst.Stride),
		C.size_t(src.Width), C.size_t(src.Height), C.size_t(src.PixelBytes()), C.int(code))
	runtime.KeepAlive(src.Data)
	runtime.KeepAlive(dst.Data)
}
