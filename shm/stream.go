package shm

import (
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm/internal/ring"
	"shmcv/shm/internal/sys"
)

const (
	defaultSlots = 4
	minSlots     = 2
	maxSlots     = ring.MostSlots
	pageSize     = 4096
)

// Stream is one party to a stream of frames. A stream has slots of one size, each for a frame: the writer fills one,
// the frame that was published last is in another, and readers hold those that they read. The ring (internal/ring) does
// all that happens with each frame; a Stream does the rest.
//
// Two Streams of one process are two parties, as if they were in two processes: one may write, and both may read. A
// caller that is given a Stream holds a reference. With the last reference that is released, this party stops writing.
type Stream struct {
	*mapping
	ring       *ring.Ring
	room       sys.Bell     // Rung for the writer when a slot may have come free.
	heeds      atomic.Bool  // It wants to be told when there is no writer.
	followed   bool         // It came from Follow.
	delivery   atomic.Int32 // An abi.Delivery.
	descriptor atomic.Pointer[descriptor]
	references atomic.Int64
}

// parties is what this process does with a stream. There is one for each mapping.
type parties struct {
	mu     sync.Mutex
	writer *Stream // The party of this process that writes; nil if none does.
	memory []byte  // The slots and what describes them, writable; nil before this process writes.
	shown  bool    // When the writer began, the file's mode let somebody read it who may not write to it.
	places uint64  // A bit for each place that a party of this process has.

	awaited [ring.Places]uint32 // For each place, the process for whose lock the writer has waited in vain.
}

// writable gives the memory, nil if this process has not written yet.
func (p *parties) writable() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.memory
}

// CreateStream makes a stream of slots frames with at most slotSize bytes each, rounded up to whole pages. slots is 2
// to 1024, or 0 for 4. A writer and n readers never wait for each other with n + 2 slots: one to fill, one for the newest
// frame, and one for each reader to read.
//
// Errors: those of Create.
func CreateStream(name string, slotSize uint64, slots uint32, whenBehind abi.WhenBehind) (*Stream, error) {
	return CreateStreamFor(name, slotSize, slots, whenBehind, abi.OwnAccess)
}

// CreateStreamFor does as CreateStream, for those whom access names.
//
// Errors: those of CreateStream and CreateFor.
func CreateStreamFor(name string, slotSize uint64, slots uint32, whenBehind abi.WhenBehind, access abi.Access) (*Stream, error) {
	if err := checkStreamShape(name, slotSize, slots); err != nil {
		return nil, err
	}
	if whenBehind < abi.WhenBehindDrop || whenBehind > abi.WhenBehindFail {
		return nil, abi.Errorf(abi.EInvalid, "shm: create stream %q: %d for what its writer does when a reader of every frame "+
			"is behind; it is 1 (drop), 2 (block) or 3 (fail)", name, whenBehind)
	}
	if slots == 0 {
		slots = defaultSlots
	}
	stride := pages(slotSize)
	m, err := createShaped(name, shape{size: stride * uint64(slots), slots: slots, slotSize: stride, whenBehind: uint32(whenBehind)}, access)
	if err != nil {
		return nil, err
	}
	s, err := newStream(m)
	if err != nil {
		_, _ = clearFrom(name, m.file.ID())
	}
	return s, err
}

func checkStreamShape(name string, slotSize uint64, slots uint32) error {
	if err := ValidName(name); err != nil {
		return err
	}
	if slots == 0 {
		slots = defaultSlots
	}
	if slots < minSlots || slots > maxSlots {
		return abi.Errorf(abi.EInvalid, "shm: create stream %q: %d slots; it is %d to %d, or 0 for %d",
			name, slots, minSlots, maxSlots, defaultSlots)
	}
	if slotSize == 0 || slotSize > maxSize/uint64(slots)-pageSize {
		return abi.Errorf(abi.EInvalid, "shm: create stream %q: slots of %d bytes; it is 1 to %d bytes with %d slots",
			name, slotSize, maxSize/uint64(slots)-pageSize, slots)
	}
	return nil
}

