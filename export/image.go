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
//shmcv:try
//export goImageGet
func goImageGet(seg C.shmcv_segment, out *C.shmcv_image_info) C.int32_t {
	return withPixels(seg, func(p pixels) error {
		if err := required("out", unsafe.Pointer(out)); err != nil {
			return err
		}
		image, err := p.Image()
		if err != nil {
			return err
		}
		*(*abi.ImageInfo)(unsafe.Pointer(out)) = image
		return nil
	})
}

// shmcv_image_set says what the pixels of a segment mean, for every process that has it open. It does not touch the
// pixels: call it after writing them through shmcv_data, and for segments that other programs made.
//
// Errors: SHMCV_E_TOO_SMALL if the image does not fit; SHMCV_E_INVALID for impossible geometry, with the field named;
// SHMCV_E_LIMIT; SHMCV_E_PERMISSION if seg was opened read-only or is a frame to read; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//shmcv:try
//export goImageSet
func goImageSet(seg C.shmcv_segment, image *C.in_image_info) C.int32_t {
	return withPixels(seg, func(p pixels) error {
		wanted, err := imageArgument("image", image)
		if err != nil {
			return err
		}
		return p.SetImage(wanted)
	})
}

// shmcv_image_size gives the size of an image in bytes, from its first byte to its last:
// (height-1)*stride + width*channels*bytes(depth). A stride of 0 counts as that of packed rows. It is the size that a
// segment needs for the image, and the size of the buffer that shmcv_read and shmcv_write want.
//
// Errors: SHMCV_E_INVALID for impossible geometry, with the field named; SHMCV_E_LIMIT.
//
//export goImageSize
func goImageSize(image *C.in_image_info, size *C.uint64_t) C.int32_t {
	return guard(func() error {
		if err := required("size", unsafe.Pointer(size)); err != nil {
			return err
		}
		wanted, err := imageArgument("image", image)
		if err != nil {
			return err
		}
		*size = C.uint64_t(wanted.Bytes())
		return nil
	})
}

// shmcv_read copies the image of a segment into buffer, which has capacity bytes. layout says how the copy is laid out:
// width, height and depth as in the segment, stride and colour order as wanted. A field of layout that is 0 means that of
// the segment's image, with rows without gaps for the stride; layout may be NULL for all of them. image gets the
// description of the copy: description and pixels are of one image. It may be NULL. If the function fails with
// SHMCV_E_TOO_SMALL, image says what the copy would be, so that the caller can get a buffer and call again.
//
// Gray, BGR, BGRA, RGB and RGBA are converted into each other on the way, in one pass. Alpha that is not there becomes
// opaque. The copy is of one image, also while another process stores the next one by shmcv_load, shmcv_flip,
// shmcv_convert or shmcv_write. It does not notice a program that writes through shmcv_data. On failure the buffer may
// hold parts of a copy.
//
// Errors: SHMCV_E_NO_IMAGE, also if a process died while it stored one; SHMCV_E_TOO_SMALL if the copy takes more than
// capacity; SHMCV_E_INVALID if width, height or depth differs from the segment's; SHMCV_E_BUSY if another process has been
// storing for 10 seconds; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goRead
func goRead(seg C.shmcv_segment, layout *C.in_image_info, buffer unsafe.Pointer, capacity C.uint64_t, out *C.shmcv_image_info) C.int32_t {
	return withPixels(seg, func(p pixels) error {
		var wanted abi.ImageInfo
		if layout != nil {
			wanted = *(*abi.ImageInfo)(unsafe.Pointer(layout))
		}
		return p.Read(func(image abi.ImageInfo, bytes []byte) error {
			copied, err := completed(wanted, image)
			if err != nil {
				return err
			}
			if out != nil {
				*(*abi.ImageInfo)(unsafe.Pointer(out)) = copied
			}
			outside, err := callersPixels(copied, buffer, capacity)
			if err != nil {
				return err
			}
			return ops.Convert(ops.Pixels{ImageInfo: image, Data: bytes}, outside)
		})
	})
}

// completed returns the layout of a copy of an image: wanted, with what is 0 in it taken from the image.
func completed(wanted, image abi.ImageInfo) (abi.ImageInfo, error) {
	if wanted.Width == 0 {
		wanted.Width = image.Width
	}
	if wanted.Height == 0 {
		wanted.Height = image.Height
	}
	if wanted.Depth == 0 {
		wanted.Depth = image.Depth
	}
	if wanted.Order == 0 {
		wanted.Order = image.Order
	}
	if wanted.Channels == 0 {
		wanted.Channels = wanted.Order.Channels()
	}
	return wanted.Checked()
}

