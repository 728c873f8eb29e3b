package ops

import (
	"slices"
	"sync"
	"time"
)

// Memory for files and intermediate images is kept for a while, so that loading one image after another, as a camera or
// a slide show does, does not ask the system for fresh pages each time. (A sync.Pool has a place for each processor: a
// host that calls from one thread, which moves, ends up with an image in every one of them.)
var kept struct {
	sync.Mutex
	memory [][]byte // the oldest first
	idle   *time.Timer
}

const (
	keptAtMost   = 4 // a file and an image, twice
	keptFor      = 10 * time.Second
	worthKeeping = 64 << 10
)

// scratch gives size bytes with any content; hand them back to release.
func scratch(size uint64) []byte {
	if memory := reuse(size); memory != nil {
		return memory
	}
	return make([]byte, size)
}

// reuse takes what was kept, unless a file would take an image's place.
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

// forget leaves everything to the collector.
func forget() {
	kept.Lock()
	defer kept.Unlock()
	kept.memory = nil
}
