// Images: what the pixels of a segment mean.

package main

// #include "native.h"
import "C"

import (
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/ops"
	"shmcv/shm"
)

// shmcv_image_get gives the description of the image in a segment.
//
// Errors: SHMCV_E_NO_IMAGE before one has been stored; SHMCV_E_CLOSED; SHMCV_E_CORRUPT; SHMCV_E_TRUNCATED.
//
//export goImageGet
func goImageGet(seg C.shmcv_segment, out *C.shmcv_image) C.int32_t {
	return withSegment(seg, func(segment *shm.Segment) error {
		if err := required("out", unsafe.Pointer(out)); err != nil {
			return err
		}
		image, err := segment.Image()
		if err != nil {
			return err
		}
		*(*abi.Image)(unsafe.Pointer(out)) = image
		return nil
	})
}

// shmcv_image_set says what the pixels of a segment mean, for every process that has it open. The pixels are not
// touched: use it after writing them through shmcv_data, and on segments that other programs made.
//
// Errors: SHMCV_E_TOO_SMALL when the image does not fit; SHMCV_E_INVALID for nonsense geometry, with the field named;
// SHMCV_E_LIMIT; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goImageSet
func goImageSet(seg C.shmcv_segment, image *C.in_image) C.int32_t {
	return withSegment(seg, func(segment *shm.Segment) error {
		wanted, err := imageArgument("image", image)
		if err != nil {
			return err
		}
		return segment.SetImage(wanted)
	})
}

// shmcv_read_pixels copies the image of a segment into memory of the caller's, laid out as layout says: width, height
// and depth as in the segment, stride and colour order as wanted. Gray, BGR, BGRA, RGB and RGBA are converted into
// each other on the way, in one pass; alpha that is not there becomes opaque. pixels has room for
// (height-1)*stride + width*channels*bytes(depth) bytes.
//
// Errors: SHMCV_E_NO_IMAGE; SHMCV_E_INVALID when the size or depth differs from the segment's; SHMCV_E_CLOSED;
// SHMCV_E_TRUNCATED.
//
//export goReadPixels
func goReadPixels(seg C.shmcv_segment, layout *C.in_image, pixels unsafe.Pointer) C.int32_t {
	return withSegment(seg, func(segment *shm.Segment) error {
		outside, err := outsidePixels(layout, pixels)
		if err != nil {
			return err
		}
		inside, err := pixelsOf(segment)
		if err != nil {
			return err
		}
		return ops.Convert(inside, outside)
	})
}

// shmcv_write_pixels copies pixels of the caller's, laid out as layout says, into a segment, in the colour order
// order, rows without gaps; the conversions are those of shmcv_read_pixels. The segment's image is then that one.
//
// Errors: SHMCV_E_TOO_SMALL; SHMCV_E_INVALID; SHMCV_E_LIMIT; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goWritePixels
func goWritePixels(seg C.shmcv_segment, layout *C.in_image, pixels *C.in_byte, order C.int32_t) C.int32_t {
	return withSegment(seg, func(segment *shm.Segment) error {
		outside, err := outsidePixels(layout, unsafe.Pointer(pixels))
		if err != nil {
			return err
		}
		image, err := abi.NewImage(outside.Width, outside.Height, outside.Depth, abi.Order(order)).Checked()
		if err != nil {
			return err
		}
		return fill(segment, image, func(inside ops.Pixels) error { return ops.Convert(outside, inside) })
	})
}

// imageArgument copies and checks a caller's image description.
func imageArgument(argument string, image *C.in_image) (abi.Image, error) {
	if err := required(argument, unsafe.Pointer(image)); err != nil {
		return abi.Image{}, err
	}
	return (*abi.Image)(unsafe.Pointer(image)).Checked()
}

// outsidePixels are the caller's own.
func outsidePixels(layout *C.in_image, pixels unsafe.Pointer) (ops.Pixels, error) {
	image, err := imageArgument("layout", layout)
	if err != nil {
		return ops.Pixels{}, err
	}
	if err := required("pixels", pixels); err != nil {
		return ops.Pixels{}, err
	}
	return ops.Pixels{Image: image, Data: unsafe.Slice((*byte)(pixels), image.Bytes())}, nil
}

// pixelsOf gives the image of a segment with its memory.
func pixelsOf(segment *shm.Segment) (ops.Pixels, error) {
	image, err := segment.Image()
	if err != nil {
		return ops.Pixels{}, err
	}
	bytes, err := segment.Bytes()
	if err != nil {
		return ops.Pixels{}, err
	}
	return ops.Pixels{Image: image, Data: bytes[:image.Bytes()]}, nil
}

// fill lets write store image in the segment's memory, and says that it is there once it is.
func fill(segment *shm.Segment, image abi.Image, write func(ops.Pixels) error) error {
	bytes, err := segment.Room(image)
	if err != nil {
		return err
	}
	if err := write(ops.Pixels{Image: image, Data: bytes}); err != nil {
		return err
	}
	return segment.SetImage(image)
}
