package main

// #include "native.h"
// #include "table.h"
import "C"

import (
	"sync"
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm"
)

// object is what a handle stands for: a *shm.Segment, a *shm.Stream, a *shm.Frame, a *shm.WaitSet or a *view, which is a
// *shm.View during a call.
type object interface {
	Name() string
	Retain()
	Release()
	Info() (abi.SegmentInfo, error)
}

// pixels is an object that has pixels: a segment, a frame of a stream, or a view.
type pixels = shm.Pixels

// keeper is an object whose memory can be kept mapped: a segment, a stream or a frame.
type keeper interface {
	object
	Keep()
}

// A handle is a slot's number in the low half and, in the high half, the slot's generation. A generation is how often
// the slot has been given out, in 24 bits, and above these the number of forks that this process comes after
// (shmcv_forks). A live handle therefore differs from one that was closed, from one that never was, and from those of
// the processes that this one descends from. No handle is 0.
//
// The handles of streams and frames are in a table of their own, which C resolves (table.h).
type handle uint64

// lastOut is how often a slot is given out.
const lastOut = 1<<24 - 1

func (h handle) inC() bool { return h&C.SHMCV_IN_C != 0 }

type handleTable struct {
	mu    sync.RWMutex
	slots []handleSlot
	free  []uint32
}

type handleSlot struct {
	object     object // nil if the slot is free
	generation uint32
}

// handles are the handles that this process has been given and has not closed. Each owns one reference to its object.
var handles handleTable

// add gives out a handle, which takes over the caller's reference to the object.
func (t *handleTable) add(o object) handle {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.free) == 0 {
		t.slots = append(t.slots, handleSlot{generation: uint32(C.shmcv_forks) << 24})
		t.free = append(t.free, uint32(len(t.slots)-1))
	}
	index := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	slot := &t.slots[index]
	slot.generation++
	slot.object = o
	return handle(slot.generation)<<32 | handle(index)
}

// find returns the slot of a live handle. The caller holds the lock.
func (t *handleTable) find(h handle) (*handleSlot, error) {
	index, generation := uint32(h), uint32(h>>32)
	if uint64(index) < uint64(len(t.slots)) {
		if slot := &t.slots[index]; slot.generation == generation && slot.object != nil {
			return slot, nil
		}
	}
	return nil, closed(h)
}

// use returns the object behind h, with a reference that the caller releases, if isKind returns it: T is the kind that the
// caller works on. A close on another thread therefore does not unmap memory that the call is using. An object of another
// kind is EInvalid.
func use[T object](h handle, isKind func(object) (T, bool)) (T, error) {
	var none T
	o, err := object(nil), error(nil)
	if h.inC() {
		o, err = useInC(h)
	} else {
		o, err = handles.use(h)
	}
	if v, ok := o.(*view); ok {
		o, err = v.open()
		v.Release()
	}
	if err != nil {
		return none, err
	}
	found, ok := isKind(o)
	if !ok {
		defer o.Release()
		return none, mistaken(o)
	}
	return found, nil
}

// use returns the object behind a handle of this table, with a reference.
func (t *handleTable) use(h handle) (object, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	slot, err := t.find(h)
	if err != nil {
		return nil, err
	}
	slot.object.Retain()
	return slot.object, nil
}

// streams are those that have a handle or frames, by their parties. Each has a reference from there.
var streams struct {
	sync.RWMutex
	byRing map[unsafe.Pointer]*shm.Stream
}

func streamOf(ring unsafe.Pointer) *shm.Stream {
	streams.RLock()
	defer streams.RUnlock()
	return streams.byRing[ring]
}

