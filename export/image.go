// Images: what the pixels of a segment mean.

package main

// #include "native.h"
import "C"

import (
	"time"
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
func goImageGet(seg C.shmcv_segment, out *C.shmcv_image_info) C.int32_t {
	return withSegment(seg, func(segment memory) error {
		if err := required("out", unsafe.Pointer(out)); err != nil {
			return err
		}
		image, err := segment.Image()
		if err != nil {
			return err
		}
		*(*abi.ImageInfo)(unsafe.Pointer(out)) = image
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
func goImageSet(seg C.shmcv_segment, image *C.in_image_info) C.int32_t {
	return withSegment(seg, func(segment memory) error {
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
// (height-1)*stride + width*channels*bytes(depth) bytes. The copy is of one image, also while another process stores
// the next by shmcv_load, shmcv_flip, shmcv_convert or shmcv_write_pixels; only who writes through shmcv_data is not
// seen. On failure the memory may hold parts of a copy.
//
// Errors: SHMCV_E_NO_IMAGE, also when a process died while it stored one; SHMCV_E_INVALID when the size or depth
// differs from the segment's; SHMCV_E_BUSY when another process has been storing for 10 seconds; SHMCV_E_CLOSED;
// SHMCV_E_TRUNCATED.
//
//export goReadPixels
func goReadPixels(seg C.shmcv_segment, layout *C.in_image_info, pixels unsafe.Pointer) C.int32_t {
	return withSegment(seg, func(segment memory) error {
		outside, err := outsidePixels(layout, pixels)
		if err != nil {
			return err
		}
		return segment.Read(func(image abi.ImageInfo, pixels []byte) error {
			return ops.Convert(ops.Pixels{ImageInfo: image, Data: pixels}, outside)
		})
	})
}

// shmcv_write_pixels copies pixels of the caller's, laid out as layout says, into a segment, in the colour order
// order, rows without gaps; the conversions are those of shmcv_read_pixels. The segment's image is then that one.
//
// Errors: SHMCV_E_TOO_SMALL; SHMCV_E_INVALID; SHMCV_E_LIMIT; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goWritePixels
func goWritePixels(seg C.shmcv_segment, layout *C.in_image_info, pixels *C.in_byte, order C.int32_t) C.int32_t {
	return withSegment(seg, func(segment memory) error {
		outside, err := outsidePixels(layout, unsafe.Pointer(pixels))
		if err != nil {
			return err
		}
		image, err := abi.NewImageInfo(outside.Width, outside.Height, outside.Depth, abi.Order(order)).Checked()
		if err != nil {
			return err
		}
		return fill(segment, image, func(inside ops.Pixels) error { return ops.Convert(outside, inside) })
	})
}

// shmcv_image_sequence gives how often an image has been stored in a segment, by this process or another: by
// shmcv_load, shmcv_image_set and the like. A number that differs from the one before means another image. Of a
// segment that another program made, it counts what this process has stored.
//
// Errors: SHMCV_E_CLOSED; SHMCV_E_CORRUPT; SHMCV_E_TRUNCATED; SHMCV_E_INVALID for a stream.
//
//export goImageSequence
func goImageSequence(seg C.shmcv_segment, sequence *C.uint64_t) C.int32_t {
	return withSegment(seg, func(segment memory) error {
		if err := required("sequence", unsafe.Pointer(sequence)); err != nil {
			return err
		}
		stored, err := sequenceOf(segment)
		if err != nil {
			return err
		}
		*sequence = C.uint64_t(stored)
		return nil
	})
}

// shmcv_image_wait sleeps until more than newer_than images have been stored in a segment, and gives how many have.
// timeout_ms is in milliseconds; 0 only looks, and less than 0 waits without an end. sequence may be NULL.
//
// Errors: SHMCV_E_TIMEOUT; SHMCV_E_UNSUPPORTED for a segment that another program made, whose users do not tell when
// they store; SHMCV_E_CLOSED; SHMCV_E_CORRUPT; SHMCV_E_TRUNCATED; SHMCV_E_INVALID for a stream.
//
//export goImageWait
func goImageWait(seg C.shmcv_segment, newerThan C.uint64_t, timeoutMs C.int32_t, sequence *C.uint64_t, nap *C.shmcv_nap) C.int32_t {
	return withSegment(seg, func(segment memory) error {
		stored, err := waitIn(segment, uint64(newerThan), milliseconds(timeoutMs), napOf(nap))
		if err != nil {
			return err
		}
		if sequence != nil && nap.word == nil {
			*sequence = C.uint64_t(stored)
		}
		return nil
	})
}

// sequenceOf gives how often an image has been stored in a segment; 0 or the frame's number for a frame.
func sequenceOf(used memory) (uint64, error) {
	switch used := used.(type) {
	case *shm.Segment:
		return used.Sequence()
	case *shm.Frame:
		if _, err := used.Image(); err != nil {
			return 0, nil // Not even an image yet.
		}
		return used.Details(0).Sequence, nil
	}
	panic("no memory")
}

func waitIn(used memory, newerThan uint64, timeout time.Duration, nap *shm.Nap) (uint64, error) {
	if segment, ok := used.(*shm.Segment); ok {
		return segment.Wait(newerThan, timeout, nap)
	}
	return 0, abi.Errorf(abi.EInvalid, "shm: a frame of %q does not change; wait on the stream", used.Name())
}

// milliseconds are negative for a wait without an end.
func milliseconds(n C.int32_t) time.Duration { return time.Duration(n) * time.Millisecond }

// napOf is the shim's nap: one structure, in C and in Go.
func napOf(nap *C.shmcv_nap) *shm.Nap { return (*shm.Nap)(unsafe.Pointer(nap)) }

var _ = [1]struct{}{}[unsafe.Sizeof(shm.Nap{})-C.sizeof_shmcv_nap]

// imageArgument copies and checks a caller's image description.
func imageArgument(argument string, image *C.in_image_info) (abi.ImageInfo, error) {
	if err := required(argument, unsafe.Pointer(image)); err != nil {
		return abi.ImageInfo{}, err
	}
	return (*abi.ImageInfo)(unsafe.Pointer(image)).Checked()
}

// outsidePixels are the caller's own.
func outsidePixels(layout *C.in_image_info, pixels unsafe.Pointer) (ops.Pixels, error) {
	image, err := imageArgument("layout", layout)
	if err != nil {
		return ops.Pixels{}, err
	}
	if err := required("pixels", pixels); err != nil {
		return ops.Pixels{}, err
	}
	return ops.Pixels{ImageInfo: image, Data: unsafe.Slice((*byte)(pixels), image.Bytes())}, nil
}

// pixelsOf gives the image of a segment with its memory.
func pixelsOf(segment memory) (ops.Pixels, error) {
	image, err := segment.Image()
	if err != nil {
		return ops.Pixels{}, err
	}
	bytes, err := segment.Bytes()
	if err != nil {
		return ops.Pixels{}, err
	}
	return ops.Pixels{ImageInfo: image, Data: bytes[:image.Bytes()]}, nil
}

// fill lets write store image in the segment's memory, and says that it is there once it is.
func fill(segment memory, image abi.ImageInfo, write func(ops.Pixels) error) error {
	if _, err := segment.Room(image); err != nil {
		return err
	}
	return segment.Store(func(memory []byte) (abi.ImageInfo, error) {
		return image, write(ops.Pixels{ImageInfo: image, Data: memory[:image.Bytes()]})
	})
}
