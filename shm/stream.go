package shm

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"shmcv/internal/abi"
)

const (
	defaultSlots = 4
	minSlots     = 2
	pageSize     = 4096
)

// Stream is one use of a segment that holds a stream of frames: for each frame a slot of the same size, of which the
// writer fills one, the newest holds what was published last, and readers lease those that they look at.
//
// Two of them in one process are two parties, as if they were in two processes: one may write, and both may read.
// Whoever has been given one holds a reference. The last one to be released ends the writing.
type Stream struct {
	*Segment
	references atomic.Int64
}

// parties is what this process does with a stream. There is one for each segment that it has mapped.
type parties struct {
	mu      sync.Mutex
	writer  *Stream // Who writes in this process; nil when none does.
	filling bool    // It has begun a frame.
	newest  uint64  // Sequence of the frame that was published last. The writer believes this and not the trailer, which anybody can write.
	slot    int     // Where that frame is, -1 before the first.
	held    uint64  // Bit i: this process has the lock of lease i, and keeps it, which saves a system call per frame.
	used    uint64  // Bit i: one of its frames uses lease i.
}

// CreateStream makes a segment for a stream: slots frames of at most slotSize bytes, rounded up to whole pages. slots
// is 2 to 16, or 0 for 4. A writer and n readers never wait for each other with n + 2 slots: one to fill, one that is
// the newest, and one for each reader to look at. Errors are those of Create.
func CreateStream(name string, slotSize uint64, slots uint32) (*Stream, error) {
	if slots == 0 {
		slots = defaultSlots
	}
	if err := ValidName(name); err != nil {
		return nil, err
	}
	if slots < minSlots || slots > slotCount {
		return nil, abi.Errorf(abi.EInvalid, "shm: create stream %q: %d slots; it is %d to %d, or 0 for %d",
			name, slots, minSlots, slotCount, defaultSlots)
	}
	if slotSize == 0 || slotSize > maxSize/uint64(slots)-pageSize {
		return nil, abi.Errorf(abi.EInvalid, "shm: create stream %q: slots of %d bytes; it is 1 to %d bytes with %d slots",
			name, slotSize, maxSize/uint64(slots)-pageSize, slots)
	}
	stride := (slotSize + pageSize - 1) / pageSize * pageSize
	segment, err := createShaped(name, shape{size: stride * uint64(slots), slots: slots, slotSize: stride})
	if err != nil {
		return nil, err
	}
	return newStream(segment), nil
}

// newStream takes over a reference to a segment for which IsStream is true.
func newStream(segment *Segment) *Stream {
	s := &Stream{Segment: segment}
	s.references.Store(1)
	return s
}

// AsStream makes one use of the stream in a segment, taking over the caller's reference; it is false, and nothing is
// taken over, where the segment holds none.
func (s *Segment) AsStream() (*Stream, bool) {
	if s.identity.SlotCount == 0 {
		return nil, false
	}
	return newStream(s), true
}

// Retain adds a reference. The caller holds one.
func (s *Stream) Retain() { s.references.Add(1) }

// Release gives a reference back. With the last one the next writer may begin.
func (s *Stream) Release() {
	if s.references.Add(-1) > 0 {
		return
	}
	defer s.Segment.Release()
	s.resign()
}

// A stream has no pixels and no image of its own; its frames have.

func (s *Stream) Bytes() ([]byte, error)             { return nil, s.notASegment() }
func (s *Stream) Room(abi.ImageInfo) ([]byte, error) { return nil, s.notASegment() }
func (s *Stream) Image() (abi.ImageInfo, error)      { return abi.ImageInfo{}, s.notASegment() }
func (s *Stream) SetImage(abi.ImageInfo) error       { return s.notASegment() }
func (s *Stream) ImageSequence() (uint64, error)     { return 0, s.notASegment() }
func (s *Stream) Store(StoreFunc) error              { return s.notASegment() }
func (s *Stream) Read(ReadFunc) error                { return s.notASegment() }
func (s *Stream) AwaitImage(uint64, time.Duration, *Nap) (uint64, error) {
	return 0, s.notASegment()
}

