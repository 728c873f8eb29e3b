package shm

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

const (
	defaultSlots = 4
	minSlots     = 2
	pageSize     = 4096
)

// Stream is one party to a stream of frames. A stream has slots of one size, each for a frame: the writer fills one,
// the frame that was published last is in another, and readers lease those that they read.
//
// Two Streams of one process are two parties, as if they were in two processes: one may write, and both may read. A
// caller that is given a Stream holds a reference. With the last reference that is released, this party stops writing.
type Stream struct {
	*mapping
	references atomic.Int64
}

// parties is what this process does with a stream. There is one for each mapping.
type parties struct {
	mu      sync.Mutex
	writer  *Stream // The party of this process that writes; nil if none does.
	filling bool    // The writer has begun a frame.
	newest  uint64  // Sequence of the newest frame. The writer believes this one, because anybody can write to the trailer.
	slot    int     // The slot of that frame, -1 before the first.
	memory  []byte  // The slots, writable; nil before this process writes.

	used  [leaseCount]bool // A frame of this process uses the lease.
	spare int              // A lease that none uses, of which this process has kept the lock; noLease if there is none.
	last  int              // The lease of which this process took the lock last.
}

// CreateStream makes a stream of slots frames with at most slotSize bytes each, rounded up to whole pages. slots is 2
// to 16, or 0 for 4. A writer and n readers never wait for each other with n + 2 slots: one to fill, one for the newest
// frame, and one for each reader to read.
//
// Errors: those of Create.
func CreateStream(name string, slotSize uint64, slots uint32) (*Stream, error) {
	if err := checkStreamShape(name, slotSize, slots); err != nil {
		return nil, err
	}
	if slots == 0 {
		slots = defaultSlots
	}
	stride := (slotSize + pageSize - 1) / pageSize * pageSize
	m, err := createShaped(name, shape{size: stride * uint64(slots), slots: slots, slotSize: stride})
	if err != nil {
		return nil, err
	}
	return newStream(m), nil
}

func checkStreamShape(name string, slotSize uint64, slots uint32) error {
	if err := ValidName(name); err != nil {
		return err
	}
	if slots == 0 {
		slots = defaultSlots
	}
	if slots < minSlots || slots > slotCount {
		return abi.Errorf(abi.EInvalid, "shm: create stream %q: %d slots; it is %d to %d, or 0 for %d",
			name, slots, minSlots, slotCount, defaultSlots)
	}
	if slotSize == 0 || slotSize > maxSize/uint64(slots)-pageSize {
		return abi.Errorf(abi.EInvalid, "shm: create stream %q: slots of %d bytes; it is 1 to %d bytes with %d slots",
			name, slotSize, maxSize/uint64(slots)-pageSize, slots)
	}
	return nil
}

// newStream makes another party to a stream. It takes over a reference to the mapping.
func newStream(m *mapping) *Stream {
	s := &Stream{mapping: m}
	s.references.Store(1)
	return s
}

// Retain adds a reference. The caller holds one.
func (s *Stream) Retain() { s.references.Add(1) }

// Release gives a reference back. With the last one the next writer may begin.
func (s *Stream) Release() {
	if s.references.Add(-1) > 0 {
		return
	}
	defer s.mapping.Release()
	s.resign()
}

// slotIn gives the part of memory, which is that of all slots, that is a slot's.
func (s *Stream) slotIn(memory []byte, index int) []byte {
	start := uint64(index) * s.identity.SlotSize
	end := start + s.identity.SlotSize
	return memory[start:end:end]
}

// Begin gives a frame to be filled and published, with one reference. The frame has a slot that nobody else uses; the
// content of the slot is undefined. With its first Begin a party becomes the stream's writer, until it is released.
//
// Errors: EBusy when another party is the writer, when the writer has begun a frame before that is neither published
// nor released, and when readers hold all slots; ETruncated; ECorrupt.
func (s *Stream) Begin() (*Frame, error) {
	if err := s.checkTrailer(); err != nil {
		return nil, err
	}
	p := &s.parties
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := s.becomeWriter(); err != nil {
		return nil, err
	}
	if p.filling {
		return nil, abi.Errorf(abi.EBusy, "shm: a frame of %q has been begun already; publish or close it first", s.name)
	}
	slot, err := s.claimSlot()
	if err != nil {
		return nil, err
	}
	p.filling = true
	return newFrame(s, slot, frameWriting, s.slotIn(p.memory, slot)), nil
}

