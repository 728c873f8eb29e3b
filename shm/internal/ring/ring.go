//go:build cgo

// Package ring gives shm the slots of a stream, which are C; see ring.h.
package ring

// #cgo CFLAGS: -std=gnu11
// #include <stdlib.h>
// #include "ring.h"
import "C"

import (
	"unsafe"
)

// Ring is a party to a stream.
type Ring C.shmcv_ring

// Frame is a slot that a party uses.
type Frame C.shmcv_ring_frame

// Image is an abi.ImageInfo as words.
type Image = [8]uint64

// Parts tells where the parts of a stream's file are in this process. All of it is mapped memory.
type Parts struct {
	File       uintptr // sys.File.Number
	Slots      uint32
	SlotSize   uint64
	WhenBehind uint32
	OnlyReads  bool   // The party takes no place.
	Unmarked   bool   // The trailer is not writable.
	Pixels     []byte // Slot after slot.
	Records    []byte
	Holders    []byte
	Places     []byte
	Trailer    []byte
}

// New makes a party, which is the caller's until Free. It returns nil if there is no memory for it, and CUT if the file's
// memory has gone.
func New(parts *Parts) (*Ring, Status) {
	r := (*C.shmcv_ring)(C.calloc(1, C.sizeof_shmcv_ring))
	held := (*C.uint32_t)(C.calloc(C.size_t(parts.Slots), 4))
	if r == nil || held == nil {
		C.free(unsafe.Pointer(r))
		C.free(unsafe.Pointer(held))
		return nil, OK
	}
	r.file = C.intptr_t(parts.File)
	r.slots, r.slot_size, r.when_behind = C.uint32_t(parts.Slots), C.uint64_t(parts.SlotSize), C.uint32_t(parts.WhenBehind)
	r.only_reads, r.unmarked = flag(parts.OnlyReads), flag(parts.Unmarked)
	r.identity = (*C.uint64_t)(unsafe.Pointer(&parts.Trailer[0]))
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&r.found[0])), unsafe.Sizeof(r.found)), parts.Trailer)
	r.pixels = (*C.uchar)(&parts.Pixels[0])
	r.records = (*C.shmcv_ring_record)(unsafe.Pointer(&parts.Records[0]))
	r.holders = (*C.shmcv_ring_holders)(unsafe.Pointer(&parts.Holders[0]))
	r.places = (*C.shmcv_ring_place)(unsafe.Pointer(&parts.Places[0]))
	r.words = (*C.shmcv_ring_words)(unsafe.Pointer(&parts.Trailer[wordsOffset]))
	return (*Ring)(r), Status(C.shmcv_ring_open(r, held))
}

func flag(set bool) C.uint32_t {
	if set {
		return 1
	}
	return 0
}

// Free frees a party that nobody uses.
func (r *Ring) Free() {
	C.free(unsafe.Pointer(r.held))
	C.free(unsafe.Pointer(r))
}

// Pointer gives the C structure.
func (r *Ring) Pointer() unsafe.Pointer { return unsafe.Pointer(r) }

func (r *Ring) c() *C.shmcv_ring { return (*C.shmcv_ring)(r) }

// The methods are the functions of ring.h.

// TakeOver is given the slots' pixels and records, to be written to.
func (r *Ring) TakeOver(pixels, records []byte, process uint32, start uint64) Status {
	r.writable = (*C.uchar)(&pixels[0])
	r.written = (*C.shmcv_ring_record)(unsafe.Pointer(&records[0]))
	return Status(C.shmcv_ring_take_over(r.c(), C.uint32_t(process), C.uint64_t(start)))
}

func (r *Ring) Resign() Status { return Status(C.shmcv_ring_resign(r.c())) }

func (r *Ring) End() Status { return Status(C.shmcv_ring_end(r.c())) }

func (r *Ring) Begin(althoughCleared bool, f *Frame) Status {
	return Status(C.shmcv_ring_begin(r.c(), C.bool(althoughCleared), f.c()))
}

func (r *Ring) Wait(newerThan uint64, f *Frame) Status {
	return Status(C.shmcv_ring_wait(r.c(), C.uint64_t(newerThan), 1, f.c()))
}

func (r *Ring) Follow(fromOldest bool) Status {
	return Status(C.shmcv_ring_follow(r.c(), C.bool(fromOldest)))
}

func (r *Ring) Unfollow() Status { return Status(C.shmcv_ring_unfollow(r.c())) }

// WakeAlways lets the writer wake readers whether or not one says that it sleeps.
func (r *Ring) WakeAlways(wake bool) { r.wakes_always = flag(wake) }

func (r *Ring) Heed(heed bool) { C.shmcv_ring_heed(r.c(), C.bool(heed)) }

func (r *Ring) Spin(nanoseconds uint64) { C.shmcv_ring_spin(r.c(), C.uint64_t(nanoseconds)) }

// Polled says that looks which find nothing have to tell Go, for the sake of a descriptor.
func (r *Ring) Polled() { C.shmcv_ring_polled(r.c()) }

// SpinTime gives what Spin has set.
func (r *Ring) SpinTime() uint64 { return uint64(r.spin) }

func (r *Ring) Forget(place int) Status { return Status(C.shmcv_ring_forget(r.c(), C.int32_t(place))) }

