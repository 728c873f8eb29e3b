package ops

// #include "mat.h"
import "C"

import (
	"gocv.io/x/gocv"

	"shmcv/internal/abi"
	"shmcv/ops/internal/probe"
)

// flipKernel mirrors faster than OpenCV does. It is nil if there is none for the processor; then OpenCV mirrors. Its
// arguments have been checked.
var flipKernel func(src, dst Pixels, code abi.FlipCode)

// Flip mirrors src into dst: top to bottom, left to right, or both. The images have the same size, depth and order;
// each has its own stride. Nothing is written between the rows. If both start at the same byte, the image is flipped in
// place, and the strides must agree too; otherwise the images must not overlap.
//
// Errors: EInvalid for another code, and for images that disagree or overlap in part; ETooSmall for Data that does not
// cover its image; ELimit.
func Flip(src, dst Pixels, code abi.FlipCode) error {
	if code != abi.FlipVertical && code != abi.FlipHorizontal && code != abi.FlipBoth {
		return abi.Errorf(abi.EInvalid, "flip: code %d; it is 0 (vertical), 1 (horizontal) or -1 (both)", code)
	}
	src, dst, err := checkedPair("flip", src, dst)
	if err == nil {
		err = sameOrders("flip", src, dst)
	}
	if err != nil {
		return err
	}
	inPlace := src.sameStart(dst) && src.Stride == dst.Stride
	if !inPlace && src.overlaps(dst) {
		return abi.Errorf(abi.EInvalid, "flip: source and destination overlap in part; they are one image, or apart")
	}
	if flipKernel != nil {
		flipKernel(src, dst, code)
		return nil
	}
	return into("flip", src, dst, C.OPS_FLIP, float64(code))
}

// Resize makes dst of src, in dst's size, as cv2.resize does. The images have the same depth and order, each has its own
// size and stride, and they must not overlap. Nothing is written between the rows. OpenCV writes into dst's memory.
//
// Errors: EInvalid for another interpolation, and for images that disagree or overlap; ETooSmall for Data that does not
// cover its image; ELimit; ENoSpace if OpenCV finds no memory for its tables.
func Resize(src, dst Pixels, interpolation abi.Interpolation) error {
	if !interpolation.Exists() {
		return abi.Errorf(abi.EInvalid, "resize: interpolation %d; it is 0 (nearest), 1 (linear), 2 (cubic), 3 (area), 4 (Lanczos) or 6 (nearest, exact)", interpolation)
	}
	src, dst, err := checkedBoth("resize", src, dst)
	if err == nil {
		err = sameOrders("resize", src, dst)
	}
	switch {
	case err != nil:
		return err
	case src.Depth != dst.Depth:
		return abi.Errorf(abi.EInvalid, "resize: from %s to %s; their depths must agree", describe(src.ImageInfo), describe(dst.ImageInfo))
	case src.overlaps(dst):
		return abi.Errorf(abi.EInvalid, "resize: source and destination overlap; resize into other memory, or copy the source first")
	}
	return into("resize", src, dst, C.OPS_RESIZE, float64(interpolation))
}

// Rotate turns src into dst by quarter turns. The images have the same depth and order, and the sizes that the turn gives;
// each has its own stride. Nothing is written between the rows. The images may overlap: a quarter turn is then made in other
// memory first, and so is a half turn, unless both are one image.
//
// Errors: EInvalid for another code, and for images that disagree; ETooSmall for Data that does not cover its image; ELimit;
// ENoSpace.
func Rotate(src, dst Pixels, code abi.RotateCode) error {
	orientation, ok := rotations[code]
	if !ok {
		return abi.Errorf(abi.EInvalid, "rotate: code %d; it is 0 (90 degrees clockwise), 1 (180 degrees) or 2 (90 degrees counterclockwise)", code)
	}
	src, dst, err := checkedBoth("rotate", src, dst)
	if err == nil {
		err = sameOrders("rotate", src, dst)
	}
	if err != nil {
		return err
	}
	result, isTransposed := src.ImageInfo, probe.Transposes(orientation)
	if isTransposed {
		result.Width, result.Height = src.Height, src.Width
	}
	if dst.Width != result.Width || dst.Height != result.Height || dst.Depth != src.Depth {
		return abi.Errorf(abi.EInvalid, "rotate: from %s to %s; the turn gives %d x %d pixels of the same depth",
			describe(src.ImageInfo), describe(dst.ImageInfo), result.Width, result.Height)
	}
	if isTransposed && !transposable(src) {
		return WithCopy(src, func(apart Pixels) error { return Rotate(apart, dst, code) })
	}
	inPlace := src.sameStart(dst) && src.ImageInfo == dst.ImageInfo && !isTransposed
	if inPlace || !src.overlaps(dst) && (!isTransposed || transposable(dst)) {
		return orient(src, dst, orientation)
	}
	return withScratch(abi.NewImageInfo(dst.Width, dst.Height, dst.Depth, dst.Order), func(turned Pixels) error {
		if err := orient(src, turned, orientation); err != nil {
			return err
		}
		copyRows(turned, dst)
		return nil
	})
}

