package shm

import (
	"fmt"
	"testing"
)

// This is the slot protocol of protocol.go as a machine that takes one step at a time. It has one writer after another,
// two readers and three slots. Each party may die before any of its steps. A dead writer has a successor; the lease of
// a dead reader is reclaimed. explore goes through every order of steps.

// The step that a party takes next. The names are those of protocol.go; R0 may be passed with a lock that was kept.
const (
	atR0 = iota
	atR1
	atR2 // Has found the newest slot.
	atR3 // Has stored its lease.
	atRead
	atReadOn // Has read half of the slot.
	atR4
	atR5
	deadReader
)

const (
	atW0 = iota // Chooses a slot.
	atW1
	atW2
	atUndo // Has found a lease in W2.
	atW3   // The slot is the writer's.
	atW3On // Has written half of the slot.
	atW4
	atW5
)

const (
	modelSlots   = 3
	modelReaders = 2
	modelLeases  = 2
	modelFrames  = 5 // The writers stop after so many.
	modelDeaths  = 2
)

// The pixels of a slot are two halves. Each is the sequence of the frame that was written there.
type modelSlot struct{ sequence, first, second int8 }

type modelReader struct {
	at, slot int8
	sequence int8 // Of the frame that the reader looks for.
	half     int8 // The first half, as the reader has read it.
	lease    int8 // The lease whose lock it has, plus 1; 0 for none.
}

type modelLease struct {
	slot int8 // The slot that is leased, plus 1, as in the file.
	lock int8 // The reader that has the lock, plus 1; 0 if it is free. The kernel frees the lock of a dead reader.
}

type modelWriter struct {
	at, slot, tried  int8
	old              int8
	newest, newestAt int8 // As the writer remembers them.
	next             int8 // The lease to look at next in W2.
}

type modelState struct {
	published int8
	slots     [modelSlots]modelSlot
	readers   [modelReaders]modelReader
	leases    [modelLeases]modelLease
	writer    modelWriter
	deaths    int8
}

// flaws are mistakes that the protocol could have. The model must find each.
type flaws struct {
	noSecondLook     bool // R3 is left out.
	leaseAfterLook   bool // R3 comes before R2.
	scanBeforeMark   bool // W2 comes before W1.
	publishFirst     bool // W5 comes before W3: the half-written frame is announced.
	takesNewest      bool // The newest slot may be written to.
	keepsUnpublished bool // A successor does not forget what was stored and not published.
	reclaimsLiving   bool // A lease is reclaimed though its reader lives.
	unlocksFirst     bool // R5 comes before R4.
}

type model struct {
	flaws  flaws
	seen   map[modelState]bool
	reads  int
	refuse int
}

// explore goes through all states that can follow from a state, and tells which mistake it found, "" for none.
func (m *model) explore(start modelState) string {
	pending := []modelState{start}
	m.seen[start] = true
	for len(pending) > 0 {
		state := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		next, wrong := m.steps(state)
		if wrong != "" {
			return wrong
		}
		for _, s := range next {
			if !m.seen[s] {
				m.seen[s] = true
				pending = append(pending, s)
			}
		}
	}
	return ""
}

func (m *model) steps(s modelState) (next []modelState, wrong string) {
	for i := range s.readers {
		after := s
		if wrong := m.stepReader(&after, i); wrong != "" {
			return nil, wrong
		}
		next = append(next, after)
		if s.readers[i].at == atR5 { // It may keep the lock instead.
			kept := s
			kept.readers[i] = modelReader{at: atR0, lease: s.readers[i].lease}
			next = append(next, kept)
		}
		if s.readers[i].at != deadReader && s.deaths < modelDeaths {
			dead := s
			dead.deaths++
			dead.unlock(i)
			dead.readers[i] = modelReader{at: deadReader}
			next = append(next, dead)
		}
	}
	after := s
	m.stepWriter(&after)
	next = append(next, after)
	if s.writer.at != atW0 && s.deaths < modelDeaths {
		dead := s
		dead.deaths++
		m.succeed(&dead)
		next = append(next, dead)
	}
	return next, ""
}

