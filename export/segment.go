// Segments: named pieces of shared memory.
//
// On Linux a segment is a file in /dev/shm. It stays there until shmcv_clear or shmcv_clear_all removes its name, also
// when every process that used it has ended. The system gives the memory back when the name is gone and no process has
// the segment open. A name is 1 to SHMCV_MAX_NAME of the characters A-Z a-z 0-9 . _ - and does not start with a dot.
//
// The environment variable SHMCV_FOLDER gives a process another folder than /dev/shm, for example a tmpfs or hugetlbfs
// volume that containers share. It is read once, from the environment in which the library is loaded, and not by setuid
// programs. A name that begins with a slash is a path instead: "/mnt/cams/cam0" is the segment cam0 in the folder /mnt/cams.
// The folder must be there, and its path is plain: at most SHMCV_MAX_FOLDER bytes, no empty part, and no part "." or "..".
// Every function that takes a name takes a path, for streams too.
//
// On Windows a segment is memory of the system's, and ends with the last process that has it open, also if its name has
// not been cleared. Names are for the programs of one user in one session. A name that begins with Global\ is for all
// sessions, for example that of a service and those of desktop programs: "Global\\cam0". To make such a segment takes
// the right SeCreateGlobalPrivilege, which services and elevated administrators have, and to open it takes none.
// SHMCV_FOLDER=Global\ makes all plain names of a process such names. A path begins on a drive of this machine:
// "C:\\cams\\cam0", with slashes of either kind, and is for one session. On Linux all sessions see all names, and
// Global\ is SHMCV_E_INVALID.

package main

// #include "native.h"
import "C"

import (
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm"
)

// shmcv_create makes a segment for size bytes of pixels and opens it. The memory is reserved at once and is all zero. Only
// this user may open the segment; see shmcv_create_for. Close the handle with shmcv_close. shmcv_image_size gives the size
// for an image, and shmcv_probe the image of a file.
//
// Errors: SHMCV_E_EXISTS if the name is taken, with the process that has it; SHMCV_E_NO_SPACE if there is less shared memory free;
// SHMCV_E_INVALID for a bad name or a size of 0.
//
//export goCreate
func goCreate(name *C.in_char, size C.uint64_t, out *C.shmcv_segment) C.int32_t {
	return newSegment(name, out, func(name string) (*shm.Segment, error) { return shm.Create(name, uint64(size)) })
}

// shmcv_open opens a segment that any process has created; its size and image come with it. A file that another program
// made in the folder, for example Python's multiprocessing.shared_memory, can be opened too. All of its bytes are
// pixels then, and it has no image until shmcv_image_set, which holds for this process. Memory that such a file does
// not have yet is reserved, because a page that is touched when the shared memory is full ends a process. On Windows a
// section that another program made by that name is opened (MemoryMappedFile, Python's SharedMemory,
// CreateFileMapping). It is seen in whole pages of 4096 bytes, and its name cannot be cleared.
//
// Errors: SHMCV_E_NOT_FOUND if there is none of that name; SHMCV_E_PERMISSION if it is not a plain file of this user,
// nor one that its owner has given a group of this process to read and write, and on Windows if it is of another
// session; SHMCV_E_UNSUPPORTED if the name is that of an object that is no memory, on Windows; SHMCV_E_CORRUPT if its
// metadata has been overwritten; SHMCV_E_INVALID for a bad name, or the name of a stream; SHMCV_E_NO_SPACE if there is
// no memory for all of a file that another program made.
//
//export goOpen
func goOpen(name *C.in_char, out *C.shmcv_segment) C.int32_t {
	return newSegment(name, out, shm.Open)
}

