package shm

import (
	"sync"

	"shmcv/shm/internal/sys"
)

// registry knows the files that this process has mapped, so that it maps each of them once, and once read-only.
type registry struct {
	sync.Mutex
	byFile map[mappingKey]*mapping
}

type mappingKey struct {
	file     sys.FileID
	readOnly bool
}

var mappings = registry{byFile: map[mappingKey]*mapping{}}

// find gives the mapping of a file with one more reference; nil if this process has not mapped the file so. The caller
// holds the mutex.
func (r *registry) find(key mappingKey) *mapping {
	m := r.byFile[key]
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

// findLocking does as find, for a caller that does not hold the mutex.
func (r *registry) findLocking(key mappingKey) *mapping {
	r.Lock()
	defer r.Unlock()
	return r.find(key)
}

// add lists a mapping. The caller holds the mutex.
func (r *registry) add(m *mapping) { r.byFile[m.key()] = m }

// remove forgets a mapping without references. If the file has been mapped again meanwhile, that mapping stays listed.
func (r *registry) remove(m *mapping) {
	r.Lock()
	defer r.Unlock()
	if r.byFile[m.key()] == m {
		delete(r.byFile, m.key())
	}
}

func (m *mapping) key() mappingKey { return mappingKey{m.file.ID(), m.readOnly} }

// AnyMapped returns true if is does so for the memory that this process has mapped of one of the files. is must not touch
// the memory.
func AnyMapped(is func(memory []byte) bool) bool {
	mappings.Lock()
	defer mappings.Unlock()
	for _, m := range mappings.byFile {
		if is(m.memory) || is(m.parties.writable()) {
			return true
		}
	}
	return false
}
