// Transforms: from one segment to another, or in place where both are the same.

package main

// #include "native.h"
import "C"

import (
	"shmcv/internal/abi"
	"shmcv/ops"
)

// shmcv_flip mirrors the image of src into dst, whose image it becomes, rows without gaps. code is
// SHMCV_FLIP_VERTICAL (0), SHMCV_FLIP_HORIZONTAL (1) or SHMCV_FLIP_BOTH (-1). Where src and dst are one segment, the
// image is flipped in place and keeps its stride.
//
// Errors: SHMCV_E_NO_IMAGE when src has none; SHMCV_E_TOO_SMALL when it does not fit into dst; SHMCV_E_INVALID for
// another code; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goFlip
func goFlip(src, dst C.shmcv_segment, code C.int32_t) C.int32_t {
	return transform(src, dst, func(from ops.Pixels, into transformTarget) error {
		image := from.ImageInfo
		if !into.same {
			image = abi.NewImageInfo(from.Width, from.Height, from.Depth, from.Order)
		}
		return into.fill(image, func(to ops.Pixels) error { return ops.Flip(from, to, abi.FlipCode(code)) })
	})
}

// shmcv_convert copies the image of src into dst in the colour order order (SHMCV_ORDER_), rows without gaps. Alpha
// that is not there becomes opaque; alpha that is not wanted is dropped; gray is 0.299 R + 0.587 G + 0.114 B. src and
// dst may be one segment.
//
// Errors: SHMCV_E_NO_IMAGE when src has none; SHMCV_E_TOO_SMALL when the result does not fit into dst;
// SHMCV_E_INVALID for an unknown order; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goConvert
func goConvert(src, dst C.shmcv_segment, order C.int32_t) C.int32_t {
	return transform(src, dst, func(from ops.Pixels, into transformTarget) error {
		image, err := abi.NewImageInfo(from.Width, from.Height, from.Depth, abi.Order(order)).Checked()
		if err != nil {
			return err
		}
		return into.fill(image, func(to ops.Pixels) error { return ops.Convert(from, to) })
	})
}

// transformTarget is where a transform's result goes.
type transformTarget struct {
	segment memory
	same    bool // it is also where the source comes from
}

func (t transformTarget) fill(image abi.ImageInfo, write func(ops.Pixels) error) error {
	return fill(t.segment, image, write)
}

// transform runs body, guarded, on the image of src and the segment dst.
func transform(src, dst C.shmcv_segment, body func(from ops.Pixels, into transformTarget) error) C.int32_t {
	return withSegment(src, func(source memory) error {
		used, err := handles.use(handle(dst))
		if err != nil {
			return err
		}
		defer used.Release()
		target, err := pixelsIn(used)
		if err != nil {
			return err
		}
		from, err := pixelsOf(source)
		if err != nil {
			return err
		}
		return body(from, transformTarget{segment: target, same: source == target})
	})
}