// newStream makes another party to a stream. It takes over a reference to the mapping. A party to a mapping that is
// read-only takes no place.
func newStream(m *mapping) (*Stream, error) {
	places := len(m.shared) - trailerSize - placesSize
	party, status := ring.New(&ring.Parts{
		File:       m.file.Number(),
		Slots:      m.identity.SlotCount,
		SlotSize:   m.identity.SlotSize,
		WhenBehind: m.identity.WhenBehind,
		OnlyReads:  m.readOnly,
		Unmarked:   !m.file.Writable(),
		Pixels:     m.memory,
		Records:    m.records,
		Holders:    m.shared,
		Places:     m.shared[places:],
		Trailer:    m.shared[len(m.shared)-trailerSize:],
	})
	if party == nil {
		m.Release()
		return nil, noMemory(m.name)
	}
	s := &Stream{mapping: m, ring: party, room: m.file.Bell(m.shared[len(m.shared)-trailerSize:], ring.RoomOffset, ring.WantsRoomOffset, true)}
	s.references.Store(1)
	if status != ring.OK {
		defer s.Release()
		return nil, s.problem(status)
	}
	return s, nil
}

func noMemory(name string) error {
	return abi.Errorf(abi.ENoSpace, "shm: this process has no memory left to use %q with", name)
}

// Retain adds a reference. The caller holds one.
func (s *Stream) Retain() { s.references.Add(1) }

// Release gives a reference back. With the last one the next writer may begin.
func (s *Stream) Release() {
	if s.references.Add(-1) > 0 {
		return
	}
	s.closeDescriptor()
	s.resign()
	s.leavePlace()
	s.ring.Free()
	s.mapping.Release()
}

// Ring gives the party as C code sees it: a shmcv_ring, which is valid as long as the caller holds a reference.
func (s *Stream) Ring() unsafe.Pointer { return s.ring.Pointer() }

// problem gives the error for a status that all functions of the ring may have.
func (s *Stream) problem(status ring.Status) error {
	if err := s.checkSize(); err != nil {
		return err
	}
	if status == ring.Cut {
		return abi.Errorf(abi.ETruncated, "shm: memory of %q was gone when it was used; clear it and create it again", s.name)
	}
	return corrupt(s.name)
}

// Deliver chooses which frames Wait gives to this party. Frames that it holds stay as they are.
//
// Errors: EInvalid for a number that is no delivery; EBusy when 63 parties read the stream; EPermission for every frame of a
// stream that was opened read-only and whose writer waits for readers or fails; ETruncated; ECorrupt.
func (s *Stream) Deliver(delivery abi.Delivery) error {
	if delivery < abi.DeliveryNewest || delivery > abi.DeliveryOldest {
		return abi.Errorf(abi.EInvalid, "shm: delivery %d for a reader of %q; it is 0 (newest), 1 (every) or 2 (oldest)", delivery, s.name)
	}
	if err := s.checkTrailer(); err != nil {
		return err
	}
	if err := s.prepareFor(delivery); err != nil {
		return err
	}
	status := ring.OK
	if delivery == abi.DeliveryNewest {
		status = s.ring.Unfollow()
	} else {
		status = s.ring.Follow(delivery == abi.DeliveryOldest)
	}
	if status != ring.OK {
		return s.problem(status)
	}
	s.delivery.Store(int32(delivery))
	s.raiseDescriptor()
	return nil
}

// prepareFor takes a place for a delivery. A party that only reads has none, and cannot make the writer wait.
func (s *Stream) prepareFor(delivery abi.Delivery) error {
	if !s.readOnly {
		return s.takePlace()
	}
	if delivery == abi.DeliveryNewest || s.identity.WhenBehind == uint32(abi.WhenBehindDrop) {
		return nil
	}
	return abi.Errorf(abi.EPermission, "shm: every frame of %q: its writer is to wait for readers of every frame, or to fail "+
		"(when_behind), and this one has opened the stream read-only, so that the writer does not know of it; take the newest "+
		"frames, or create the stream with when_behind drop, or open it with the right to write (shmcv_stream_open, mode 0660)", s.name)
}