// shmcv_open_read_only opens a segment to read it, and no more. The memory of shmcv_data faults when it is written to, and
// what would change the segment is SHMCV_E_PERMISSION. A file that this process may read is enough, also one of mode 0444
// or of another user, who can then end this process by making the file shorter. Close the handle with shmcv_close.
//
// Reading waits for those who store as on any other handle. What a process leaves that dies while it stores is not
// repaired: the segment has no image then until the next is stored. A wait for an image looks every 10 ms if this process
// may not write to the file. A segment that another program made has no image here.
//
// Errors: those of shmcv_open; SHMCV_E_PERMISSION if this process may not read the file.
//
//export goOpenReadOnly
func goOpenReadOnly(name *C.in_char, out *C.shmcv_segment) C.int32_t {
	return newSegment(name, out, shm.OpenReadOnly)
}

// shmcv_open_or_create opens the segment of that name, or makes one for size bytes of pixels if there is none. A segment
// that is there must have at least size bytes; it keeps its size and its image. created gets 1 if the segment is new and
// 0 if it was there; it may be NULL.
//
// Errors: SHMCV_E_TOO_SMALL if there is a segment of that name with fewer bytes, which the message tells; otherwise those
// of shmcv_open and shmcv_create.
//
//export goOpenOrCreate
func goOpenOrCreate(name *C.in_char, size C.uint64_t, out *C.shmcv_segment, created *C.int32_t) C.int32_t {
	return newSegment(name, out, func(name string) (*shm.Segment, error) {
		segment, made, err := shm.OpenOrCreate(name, uint64(size))
		return opened(segment, made, err, created)
	})
}

// opened returns what has been opened or created, and stores in *created which of the two it was.
func opened[T object](o T, made bool, err error, created *C.int32_t) (T, error) {
	if err == nil && created != nil {
		*created = 0
		if made {
			*created = 1
		}
	}
	return o, err
}

// newSegment opens a segment by name and stores its handle in *out.
func newSegment(name *C.in_char, out *C.shmcv_segment, open func(name string) (*shm.Segment, error)) C.int32_t {
	return newHandle(name, unsafe.Pointer(out), func(name string) (handle, error) {
		segment, err := open(name)
		if err != nil {
			return 0, err
		}
		return handles.add(segment), nil
	})
}

// newHandle stores a handle in *out, which is a handle structure, unless open gives 0.
func newHandle(name *C.in_char, out unsafe.Pointer, open func(name string) (handle, error)) C.int32_t {
	return guard(func() error {
		if err := required("out", out); err != nil {
			return err
		}
		str, err := text("name", name)
		if err != nil {
			return err
		}
		given, err := open(str)
		if given != 0 {
			*(*handle)(out) = given
		}
		return err
	})
}

// giveHandle stores a new handle of o in *out, which is a shmcv_segment or shmcv_wait_set. All handles consist of one
// number.
func giveHandle(out unsafe.Pointer, o object) { *(*handle)(out) = handles.add(o) }

var (
	_ = [1]struct{}{}[unsafe.Sizeof(handle(0))-C.sizeof_shmcv_segment]
	_ = [1]struct{}{}[unsafe.Sizeof(handle(0))-C.sizeof_shmcv_stream]
	_ = [1]struct{}{}[unsafe.Sizeof(handle(0))-C.sizeof_shmcv_frame]
)

// shmcv_close ends this handle's use of its segment, or of what it is a view of. Pointers from shmcv_data are invalid afterwards, unless another
// handle of this process still has the segment open. The segment itself stays; see shmcv_clear.
//
// Errors: SHMCV_E_CLOSED if seg is closed already; SHMCV_E_INVALID for the pixels of a frame, which shmcv_frame_close closes.
//
//export goClose
func goClose(seg C.shmcv_segment) C.int32_t {
	return guard(func() error { return remove(handleOf(seg), closesAsSegment) })
}

// shmcv_clear removes the name of a segment or stream, whichever process created it. Processes that have it open keep
// working on the same memory, which is given back when the last of them closes it. The name is free at once.
//
// Errors: SHMCV_E_NOT_FOUND if there is none of that name; SHMCV_E_PERMISSION if shmcv_open would not open it, or if this
// process may not remove names from the folder; SHMCV_E_UNSUPPORTED on Windows for memory that another program made.
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

