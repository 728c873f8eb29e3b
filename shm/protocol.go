package shm

import (
	"runtime"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// A writer and readers agree on slots by the following steps, without waiting for each other. protocol_test.go goes
// through all orders in which the steps can happen. It has the same names for them: a change of a step here is a
// change there.
//
// The reader:
//
//	R0  takes the lock of a lease, or has kept one
//	R1  reads Published, and finds the slot that has this sequence
//	R2  stores its lease: slot and sequence
//	R3  reads the slot's sequence: if it is the same, the slot is the reader's until R4; else the reader clears the
//	    lease and begins again
//	R4  clears the lease
//	R5  gives the lock of the lease back, or keeps it for its next frame
//
// The writer, on a slot other than the newest:
//
//	W1  stores 0 as the slot's sequence
//	W2  reads all leases: if none is on this slot, the slot is the writer's; else the writer stores the old sequence
//	    again and tries another slot
//	W3  writes pixels, image and time
//	W4  stores the new sequence in the slot
//	W5  stores it in Published, and wakes all who sleep
//
// All of these are sequentially consistent. So either R3 sees what W1 stored, and the reader gives the slot up; or W2
// sees what R2 stored, and the writer gives it up. If both give it up, neither has the slot, which harms nobody.

// leaseAttempts is how often a reader begins again. It begins again when the writer has published as many frames as
// there are slots since R1, so more than a few attempts mean that the reader was stopped for a while each time.
const leaseAttempts = 10000

// leaseHolder is what a lease holds while this process reads a slot.
func leaseHolder(slot int) uint64 { return uint64(slot+1)<<32 | uint64(sys.ProcessID()) }

// isFor returns true if the lease is on a slot.
func (l *lease) isFor(slot int) bool { return l.Holder.Load()>>32 == uint64(slot)+1 }

// find gives the slot that has a sequence, -1 if none has it.
func (t *trailer) find(sequence uint64, slots uint32) int {
	for i := range int(slots) {
		if t.Slots[i].Sequence.Load() == sequence {
			return i
		}
	}
	return -1
}

// lease leases the slot with the newest frame. The caller has the lock of the entry, which is the number of a lease. It
// returns false if no slot has the frame that Published names; a writer of this library never leaves the slots so.
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

// claimSlot takes a slot to write to, which is never that of the newest frame. The caller is the writer and holds the
// mutex.
//
// It tries the slots in a ring, beginning with the oldest frame's, which leaves readers the longest time from R1 to R3.
// It looks for leases of dead readers only if living readers leave no slot, because that takes a system call per lease.
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

// claim takes a slot, and returns true, if no reader leases it.
func (s *Stream) claim(slot int, reclaim bool) bool {
	if s.leased(slot, reclaim) { // Looked at before W1, after which readers between R1 and R3 would have to begin again.
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

// leased returns true if a reader holds a lease on a slot. With reclaim it clears the leases of dead readers first.
func (s *Stream) leased(slot int, reclaim bool) bool {
	for entry := range s.trailer.Leases {
		if s.trailer.Leases[entry].isFor(slot) && !(reclaim && s.reclaim(entry)) {
			return true
		}
	}
	return false
}

// reclaim clears a lease, and returns true, if no living reader holds it. It has the lease's lock meanwhile, so that no
// reader takes the lease just then and loses it.
func (s *Stream) reclaim(entry int) bool {
	p := &s.parties
	if p.used[entry] {
		return false
	}
	if p.spare != entry {
		if taken, _ := s.file.Lock(lockLease + entry); !taken {
			return false
		}
		defer s.file.Unlock(lockLease + entry)
	}
	s.trailer.Leases[entry].Holder.Store(0)
	return true
}

// noLease stands for no lease where the number of one is expected.
const noLease = -1

// takeLease is R0. It gives the number of a lease that nobody uses. This process has its lock then.
//
// It begins with the lease that this process had last: each lease that another process holds costs a system call.
func (s *Stream) takeLease() (int, error) {
	p := &s.parties
	p.mu.Lock()
	defer p.mu.Unlock()
	if entry := p.spare; entry != noLease {
		p.spare, p.used[entry] = noLease, true
		return entry, nil
	}
	for i := range leaseCount {
		entry := (p.last + i) % leaseCount
		if p.used[entry] {
			continue
		}
		taken, err := s.file.Lock(lockLease + entry)
		if err != nil {
			return 0, err
		}
		if taken {
			p.last, p.used[entry] = entry, true
			return entry, nil
		}
	}
	return 0, abi.Errorf(abi.EBusy, "shm: 64 frames of %q or more are being read, which is as many as can be; close some", s.name)
}

// giveLease is R4 and R5.
func (s *Stream) giveLease(entry int) {
	p := &s.parties
	p.mu.Lock()
	defer p.mu.Unlock()
	// Deferred because the memory may be gone. The lock goes after the lease is cleared: the next reader may store its
	// lease as soon as the lock is free.
	defer func() {
		p.used[entry] = false
		if p.spare == noLease && entry < keptLeases {
			p.spare = entry
			return
		}
		s.file.Unlock(lockLease + entry)
	}()
	s.trailer.Leases[entry].Holder.Store(0)
}

// announce publishes the frame in a slot that was claimed. The caller is the writer and holds the mutex.
func (s *Stream) announce(slot int, image abi.ImageInfo) uint64 {
	t, p := s.trailer, &s.parties
	sequence := p.newest + 1
	t.Slots[slot].Image.store(image)
	t.Slots[slot].Time.Store(sys.Monotonic())
	t.Slots[slot].Sequence.Store(sequence) // W4
	p.newest, p.slot = sequence, slot
	t.Published.Store(sequence) // W5
	s.bell.Ring(uint32(sequence))
	return sequence
}

// newestImage gives the image of a stream's newest frame.
func (m *mapping) newestImage() (abi.ImageInfo, error) {
	if err := m.checkTrailer(); err != nil {
		return abi.ImageInfo{}, err
	}
	for range readAttempts {
		published := m.trailer.Published.Load()
		if published == 0 {
			return abi.ImageInfo{}, abi.Errorf(abi.ENoImage, "shm: nothing has been published in stream %q yet", m.name)
		}
		slot := m.trailer.find(published, m.identity.SlotCount)
		if slot < 0 {
			continue
		}
		image := m.trailer.Slots[slot].Image.load()
		if m.trailer.Slots[slot].Sequence.Load() != published {
			continue
		}
		return checkedImage(image, m.identity.SlotSize, m.name)
	}
	return abi.ImageInfo{}, abi.Errorf(abi.EBusy, "shm: the frames of %q follow each other too fast to look at one", m.name)
}