// HeedWriter lets Wait fail when there is no frame and no writer, or not.
func (s *Stream) HeedWriter(heed bool) {
	s.heeds.Store(heed)
	s.ring.Heed(heed)
	s.raiseDescriptor()
}

// lonely returns true if the party heeds the writer and there is none. A stream that was followed may be so new that its
// first writer is still to come.
func (s *Stream) lonely() bool {
	return s.heeds.Load() && !s.writerAlive() && !(s.followed && s.trailer.Writers.Load() == 0)
}

// heedSlice is the longest sleep of a reader that heeds the writer, before it looks whether the writer lives, and of a reader
// of a stream without a name, before it looks whether another stream has the name.
const heedSlice = 2 * time.Millisecond

// readSlice is the longest sleep of a reader.
func (s *Stream) readSlice() time.Duration {
	if s.heeds.Load() {
		return heedSlice
	}
	return s.nameSlice()
}

// WaitWriter waits until a party writes to the stream. It asks for sleeps as Wait does, and returns true if there is a
// writer.
//
// Errors: ETimeout; EReplaced when there is no writer, and another stream has the name; ETruncated; ECorrupt.
func (s *Stream) WaitWriter(timeout time.Duration, nap *Nap) (bool, error) {
	writes := func() (bool, error) {
		if alive := s.writerAlive(); alive || !s.replaced(s.cleared()) {
			return alive, s.checkTrailer()
		}
		return false, s.hasReplacement()
	}
	there, err := writes()
	if !there && err == nil {
		there, err = await(&s.bell, nap, timeout, s.nameSlice, writes)
	}
	if there || err != nil || nap.Count != 0 {
		return there, err
	}
	return false, abi.Errorf(abi.ETimeout, "shm: nobody has begun to write to %q within %v", s.name, timeout)
}

// Spin lets waits of this party watch for news for so long before they sleep, in nanoseconds.
func (s *Stream) Spin(duration uint64) { s.ring.Spin(duration) }

// End tells readers that no frame follows. They get those that are there, and then EEnded. A party that begins a frame
// later goes on with the stream.
//
// Errors: those of Begin for a party that is not the writer; EBusy when the writer has begun a frame.
func (s *Stream) End() error {
	for {
		switch status := s.ring.End(); status {
		case ring.OK:
			return nil
		case ring.NoWriter:
			if err := s.becomeWriter(); err != nil {
				return err
			}
		case ring.Filling:
			return abi.Errorf(abi.EBusy, "shm: end stream %q: a frame has been begun; publish or close it first", s.name)
		default:
			return s.problem(status)
		}
	}
}

// Begin gives a frame to be filled and published, with one reference. The frame has a slot that nobody else uses; the
// content of the slot is undefined. With its first Begin a party becomes the stream's writer, until it is released.
//
// In a stream whose writer blocks, Begin asks for a sleep as Wait does while there is no slot, until timeout. In other
// streams, and if timeout is 0, there has to be a slot.
//
// Errors: EBusy when another party is the writer, when the writer has begun a frame before that is neither published
// nor released, and when there is no slot: readers hold them, or want to read them first; ETimeout; EReplaced when the name
// was cleared, and another stream has it; ETruncated; ECorrupt; ENoSpace.
func (s *Stream) Begin(timeout time.Duration, nap *Nap) (*Frame, error) {
	slot := ring.NewFrame()
	if slot == nil {
		return nil, noMemory(s.name)
	}
	if there, err := s.beginIn(timeout, nap, slot); !there {
		slot.Free()
		return nil, err
	}
	return newFrame(s, slot), nil
}