// transposable returns false for an image whose rows cv::transpose would not find: it counts the stride in whole pixels where a
// pixel has 4 bytes.
func transposable(p Pixels) bool { return p.PixelBytes() != 4 || p.Stride%4 == 0 }

// rotations are EXIF's orientations that say the same.
var rotations = map[abi.RotateCode]int{abi.Rotate90Clockwise: 6, abi.Rotate180: 3, abi.Rotate90Counterclockwise: 8}

// Convert copies src to dst, in dst's colour order. The images have the same size and depth, and may overlap. Alpha
// that src lacks becomes opaque; alpha that dst lacks is dropped. Gray is 0.299 R + 0.587 G + 0.114 B, rounded as
// cv2.cvtColor rounds. Nothing is written between the rows.
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
		return WithCopy(src, func(apart Pixels) error { return convert(apart, dst) })
	}
	return convert(src, dst)
}

// convert is Convert for images that are checked and apart.
func convert(src, dst Pixels) error {
	if src.Order == dst.Order {
		copyRows(src, dst)
		return nil
	}
	code, ok := conversions[[2]abi.Order{src.Order, dst.Order}]
	if !ok {
		return abi.Errorf(abi.EInternal, "convert: no way from %s to %s", describe(src.ImageInfo), describe(dst.ImageInfo))
	}
	// OpenCV shuffles vectors, in as many threads as there are cores. A kernel of our own, with a shuffle for each 8
	// pixels, took 0.93 of OpenCV's time on one core, and 1.5 of it on two.
	return into("convert", src, dst, C.OPS_CONVERT_COLOR, float64(code))
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

// checkedBoth checks a source and a destination as checked does.
func checkedBoth(what string, src, dst Pixels) (Pixels, Pixels, error) {
	src, err := src.checked(what + ": source")
	if err == nil {
		dst, err = dst.checked(what + ": destination")
	}
	return src, dst, err
}

// sameOrders returns an error if the orders of two images differ.
func sameOrders(what string, src, dst Pixels) error {
	if src.Order != dst.Order {
		return abi.Errorf(abi.EInvalid, "%s: from %s to %s; their orders must agree", what, describe(src.ImageInfo), describe(dst.ImageInfo))
	}
	return nil
}

// checkedPair does as checkedBoth, and checks that the two agree in size and depth.
func checkedPair(what string, src, dst Pixels) (Pixels, Pixels, error) {
	src, dst, err := checkedBoth(what, src, dst)
	if err != nil {
		return src, dst, err
	}
	if src.Width != dst.Width || src.Height != dst.Height || src.Depth != dst.Depth {
		return src, dst, abi.Errorf(abi.EInvalid, "%s: from %s to %s; size and depth must agree", what, describe(src.ImageInfo), describe(dst.ImageInfo))
	}
	return src, dst, nil
}

// blueFirst returns the order that OpenCV's codecs have for the same channels.
func blueFirst(order abi.Order) abi.Order {
	switch order {
	case abi.OrderRGB:
		return abi.OrderBGR
	case abi.OrderRGBA:
		return abi.OrderBGRA
	}
	return order
}

// withOrder runs body on src in the colour order: on src itself, or on a copy.
func withOrder(src Pixels, order abi.Order, body func(converted Pixels) error) error {
	if src.Order == order {
		return body(src)
	}
	return withScratch(abi.NewImageInfo(src.Width, src.Height, src.Depth, order), func(converted Pixels) error {
		if err := Convert(src, converted); err != nil {
			return err
		}
		return body(converted)
	})
}

// WithCopy runs body on a copy of src without gaps, which is not in Go's memory. Body must not keep it.
func WithCopy(src Pixels, body func(copied Pixels) error) error {
	return withScratch(abi.NewImageInfo(src.Width, src.Height, src.Depth, src.Order), func(copied Pixels) error {
		copyRows(src, copied)
		return body(copied)
	})
}

// copyRows copies between images that differ in their strides alone.
func copyRows(src, dst Pixels) {
	if src.Stride == dst.Stride && src.Packed() {
		copy(dst.Data, src.Data[:src.Bytes()])
		return
	}
	for y := range src.Height {
		copy(dst.row(y), src.row(y))
	}
}
