package shm

import (
	"sync"

	"shmcv/shm/internal/sys"
)

// registry knows the files that this process has mapped, so that it maps each of them once.
type registry struct {
	sync.Mutex
	byFile map[sys.FileID]*mapping
}

var mappings = registry{byFile: map[sys.FileID]*mapping{}}

// find gives the mapping of a file with one more reference; nil if this process has not mapped the file. The caller
// holds the mutex.
func (r *registry) find(id sys.FileID) *mapping {
	m := r.byFile[id]
	if m == nil {
		return nil
	}
	for {
		references := m.references.Load()
		if references == 0 { // The last user is unmapping it just now.
			return nil
		}
		if m.references.CompareAndSwap(references, references+1) {
			return m
		}
	}
}

// add lists a mapping. The caller holds the mutex.
func (r *registry) add(m *mapping) { r.byFile[m.file.ID()] = m }

// remove forgets a mapping without references. If the file has been mapped again meanwhile, that mapping stays listed.
func (r *registry) remove(m *mapping) {
	r.Lock()
	defer r.Unlock()
	if r.byFile[m.file.ID()] == m {
		delete(r.byFile, m.file.ID())
	}
}