// BeginIn does as Begin, in memory of the caller's: a shmcv_ring_frame. It returns true if there is a frame.
func (s *Stream) BeginIn(timeout time.Duration, nap *Nap, frame unsafe.Pointer) (bool, error) {
	return s.beginIn(timeout, nap, (*ring.Frame)(frame))
}

// roomSlice is the longest sleep of a writer that waits for a slot, before it looks whether those are alive that keep it.
const roomSlice = 500 * time.Microsecond

func (s *Stream) beginIn(timeout time.Duration, nap *Nap, frame *ring.Frame) (bool, error) {
	why := ring.OK
	claim := func() (bool, error) {
		status, err := s.claim(frame)
		why = status
		return status == ring.OK && err == nil, err
	}
	there, err := claim()
	if there || err != nil {
		return there, err
	}
	if s.identity.WhenBehind != uint32(abi.WhenBehindBlock) || timeout == 0 {
		return false, s.noSlot(why)
	}
	if there, err = await(&s.room, nap, timeout, func() time.Duration { return roomSlice }, claim); there || err != nil || nap.Count != 0 {
		return there, err
	}
	return false, abi.Errorf(abi.ETimeout, "shm: no slot of %q has come free within %v: %s", s.name, timeout, s.reason(why))
}

// claim takes a slot for the writer. If there is none, it gives Full or Behind.
func (s *Stream) claim(frame *ring.Frame) (ring.Status, error) {
	althoughCleared := false
	for {
		switch status := s.ring.Begin(althoughCleared, frame); status {
		case ring.OK:
			return status, nil
		case ring.Cleared:
			if s.replaced(true) {
				return status, s.hasReplacement()
			}
			althoughCleared = true // Those who have the stream open still read it.
		case ring.NoWriter:
			if err := s.becomeWriter(); err != nil {
				return status, err
			}
		case ring.Filling:
			return status, abi.Errorf(abi.EBusy, "shm: a frame of %q has been begun already; publish or close it first", s.name)
		case ring.Full, ring.Behind:
			if freed, err := s.forgetTheDead(); err != nil || !freed {
				return status, err
			}
		default:
			return status, s.problem(status)
		}
	}
}

func (s *Stream) noSlot(why ring.Status) error {
	return abi.Errorf(abi.EBusy, "shm: no slot of %q is free: %s", s.name, s.reason(why))
}

// reason says why there is no slot, and what to do.
func (s *Stream) reason(why ring.Status) string {
	if why == ring.Behind {
		return fmt.Sprintf("a reader of every frame%s has not taken what is in its %d slots; read faster, create the stream "+
			"with more slots, or with another answer to slow readers (when_behind)", s.processes(), s.identity.SlotCount)
	}
	return fmt.Sprintf("readers hold all %d slots but the newest; close frames sooner, or create the stream with more slots "+
		"(one for each reader, and 2)", s.identity.SlotCount)
}

// processes names the processes that keep the writer from beginning a frame, as far as they have told their ids.
func (s *Stream) processes() string {
	text := ""
	for blockers := s.ring.Blockers(); blockers != 0; blockers &= blockers - 1 {
		if id := s.ring.ProcessAt(bits.TrailingZeros64(blockers)); id != 0 {
			text += fmt.Sprintf(", process %d", id)
		}
	}
	return text
}

// becomeWriter makes s the writer, if it is not yet.
func (s *Stream) becomeWriter() error {
	if err := s.checkTrailer(); err != nil {
		return err
	}
	if s.readOnly {
		return abi.Errorf(abi.EPermission, "shm: write to stream %q: it was opened read-only; open it with shmcv_stream_open, which "+
			"its owner has to allow (mode 0660, and a group of this process)", s.name)
	}
	p := &s.parties
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.writer == s {
		return nil
	}
	if p.writer != nil {
		return abi.Errorf(abi.EBusy, "shm: this process writes to %q already, through another handle; a stream has one writer", s.name)
	}
	if p.memory == nil { // Of what this process reads, it cannot write a byte; see newMapping.
		memory, err := s.file.Map(0, s.identity.sharedAt(), true)
		if err != nil {
			return err
		}
		p.memory = memory
	}
	if err := s.takeWriterLock(); err != nil {
		return err
	}
	p.shown = s.file.ReadByOthers()
	s.ring.WakeAlways(p.shown)
	if status := s.ring.TakeOver(p.memory, p.memory[s.identity.recordsAt():], sys.ProcessID(), sys.ProcessStart()); status != ring.OK {
		s.file.Unlock(lockWriter)
		return s.problem(status)
	}
	p.writer = s
	return nil
}