// unlock frees the lock that a reader has, if any.
func (s *modelState) unlock(reader int) {
	for i := range s.leases {
		if s.leases[i].lock == int8(reader)+1 {
			s.leases[i].lock = 0
		}
	}
}

func (m *model) stepReader(s *modelState, i int) (wrong string) {
	r := &s.readers[i]
	switch r.at {
	case atR0:
		for lease := 0; r.lease == 0 && lease < modelLeases; lease++ {
			if s.leases[lease].lock == 0 {
				s.leases[lease].lock, r.lease = int8(i)+1, int8(lease)+1
			}
		}
		if r.lease != 0 {
			r.at = atR1
		}
	case atR1:
		if s.published == 0 {
			return ""
		}
		r.sequence, r.slot = s.published, -1
		for slot := range s.slots {
			if s.slots[slot].sequence == s.published {
				if r.slot >= 0 {
					return fmt.Sprintf("two slots have frame %d", s.published)
				}
				r.slot = int8(slot)
			}
		}
		if r.slot < 0 {
			return fmt.Sprintf("no slot has frame %d, which is published", s.published)
		}
		r.at = atR2
		if m.flaws.leaseAfterLook {
			r.at = atR3
		}
	case atR2:
		s.leases[r.lease-1].slot = r.slot + 1
		r.at = atR3
		if m.flaws.noSecondLook || m.flaws.leaseAfterLook {
			r.at = atRead
		}
	case atR3:
		switch {
		case s.slots[r.slot].sequence != r.sequence:
			s.leases[r.lease-1].slot = 0
			*r = modelReader{at: atR1, lease: r.lease}
		case m.flaws.leaseAfterLook:
			r.at = atR2
		default:
			r.at = atRead
		}
	case atRead:
		r.half, r.at = s.slots[r.slot].first, atReadOn
	case atReadOn:
		if second := s.slots[r.slot].second; r.half != r.sequence || second != r.sequence {
			return fmt.Sprintf("a reader of frame %d got halves of %d and %d", r.sequence, r.half, second)
		}
		m.reads++
		r.at = atR4
		if m.flaws.unlocksFirst {
			s.unlock(i)
		}
	case atR4:
		s.leases[r.lease-1].slot = 0
		r.at = atR5
		if m.flaws.unlocksFirst {
			*r = modelReader{at: atR0}
		}
	case atR5:
		s.unlock(i)
		*r = modelReader{at: atR0}
	case deadReader: // isLeased clears its lease.
	}
	return ""
}

// isLeased looks at one lease in W2. It reclaims a lease whose lock is free: that of a dead reader.
func (m *model) isLeased(s *modelState, lease, slot int8) bool {
	l := &s.leases[lease]
	if l.slot != slot+1 {
		return false
	}
	if l.lock == 0 || m.flaws.reclaimsLiving {
		l.slot = 0
		return false
	}
	return true
}