func (r *Ring) SetEmptied(place int, emptied bool) {
	C.shmcv_ring_set_emptied(r.c(), C.int32_t(place), C.bool(emptied))
}

func (r *Ring) IsEmptied(place int) bool {
	return bool(C.shmcv_ring_is_emptied(r.c(), C.int32_t(place)))
}

func (r *Ring) Blockers() uint64 { return uint64(C.shmcv_ring_blockers(r.c())) }

func (r *Ring) Accept(image Image) { C.shmcv_ring_accept(r.c(), words(&image)) }

func (r *Ring) Seen() uint64 { return uint64(C.shmcv_ring_seen(r.c())) }

// Place gives the party's place, or Nowhere.
func (r *Ring) Place() int { return int(r.place) }

// SetPlace gives the party a place, which is empty.
func (r *Ring) SetPlace(place int, process uint32) {
	p := (*C.shmcv_ring_place)(unsafe.Add(unsafe.Pointer(r.places), place*C.sizeof_shmcv_ring_place))
	p.process = C.uint64_t(process)
	r.place = C.int32_t(place)
}

// ProcessAt gives the id of the process that has a place.
func (r *Ring) ProcessAt(place int) uint32 {
	return uint32((*C.shmcv_ring_place)(unsafe.Add(unsafe.Pointer(r.places), place*C.sizeof_shmcv_ring_place)).process)
}

// NewFrame gives memory for a frame, which is the caller's until Free; nil if there is none.
func NewFrame() *Frame { return (*Frame)(C.calloc(1, C.sizeof_shmcv_ring_frame)) }

// Free frees a frame that NewFrame gave.
func (f *Frame) Free() { C.free(unsafe.Pointer(f)) }

func (f *Frame) c() *C.shmcv_ring_frame { return (*C.shmcv_ring_frame)(f) }

func (f *Frame) Publish() (uint64, Status) {
	var sequence C.uint64_t
	status := Status(C.shmcv_ring_publish(f.c(), &sequence))
	return uint64(sequence), status
}

func (f *Frame) GiveBack() { C.shmcv_ring_give_back(f.c()) }

func (f *Frame) Check() Status { return Status(C.shmcv_ring_check(f.c())) }

func (f *Frame) IsHeld() bool { return bool(C.shmcv_ring_is_held(f.c())) }

func (f *Frame) Image() (image Image, there bool) {
	there = bool(C.shmcv_ring_get_image(f.c(), words(&image)))
	return image, there
}

func (f *Frame) SetImage(image Image) { C.shmcv_ring_set_image(f.c(), words(&image)) }

// ForgetImage takes the frame's image away.
func (f *Frame) ForgetImage() { C.shmcv_ring_set_image(f.c(), nil) }

// BeginStoring says that pixels are being stored until EndStoring. It returns false if the frame is being published.
func (f *Frame) BeginStoring() bool { return bool(C.shmcv_ring_begin_storing(f.c())) }

func (f *Frame) EndStoring() { C.shmcv_ring_end_storing(f.c()) }

// State gives Writing, Reading or Published.
func (f *Frame) State() uint32 { return uint32(C.shmcv_ring_state(f.c())) }

// Bytes gives the slot's pixels.
func (f *Frame) Bytes() []byte {
	size := uint64(f.ring.slot_size)
	return unsafe.Slice((*byte)(C.shmcv_ring_bytes(f.c())), size)[:size:size]
}

// Describe gives a frame that was begun its time of capture and at most MostMetadata bytes of metadata.
func (f *Frame) Describe(captureTime uint64, metadata []byte) {
	C.shmcv_ring_describe(f.c(), C.uint64_t(captureTime), unsafe.Pointer(unsafe.SliceData(metadata)), C.uint64_t(len(metadata)))
}

// Metadata gives the bytes that belong to the frame.
func (f *Frame) Metadata() []byte {
	return unsafe.Slice((*byte)(C.shmcv_ring_metadata(f.c())), MostMetadata)[:f.metadata_size]
}

func (f *Frame) Slot() int               { return int(f.slot) }
func (f *Frame) Sequence() uint64        { return uint64(f.sequence) }
func (f *Frame) Time() uint64            { return uint64(f.time) }
func (f *Frame) Missed() uint64          { return uint64(f.missed) }
func (f *Frame) Captured() uint64        { return uint64(f.capture_time) }
func words(i *Image) *C.shmcv_ring_image { return (*C.shmcv_ring_image)(unsafe.Pointer(i)) }

// Clear marks a stream as one whose name has been removed, and wakes all who wait on it. file is sys.File.Number of its file.
func Clear(file uintptr, trailer []byte) Status {
	return Status(C.shmcv_ring_clear(C.intptr_t(file), (*C.shmcv_ring_words)(unsafe.Pointer(&trailer[wordsOffset]))))
}

// NewestImage gives the image of a stream's newest frame. trailer and records are mapped memory.
func NewestImage(trailer, records []byte, slots uint32) (image Image, status Status) {
	words, first := unsafe.Pointer(&trailer[wordsOffset]), unsafe.Pointer(&records[0])
	status = Status(C.shmcv_ring_newest_image((*C.shmcv_ring_words)(words), (*C.shmcv_ring_record)(first), C.uint32_t(slots),
		(*C.shmcv_ring_image)(unsafe.Pointer(&image))))
	return image, status
}