func (s *Stream) notASegment() error {
	return abi.Errorf(abi.EInvalid, "shm: %q is a stream, whose frames have the pixels: begin a frame to write one, "+
		"or wait for one to read it", s.name)
}

// slotBytes is the memory of a slot.
func (s *Segment) slotBytes(index int) []byte {
	start := uint64(index) * s.identity.SlotSize
	end := start + s.identity.SlotSize
	return s.memory[start:end:end]
}

// streamBell is what readers of the stream sleep on.
func (t *trailer) streamBell() bell { return bell{word: &t.StreamFutex, waiters: &t.StreamWaiters} }

// Begin gives a free slot, to be filled and published, as a frame with one reference. What is in it is undefined. The
// first Begin makes this the stream's writer, until it is released.
//
// It is EBusy when another process, or another use of the stream in this one, is the writer; when a frame has been
// begun and neither published nor released; and when readers hold all slots.
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
	s.trailer.WriterSlot.Store(uint32(slot) + 1)
	p.filling = true
	return newFrame(s, slot, frameWriting), nil
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
	if err := s.file.lock(lockWriter); err != nil {
		if heldByOther(err) {
			return abi.Errorf(abi.EBusy, "shm: process %d writes to %q; a stream has one writer, and the next may begin when "+
				"it has closed the stream or ended", s.trailer.Writer.Load(), s.name)
		}
		return systemError("lock", s.name, err)
	}
	// What follows touches memory that may be gone: a panic must not leave the lock held.
	taken := false
	defer func() {
		if !taken {
			s.file.unlock(lockWriter)
		}
	}()
	if err := s.takeOver(); err != nil {
		return err
	}
	s.trailer.Writer.Store(processID)
	s.trailer.WriterStart.Store(processStart())
	taken = true
	p.writer = s
	p.filling = false
	return nil
}

// takeOver learns where the last writer has stopped. Its frames go on; what it had stored and not yet published is
// forgotten, because its sequence will be given to another frame.
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
	t.WriterSlot.Store(0)
	return nil
}

// resign ends the writing of s, if it is the writer.
func (s *Stream) resign() {
	p := &s.parties
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.writer != s {
		return
	}
	p.writer = nil
	// Before the lock goes: the next writer's id must not be erased. And deferred: the memory may be gone.
	defer s.file.unlock(lockWriter)
	s.trailer.Writer.Store(0)
	s.trailer.WriterSlot.Store(0)
}

// Wait gives the newest frame of those with a sequence greater than newerThan, leased, with one reference: its slot
// is not written to until that is released. Frames in between are skipped.
//
// Where there is none yet and the wait may go on, it gives no frame and no error: the caller sleeps as nap says, and
// asks again with the same arguments. timeout counts from the first time; negative is without an end, and with 0 nobody
// is asked to sleep.
//
// It is ETimeout when there is no such frame by then, EBusy when 64 frames of the stream are being read, ECorrupt when
// what is there cannot be a frame, and ETruncated when the file no longer covers the segment.
func (s *Stream) Wait(newerThan uint64, timeout time.Duration, nap *Nap) (*Frame, error) {
	news := func() (bool, error) {
		if err := s.checkTrailer(); err != nil {
			return false, err
		}
		return s.trailer.Published.Load() > newerThan, nil
	}
	there, err := news()
	if !there && err == nil {
		there, err = s.trailer.streamBell().await(nap, timeout, news)
	}
	switch {
	case err != nil:
		return nil, err
	case there:
		return s.leaseNewest(newerThan)
	case nap.Word != nil:
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
	if !ok || sequence <= newerThan { // It does not go back, unless a neighbour has written over it.
		return nil, corrupt(s.name)
	}
	described := &s.trailer.Slots[slot]
	image, err := described.Image.load().Checked()
	if err != nil || image.Bytes() > s.identity.SlotSize {
		return nil, corrupt(s.name)
	}
	frame = newFrame(s, slot, frameReading)
	frame.lease, frame.sequence, frame.time = entry, sequence, described.Time.Load()
	frame.image.Store(&image)
	return frame, nil
}
