package shm

import "sync"

// registry knows the segments that this process has mapped, so that each file is mapped once.
type registry struct {
	sync.Mutex
	byFile map[fileID]*Segment
}

var segments = registry{byFile: map[fileID]*Segment{}}

// find gives the segment of a file with one more reference, nil if this process has not mapped it. The caller holds
// the lock.
func (r *registry) find(id fileID) *Segment {
	s := r.byFile[id]
	if s == nil {
		return nil
	}
	for {
		references := s.references.Load()
		if references == 0 { // Its last user is just unmapping it.
			return nil
		}
		if s.references.CompareAndSwap(references, references+1) {
			return s
		}
	}
}

// add lists a segment. The caller holds the lock.
func (r *registry) add(s *Segment) { r.byFile[s.file.id] = s }

// remove forgets a segment without references, unless the file has been mapped anew meanwhile.
func (r *registry) remove(s *Segment) {
	r.Lock()
	defer r.Unlock()
	if r.byFile[s.file.id] == s {
		delete(r.byFile, s.file.id)
	}
}
