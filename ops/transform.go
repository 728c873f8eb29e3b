package ops

// #include "mat.h"
import "C"

import (
	"gocv.io/x/gocv"

	"shmcv/internal/abi"
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
	return into("flip", src, dst, C.OPS_FLIP, float64(code))
}

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
		return withCopy(src, func(apart Pixels) error { return convert(apart, dst) })
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

// checkedPair checks a source and a destination as checked does, and that they agree in size and depth.
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

// withCopy runs body on a copy of src without gaps.
func withCopy(src Pixels, body func(copied Pixels) error) error {
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
