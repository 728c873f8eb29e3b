// Segments: named memory.

package main

import "unsafe"

// shmcv_create makes a segment of size bytes.
//
// Errors: SHMCV_E_INVALID where size < 1 & so on:
//
//   - an empty name
//   - a size that is more than the machine has, which is said with the number of bytes that are free at the time of the call
//
//export goCreate
func goCreate(name *C.in_char, size C.uint64_t, out *C.shmcv_segment) C.int32_t { return helper() }

// shmcv_open opens a segment.
//
//export goOpen
func goOpen(name *C.in_char, out *C.shmcv_segment) C.int32_t { return helper() }

// shmcv_close closes it.
//
//export goClose
func goClose(seg C.shmcv_segment) C.int32_t { return helper() }

// shmcv_data gives the address.
//
//export goData
func goData(seg C.shmcv_segment, ptr *unsafe.Pointer, size *C.uint64_t) C.int32_t { return helper() }

// shmcv_list fills infos.
//
//export goList
func goList(infos *C.shmcv_segment_info, capacity C.uint64_t, out *C.uint64_t) C.int32_t {
	return helper()
}

// shmcv_read_pixels copies pixels, and waits for timeout_ms; see shmcv_image_info.
//
//export goReadPixels
func goReadPixels(seg C.shmcv_segment, from *C.in_image_info, memory unsafe.Pointer, bytes *C.in_byte, timeoutMs C.uint32_t, into *C.shmcv_image_info) C.int32_t {
	return helper()
}

// shmcv_begin begins a frame, which shmcv_end ends.
//
//export goBegin
func goBegin(seg C.shmcv_segment, frame *C.shmcv_frame) C.int32_t { return helper() }

// shmcv_end ends one.
//
//export goEnd
func goEnd(frame C.shmcv_frame) C.int32_t { return helper() }

// shmcv_await waits, for as long as it takes.
//
//export goAwait
func goAwait(seg C.shmcv_segment, nap *C.shmcv_nap) C.int32_t { return helper() }

// helper is not exported.
func helper() C.int32_t { return 0 }
