package ops

import (
	"gocv.io/x/gocv"

	"shmcv/internal/abi"
)

// flipKernel mirrors faster than OpenCV, which does it where there is no kernel for the processor. What it is given has
// been checked.
var flipKernel func(src, dst Pixels, code abi.FlipCode)

// Flip mirrors src into dst: top to bottom, left to right, or both. The two have the same size, depth and order, and
// their own strides; nothing is written between the rows. Where both start at the same byte, the image is flipped in
// place, and the strides must agree too; otherwise they must not overlap.
//
// Errors: EInvalid for another code, or images that disagree or overlap in part; ETooSmall for Data that does not cover
// its image; ELimit.
func Flip(src, dst Pixels, code abi.FlipCode) error {
	if code != abi.FlipVertical && code != abi.FlipHorizontal && code != abi.FlipBoth {
		return abi.Errorf(abi.EInvalid, "flip: code %d; it is 0 (vertical), 1 (horizontal) or -1 (both)", code)
	}
	src, dst, err := checkedPair("flip", src, dst)
	if err != nil {
		return err
	}
	if src.Order != dst.Order {
		return abi.Errorf(abi.EInvalid, "flip: from %s to %s; their orders must agree", describe(src.ImageInfo), describe(dst.ImageInfo))
	}
	inPlace := src.sameStart(dst) && src.Stride == dst.Stride
	if !inPlace && src.overlaps(dst) {
		return abi.Errorf(abi.EInvalid, "flip: source and destination overlap in part; they are one image, or apart")
	}
	if flipKernel != nil {
		flipKernel(src, dst, code)
		return nil
	}
	return into("flip", src, dst, func(src gocv.Mat, dst *gocv.Mat) error { return gocv.Flip(src, dst, int(code)) })
}

// Convert copies src to dst, of the same size and depth, in dst's colour order. Alpha that is not there becomes opaque;
// alpha that is not wanted is dropped; gray is 0.299 R + 0.587 G + 0.114 B, rounded as cv2.cvtColor does. Nothing is
// written between the rows. src and dst may overlap.
//
// Errors: EInvalid for images that differ in size or depth; ETooSmall for Data that does not cover its image; ELimit.
func Convert(src, dst Pixels) error {
	src, dst, err := checkedPair("convert", src, dst)
	if err != nil {
		return err
	}
	if src.overlaps(dst) {
		if src.sameStart(dst) && src.ImageInfo == dst.ImageInfo {
			return nil
		}
		apart, done := copyOf(src)
		defer done()
		src = apart
	}
	if src.Order == dst.Order {
		copyRows(src, dst)
		return nil
	}
	code, ok := conversions[[2]abi.Order{src.Order, dst.Order}]
	if !ok {
		return abi.Errorf(abi.EInternal, "convert: no way from %s to %s", describe(src.ImageInfo), describe(dst.ImageInfo))
	}
	// OpenCV shuffles vectors here, in as many threads as there are cores to be had. A kernel of ours, a shuffle for each
	// 8 pixels, took 0.93 of its time where it had one, and 1.5 where it had two: so it is OpenCV's.
	return into("convert", src, dst, func(src gocv.Mat, dst *gocv.Mat) error { return gocv.CvtColor(src, dst, code) })
}

var conversions = map[[2]abi.Order]gocv.ColorConversionCode{
	{abi.OrderGray, abi.OrderBGR}:  gocv.ColorGrayToBGR,
	{abi.OrderGray, abi.OrderRGB}:  gocv.ColorGrayToRGB,
	{abi.OrderGray, abi.OrderBGRA}: gocv.ColorGrayToBGRA,
	{abi.OrderGray, abi.OrderRGBA}: gocv.ColorGrayToRGBA,
	{abi.OrderBGR, abi.OrderGray}:  gocv.ColorBGRToGray,
	{abi.OrderRGB, abi.OrderGray}:  gocv.ColorRGBToGray,
	{abi.OrderBGRA, abi.OrderGray}: gocv.ColorBGRAToGray,
	{abi.OrderRGBA, abi.OrderGray}: gocv.ColorRGBAToGray,
	{abi.OrderBGR, abi.OrderBGRA}:  gocv.ColorBGRToBGRA,
	{abi.OrderRGB, abi.OrderRGBA}:  gocv.ColorRGBToRGBA,
	{abi.OrderBGRA, abi.OrderBGR}:  gocv.ColorBGRAToBGR,
	{abi.OrderRGBA, abi.OrderRGB}:  gocv.ColorRGBAToRGB,
	{abi.OrderBGR, abi.OrderRGBA}:  gocv.ColorBGRToRGBA,
	{abi.OrderRGB, abi.OrderBGRA}:  gocv.ColorRGBToBGRA,
	{abi.OrderBGRA, abi.OrderRGB}:  gocv.ColorBGRAToRGB,
	{abi.OrderRGBA, abi.OrderBGR}:  gocv.ColorRGBAToBGR,
	{abi.OrderBGR, abi.OrderRGB}:   gocv.ColorBGRToRGB,
	{abi.OrderRGB, abi.OrderBGR}:   gocv.ColorRGBToBGR,
	{abi.OrderBGRA, abi.OrderRGBA}: gocv.ColorBGRAToRGBA,
	{abi.OrderRGBA, abi.OrderBGRA}: gocv.ColorRGBAToBGRA,
}

// checkedPair validates a source and a destination that must agree in size and depth.
func checkedPair(what string, src, dst Pixels) (Pixels, Pixels, error) {
	src, err := src.checked(what + ": source")
	if err != nil {
		return src, dst, err
	}
	if dst, err = dst.checked(what + ": destination"); err != nil {
		return src, dst, err
	}
	if src.Width != dst.Width || src.Height != dst.Height || src.Depth != dst.Depth {
		return src, dst, abi.Errorf(abi.EInvalid, "%s: from %s to %s; size and depth must agree", what, describe(src.ImageInfo), describe(dst.ImageInfo))
	}
	return src, dst, nil
}

// blueFirst is the order that OpenCV keeps such channels in.
func blueFirst(order abi.Order) abi.Order {
	switch order {
	case abi.OrderRGB:
		return abi.OrderBGR
	case abi.OrderRGBA:
		return abi.OrderBGRA
	}
	return order
}

// withOrder gives src in that colour order: src itself, or a copy that lasts until done is called.
func withOrder(src Pixels, order abi.Order) (converted Pixels, done func(), err error) {
	if src.Order == order {
		return src, func() {}, nil
	}
	converted = Pixels{ImageInfo: abi.NewImageInfo(src.Width, src.Height, src.Depth, order)}
	converted.Data = scratch(converted.Bytes())
	done = func() { release(converted.Data) }
	if err := Convert(src, converted); err != nil {
		done()
		return src, nil, err
	}
	return converted, done, nil
}

// copyOf gives a copy without gaps that lasts until done is called.
func copyOf(src Pixels) (copied Pixels, done func()) {
	copied = Pixels{ImageInfo: abi.NewImageInfo(src.Width, src.Height, src.Depth, src.Order)}
	copied.Data = scratch(copied.Bytes())
	copyRows(src, copied)
	return copied, func() { release(copied.Data) }
}

// copyRows copies between images of one layout, each with its own stride.
func copyRows(src, dst Pixels) {
	if src.Stride == dst.Stride && src.Packed() {
		copy(dst.Data, src.Data[:src.Bytes()])
		return
	}
	for y := range src.Height {
		copy(dst.row(y), src.row(y))
	}
}
