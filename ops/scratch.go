package ops

// #include "memory.h"
import "C"

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"shmcv/internal/abi"
)

// Memory for files and intermediate images comes from the system, and not from Go. Where Go's allocator finds no memory,
// the runtime ends the process, and nobody can catch that; the system answers with an error. Such memory has no
// finalizer: each caller of scratch releases it, by defer, so that panics and faults do so too.
//
// It is kept for a while. So a program that loads one image after another, as a camera or a slide show does, does not
// cost fresh pages of the system each time. A sync.Pool would have a place for each processor: a host that calls from
// one thread, which moves between processors, would get an image into every place.
var kept struct {
	sync.Mutex
	memory [][]byte // the oldest first
	idle   *time.Timer
}

const (
	keptAtMost   = 8 // for two threads that load PNGs: a file, its stream, the filtered rows and an image each
	keptFor      = 10 * time.Second
	worthKeeping = 64 << 10 // less than that is Go's, as every small thing is
)

// mapped is how many bytes the system has given, the kept memory among them.
var mapped atomic.Int64

// scratch returns size bytes with any content, or ENoSpace. The caller hands them to release.
func scratch(size uint64) ([]byte, error) {
	if size < worthKeeping {
		return make([]byte, size), nil
	}
	if memory := reuse(size); memory != nil {
		return memory, nil
	}
	start := C.ops_memory_take(C.size_t(size))
	if start == nil {
		forget() // What is kept for others may be what is missing here.
		start = C.ops_memory_take(C.size_t(size))
	}
	if start == nil {
		return nil, abi.Errorf(abi.ENoSpace, "%d bytes of memory wanted, and the system gives this process no more; end what "+
			"needs much, or raise the limit (ulimit -v, or the machine's memory)", size)
	}
	mapped.Add(int64(size))
	return unsafe.Slice((*byte)(start), size), nil
}

// withScratch runs body on an image with any content, whose memory is scratch. Body must not keep it.
func withScratch(image abi.ImageInfo, body func(Pixels) error) error {
	return WithMemory(image.Bytes(), func(memory []byte) error { return body(Pixels{ImageInfo: image, Data: memory}) })
}

// WithMemory runs body on size bytes with any content, which are not Go's. Body must not keep them.
func WithMemory(size uint64, body func([]byte) error) error {
	memory, err := scratch(size)
	if err != nil {
		return err
	}
	defer release(memory)
	return body(memory)
}

// reuse returns kept memory that fits, or nil. Memory of more than twice the size does not fit: a file would take the
// place of an image.
func reuse(size uint64) []byte {
	kept.Lock()
	defer kept.Unlock()
	for i, memory := range slices.Backward(kept.memory) {
		if room := uint64(cap(memory)); size <= room && room/2 <= size {
			kept.memory = slices.Delete(kept.memory, i, i+1)
			return memory[:size]
		}
	}
	return nil
}

// release keeps memory for the next caller of scratch, who may be on another thread already. Nobody may touch the
// memory any more.
func release(memory []byte) {
	if cap(memory) < worthKeeping {
		return
	}
	kept.Lock()
	defer kept.Unlock()
	if len(kept.memory) == keptAtMost {
		giveBack(kept.memory[0])
		kept.memory = slices.Delete(kept.memory, 0, 1)
	}
	kept.memory = append(kept.memory, memory)
	if kept.idle == nil {
		kept.idle = time.AfterFunc(keptFor, forget)
	}
	kept.idle.Reset(keptFor)
}

// forget gives all kept memory back to the system.
func forget() {
	kept.Lock()
	defer kept.Unlock()
	for _, memory := range kept.memory {
		giveBack(memory)
	}
	kept.memory = nil
}

func giveBack(memory []byte) {
	C.ops_memory_give_back(unsafe.Pointer(unsafe.SliceData(memory)), C.size_t(cap(memory)))
	mapped.Add(-int64(cap(memory)))
}