// addStream gives out the handle of a stream. It makes sure of the handle before it opens the stream, which may be new. If
// open gives neither a stream nor an error, addStream gives neither a handle nor an error.
func addStream(open func() (*shm.Stream, error)) (handle, error) {
	item := C.shmcv_item_reserve()
	if item == nil {
		return 0, tooManyHandles()
	}
	s, err := open()
	if s == nil {
		C.shmcv_item_give_back(item)
		return 0, err
	}
	streams.Lock()
	defer streams.Unlock()
	if streams.byRing == nil {
		streams.byRing = map[unsafe.Pointer]*shm.Stream{}
	}
	streams.byRing[s.Ring()] = s
	return handle(C.shmcv_item_make_stream(item, (*C.shmcv_ring)(s.Ring()))), nil
}

func tooManyHandles() error {
	return abi.Errorf(abi.ENoSpace, "shmcv: there is no memory for another handle; close some")
}

// goStreamUnused releases a stream that nobody uses any more. Try.c calls it.
//
//shmcv:private
//export goStreamUnused
func goStreamUnused(ring *C.shmcv_ring) {
	_ = guard(func() error { streamUnused(unsafe.Pointer(ring)); return nil })
}

func streamUnused(ring unsafe.Pointer) {
	streams.Lock()
	s := streams.byRing[ring]
	delete(streams.byRing, ring)
	streams.Unlock()
	s.Release()
}

// drop gives back a reference to what C has a handle of.
func drop(item *C.shmcv_item) {
	if unused := C.shmcv_item_drop(item); unused != nil {
		streamUnused(unsafe.Pointer(unused))
	}
}

// useInC returns the stream or frame behind a handle of C's table, with a reference.
func useInC(h handle) (object, error) {
	item := C.shmcv_item_use(C.uint64_t(h), C.SHMCV_ANY)
	if item == nil {
		return nil, closed(h)
	}
	if item.kind == C.SHMCV_STREAM {
		defer drop(item)
		s := streamOf(unsafe.Pointer(item.ring))
		s.Retain()
		return s, nil
	}
	return streamOf(unsafe.Pointer(item.stream.ring)).FrameIn(unsafe.Pointer(&item.frame), func() { drop(item) }), nil
}

// giveFrame stores the handle of a frame in *out. take stores the frame where it is told to.
func giveFrame(h handle, out *C.shmcv_frame, take func(frame unsafe.Pointer) (bool, error)) error {
	item := C.shmcv_item_use(C.uint64_t(h), C.SHMCV_STREAM)
	if item == nil {
		return closed(h)
	}
	reserved := C.shmcv_item_reserve()
	if reserved == nil {
		drop(item)
		return tooManyHandles()
	}
	if there, err := take(unsafe.Pointer(&reserved.frame)); !there {
		C.shmcv_item_give_back(reserved)
		drop(item)
		return err
	}
	out.pixels.handle = C.shmcv_item_make_frame(reserved, item)
	return nil
}

func closed(h handle) error {
	return abi.Errorf(abi.EClosed, "shmcv: handle %#x is closed, or was never given out", uint64(h))
}

func isStream(o object) (*shm.Stream, bool)   { s, ok := o.(*shm.Stream); return s, ok }
func isWaitSet(o object) (*shm.WaitSet, bool) { w, ok := o.(*shm.WaitSet); return w, ok }
func isFrame(o object) (*shm.Frame, bool)     { f, ok := o.(*shm.Frame); return f, ok }

// isSegment takes a view for its segment, whose reference a view has.
func isSegment(o object) (*shm.Segment, bool) {
	if v, ok := o.(*shm.View); ok {
		o = v.Pixels
	}
	s, ok := o.(*shm.Segment)
	return s, ok
}

// closesAsSegment tells the kinds whose handles are segments in the C ABI.
func closesAsSegment(o object) (object, bool) {
	switch o.(type) {
	case *shm.Segment, *view:
		return o, true
	}
	return nil, false
}

func isKeeper(o object) (keeper, bool) { k, ok := o.(keeper); return k, ok }

// isPixels names the kinds that have pixels. To ask an object whether it has the methods of pixels would take longer.
func isPixels(o object) (pixels, bool) {
	switch o := o.(type) {
	case *shm.Segment:
		return o, true
	case *shm.Frame:
		return o, true
	case *shm.View:
		return o, true
	}
	return nil, false
}