func (m *model) stepWriter(s *modelState) {
	w := &s.writer
	switch w.at {
	case atW0:
		if w.newest == modelFrames {
			return
		}
		slot := (w.newestAt + 1 + w.tried + modelSlots) % modelSlots
		w.tried = (w.tried + 1) % modelSlots
		if slot == w.newestAt && w.newest > 0 && !m.flaws.takesNewest {
			m.refuse++
			return
		}
		w.slot, w.next, w.at = slot, 0, atW1
		if m.flaws.scanBeforeMark {
			w.at = atW2
		}
	case atW1:
		w.old = s.slots[w.slot].sequence
		s.slots[w.slot].sequence = 0
		w.at = atW2
		if m.flaws.scanBeforeMark {
			w.at = atW3
		}
	case atW2:
		if m.isLeased(s, w.next, w.slot) {
			w.at = atUndo
			if m.flaws.scanBeforeMark {
				w.at = atW0
			}
			return
		}
		if w.next++; w.next < modelLeases {
			return
		}
		w.at = atW3
		if m.flaws.scanBeforeMark {
			w.at = atW1
		}
		if m.flaws.publishFirst && w.at == atW3 {
			w.at = atW4
		}
	case atUndo:
		s.slots[w.slot].sequence = w.old
		w.at = atW0
	case atW3:
		s.slots[w.slot].first = w.newest + 1
		w.at = atW3On
	case atW3On:
		s.slots[w.slot].second = w.newest + 1
		w.at = atW4
		if m.flaws.publishFirst {
			w.newest, w.newestAt, w.tried, w.at = w.newest+1, w.slot, 0, atW0
		}
	case atW4:
		s.slots[w.slot].sequence = w.newest + 1
		w.at = atW5
	case atW5:
		s.published = w.newest + 1
		if m.flaws.publishFirst {
			w.at = atW3
			return
		}
		w.newest, w.newestAt, w.tried, w.at = w.newest+1, w.slot, 0, atW0
	}
}

// succeed puts the next writer in the place of a dead one, as takeOver in stream.go does.
func (m *model) succeed(s *modelState) {
	s.writer = modelWriter{newest: s.published, newestAt: -1}
	for i := range s.slots {
		if s.slots[i].sequence > s.published && !m.flaws.keepsUnpublished {
			s.slots[i].sequence = 0
		}
		if s.slots[i].sequence == s.published && s.published > 0 {
			s.writer.newestAt = int8(i)
		}
	}
}

func exploreWith(flaws flaws) (*model, string) {
	m := &model{flaws: flaws, seen: map[modelState]bool{}}
	return m, m.explore(modelState{writer: modelWriter{newestAt: -1}})
}

func TestNoOrderOfStepsTearsAFrame(t *testing.T) {
	m, wrong := exploreWith(flaws{})
	if wrong != "" {
		t.Fatal(wrong)
	}
	t.Logf("%d states, frames read to the end in %d of them", len(m.seen), m.reads)
	if m.reads == 0 {
		t.Error("no frame was ever read")
	}
}

// In each state a living writer finds a slot, if no reader moves and living readers do not hold every slot.
func TestNoOrderOfStepsLeavesTheWriterStuck(t *testing.T) {
	m, _ := exploreWith(flaws{})
	for state := range m.seen {
		if state.writer.newest == modelFrames {
			continue
		}
		held := map[int8]bool{state.writer.newestAt: true}
		for _, l := range state.leases {
			if l.lock != 0 && l.slot > 0 {
				held[l.slot-1] = true
			}
		}
		if len(held) == modelSlots+1 || len(held) == modelSlots && !held[-1] {
			continue
		}
		before := state
		for range 100 {
			m.stepWriter(&state)
			if state.published > before.published {
				break
			}
		}
		if state.published == before.published {
			t.Fatalf("the writer does not get on from %+v", before)
		}
	}
}

func TestModelFindsWhatEachCheckPrevents(t *testing.T) {
	for name, flaws := range map[string]flaws{
		"no second look":              {noSecondLook: true},
		"lease after the second look": {leaseAfterLook: true},
		"leases read before marking":  {scanBeforeMark: true},
		"published before written":    {publishFirst: true},
		"newest slot written to":      {takesNewest: true},
		"unpublished frame kept":      {keepsUnpublished: true},
		"living reader reclaimed":     {reclaimsLiving: true},
		"unlocked before cleared":     {unlocksFirst: true},
	} {
		t.Run(name, func(t *testing.T) {
			if _, wrong := exploreWith(flaws); wrong == "" {
				t.Error("the model finds nothing wrong with it")
			} else {
				t.Log(wrong)
			}
		})
	}
}