// A system may take a dead process's locks a little later than the process: Linux when a program that looks into all processes
// (lsof, find) has the dead one's file at hand, Windows when it has other work. These are the times for which a party waits for
// such a lock. A process that seems to be gone may also live in another container, and a writer waits for the place of such a
// reader too, but only once.
const (
	lateWriterPatience = time.Second
	latePlacePatience  = 100 * time.Millisecond
)

// takeWriterLock takes the writer's lock.
func (s *Stream) takeWriterLock() error {
	// A writer that resigns takes its id away before its lock, and a new one has the lock before it tells its id.
	free, err := s.lockOfTheGone(lockWriter, lateWriterPatience, s.trailer.Writer.Load)
	if !free && err == nil {
		return s.noTurnToWrite()
	}
	return err
}

// lockOfTheGone takes a lock, and waits for it as long as patience if the process that had it is gone. It returns false if the
// lock is another's.
func (s *Stream) lockOfTheGone(lock int, patience time.Duration, owner func() uint32) (taken bool, err error) {
	for deadline := time.Now().Add(patience); ; time.Sleep(200 * time.Microsecond) {
		taken, err := s.file.Lock(lock)
		if taken || err != nil {
			return taken, err
		}
		if id := owner(); id != 0 && !sys.ProcessIsGone(id) || !time.Now().Before(deadline) {
			return false, nil
		}
	}
}

// noTurnToWrite is the error of a party that does not get the writer's lock.
func (s *Stream) noTurnToWrite() error {
	if held, err := s.file.HeldByOther(lockWriter); err == nil && !held && s.file.ReadByOthers() {
		return abi.Errorf(abi.EBusy, "shm: write to stream %q: no program writes to it, and one that may only read it shares the lock "+
			"of the writer, which this library never does; end that program (lslocks names it), or clear the name and create the "+
			"stream again, which gives it other locks", s.name)
	}
	return abi.Errorf(abi.EBusy, "shm: process %d writes to %q; a stream has one writer, and the next may begin when "+
		"it has closed the stream or ended", s.trailer.Writer.Load(), s.name)
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
	s.ring.Resign() // Before the lock goes, or what it clears might be the next writer's.
	s.file.Unlock(lockWriter)
}

// takePlace gives the party a place in the stream, which it needs to read. It keeps the place until it is released.
func (s *Stream) takePlace() error {
	p := &s.parties
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.ring.Place() != ring.Nowhere { // Another thread has been faster.
		return nil
	}
	for place := range ring.Places {
		if p.places&(1<<place) != 0 {
			continue
		}
		taken, err := s.file.Lock(lockPlace + place)
		if err != nil {
			return err
		}
		if !taken {
			continue
		}
		if s.ring.IsEmptied(place) {
			s.file.Unlock(lockPlace + place)
			continue
		}
		if status := s.ring.Forget(place); status != ring.OK { // What a dead party may have left.
			s.file.Unlock(lockPlace + place)
			return s.problem(status)
		}
		p.places |= 1 << place
		s.ring.SetPlace(place, sys.ProcessID())
		return nil
	}
	return abi.Errorf(abi.EBusy, "shm: %d programs read %q, which is as many as can; close the stream in one of them", ring.Places, s.name)
}

