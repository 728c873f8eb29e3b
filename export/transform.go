// Transforms: from one segment to another, or in place where both are the same.

package main

// #include "native.h"
import "C"

import (
	"shmcv/internal/abi"
	"shmcv/ops"
)

// shmcv_flip mirrors the image of src into dst, whose image it becomes, rows without gaps. code is
// SHMCV_FLIP_VERTICAL (0), SHMCV_FLIP_HORIZONTAL (1) or SHMCV_FLIP_BOTH (-1). If src and dst are one segment, the image is
// flipped in place and keeps its stride.
//
// Errors: SHMCV_E_NO_IMAGE if src has none; SHMCV_E_TOO_SMALL if the image does not fit into dst; SHMCV_E_INVALID for
// another code; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goFlip
func goFlip(src, dst C.shmcv_segment, code C.int32_t) C.int32_t {
	return transform(src, dst, func(from ops.Pixels, to pixels, inPlace bool) error {
		image := from.ImageInfo
		if !inPlace {
			image = abi.NewImageInfo(from.Width, from.Height, from.Depth, from.Order)
		}
		return fill(to, image, func(to ops.Pixels) error { return ops.Flip(from, to, abi.FlipCode(code)) })
	})
}

// shmcv_convert copies the image of src into dst in the colour order order (SHMCV_ORDER_), rows without gaps. Alpha
// that is not there becomes opaque; alpha that is not wanted is dropped; gray is 0.299 R + 0.587 G + 0.114 B. src and
// dst may be one segment.
//
// Errors: SHMCV_E_NO_IMAGE if src has none; SHMCV_E_TOO_SMALL if the result does not fit into dst;
// SHMCV_E_INVALID for an unknown order; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goConvert
func goConvert(src, dst C.shmcv_segment, order C.int32_t) C.int32_t {
	return transform(src, dst, func(from ops.Pixels, to pixels, _ bool) error {
		image, err := abi.NewImageInfo(from.Width, from.Height, from.Depth, abi.Order(order)).Checked()
		if err != nil {
			return err
		}
		return fill(to, image, func(to ops.Pixels) error { return ops.Convert(from, to) })
	})
}

// transform runs body, guarded, on the image of src and the segment or frame dst.
func transform(src, dst C.shmcv_segment, body func(from ops.Pixels, to pixels, inPlace bool) error) C.int32_t {
	return withPixels(src, func(source pixels) error {
		target, err := use(handleOf(dst), isPixels)
		if err != nil {
			return err
		}
		defer target.Release()
		from, err := imageOf(source)
		if err != nil {
			return err
		}
		return body(from, target, source == target)
	})
}
