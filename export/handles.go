package main

import (
	"sync"

	"shmcv/internal/abi"
	"shmcv/shm"
)

// resource is what a handle stands for: a segment, a stream, or a frame of one.
type resource interface {
	Retain()
	Release()
	Name() string
	Info() (abi.SegmentInfo, error)
}

// memory is a segment or a frame: what has pixels.
type memory interface {
	resource
	Bytes() ([]byte, error)
	Room(image abi.ImageInfo) ([]byte, error)
	Image() (abi.ImageInfo, error)
	SetImage(image abi.ImageInfo) error
	Store(write shm.StoreFunc) error
	Read(read shm.ReadFunc) error
}

// A handle is a slot's number in the low half and, in the high half, how often the slot has been given out: a handle
// that was closed, and one that never was, can be told from a live one. No handle is 0.
type handle uint64

type handleTable struct {
	mu    sync.RWMutex
	slots []handleSlot
	free  []uint32
}

type handleSlot struct {
	memory     resource // nil when free
	generation uint32
}

// handles are all that this process has been given and has not closed. Each owns one reference to its memory.
var handles handleTable

// add gives out a handle, which takes over the caller's reference to memory.
func (t *handleTable) add(memory resource) handle {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.free) == 0 {
		t.slots = append(t.slots, handleSlot{})
		t.free = append(t.free, uint32(len(t.slots)-1))
	}
	index := t.free[len(t.free)-1]
	t.free = t.free[:len(t.free)-1]
	slot := &t.slots[index]
	slot.generation++
	slot.memory = memory
	return handle(slot.generation)<<32 | handle(index)
}

// find gives the slot of a live handle. The caller holds the lock.
func (t *handleTable) find(h handle) (*handleSlot, error) {
	index, generation := uint32(h), uint32(h>>32)
	if uint64(index) < uint64(len(t.slots)) {
		if slot := &t.slots[index]; slot.generation == generation && slot.memory != nil {
			return slot, nil
		}
	}
	return nil, abi.Errorf(abi.EClosed, "shmcv: segment handle %#x is closed, or was never given out", uint64(h))
}

// use gives the memory behind h with a reference of its own, so that a close on another thread does not pull the
// memory from under the call. The caller releases it.
func (t *handleTable) use(h handle) (resource, error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	slot, err := t.find(h)
	if err != nil {
		return nil, err
	}
	slot.memory.Retain()
	return slot.memory, nil
}

// remove takes h back, and gives the reference that it owned.
func (t *handleTable) remove(h handle) (resource, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	slot, err := t.find(h)
	if err != nil {
		return nil, err
	}
	memory := slot.memory
	slot.memory = nil
	if slot.generation < 1<<32-1 { // a slot that has run out of generations is not used again
		t.free = append(t.free, uint32(h))
	}
	return memory, nil
}