// leavePlace gives the place back, if the party has one. Nobody uses frames of the party any more.
func (s *Stream) leavePlace() {
	p := &s.parties
	p.mu.Lock()
	defer p.mu.Unlock()
	place := s.ring.Place()
	if place == ring.Nowhere {
		return
	}
	s.ring.Forget(place)
	p.places &^= 1 << place
	s.file.Unlock(lockPlace + place)
}

// forgetTheDead empties the places of dead parties that keep the writer from beginning a frame, and returns true if there
// were any. It has the place's lock meanwhile, so that no living party takes the place just then and loses it.
func (s *Stream) forgetTheDead() (forgotten bool, err error) {
	p := &s.parties
	p.mu.Lock()
	defer p.mu.Unlock()
	for blockers := s.ring.Blockers() &^ p.places; blockers != 0; blockers &= blockers - 1 {
		place := bits.TrailingZeros64(blockers)
		dead, err := s.lockOfDeadParty(place)
		if err != nil {
			return forgotten, err
		}
		if dead {
			s.ring.Forget(place)
			s.file.Unlock(lockPlace + place)
			forgotten = true
		} else if p.shown {
			dead, err := s.forgetWithoutLock(place)
			if err != nil {
				return forgotten, err
			}
			forgotten = forgotten || dead
		}
	}
	return forgotten, nil
}

// lockOfDeadParty takes the lock of a place whose party is dead.
func (s *Stream) lockOfDeadParty(place int) (taken bool, err error) {
	id := s.ring.ProcessAt(place)
	patience, awaited := latePlacePatience, &s.parties.awaited[place]
	if *awaited == id {
		patience = 0
	}
	taken, err = s.lockOfTheGone(lockPlace+place, patience, func() uint32 { return s.ring.ProcessAt(place) })
	if !taken && sys.ProcessIsGone(id) {
		*awaited = id
	}
	return taken, err
}

// forgetWithoutLock does the same where the place's lock is not to be had. A process that may only read the file can share
// the lock of a dead party, and keep everybody from it for ever; but it does not hold the lock alone, as a party does.
//
// No party takes the place meanwhile: one that gets the lock looks whether the place is being emptied, and the writer says so
// before it asks who holds the lock. Either the party sees that, or the writer sees the party.
func (s *Stream) forgetWithoutLock(place int) (dead bool, err error) {
	s.ring.SetEmptied(place, true)
	defer s.ring.SetEmptied(place, false)
	held, err := s.file.HeldByOther(lockPlace + place)
	if held || err != nil {
		return false, err
	}
	s.ring.Forget(place)
	return true, nil
}

// Wait gives the newest frame, if its sequence is greater than newerThan, held and with one reference: nobody writes
// to its slot until the frame is released. It skips the frames in between.
//
// Wait does not sleep itself. If it returns neither a frame nor an error, there is no such frame yet: sleep as nap
// says, and call Wait again with the same arguments. timeout counts from the first call; less than 0 means without an
// end, and with 0 Wait never asks for a sleep.
//
// Errors: ETimeout when there is no such frame by then; EEnded; EReplaced when there is no such frame and another stream has
// the name; EWriterGone; EBusy when 63 parties read the stream; ECorrupt when the newest
// frame makes no sense; ETruncated when the file no longer covers the stream; ENoSpace.
func (s *Stream) Wait(newerThan uint64, timeout time.Duration, nap *Nap) (*Frame, error) {
	slot := ring.NewFrame()
	if slot == nil {
		return nil, noMemory(s.name)
	}
	there, err := s.waitIn(newerThan, timeout, nap, slot)
	if !there {
		slot.Free()
		return nil, err
	}
	return newFrame(s, slot), nil
}

// WaitIn does as Wait, in memory of the caller's: a shmcv_ring_frame. It returns true if there is a frame.
func (s *Stream) WaitIn(newerThan uint64, timeout time.Duration, nap *Nap, frame unsafe.Pointer) (bool, error) {
	return s.waitIn(newerThan, timeout, nap, (*ring.Frame)(frame))
}

