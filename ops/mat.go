package ops

// #include "mat.h"
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"

	"gocv.io/x/gocv"

	"shmcv/internal/abi"
)

// mat is a gocv.Mat over memory that Go or a segment owns. gocv's own NewMatFromBytes takes no stride.
type mat struct {
	gocv.Mat
	pin  runtime.Pinner
	data unsafe.Pointer
}

// newMat makes a Mat over p's memory. p has been checked. The caller closes the Mat while p's memory is still there.
func newMat(p Pixels) (*mat, error) {
	m := &mat{data: unsafe.Pointer(unsafe.SliceData(p.Data))}
	m.pin.Pin(m.data)
	c := C.ops_mat_new(C.int(p.Height), C.int(p.Width), C.int(matType(p.ImageInfo)), m.data, C.size_t(p.Stride))
	if c == nil {
		m.pin.Unpin()
		return nil, abi.Errorf(abi.EInternal, "ops: OpenCV refuses memory for %s", describe(p.ImageInfo))
	}
	m.Mat = gocv.NewMatFromCMat(c)
	return m, nil
}

// Close frees the Mat, and leaves the memory under it alone.
func (m *mat) Close() {
	_ = m.Mat.Close() // its error is always nil
	m.pin.Unpin()
}

// moved returns true if OpenCV has given the Mat other memory, so that the image was not written.
func (m *mat) moved() bool { return C.ops_mat_data(m.Ptr0()) != m.data }

// Ptr0 returns the Mat as the C code here takes it.
func (m *mat) Ptr0() unsafe.Pointer { return unsafe.Pointer(m.Ptr()) }

// into runs an OpenCV function from one image to another. It returns an error if the result is not in dst's memory.
func into(what string, src, dst Pixels, run func(src gocv.Mat, dst *gocv.Mat) error) error {
	from, err := newMat(src)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := newMat(dst)
	if err != nil {
		return err
	}
	defer to.Close()
	if err := run(from.Mat, &to.Mat); err != nil {
		return abi.Errorf(abi.EInternal, "%s: OpenCV, from %s to %s: %w", what, describe(src.ImageInfo), describe(dst.ImageInfo), err)
	}
	if to.moved() {
		return abi.Errorf(abi.EInternal, "%s: OpenCV's result for %s is no %s", what, describe(src.ImageInfo), describe(dst.ImageInfo))
	}
	return nil
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

// describe returns an image's description for an error: "640 x 480 pixels of 3 x 8-bit (BGR)".
func describe(image abi.ImageInfo) string {
	order := map[abi.Order]string{
		abi.OrderGray: "gray", abi.OrderBGR: "BGR", abi.OrderBGRA: "BGRA", abi.OrderRGB: "RGB", abi.OrderRGBA: "RGBA",
	}[image.Order]
	depth := map[abi.Depth]string{abi.DepthU8: "8-bit", abi.DepthU16: "16-bit", abi.DepthF32: "float"}[image.Depth]
	return fmt.Sprintf("%d x %d pixels of %d x %s (%s)", image.Width, image.Height, image.Channels, depth, order)
}