// shmcv_write copies the pixels in buffer, which has size bytes and is laid out as layout says, into a segment, in the
// colour order order, rows without gaps. The conversions are those of shmcv_read. The pixels become the segment's image.
//
// Errors: SHMCV_E_TOO_SMALL if the image does not fit into the segment, or layout takes more than size;
// SHMCV_E_INVALID; SHMCV_E_LIMIT; SHMCV_E_PERMISSION if seg was opened read-only or is a frame to read; SHMCV_E_BUSY if
// another process has been storing for 10 seconds; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goWrite
func goWrite(seg C.shmcv_segment, layout *C.in_image_info, buffer *C.in_byte, size C.uint64_t, order C.int32_t) C.int32_t {
	return withPixels(seg, func(p pixels) error {
		from, err := imageArgument("layout", layout)
		if err != nil {
			return err
		}
		outside, err := callersPixels(from, unsafe.Pointer(buffer), size)
		if err != nil {
			return err
		}
		image, err := abi.NewImageInfo(outside.Width, outside.Height, outside.Depth, abi.Order(order)).Checked()
		if err != nil {
			return err
		}
		return fill(p, image, func(inside ops.Pixels) error { return ops.Convert(outside, inside) })
	})
}

// shmcv_sequence gives how often an image has been stored in a segment, by this process or another one: by shmcv_load,
// shmcv_image_set and the like. Another number means another image. For a segment that another program made, it counts
// the images that this process has stored.
//
// Errors: SHMCV_E_CLOSED; SHMCV_E_CORRUPT; SHMCV_E_TRUNCATED; SHMCV_E_INVALID for the pixels of a frame, which do not change.
//
//export goSequence
func goSequence(seg C.shmcv_segment, sequence *C.uint64_t) C.int32_t {
	return with(handleOf(seg), isSegment, func(segment *shm.Segment) error {
		if err := required("sequence", unsafe.Pointer(sequence)); err != nil {
			return err
		}
		stored, err := segment.Sequence()
		if err != nil {
			return err
		}
		*sequence = C.uint64_t(stored)
		return nil
	})
}

// shmcv_wait sleeps until more than newer_than images have been stored in a segment, and gives how many have been stored.
// timeout_ms is in milliseconds: 0 does not sleep, and a negative number waits without an end. sequence may be NULL. A wait ends with
// SHMCV_E_CLOSED when another thread closes seg, within 0.1 s.
//
// Errors: SHMCV_E_TIMEOUT; SHMCV_E_UNSUPPORTED for a segment that another program made, whose users do not tell when
// they store an image; SHMCV_E_CLOSED; SHMCV_E_CORRUPT; SHMCV_E_TRUNCATED; SHMCV_E_INVALID for the pixels of a frame.
//
//export goWait
func goWait(seg C.shmcv_segment, newerThan C.uint64_t, timeoutMs C.int32_t, sequence *C.uint64_t, nap *C.shmcv_nap) C.int32_t {
	napOf(nap).Heed(closingOf(handleOf(seg)))
	return with(handleOf(seg), isSegment, func(segment *shm.Segment) error {
		stored, err := segment.Wait(uint64(newerThan), milliseconds(timeoutMs), napOf(nap))
		if err != nil {
			return err
		}
		if sequence != nil && nap.count == 0 {
			*sequence = C.uint64_t(stored)
		}
		return nil
	})
}

// milliseconds returns the time that a caller has given. A negative one means a wait without an end.
func milliseconds(n C.int32_t) time.Duration { return time.Duration(n) * time.Millisecond }

// napOf returns the shim's nap as Go sees it: C and Go share one structure.
func napOf(nap *C.shmcv_nap) *shm.Nap { return (*shm.Nap)(unsafe.Pointer(nap)) }

var _ = [1]struct{}{}[unsafe.Sizeof(shm.Nap{})-C.sizeof_shmcv_nap]

// imageArgument copies and checks a caller's image description.
func imageArgument(argument string, image *C.in_image_info) (abi.ImageInfo, error) {
	if err := required(argument, unsafe.Pointer(image)); err != nil {
		return abi.ImageInfo{}, err
	}
	return (*abi.ImageInfo)(unsafe.Pointer(image)).Checked()
}

// callersPixels returns the pixels in a caller's buffer of size bytes. The image has been checked.
func callersPixels(image abi.ImageInfo, buffer unsafe.Pointer, size C.uint64_t) (ops.Pixels, error) {
	if image.Bytes() > uint64(size) {
		return ops.Pixels{}, abi.Errorf(abi.ETooSmall, "shmcv: %d bytes wanted in the buffer for %d x %d pixels, stride %d, and it has %d",
			image.Bytes(), image.Width, image.Height, image.Stride, uint64(size))
	}
	if err := required("buffer", buffer); err != nil {
		return ops.Pixels{}, err
	}
	return ops.Pixels{ImageInfo: image, Data: unsafe.Slice((*byte)(buffer), image.Bytes())}, nil
}

// fill lets write store image in the memory of p. The image becomes p's when write has succeeded.
func fill(p pixels, image abi.ImageInfo, write func(ops.Pixels) error) error {
	image, err := p.Room(image)
	if err != nil {
		return err
	}
	return p.Store(func(memory []byte) (abi.ImageInfo, error) {
		return image, write(ops.Pixels{ImageInfo: image, Data: memory[:image.Bytes()]})
	})
}
