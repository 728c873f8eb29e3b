// Transforms: from one segment to another, or in place where both are the same.

package main

// #include "native.h"
import "C"

import (
	"errors"
	"time"

	"shmcv/internal/abi"
	"shmcv/ops"
	"shmcv/shm"
)

// shmcv_flip mirrors the image of src into dst, whose image it becomes, rows without gaps. code is
// SHMCV_FLIP_VERTICAL (0), SHMCV_FLIP_HORIZONTAL (1) or SHMCV_FLIP_BOTH (-1). If src and dst are one segment, the image is
// flipped in place and keeps its stride. The image is one that was stored whole, also while another process stores the
// next one in src.
//
// Errors: SHMCV_E_NO_IMAGE if src has none; SHMCV_E_TOO_SMALL if the image does not fit into dst; SHMCV_E_INVALID for
// another code; SHMCV_E_PERMISSION if dst was opened read-only or is a frame to read; SHMCV_E_BUSY if another process has
// been storing in src or dst for 10 seconds; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goFlip
func goFlip(src, dst C.shmcv_segment, code C.int32_t) C.int32_t {
	return withTransform(src, dst, transform{
		result: sameImage,
		run:    func(from, to ops.Pixels) error { return ops.Flip(from, to, abi.FlipCode(code)) },
	})
}

// shmcv_convert copies the image of src into dst in the colour order order (SHMCV_ORDER_), rows without gaps. Alpha
// that is not there becomes opaque; alpha that is not wanted is dropped; gray is 0.299 R + 0.587 G + 0.114 B. src and
// dst may be one segment. The image is one that was stored whole, as for shmcv_flip.
//
// Errors: SHMCV_E_NO_IMAGE if src has none; SHMCV_E_TOO_SMALL if the result does not fit into dst;
// SHMCV_E_INVALID for an unknown order; SHMCV_E_PERMISSION if dst was opened read-only or is a frame to read;
// SHMCV_E_BUSY; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goConvert
func goConvert(src, dst C.shmcv_segment, order C.int32_t) C.int32_t {
	return withTransform(src, dst, transform{
		result: func(image abi.ImageInfo, _ bool) (abi.ImageInfo, error) {
			return abi.NewImageInfo(image.Width, image.Height, image.Depth, abi.Order(order)).Checked()
		},
		run: ops.Convert,
	})
}

// shmcv_copy copies the image of src into dst, whose image it becomes, rows without gaps. Of a view it crops, into a view it
// pastes. src and dst may be one segment, and regions of one image that overlap: then the pixels go through other memory. The
// image is one that was stored whole, as for shmcv_flip.
//
// Errors: those of shmcv_flip except for the code's; SHMCV_E_INVALID if dst is a view, and src has another size, depth or order.
//
//export goCopy
func goCopy(src, dst C.shmcv_segment) C.int32_t {
	return withTransform(src, dst, transform{result: sameImage, run: ops.Convert})
}

// shmcv_resize makes the image of src into one of width x height pixels in dst, whose image it becomes, rows without gaps, as
// cv2.resize does. interpolation is one of the SHMCV_INTERPOLATION_ constants: SHMCV_INTERPOLATION_AREA is made for smaller
// images, and SHMCV_INTERPOLATION_LINEAR is cv2's default. OpenCV writes straight into dst. The image is one that was stored
// whole, as for shmcv_flip. cv2 with Intel's IPP makes some pixels a little different.
//
// Errors: SHMCV_E_INVALID for a width or height of 0, for another interpolation, if src and dst are one image or regions of one
// that overlap, and if dst is a view of another size, depth or order; SHMCV_E_LIMIT; otherwise those of shmcv_flip.
//
//export goResize
func goResize(src, dst C.shmcv_segment, width, height C.uint32_t, interpolation C.int32_t) C.int32_t {
	return withTransform(src, dst, transform{
		result: func(image abi.ImageInfo, _ bool) (abi.ImageInfo, error) {
			return abi.NewImageInfo(uint32(width), uint32(height), image.Depth, image.Order).Checked()
		},
		run: func(from, to ops.Pixels) error { return ops.Resize(from, to, abi.Interpolation(interpolation)) },
	})
}

// shmcv_rotate turns the image of src by quarter turns into dst, whose image it becomes, rows without gaps. code is one of the
// SHMCV_ROTATE_ constants. src and dst may be one segment: half a turn is then made in place and keeps the stride, and a
// quarter goes through other memory. The image is one that was stored whole, as for shmcv_flip.
//
// Errors: SHMCV_E_INVALID for another code, and if dst is a view of another size, depth or order than the turn gives;
// otherwise those of shmcv_flip.
//
//export goRotate
func goRotate(src, dst C.shmcv_segment, code C.int32_t) C.int32_t {
	turn := abi.RotateCode(code)
	return withTransform(src, dst, transform{
		result: func(image abi.ImageInfo, inPlace bool) (abi.ImageInfo, error) {
			if turn == abi.Rotate90Clockwise || turn == abi.Rotate90Counterclockwise {
				return abi.NewImageInfo(image.Height, image.Width, image.Depth, image.Order), nil
			}
			return sameImage(image, inPlace)
		},
		run: func(from, to ops.Pixels) error { return ops.Rotate(from, to, turn) },
	})
}

// sameImage describes a result that has the size, depth and order of its source.
func sameImage(image abi.ImageInfo, inPlace bool) (abi.ImageInfo, error) {
	if inPlace {
		return image, nil
	}
	return abi.NewImageInfo(image.Width, image.Height, image.Depth, image.Order), nil
}

