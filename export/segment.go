// Segments: named pieces of shared memory.
//
// On Linux a segment is a file in /dev/shm. It stays there until shmcv_clear or shmcv_clear_all removes its name, also
// when every process that used it has ended; the memory is given back once the name is gone and nobody has it open.
// A name is 1 to SHMCV_MAX_NAME of the characters A-Z a-z 0-9 . _ - and does not start with a dot.

package main

// #include "native.h"
import "C"

import (
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm"
)

// shmcv_create makes a segment for size bytes of pixels and opens it. The memory is reserved at once and is all zero.
// Only this user may open it. The handle is closed with shmcv_close.
//
// Errors: SHMCV_E_EXISTS when the name is taken; SHMCV_E_NO_SPACE when there is less shared memory free;
// SHMCV_E_INVALID for a bad name or a size of 0.
//
//export goCreate
func goCreate(name *C.in_char, size C.uint64_t, out *C.shmcv_segment) C.int32_t {
	return newHandle(name, out, func(name string) (resource, error) { return shm.Create(name, uint64(size)) })
}

// shmcv_open opens a segment that somebody has created; its size and image come with it. A file in /dev/shm that
// another program made (Python's multiprocessing.shared_memory, for one) can be opened too: all of it is pixels, and it
// has no image until shmcv_image_set, which holds for this process.
//
// Errors: SHMCV_E_NOT_FOUND when there is none of that name; SHMCV_E_PERMISSION when it is not a plain file of this
// user; SHMCV_E_CORRUPT when its metadata has been overwritten; SHMCV_E_INVALID for a bad name.
//
//export goOpen
func goOpen(name *C.in_char, out *C.shmcv_segment) C.int32_t {
	return newHandle(name, out, func(name string) (resource, error) {
		segment, err := shm.Open(name)
		if abi.CodeOf(err) == abi.EInvalid {
			if stream, none := shm.OpenStream(name); none == nil {
				return stream, nil
			}
		}
		return segment, err
	})
}

// newHandle is what the functions have in common that open something by name.
func newHandle(name *C.in_char, out *C.shmcv_segment, make func(name string) (resource, error)) C.int32_t {
	return guard(func() error {
		if err := required("out", unsafe.Pointer(out)); err != nil {
			return err
		}
		str, err := text("name", name)
		if err != nil {
			return err
		}
		segment, err := make(str)
		if err != nil {
			return err
		}
		*out = C.shmcv_segment(handles.add(segment))
		return nil
	})
}

// shmcv_close ends this handle's use of its segment. Pointers from shmcv_data are invalid afterwards, except where
// another handle of this process still has the segment open. The segment itself stays; see shmcv_clear.
//
// Errors: SHMCV_E_CLOSED when seg is closed already.
//
//export goClose
func goClose(seg C.shmcv_segment) C.int32_t {
	return guard(func() error {
		segment, err := handles.remove(handle(seg))
		if err != nil {
			return err
		}
		segment.Release()
		return nil
	})
}

// shmcv_clear removes a segment's name, whoever created it. Those who have it open keep working on the same memory,
// which is given back when the last of them closes it; the name is free at once.
//
// Errors: SHMCV_E_NOT_FOUND when there is none of that name; SHMCV_E_PERMISSION when it is not this user's.
//
//export goClear
func goClear(name *C.in_char) C.int32_t {
	return guard(func() error {
		str, err := text("name", name)
		if err != nil {
			return err
		}
		return shm.Clear(str)
	})
}

// shmcv_clear_all removes the names of all segments that this process created and that are still there. Handles
// stay open. A name that has meanwhile been given to another segment is left alone.
//
//export goClearAll
func goClearAll() C.int32_t {
	return guard(shm.ClearAll)
}

// shmcv_data gives the address and the size in bytes of a segment's pixels. The memory may be read and written until
// the handle is closed; it is aligned to a page. Either of ptr and size may be NULL.
//
// Errors: SHMCV_E_CLOSED; SHMCV_E_TRUNCATED when somebody has made the file shorter, so that touching the memory would
// kill the process.
//
//export goData
func goData(seg C.shmcv_segment, ptr *unsafe.Pointer, size *C.uint64_t) C.int32_t {
	return withSegment(seg, func(segment memory) error {
		bytes, err := segment.Bytes()
		if err != nil {
			return err
		}
		if ptr != nil {
			*ptr = unsafe.Pointer(unsafe.SliceData(bytes))
		}
		if size != nil {
			*size = C.uint64_t(len(bytes))
		}
		return nil
	})
}

// shmcv_info tells what is known of an open segment.
//
// Errors: SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goInfo
func goInfo(seg C.shmcv_segment, out *C.shmcv_segment_info) C.int32_t {
	return withResource(seg, func(segment resource) error {
		if err := required("out", unsafe.Pointer(out)); err != nil {
			return err
		}
		info, err := segment.Info()
		if err != nil {
			return err
		}
		*(*abi.SegmentInfo)(unsafe.Pointer(out)) = info
		return nil
	})
}

// shmcv_list tells of all segments of this user that this library made, in the order of their names. It fills the
// first capacity elements of infos, and gives how many segments there are in count, which may be more. infos may be
// NULL when capacity is 0.
//
//export goList
func goList(infos *C.shmcv_segment_info, capacity C.uint64_t, count *C.uint64_t) C.int32_t {
	return guard(func() error {
		if err := required("count", unsafe.Pointer(count)); err != nil {
			return err
		}
		if capacity > 0 {
			if err := required("infos", unsafe.Pointer(infos)); err != nil {
				return err
			}
		}
		found, err := shm.List()
		if err != nil {
			return err
		}
		room := min(uint64(capacity), uint64(len(found)))
		copy(unsafe.Slice((*abi.SegmentInfo)(unsafe.Pointer(infos)), room), found)
		*count = C.uint64_t(len(found))
		return nil
	})
}

// shmcv_sweep removes the names of this user's segments that are orphans: their creator has ended or closed them, and
// no process has them open through this library. removed gets how many there were; it may be NULL. Programs that have
// mapped the file by other means keep their memory, without the name. Files that other programs made are left alone.
//
//export goSweep
func goSweep(removed *C.uint32_t) C.int32_t {
	return guard(func() error {
		swept, err := shm.Sweep()
		if err != nil {
			return err
		}
		if removed != nil {
			*removed = C.uint32_t(swept)
		}
		return nil
	})
}

// withSegment runs body, guarded, on the segment or frame behind seg.
func withSegment(seg C.shmcv_segment, body func(segment memory) error) C.int32_t {
	return withResource(seg, func(used resource) error {
		segment, err := pixelsIn(used)
		if err != nil {
			return err
		}
		return body(segment)
	})
}

// pixelsIn gives the segment or frame that used is, and EInvalid for a stream.
func pixelsIn(used resource) (memory, error) {
	if segment, ok := used.(memory); ok {
		return segment, nil
	}
	return nil, abi.Errorf(abi.EInvalid, "shm: %q is a stream, whose frames have the pixels: begin a frame to write one, "+
		"or wait for one to read it", used.Name())
}

// withResource runs body, guarded, on the segment, stream or frame behind seg.
func withResource(seg C.shmcv_segment, body func(segment resource) error) C.int32_t {
	return guard(func() error {
		segment, err := handles.use(handle(seg))
		if err != nil {
			return err
		}
		defer segment.Release()
		return body(segment)
	})
}
