package abi

import (
	"fmt"
	"math"
)

// Depth is the type of one sample.
type Depth uint32

const (
	DepthU8  Depth = 1 // 8-bit unsigned, 0 to 255.
	DepthU16 Depth = 2 // 16-bit unsigned, 0 to 65535, in the machine's byte order.
	DepthF32 Depth = 3 // 32-bit floating point.
)

// Bytes returns the size of one sample, 0 for a depth that does not exist.
func (d Depth) Bytes() uint64 {
	switch d {
	case DepthU8:
		return 1
	case DepthU16:
		return 2
	case DepthF32:
		return 4
	}
	return 0
}

// Order is the meaning and order of a pixel's channels in memory.
type Order uint32

const (
	OrderGray Order = 1 // 1 channel.
	OrderBGR  Order = 2 // 3 channels, as OpenCV has them.
	OrderBGRA Order = 3 // 4 channels, alpha not premultiplied.
	OrderRGB  Order = 4 // 3 channels.
	OrderRGBA Order = 5 // 4 channels, alpha not premultiplied.
)

// Channels returns the number of samples in a pixel, 0 for an order that does not exist.
func (o Order) Channels() uint32 {
	switch o {
	case OrderGray:
		return 1
	case OrderBGR, OrderRGB:
		return 3
	case OrderBGRA, OrderRGBA:
		return 4
	}
	return 0
}

// Limits on an image, checked before anything is allocated.
const (
	MaxDimension = 1 << 20 // Greatest width or height, in pixels.
	MaxPixels    = 1 << 30 // Greatest width times height.
)

// ImageInfo describes pixels in memory. It is 64 bytes long and has the same layout in C, in C#, in Python and in the
// segment. The pixel (x, y) starts at byte y*Stride + x*Channels*bytes(Depth) of the memory.
type ImageInfo struct {
	Width     uint32    // Pixels in a row, 1 to SHMCV_MAX_DIMENSION.
	Height    uint32    // Rows, 1 to SHMCV_MAX_DIMENSION.
	Channels  uint32    // Samples in a pixel: 1, 3 or 4, as Order says.
	Depth     Depth     // Type of a sample: SHMCV_DEPTH_U8, _U16 or _F32.
	Order     Order     // Order of the channels: SHMCV_ORDER_GRAY, _BGR, _BGRA, _RGB or _RGBA.
	Reserved0 uint32    // Must be 0.
	Stride    uint64    // Bytes from one row to the next; 0 on the way in means that rows follow without a gap.
	Reserved1 [4]uint64 // Must be 0.
}

// NewImageInfo returns the description of packed pixels, which have no gap between rows.
func NewImageInfo(width, height uint32, depth Depth, order Order) ImageInfo {
	img := ImageInfo{Width: width, Height: height, Channels: order.Channels(), Depth: depth, Order: order}
	img.Stride = img.RowBytes()
	return img
}

// String describes an image for an error: "640 x 480 pixels of 3 x 8-bit (BGR)".
func (i ImageInfo) String() string {
	order := map[Order]string{OrderGray: "gray", OrderBGR: "BGR", OrderBGRA: "BGRA", OrderRGB: "RGB", OrderRGBA: "RGBA"}[i.Order]
	depth := map[Depth]string{DepthU8: "8-bit", DepthU16: "16-bit", DepthF32: "float"}[i.Depth]
	return fmt.Sprintf("%d x %d pixels of %d x %s (%s)", i.Width, i.Height, i.Channels, depth, order)
}

// PixelBytes returns the size of one pixel.
func (i ImageInfo) PixelBytes() uint64 { return uint64(i.Channels) * i.Depth.Bytes() }

// RowBytes returns the size of the pixels of one row, without the gap after them.
func (i ImageInfo) RowBytes() uint64 { return uint64(i.Width) * i.PixelBytes() }

// Bytes returns the size of the image from its first byte to its last. The last row counts without a gap.
func (i ImageInfo) Bytes() uint64 { return uint64(i.Height-1)*i.Stride + i.RowBytes() }

// Packed returns true if the rows follow each other without a gap.
func (i ImageInfo) Packed() bool { return i.Stride == i.RowBytes() }

// Checked returns the description with a stride of 0 replaced by that of packed rows, or an EInvalid or ELimit error that
// names the wrong field. Geometry is validated here and nowhere else. No input makes the arithmetic overflow.
func (i ImageInfo) Checked() (ImageInfo, error) {
	switch {
	case i.Width == 0 || i.Height == 0:
		return i, Errorf(EInvalid, "image: %d x %d pixels; width and height are at least 1", i.Width, i.Height)
	case i.Depth.Bytes() == 0:
		return i, Errorf(EInvalid, "image: depth %d; it is 1 (8-bit unsigned), 2 (16-bit unsigned) or 3 (32-bit float)", i.Depth)
	case i.Order.Channels() == 0:
		return i, Errorf(EInvalid, "image: colour order %d; it is 1 (gray), 2 (BGR), 3 (BGRA), 4 (RGB) or 5 (RGBA)", i.Order)
	case i.Channels != i.Order.Channels():
		return i, Errorf(EInvalid, "image: %d channels, where colour order %d has %d", i.Channels, i.Order, i.Order.Channels())
	case i.Reserved0 != 0 || i.Reserved1 != [4]uint64{}:
		return i, Errorf(EInvalid, "image: a reserved field is not 0; zero the structure before filling it")
	case i.Width > MaxDimension || i.Height > MaxDimension || uint64(i.Width)*uint64(i.Height) > MaxPixels:
		return i, Errorf(ELimit, "image: %d x %d pixels; at most %d a side and %d in all are handled",
			i.Width, i.Height, MaxDimension, MaxPixels)
	}
	if i.Stride == 0 {
		i.Stride = i.RowBytes()
	}
	switch {
	case i.Stride < i.RowBytes():
		return i, Errorf(EInvalid, "image: stride %d bytes, where a row of %d pixels takes %d", i.Stride, i.Width, i.RowBytes())
	case i.Stride%i.Depth.Bytes() != 0:
		return i, Errorf(EInvalid, "image: stride %d bytes is not a multiple of the sample's %d", i.Stride, i.Depth.Bytes())
	case i.Stride > math.MaxInt32:
		return i, Errorf(ELimit, "image: stride %d bytes; at most %d are handled", i.Stride, math.MaxInt32)
	}
	return i, nil
}