// transform makes one image of another.
type transform struct {
	result func(image abi.ImageInfo, inPlace bool) (abi.ImageInfo, error) // Describes the image that will be made.
	run    func(from, to ops.Pixels) error
}

// withTransform runs t, guarded, from the image of src to the segment or frame dst.
func withTransform(src, dst C.shmcv_segment, t transform) C.int32_t {
	return withPixels(src, func(source pixels) error {
		target, err := use(handleOf(dst), isPixels)
		if err != nil {
			return err
		}
		defer target.Release()
		switch {
		case samePixels(wholeOf(source), wholeOf(target)):
			return t.within(target, source)
		case mayChange(source) && isView(target):
			return t.aside(target, source)
		}
		return t.into(target, source)
	})
}

// samePixels returns true if two segments or frames have the same memory, which may be mapped twice.
func samePixels(one, other pixels) bool {
	switch first := one.(type) {
	case *shm.Segment:
		second, ok := other.(*shm.Segment)
		return ok && first.SameFile(second)
	case *shm.Frame:
		second, ok := other.(*shm.Frame)
		return ok && first.SameSlot(second)
	}
	return false
}

// within makes an image of another one in the same segment or frame: of all of its image or of a view, in place of it or in a
// view. It looks at the image when it is the caller's turn to store: until then, another process may store another image.
func (t transform) within(target, source pixels) error {
	whole := wholeOf(target)
	return whole.Store(func(memory []byte) (abi.ImageInfo, error) {
		image, err := whole.Image()
		if err != nil {
			return image, err
		}
		from, err := partOf(source, image, memory)
		if err != nil {
			return image, err
		}
		result, err := t.fitting(target, from.ImageInfo, !isView(source) && !isView(target))
		if err != nil {
			return image, err
		}
		if isView(target) {
			to, err := partOf(target, image, memory)
			if err != nil {
				return image, err
			}
			return image, t.run(from, to)
		}
		return result, t.run(from, ops.Pixels{ImageInfo: result, Data: memory[:result.Bytes()]})
	})
}

// mayChange returns true if p is of a frame that its writer may write over while it is read.
func mayChange(p pixels) bool {
	frame, ok := wholeOf(p).(*shm.Frame)
	return ok && !frame.IsHeld()
}

// aside stores in a view what it makes of a copy of a frame that may change. An overtaken frame in a view would cost the
// whole image that the view is of.
func (t transform) aside(target, source pixels) error {
	stored := false
	err := source.Read(func(image abi.ImageInfo, from []byte) error {
		return ops.WithCopy(ops.Pixels{ImageInfo: image, Data: from}, func(copied ops.Pixels) error {
			if err := wholeOf(source).(*shm.Frame).Check(); err != nil {
				return err
			}
			err := target.Store(func(memory []byte) (abi.ImageInfo, error) {
				return t.one(copied.ImageInfo, copied.Data, target, memory)
			})
			stored = err == nil
			return err
		})
	})
	if stored { // What happens to the frame from then on does not matter.
		return nil
	}
	return err
}

// transferPatience is how long into tries, if others store in source and in target all the time.
const transferPatience = 10 * time.Second

// into stores in target what it makes of one whole image of source. It never waits for the turn at one of the two while
// it has the turn at the other: two calls in opposite directions would wait for each other.
func (t transform) into(target, source pixels) error {
	for deadline := time.Now().Add(transferPatience); ; {
		if done, err := t.readingNow(target, source); done {
			return err
		}
		if done, err := t.storingNow(target, source); done {
			return err
		}
		if time.Now().After(deadline) {
			return abi.Errorf(abi.EBusy, "shmcv: others have been storing in %q and in %q for %v", source.Name(), target.Name(), transferPatience)
		}
	}
}

// readingNow waits for the turn at target, and returns false if somebody is storing in source then.
func (t transform) readingNow(target, source pixels) (done bool, err error) {
	err = target.Store(func(memory []byte) (result abi.ImageInfo, err error) {
		runs := 0
		done, err = source.ReadNow(func(image abi.ImageInfo, pixels []byte) error {
			if result, err = t.one(image, pixels, target, memory); err != nil {
				return err
			}
			runs++
			return nil
		})
		switch {
		case err != nil && runs > 0: // An image that was stored over meanwhile has been written, and no other one.
			err = shm.Spoiled(err)
		case err == nil && !done:
			err = errNotNow
		}
		return result, err
	})
	return done || err != errNotNow, err
}

var errNotNow = errors.New("somebody is storing in the source")

// storingNow waits for the turn at source, and returns false if somebody has the turn at target then.
func (t transform) storingNow(target, source pixels) (done bool, err error) {
	err = source.ReadInTurn(func(image abi.ImageInfo, pixels []byte) (err error) {
		done, err = target.StoreNow(func(memory []byte) (abi.ImageInfo, error) { return t.one(image, pixels, target, memory) })
		return err
	})
	return done || err != nil, err
}

// one makes an image, of the one whose pixels are in from, in the memory of target, and describes it.
func (t transform) one(image abi.ImageInfo, from []byte, target pixels, memory []byte) (abi.ImageInfo, error) {
	result, err := t.fitting(target, image, false)
	if err != nil {
		return result, err
	}
	return result, t.run(ops.Pixels{ImageInfo: image, Data: from}, ops.Pixels{ImageInfo: result, Data: memory[:result.Bytes()]})
}

// fitting describes the image that will be made of one, and returns an error if it does not fit into p.
func (t transform) fitting(p pixels, image abi.ImageInfo, inPlace bool) (abi.ImageInfo, error) {
	result, err := t.result(image, inPlace)
	if err != nil {
		return result, err
	}
	return p.Room(result)
}
