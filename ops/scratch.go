package ops

import (
	"slices"
	"sync"
	"time"
)

// Memory for files and intermediate images is kept for a while. So a program that loads one image after another, as a
// camera or a slide show does, does not cost fresh pages of the system each time. A sync.Pool would have a place for
// each processor: a host that calls from one thread, which moves between processors, would get an image into every
// place.
var kept struct {
	sync.Mutex
	memory [][]byte // the oldest first
	idle   *time.Timer
}

const (
	keptAtMost   = 8 // for two threads that load PNGs: a file, its stream, the filtered rows and an image each
	keptFor      = 10 * time.Second
	worthKeeping = 64 << 10
)

// scratch returns size bytes with any content. The caller hands them to release.
func scratch(size uint64) []byte {
	if memory := reuse(size); memory != nil {
		return memory
	}
	return make([]byte, size)
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

// release keeps memory for the next caller of scratch, who may be on another thread already.
func release(memory []byte) {
	if cap(memory) < worthKeeping {
		return
	}
	kept.Lock()
	defer kept.Unlock()
	if len(kept.memory) == keptAtMost {
		kept.memory = slices.Delete(kept.memory, 0, 1)
	}
	kept.memory = append(kept.memory, memory)
	if kept.idle == nil {
		kept.idle = time.AfterFunc(keptFor, forget)
	}
	kept.idle.Reset(keptFor)
}

// forget leaves all kept memory to the garbage collector.
func forget() {
	kept.Lock()
	defer kept.Unlock()
	kept.memory = nil
}
