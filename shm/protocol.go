package shm

import (
	"os"
	"runtime"

	"shmcv/internal/abi"
)

// How a writer and readers agree on slots, without waiting for each other. protocol_test.go goes through all orders in
// which their steps can happen; it names the steps as here, and a change here is one there.
//
// The reader:
//
//	R1  reads Published, and finds the slot that has this sequence
//	R2  stores its lease: slot and sequence
//	R3  reads the slot's sequence: the same, and the slot is its own until it clears the lease; else it begins again
//	R4  clears the lease
//
// The writer, on a slot other than the newest:
//
//	W1  stores 0 as the slot's sequence
//	W2  reads all leases: none on this slot, and it is the writer's; else it stores the old sequence and tries another
//	W3  writes pixels, image and time
//	W4  stores the new sequence in the slot
//	W5  stores it in Published, and wakes who sleeps
//
// All of these are sequentially consistent. So either R3 sees what W1 stored, and the reader lets go; or W2 sees what
// R2 stored, and the writer does. Both may: then neither has it, which harms nobody.

// leaseAttempts is how often a reader begins again. Each time but the first the writer has published as many frames as
// there are slots meanwhile, so that more than a few mean that the reader was stopped for long each time.
const leaseAttempts = 10000

// processID is asked for once: a fork of this process does not get here.
var processID = uint32(os.Getpid())

// leaseHolder is what a lease holds while this process reads slot.
func leaseHolder(slot int) uint64 { return uint64(slot+1)<<32 | uint64(processID) }

// isFor tells whether the lease is on a slot, by whomever.
func (l *lease) isFor(slot int) bool { return l.Holder.Load()>>32 == uint64(slot)+1 }

// find gives the slot that has that sequence, -1 if none has.
func (t *trailer) find(sequence uint64, slots uint32) int {
	for i := range int(slots) {
		if t.Slots[i].Sequence.Load() == sequence {
			return i
		}
	}
	return -1
}

// lease leases the slot with the newest frame, by an entry that the caller has locked. It is false where the slots
// contradict what is said to be published, which no writer of ours makes them do.
func (t *trailer) lease(entry int, slots uint32) (slot int, sequence uint64, ok bool) {
	l := &t.Leases[entry]
	last, repeated := uint64(0), 0
	for range leaseAttempts {
		sequence = t.Published.Load() // R1
		if slot = t.find(sequence, slots); slot >= 0 {
			l.Sequence.Store(sequence)
			l.Holder.Store(leaseHolder(slot))              // R2
			if t.Slots[slot].Sequence.Load() == sequence { // R3
				return slot, sequence, true
			}
			l.Holder.Store(0)
		}
		if sequence != last {
			last, repeated = sequence, 0
		}
		if repeated++; repeated > readAttempts {
			break
		}
		runtime.Gosched()
	}
	return 0, 0, false
}

// claimSlot takes a slot to write to, which is not the newest one. The caller is the writer and holds the mutex.
//
// Slots are tried in a ring, the one with the oldest frame first: readers on their way to the newest get the longest
// time. Leases of dead readers are found out only where the living leave none, because that takes a system call each.
func (s *Stream) claimSlot() (int, error) {
	slots := int(s.identity.SlotCount)
	for _, reclaim := range []bool{false, true} {
		for i := range slots {
			slot := (s.parties.slot + 1 + i) % slots
			if slot != s.parties.slot && s.claim(slot, reclaim) {
				return slot, nil
			}
		}
	}
	return 0, abi.Errorf(abi.EBusy, "shm: no slot of %q is free: readers hold all %d slots but the newest; "+
		"close frames sooner, or create the stream with more slots (one for each reader, and 2)", s.name, slots)
}

