// Package ops works on images: probing, decoding, encoding, flipping, turning, resizing, converting, and showing them in
// windows.
//
// It knows pixels in memory, files and windows. It does not know the names of segments, nor the C ABI. Every function
// may be called on several threads at once, on memory that no other thread writes meanwhile. Errors are *abi.Error.
//
// OpenCV does the work wherever it can, and gocv has the names of its numbers. The C and C++ files here call OpenCV where
// gocv has no call (a Mat over memory with a stride, a window that fits its image), and where gocv would let end the host
// (std::bad_alloc, and every other C++ exception than cv::Exception). They do themselves what OpenCV does measurably slower
// (the flip, reading PNGs, JPEGs with one thread).
package ops

import "C"

import (
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/ops/internal/probe"
)

// Pixels is an image in memory. Data starts at the pixel (0, 0), and has at least Bytes() bytes.
type Pixels struct {
	abi.ImageInfo
	Data []byte
}

// checked returns the image with its defaults filled in, or an error if its geometry or its memory is not right. `what`
// names the image in errors ("flip: source").
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

// cString returns a text as C takes it, in Go's memory, which is C's until the call is over. C.CString asks malloc, and
// ends the process where malloc fails.
func cString(text string) *C.char {
	return (*C.char)(unsafe.Pointer(unsafe.SliceData(append([]byte(text), 0))))
}

// row returns the y-th row, without the gap after it.
func (p Pixels) row(y uint32) []byte {
	start := uint64(y) * p.Stride
	return p.Data[start : start+p.RowBytes()]
}

// part returns a part of the image, which shares its memory.
func (p Pixels) part(of probe.Rectangle) Pixels {
	start := uint64(of.Y)*p.Stride + uint64(of.X)*p.PixelBytes()
	p.Width, p.Height, p.Data = of.Width, of.Height, p.Data[start:]
	return p
}

// sameStart returns true if both images start at the same byte.
func (p Pixels) sameStart(q Pixels) bool { return unsafe.SliceData(p.Data) == unsafe.SliceData(q.Data) }

// overlaps returns true if the two images have a byte of memory in common. The bytes between their rows do not count where the
// strides agree, as those of two regions of one image do.
func (p Pixels) overlaps(q Pixels) bool {
	if !Overlap(p.Data[:p.Bytes()], q.Data[:q.Bytes()]) {
		return false
	}
	if p.Stride != q.Stride {
		return true
	}
	if q.start() < p.start() {
		p, q = q, p
	}
	// q's first row begins in p's row `down`, `along` bytes from its start, and may reach into the row after that.
	distance := uint64(q.start() - p.start())
	down, along := distance/p.Stride, distance%p.Stride
	return along < p.RowBytes() && down < uint64(p.Height) ||
		along+q.RowBytes() > p.Stride && down+1 < uint64(p.Height)
}

// start returns the address of the first byte.
func (p Pixels) start() uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(p.Data))) }

// Overlap returns true if the two have a byte of memory in common. It does not touch the memory.
func Overlap(a, b []byte) bool {
	startA, startB := uintptr(unsafe.Pointer(unsafe.SliceData(a))), uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	return startA < startB+uintptr(len(b)) && startB < startA+uintptr(len(a))
}
