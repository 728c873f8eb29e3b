// Package ops works on images: probing, decoding, encoding, flipping, converting, and showing them in windows.
//
// It knows pixels in memory, files and windows; it knows neither segments' names nor the C ABI. Every function may be
// called from any thread at once, on memory that nobody else writes meanwhile. Errors are *abi.Error.
//
// gocv and OpenCV do the work wherever they can. The C and C++ files here are what gocv has no call for (a Mat over
// memory with a stride, a window that fits its image), where its call would let a C++ exception other than
// cv::Exception end the host, or where OpenCV is measurably slower (the flip).
package ops

import (
	"unsafe"

	"gocv.io/x/gocv"

	"shmcv/internal/abi"
)

// Pixels is an image in memory: Data starts at the pixel (0, 0) and covers at least Image.Bytes() bytes.
type Pixels struct {
	abi.ImageInfo
	Data []byte
}

// OpenCVVersion is the version of the OpenCV in this library, for example "4.14.0".
func OpenCVVersion() string { return gocv.OpenCVVersion() }

// checked validates geometry and memory; what names the image in errors ("flip: source").
func (p Pixels) checked(what string) (Pixels, error) {
	image, err := p.ImageInfo.Checked()
	if err != nil {
		return p, abi.Errorf(abi.CodeOf(err), "%s: %w", what, err)
	}
	p.ImageInfo = image
	if uint64(len(p.Data)) < image.Bytes() {
		return p, abi.Errorf(abi.ETooSmall, "%s: %d bytes wanted for %s, %d bytes of memory there", what, image.Bytes(), describe(image), len(p.Data))
	}
	return p, nil
}

// row is the y-th row, without the gap after it.
func (p Pixels) row(y uint32) []byte {
	start := uint64(y) * p.Stride
	return p.Data[start : start+p.RowBytes()]
}

// sameStart tells whether both images start at the same byte.
func (p Pixels) sameStart(q Pixels) bool { return unsafe.SliceData(p.Data) == unsafe.SliceData(q.Data) }

// overlaps tells whether the two images have a byte of memory in common.
func (p Pixels) overlaps(q Pixels) bool {
	pStart, qStart := uintptr(unsafe.Pointer(unsafe.SliceData(p.Data))), uintptr(unsafe.Pointer(unsafe.SliceData(q.Data)))
	return pStart < qStart+uintptr(q.Bytes()) && qStart < pStart+uintptr(p.Bytes())
}