// claim takes a slot if nobody leases it.
func (s *Stream) claim(slot int, reclaim bool) bool {
	if s.leased(slot, reclaim) { // Before touching it: readers on their way to it would have to begin again.
		return false
	}
	sequence := &s.trailer.Slots[slot].Sequence
	old := sequence.Load()
	sequence.Store(0)             // W1
	if !s.leased(slot, reclaim) { // W2
		return true
	}
	sequence.Store(old)
	return false
}

// leased tells whether a reader holds a lease on the slot; with reclaim, whether a living one does.
func (s *Stream) leased(slot int, reclaim bool) bool {
	for entry := range s.trailer.Leases {
		if s.trailer.Leases[entry].isFor(slot) && !(reclaim && s.reclaim(entry)) {
			return true
		}
	}
	return false
}

// reclaim clears a lease that nobody holds. While it does, it has the lease's lock, so that no reader takes the lease
// in between and loses it.
func (s *Stream) reclaim(entry int) bool {
	p, bit := &s.parties, uint64(1)<<entry
	if p.used&bit != 0 {
		return false
	}
	if p.held&bit == 0 {
		if s.file.lock(lockLease+entry) != nil {
			return false
		}
		defer s.file.unlock(lockLease + entry)
	}
	s.trailer.Leases[entry].Holder.Store(0)
	return true
}

// takeLease gives a lease whose lock this process has.
func (s *Stream) takeLease() (int, error) {
	p := &s.parties
	p.mu.Lock()
	defer p.mu.Unlock()
	for entry := range leaseCount {
		bit := uint64(1) << entry
		if p.held&^p.used&bit != 0 {
			p.used |= bit
			return entry, nil
		}
	}
	for entry := range leaseCount {
		bit := uint64(1) << entry
		if p.held&bit != 0 {
			continue
		}
		switch err := s.file.lock(lockLease + entry); {
		case err == nil:
			p.held |= bit
			p.used |= bit
			return entry, nil
		case !heldByOther(err):
			return 0, systemError("lock", s.name, err)
		}
	}
	return 0, abi.Errorf(abi.EBusy, "shm: %d frames of %q are being read, which is as many as can be; close some", leaseCount, s.name)
}

// giveLease is R4.
func (s *Stream) giveLease(entry int) {
	p := &s.parties
	p.mu.Lock()
	defer p.mu.Unlock()
	defer func() { p.used &^= 1 << entry }() // Whatever becomes of the memory
	s.trailer.Leases[entry].Holder.Store(0)
}

// announce publishes what is in a slot that was claimed. The caller is the writer and holds the mutex.
func (s *Stream) announce(slot int, image abi.ImageInfo) uint64 {
	t, p := s.trailer, &s.parties
	sequence := p.newest + 1
	t.Slots[slot].Image.store(image)
	t.Slots[slot].Time.Store(monotonic())
	t.Slots[slot].Sequence.Store(sequence) // W4
	p.newest, p.slot = sequence, slot
	t.Published.Store(sequence) // W5
	t.StreamFutex.Store(uint32(sequence))
	t.streamBell().ring()
	return sequence
}

// newestImage is that of a stream's newest frame.
func (s *Segment) newestImage() (abi.ImageInfo, error) {
	if err := s.checkTrailer(); err != nil {
		return abi.ImageInfo{}, err
	}
	for range readAttempts {
		published := s.trailer.Published.Load()
		if published == 0 {
			return abi.ImageInfo{}, abi.Errorf(abi.ENoImage, "shm: nothing has been published in stream %q yet", s.name)
		}
		slot := s.trailer.find(published, s.identity.SlotCount)
		if slot < 0 {
			continue
		}
		image := s.trailer.Slots[slot].Image.load()
		if s.trailer.Slots[slot].Sequence.Load() != published {
			continue
		}
		image, err := image.Checked()
		if err != nil || image.Bytes() > s.identity.SlotSize {
			return abi.ImageInfo{}, corrupt(s.name)
		}
		return image, nil
	}
	return abi.ImageInfo{}, abi.Errorf(abi.EBusy, "shm: the frames of %q follow each other too fast to look at one", s.name)
}