// shmcv_segment_clear removes the name of an open segment, as shmcv_clear does, if the name is still this segment's.
// shmcv_clear removes a name from whatever segment has it by then.
//
// Errors: SHMCV_E_NOT_FOUND if the name is removed already, also if another segment has it now; SHMCV_E_CLOSED;
// SHMCV_E_INVALID for the pixels of a frame.
//
//export goSegmentClear
func goSegmentClear(seg C.shmcv_segment) C.int32_t {
	return with(handleOf(seg), isSegment, func(segment *shm.Segment) error { return segment.ClearName() })
}

// shmcv_clear_all removes the names of all segments and streams that this process created and that are still there.
// Handles stay open. A name that has meanwhile been given to another segment is left alone.
//
//export goClearAll
func goClearAll() C.int32_t {
	return guard(shm.ClearAll)
}

// shmcv_data gives the address and the size in bytes of a segment's pixels. The memory may be read and written until
// the handle is closed. The memory of a frame to read, and of a segment that was opened read-only, faults when it is
// written to. It is aligned to a page, except in views. Either of ptr and size may be NULL.
//
// Errors: SHMCV_E_CLOSED; SHMCV_E_TRUNCATED if another program has made the file shorter, so that touching the memory
// would kill the process.
//
//shmcv:try
//export goData
func goData(seg C.shmcv_segment, ptr *unsafe.Pointer, size *C.uint64_t) C.int32_t {
	return withPixels(seg, func(p pixels) error {
		bytes, err := p.Bytes()
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

// shmcv_keep keeps the memory that shmcv_data has given of a segment or frame in this process until the process ends, whatever
// is closed. The handle must still be closed, and a frame is given back by that as ever. The function is for languages with
// a garbage collector, which finds that nothing refers to a handle, and cannot tell whether the memory is still in use.
//
// Errors: SHMCV_E_CLOSED.
//
//export goKeep
func goKeep(seg C.shmcv_segment) C.int32_t {
	return with(handleOf(seg), isKeeper, func(k keeper) error {
		k.Keep()
		return nil
	})
}

// shmcv_info tells what is known of an open segment. Of a frame's pixels it tells about the stream, with the size and the
// image of this frame.
//
// Errors: SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goInfo
func goInfo(seg C.shmcv_segment, out *C.shmcv_segment_info) C.int32_t {
	return withPixels(seg, func(p pixels) error { return giveInfo(p, out) })
}

// giveInfo stores what is known of o in *out.
func giveInfo(o object, out *C.shmcv_segment_info) error {
	if err := required("out", unsafe.Pointer(out)); err != nil {
		return err
	}
	info, err := o.Info()
	if err != nil {
		return err
	}
	*(*abi.SegmentInfo)(unsafe.Pointer(out)) = info
	return nil
}

// shmcv_list tells about the segments and streams in this process's folder that this library made, and that are this user's
// or may be read by a group of this process, in the order of their names. It fills the first capacity elements of infos,
// and gives in count how many there are, which may be more. infos may be NULL if capacity is 0. What cannot be looked at is
// left out, and nothing waits.
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

// shmcv_sweep removes the names of this user's segments and streams in this process's folder that are orphans: their
// creator has ended or closed them, and no process has them open through this library. It gives in removed how many there
// were; removed may be NULL. Programs that have mapped the file by other means keep their memory, without the name. Files
// that other programs made are left alone, and so is what cannot be looked at.
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

func handleOf(seg C.shmcv_segment) handle { return handle(seg.handle) }

// with runs body, guarded, on the object behind h if it is of the kind that isKind tells.
func with[T object](h handle, isKind func(object) (T, bool), body func(found T) error) C.int32_t {
	return guard(func() error {
		found, err := use(h, isKind)
		if err != nil {
			return err
		}
		defer found.Release()
		return body(found)
	})
}

// withPixels runs body, guarded, on the segment or frame behind seg.
func withPixels(seg C.shmcv_segment, body func(p pixels) error) C.int32_t {
	return guard(func() error {
		p, err := use(handleOf(seg), isPixels)
		if err != nil {
			return err
		}
		defer p.Release()
		return body(p)
	})
}