// remove takes h back, whose object is of the kind that isKind tells, and releases the reference that h owned.
func remove[T object](h handle, isKind func(object) (T, bool)) error {
	if h.inC() {
		return removeInC(h, isKind)
	}
	found, err := take(h, isKind)
	if err == nil {
		endWaits(found, h)
		found.Release()
	}
	return err
}

// closingOf gives the alarm that wakes the threads that wait on a handle, when it is closed; see shmcv_closing_of.
func closingOf(h handle) *shm.Alarm {
	return (*shm.Alarm)(unsafe.Pointer(C.shmcv_closing_of(C.uint64_t(h))))
}

var _ = [1]struct{}{}[unsafe.Sizeof(shm.Alarm{})-unsafe.Sizeof(C.uint32_t(0))]

// endWaits ends the waits of other threads on h, whose object this was.
func endWaits(o object, h handle) {
	if v, ok := o.(*view); ok && v.segment != nil {
		o = v.segment
	}
	if on, ok := o.(shm.Waitable); ok {
		closingOf(h).Raise()
		shm.Closed(on, uint64(h))
	}
}

// removeInC does the same for a handle of C's table.
func removeInC[T object](h handle, isKind func(object) (T, bool)) error {
	o, err := useInC(h)
	if err != nil {
		return err
	}
	defer o.Release()
	if _, ok := isKind(o); !ok {
		return mistaken(o)
	}
	kind := C.uint32_t(C.SHMCV_FRAME)
	if _, ok := o.(*shm.Stream); ok {
		kind = C.SHMCV_STREAM
	}
	item := C.shmcv_item_close(C.uint64_t(h), kind)
	if item == nil { // Another thread has been faster.
		return closed(h)
	}
	endWaits(o, h)
	drop(item)
	return nil
}

// take empties the slot of h and returns the object with the reference that h owned.
func take[T object](h handle, isKind func(object) (T, bool)) (T, error) {
	if h.inC() {
		var none T
		o, err := useInC(h)
		if err != nil {
			return none, err
		}
		defer o.Release()
		return none, mistaken(o)
	}
	t := &handles
	t.mu.Lock()
	defer t.mu.Unlock()
	var none T
	slot, err := t.find(h)
	if err != nil {
		return none, err
	}
	found, ok := isKind(slot.object)
	if !ok {
		return none, mistaken(slot.object)
	}
	slot.object = nil
	if slot.generation&lastOut < lastOut { // A slot that has run out of generations is not used again.
		t.free = append(t.free, uint32(h))
	}
	return found, nil
}

// mistaken is the error for an object that a function does not work on. It says what the object is for.
func mistaken(o object) error {
	switch o.(type) {
	case *shm.Stream:
		return abi.Errorf(abi.EInvalid, "shmcv: %q is a stream, whose frames have the pixels: begin a frame to write one, "+
			"wait for a frame to read one, and close the stream with shmcv_stream_close", o.Name())
	case *shm.WaitSet:
		return abi.Errorf(abi.EInvalid, "shmcv: this is a wait set; close it with shmcv_wait_set_close")
	case *shm.Frame:
		return abi.Errorf(abi.EInvalid, "shmcv: this is a frame of %q, which is no stream and no segment of its own; publish it "+
			"with shmcv_frame_publish, or close it with shmcv_frame_close", o.Name())
	case *view, *shm.View:
		return abi.Errorf(abi.EInvalid, "shmcv: this is a view of %q, which is no stream and no frame, and has the functions of a "+
			"segment if it is one's; close it with shmcv_close", o.Name())
	}
	return abi.Errorf(abi.EInvalid, "shmcv: %q is a segment, and no stream and no frame; shmcv_stream_open opens a stream, and "+
		"shmcv_stream_begin and shmcv_stream_wait give a frame", o.Name())
}
