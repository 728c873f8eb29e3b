package shm

import (
	"sync"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// A descriptor lets a host's own loop wait for a stream. It is up (sys.Flag) when a wait on the stream may find something. A
// wait that has found nothing takes it down, and adds a wait to a set that all descriptors of this process share. A thread
// sleeps on the set (ServeDescriptors), and puts the descriptors up again whose waits are over.
type descriptor struct {
	flag      *sys.Flag
	key       uint64 // In the set.
	newerThan uint64
	armed     bool // It is down, and the set has a wait for newerThan.
	closed    bool
}

// served are the descriptors of this process. Its mutex comes before that of the set.
var served struct {
	sync.Mutex
	set     *WaitSet
	byKey   map[uint64]*descriptor
	lastKey uint64
	serving bool // A thread sleeps on the set, or has been started to do so.
}

// Descriptor gives the number of the stream's descriptor. It is up at first. start starts a thread that calls ServeDescriptors,
// and returns false if there is none to be had.
//
// Errors: EIO when this process has no file descriptor left; ENoSpace when it gets no thread.
func (s *Stream) Descriptor(start func() bool) (int64, error) {
	served.Lock()
	defer served.Unlock()
	if d := s.descriptor.Load(); d != nil {
		return d.flag.Number(), nil
	}
	flag, err := sys.NewFlag(s.name)
	if err != nil {
		return 0, err
	}
	if served.set == nil {
		served.set, served.byKey = NewWaitSet(), map[uint64]*descriptor{}
	}
	if !served.serving && !start() {
		flag.Close()
		return 0, abi.Errorf(abi.ENoSpace, "shm: the system gives this process no thread to serve a descriptor of %q; end others, "+
			"or raise the limit (ulimit -u)", s.name)
	}
	served.serving = true
	served.lastKey++
	d := &descriptor{flag: flag, key: served.lastKey}
	served.byKey[d.key] = d
	d.flag.Raise()
	s.descriptor.Store(d)
	return flag.Number(), nil
}

// foundNothing takes the stream's descriptor down, if it has one, until there is something for a wait with newerThan.
func (s *Stream) foundNothing(newerThan uint64) {
	d := s.descriptor.Load()
	if d == nil {
		return
	}
	served.Lock()
	defer served.Unlock()
	if d.closed || d.armed && d.newerThan == newerThan {
		return
	}
	_ = served.set.Remove(d.key) // It fails if the wait is over.
	d.flag.Lower()
	d.newerThan, d.armed = newerThan, true
	if err := served.set.Add(d.key, s, 0, newerThan); err != nil { // No handle is 0, so Closed does not end this wait.
		d.raise() // The next wait on the stream tells what is wrong.
	}
}

// raiseDescriptor puts the stream's descriptor up, if it has one: a wait may find something that it was not to find before.
func (s *Stream) raiseDescriptor() {
	if d := s.descriptor.Load(); d != nil {
		served.Lock()
		defer served.Unlock()
		d.raise()
	}
}

// raise puts a descriptor up. The caller holds the mutex.
func (d *descriptor) raise() {
	if !d.closed {
		d.armed = false
		d.flag.Raise()
	}
}

// closeDescriptor ends the stream's descriptor, if it has one. Who waits on it is woken.
func (s *Stream) closeDescriptor() {
	d := s.descriptor.Swap(nil)
	if d == nil {
		return
	}
	served.Lock()
	defer served.Unlock()
	d.raise()
	d.closed = true
	d.flag.Close()
	delete(served.byKey, d.key)
	_ = served.set.Remove(d.key)
	if len(served.byKey) == 0 {
		served.set.alarm.Raise() // The thread ends.
	}
}

// ServeDescriptors puts descriptors up. It does not sleep itself: sleep as nap says, and call it again with the same nap, which
// is to be a new one if there is no need to sleep. It returns false if there is no descriptor any more, and is not called again
// then.
func ServeDescriptors(nap *Nap) bool {
	served.Lock()
	set := served.set
	served.serving = len(served.byKey) > 0
	over := !served.serving
	served.Unlock()
	if over {
		set.leave(nap)
		return false
	}
	var keys [64]uint64
	count, _ := set.Wait(-1, nap, keys[:]) // It does not fail: nobody else waits on the set, or ends it.
	served.Lock()
	defer served.Unlock()
	for _, key := range keys[:count] {
		if d := served.byKey[key]; d != nil {
			d.raise()
		}
	}
	return true
}
