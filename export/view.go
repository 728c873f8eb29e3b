// Views: regions of a segment's or frame's image. A view is one more handle for every function that takes a segment, as
// source and as target: shmcv_copy from a view crops, shmcv_copy into a view pastes. No pixel is copied for a view.
//
// A view is of the image that was there when it was made, and can be used as long as the segment or frame has an image of
// the same description (size, stride, depth and order): each use looks. Whatever stores in a view changes the view's pixels
// alone, and must give just the view's width, height, depth and order; else it is SHMCV_E_INVALID and nothing is written.
// The rows of a view are as far apart as those of the whole image.

package main

// #include "native.h"
import "C"

import (
	"sync/atomic"
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/ops"
	"shmcv/shm"
)

// shmcv_view gives a view of width x height pixels, of which the first is the pixel (x, y) of the image of src: a segment,
// the pixels of a frame, or another view, whose pixels x and y count then. Close the view with shmcv_close.
//
// A view of a segment has the segment open, as another handle of it would, also after src is closed. A view of a frame uses
// the frame, and does not hold it: when the frame is published or closed, the view is SHMCV_E_CLOSED, and must still be
// closed. shmcv_data gives the view's first pixel, and the number of bytes to the end of its last row. shmcv_image_set takes
// the view's own description alone, and tells that its pixels have been written. What concerns no pixels concerns the
// segment: shmcv_sequence and shmcv_wait tell of its images, and shmcv_segment_clear removes its name. A view of a segment
// that was opened read-only, or of a frame to read, is read-only.
//
// Errors: SHMCV_E_INVALID for a region that is empty or not within the image, with the field named; SHMCV_E_NO_IMAGE;
// SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goView
func goView(src C.shmcv_segment, x, y, width, height C.uint32_t, out *C.shmcv_segment) C.int32_t {
	return withPixels(src, func(p pixels) error {
		if err := required("out", unsafe.Pointer(out)); err != nil {
			return err
		}
		part, err := shm.PartOf(p, shm.Region{X: uint32(x), Y: uint32(y), Width: uint32(width), Height: uint32(height)})
		if err != nil {
			return err
		}
		frame, err := frameBehind(handleOf(src))
		if err != nil {
			return err
		}
		giveHandle(unsafe.Pointer(out), newView(p, frame, part))
		return nil
	})
}

// view is what the handle of a view stands for. It has a reference to its segment. A frame that it had a reference to would
// be held until somebody closes the view, so it has the frame's handle, and asks at each use.
type view struct {
	name       string
	segment    *shm.Segment // nil in a view of a frame
	frame      handle
	part       shm.Part
	references atomic.Int64
}

// newView makes a view, with one reference, of a part of the image of p, whose frame has that handle if it is one.
func newView(p pixels, frame handle, part shm.Part) *view {
	v := &view{name: p.Name(), frame: frame, part: part}
	if segment, ok := isSegment(p); ok {
		segment.Retain()
		v.segment = segment
	}
	v.references.Store(1)
	return v
}

// frameBehind returns the handle of the frame that h, or the view h, is of, and 0 for a segment.
func frameBehind(h handle) (handle, error) {
	if h.inC() {
		return h, nil
	}
	o, err := handles.use(h)
	if err != nil {
		return 0, err
	}
	defer o.Release()
	if v, ok := o.(*view); ok {
		return v.frame, nil
	}
	return 0, nil
}

func (v *view) Name() string { return v.name }

func (v *view) Retain() { v.references.Add(1) }

func (v *view) Release() {
	if v.references.Add(-1) == 0 && v.segment != nil {
		v.segment.Release()
	}
}

// Info tells what shmcv_info does.
func (v *view) Info() (abi.SegmentInfo, error) {
	opened, err := v.open()
	if err != nil {
		return abi.SegmentInfo{}, err
	}
	defer opened.Release()
	return opened.Info()
}

// open returns the view for one call, with a reference to its segment or frame.
func (v *view) open() (*shm.View, error) {
	if v.segment != nil {
		v.segment.Retain()
		return v.part.In(v.segment), nil
	}
	frame, err := use(v.frame, isFrame)
	if err != nil {
		return nil, abi.Errorf(abi.EClosed, "shmcv: this view is of a frame of %q that has been published or closed; close the view", v.name)
	}
	return v.part.In(frame), nil
}

func isView(p pixels) bool { _, ok := p.(*shm.View); return ok }

// wholeOf returns the segment or frame that p is, or is a view of.
func wholeOf(p pixels) pixels {
	if v, ok := p.(*shm.View); ok {
		return v.Pixels
	}
	return p
}

// partOf returns the pixels that p has of an image that its segment or frame has in memory.
func partOf(p pixels, image abi.ImageInfo, memory []byte) (ops.Pixels, error) {
	part, err := image, error(nil)
	if v, ok := p.(*shm.View); ok {
		part, memory, err = v.Of(image, memory)
	}
	if err != nil {
		return ops.Pixels{}, err
	}
	return ops.Pixels{ImageInfo: part, Data: memory[:part.Bytes()]}, nil
}