// becomeWriter makes s the writer, if it is not yet. The caller holds the mutex.
func (s *Stream) becomeWriter() error {
	p := &s.parties
	if p.writer == s {
		return nil
	}
	if p.writer != nil {
		return abi.Errorf(abi.EBusy, "shm: this process writes to %q already, through another handle; a stream has one writer", s.name)
	}
	if p.memory == nil { // Of what this process reads, it cannot write a byte; see newMapping.
		memory, err := s.file.Map(0, s.size, true)
		if err != nil {
			return err
		}
		p.memory = memory
	}
	free, err := s.file.Lock(lockWriter)
	if err != nil {
		return err
	}
	if !free {
		return abi.Errorf(abi.EBusy, "shm: process %d writes to %q; a stream has one writer, and the next may begin when "+
			"it has closed the stream or ended", s.trailer.Writer.Load(), s.name)
	}
	// The rest touches memory that may be gone. The lock must not stay held then.
	taken := false
	defer func() {
		if !taken {
			s.file.Unlock(lockWriter)
		}
	}()
	if err := s.takeOver(); err != nil {
		return err
	}
	s.trailer.Writer.Store(sys.ProcessID())
	s.trailer.WriterStart.Store(sys.ProcessStart())
	taken = true
	p.writer = s
	p.filling = false
	return nil
}

// takeOver learns where the writer before has stopped. Its frames count on. It forgets a frame that the writer before
// has stored and not published, because the next frame gets that sequence.
func (s *Stream) takeOver() error {
	t, p := s.trailer, &s.parties
	published := t.Published.Load()
	if published > math.MaxInt64 {
		return corrupt(s.name)
	}
	p.newest, p.slot = published, -1
	for i := range int(s.identity.SlotCount) {
		switch sequence := t.Slots[i].Sequence.Load(); {
		case sequence > published:
			t.Slots[i].Sequence.Store(0)
		case sequence == published && published > 0:
			p.slot = i
		}
	}
	return nil
}

// resign makes s writer no longer, if it is the writer.
func (s *Stream) resign() {
	p := &s.parties
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.writer != s {
		return
	}
	p.writer = nil
	// The id goes before the lock does, or it might be the next writer's. Unlock is deferred because the memory may be
	// gone.
	defer s.file.Unlock(lockWriter)
	s.trailer.Writer.Store(0)
}

// Wait gives the newest frame, if its sequence is greater than newerThan, leased and with one reference: nobody writes
// to its slot until the frame is released. It skips the frames in between.
//
// Wait does not sleep itself. If it returns neither a frame nor an error, there is no such frame yet: sleep as nap
// says, and call Wait again with the same arguments. timeout counts from the first call; less than 0 means without an
// end, and with 0 Wait never asks for a sleep.
//
// Errors: ETimeout when there is no such frame by then; EBusy when 64 frames of the stream are being read; ECorrupt
// when the newest frame makes no sense; ETruncated when the file no longer covers the stream.
func (s *Stream) Wait(newerThan uint64, timeout time.Duration, nap *Nap) (*Frame, error) {
	news := func() (bool, error) {
		if err := s.checkTrailer(); err != nil {
			return false, err
		}
		return s.trailer.Published.Load() > newerThan, nil
	}
	there, err := news()
	if !there && err == nil {
		there, err = await(&s.bell, nap, timeout, s.sleepSlice(), news)
	}
	switch {
	case err != nil:
		return nil, err
	case there:
		return s.leaseNewest(newerThan)
	case nap.Count != 0:
		return nil, nil
	}
	return nil, abi.Errorf(abi.ETimeout, "shm: no frame of %q newer than %d within %v", s.name, newerThan, timeout)
}

// leaseNewest gives the newest frame, leased.
func (s *Stream) leaseNewest(newerThan uint64) (frame *Frame, err error) {
	entry, err := s.takeLease()
	if err != nil {
		return nil, err
	}
	defer func() {
		if frame == nil {
			s.giveLease(entry)
		}
	}()
	slot, sequence, ok := s.trailer.lease(entry, s.identity.SlotCount)
	if !ok || sequence <= newerThan { // The sequence only grows, unless a neighbour writes over it.
		return nil, corrupt(s.name)
	}
	described := &s.trailer.Slots[slot]
	image, err := checkedImage(described.Image.load(), s.identity.SlotSize, s.name)
	if err != nil {
		return nil, err
	}
	frame = newFrame(s, slot, frameReading, s.slotIn(s.memory, slot))
	frame.lease, frame.sequence, frame.time = entry, sequence, described.Time.Load()
	frame.image.Store(&image)
	return frame, nil
}