func (s *Stream) waitIn(newerThan uint64, timeout time.Duration, nap *Nap, frame *ring.Frame) (bool, error) {
	take := func() (bool, error) { return s.take(newerThan, frame) }
	there, err := take()
	if !there && err == nil {
		there, err = await(&s.bell, nap, timeout, s.readSlice, take)
	}
	if there || err != nil || nap.Count != 0 {
		return there, err
	}
	s.foundNothing(newerThan)
	return false, abi.Errorf(abi.ETimeout, "shm: no frame of %q newer than %d within %v", s.name, newerThan, timeout)
}

// take gives a frame that is there.
func (s *Stream) take(newerThan uint64, frame *ring.Frame) (bool, error) {
	gone, replaced := false, false
	for range unknownImages {
		switch status := s.ring.Wait(newerThan, frame); status { // N1
		case ring.OK:
			return true, nil
		case ring.Nothing, ring.Cleared:
			switch {
			case replaced: // Another stream had the name when this look began.
				return false, s.hasReplacement()
			case gone: // There was no writer when this look began.
				return false, s.noWriter()
			case s.replaced(status == ring.Cleared): // N2
				replaced = true // The last frame may have come since the look. N3
			case s.lonely():
				gone = true // As above.
			default:
				return false, s.checkTrailer()
			}
		case ring.Ended:
			return false, abi.Errorf(abi.EEnded, "shm: the writer of %q has ended the stream, and frame %d was the last", s.name, s.trailer.published())
		case ring.NoPlace:
			if err := s.takePlace(); err != nil {
				return false, err
			}
		case ring.UnknownImage:
			words, _ := frame.Image()
			frame.GiveBack()
			image, err := checkedImage(imageOf(words), s.identity.SlotSize, s.name)
			if err != nil {
				return false, err
			}
			s.accept(image)
		default:
			return false, s.problem(status)
		}
	}
	return false, corrupt(s.name)
}

func (s *Stream) noWriter() error {
	if err := s.checkTrailer(); err != nil {
		return err
	}
	return abi.Errorf(abi.EWriterGone, "shm: no program writes to %q, whose newest frame is %d; wait for a writer "+
		"(shmcv_stream_wait_writer), or for frames without heeding the writer", s.name, s.trailer.published())
}

// unknownImages is how often a reader looks at images that it does not know, before it has a frame. Each is another frame's,
// so more than a few mean that somebody writes over the metadata.
const unknownImages = 1000

// accept lets the ring know an image that fits into a slot.
func (s *Stream) accept(image abi.ImageInfo) {
	s.parties.mu.Lock()
	defer s.parties.mu.Unlock()
	s.ring.Accept(wordsOf(image))
}

// newestImage gives the image of a stream's newest frame.
func (m *mapping) newestImage() (abi.ImageInfo, error) {
	if err := m.checkTrailer(); err != nil {
		return abi.ImageInfo{}, err
	}
	image, status := ring.NewestImage(unsafe.Slice((*byte)(unsafe.Pointer(m.trailer)), trailerSize), m.records, m.identity.SlotCount)
	switch status {
	case ring.OK:
		return checkedImage(imageOf(image), m.identity.SlotSize, m.name)
	case ring.Nothing:
		return abi.ImageInfo{}, abi.Errorf(abi.ENoImage, "shm: nothing has been published in stream %q yet", m.name)
	case ring.Full:
		return abi.ImageInfo{}, abi.Errorf(abi.EBusy, "shm: the frames of %q follow each other too fast to look at one", m.name)
	}
	return abi.ImageInfo{}, corrupt(m.name)
}

// imageOf and wordsOf turn an image into the ring's words, and back.

func imageOf(words ring.Image) abi.ImageInfo { return *(*abi.ImageInfo)(unsafe.Pointer(&words)) }

func wordsOf(image abi.ImageInfo) ring.Image { return *(*ring.Image)(unsafe.Pointer(&image)) }
