package shm

import (
	"fmt"
	"testing"
)

// This is the protocol of internal/ring/ring.c as a machine that takes one step at a time. It has one writer after another,
// two readers and three slots. A reader reads the newest frame, or joins and then reads every frame, for which the writer
// waits; or it has no place, holds nothing, and judges afterwards whether what it has read is whole. Each party may die before any of its steps. A dead writer has a successor; the place of a dead reader is emptied.
// explore goes through every order of steps.

// The step that a party takes next. The names are those of ring.c.
const (
	atJ1 = iota // Says that it wants frame 1, so that the writer takes none from now on.
	atJ2        // Says that it reads every frame.
	atJ3        // Looks for the newest frame.
	atJ4        // Looks how far back frames are there.
	atJ5        // Says which frame it wants.
	atR1        // Looks for a frame, by the newest or by its turn.
	atR2        // Sets its bit on the slot, unless that is the writer's.
	atR3        // Looks whether the slot still has the frame.
	atE3        // Says that it wants the next frame.
	atRead
	atReadOn // Has read half of the slot.
	atR4     // Clears its bit.
	atL1     // A reader without a place: looks for a frame, by the newest or by its turn.
	atL2     // Looks whether the slot has the frame.
	atL3     // Reads half of the slot.
	atL3On   // Reads the other half.
	atL4     // Looks whether the slot has the frame still.
	deadReader
)

const (
	atW0   = iota // Chooses a slot.
	atW1          // Sets its bit on the slot, if there is no other.
	atW2          // Looks whether a reader of every frame wants what is in the slot.
	atUndo        // One does.
	atMark        // Says that the slot has no frame.
	atW3
	atW3On // Has written half of the slot.
	atW4   // Says which frame the slot has.
	atTurn // Says in which slot the frame is.
	atFree // Clears its bit.
	atW5
)

const (
	modelSlots   = 3
	modelReaders = 2
	modelFrames  = 4 // The writers stop after so many.
	modelDeaths  = 2
	writerBit    = 1 << 7
)

// A frame that is named in one word, as packed in the file.
type modelFrame struct{ sequence, slot int8 }

// The pixels of a slot are two halves. Each is the sequence of the frame that was written there.
type modelSlot struct {
	sequence, first, second int8
	holders                 uint8 // A bit for each reader, and writerBit.
}

type modelReader struct {
	at       int8
	every    bool // It reads every frame.
	looked   int8 // The newest frame, at J3.
	wanted   int8 // The frame that it looks for.
	slot     int8 // Where that is.
	half     int8 // The first half, as the reader has read it.
	other    int8 // The second half.
	read     int8 // The frame that it has read last, or the one before its first.
	promised bool // No frame from now on may be missing.
	cursor   int8 // In the file.
	inEvery  bool // In the file: its bit in the words' every.
}

type modelWriter struct {
	at, slot, tried int8
	newest          modelFrame // As the writer remembers it.
}

type modelState struct {
	published modelFrame
	turns     [modelSlots]modelFrame
	slots     [modelSlots]modelSlot
	readers   [modelReaders]modelReader
	writer    modelWriter
	deaths    int8
}

// flaws are mistakes that the protocol could have. The model must find each.
type flaws struct {
	noSecondLook     bool // R3 is left out.
	setsBitAnyway    bool // R2 does not heed the writer's bit.
	claimsAnyway     bool // W1 does not heed the readers' bits.
	publishFirst     bool // W5 comes before W3: the half-written frame is announced.
	takesNewest      bool // The newest slot may be written to.
	keepsUnpublished bool // A successor does not forget what was stored and not published. Readers would seem to want it.
	forgetsClaimed   bool // A successor takes a slot for empty that the writer before had claimed and not yet marked.
	reclaimsLiving   bool // A place is emptied though its reader lives.
	wantsNextFirst   bool // E3 comes before R2.
	noLookAfterClaim bool // W2 is left out, and the writer looks for wanted frames before W1 alone.
	joinsAtOnce      bool // J1 and J2 are left out: a reader says which frame it wants when it has found out.
	joinsAtClaimed   bool // J4 takes a frame that the writer claims.
	skipsClaimed     bool // A frame whose slot is claimed for a moment is passed over.
	noLastLook       bool // L4 is left out.
	marksLate        bool // The slot is marked by a 0 after W3, as a processor might do that has no fence between.
	marksOnlyItsOwn  bool // The last look takes a slot that is marked for one that has the frame still.
}

type model struct {
	flaws  flaws
	seen   map[modelState]bool
	reads  int
	told   int // How often a reader without a place is told that it was overtaken.
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
	if newest := s.published; newest.sequence > 0 && s.slots[newest.slot].sequence != newest.sequence {
		return nil, fmt.Sprintf("frame %d is the newest, and its slot has frame %d", newest.sequence, s.slots[newest.slot].sequence)
	}
	for i := range s.readers {
		after := s
		if wrong := m.stepReader(&after, i); wrong != "" {
			return nil, wrong
		}
		next = append(next, after)
		if s.readers[i].at != deadReader && s.deaths < modelDeaths {
			dead := s
			dead.deaths++
			// What is in the file stays.
			dead.readers[i] = modelReader{at: deadReader, cursor: s.readers[i].cursor, inEvery: s.readers[i].inEvery}
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

func (m *model) stepReader(s *modelState, i int) (wrong string) {
	r := &s.readers[i]
	bit := uint8(1) << i
	switch r.at {
	case atJ1:
		r.cursor, r.at = 1, atJ2
		if m.flaws.joinsAtOnce {
			r.cursor, r.at = 0, atJ3
		}
	case atJ2:
		r.inEvery, r.at = true, atJ3
	case atJ3:
		r.looked, r.wanted, r.at = s.published.sequence, s.published.sequence+1, atJ4
	case atJ4:
		if before := r.wanted - 1; before > 0 && r.looked-before < modelSlots && m.isThere(s, before) {
			r.wanted = before
			return ""
		}
		r.at = atJ5
	case atJ5:
		r.cursor, r.inEvery, r.promised, r.read, r.at = r.wanted, true, true, r.wanted-1, atR1
	case atR1:
		return m.lookFor(s, r)
	case atR2:
		if s.slots[r.slot].holders&writerBit != 0 && !m.flaws.setsBitAnyway {
			return m.missed(s, r)
		}
		s.slots[r.slot].holders |= bit
		r.at = atR3
		if m.flaws.noSecondLook {
			r.at = atE3
		}
	case atR3:
		if s.slots[r.slot].sequence != r.wanted {
			s.slots[r.slot].holders &^= bit
			return m.missed(s, r)
		}
		r.at = atE3
	case atE3:
		if r.every {
			r.cursor = r.wanted + 1
		}
		r.at = atRead
	case atRead:
		r.half, r.at = s.slots[r.slot].first, atReadOn
	case atReadOn:
		if second := s.slots[r.slot].second; r.half != r.wanted || second != r.wanted {
			return fmt.Sprintf("a reader of frame %d got halves of %d and %d", r.wanted, r.half, second)
		}
		if r.wanted <= r.read || r.promised && r.wanted != r.read+1 {
			return fmt.Sprintf("a reader got frame %d after frame %d", r.wanted, r.read)
		}
		m.reads++
		r.read, r.at = r.wanted, atR4
	case atR4:
		s.slots[r.slot].holders &^= bit
		r.at, r.wanted, r.slot, r.half = atR1, 0, 0, 0
	case atL1:
		m.lookWithoutPlace(s, r)
	case atL2:
		if r.at = atL3; s.slots[r.slot].sequence != r.wanted {
			r.passOn(s)
		}
	case atL3:
		r.half, r.at = s.slots[r.slot].first, atL3On
	case atL3On:
		r.other, r.at = s.slots[r.slot].second, atL4
	case atL4:
		return m.judge(s, r)
	}
	return ""
}

// lookWithoutPlace is L1. The writer may be ahead of a reader of every frame, who goes on with the oldest that may be there.
func (m *model) lookWithoutPlace(s *modelState, r *modelReader) {
	newest := s.published
	if newest.sequence <= r.read {
		return
	}
	if !r.every {
		r.wanted, r.slot, r.at = newest.sequence, newest.slot, atL2
		return
	}
	wanted := max(r.read+1, newest.sequence-modelSlots+1)
	if turn := s.turns[wanted%modelSlots]; turn.sequence == wanted {
		r.wanted, r.slot, r.at = wanted, turn.slot, atL2
	} else if wanted < newest.sequence {
		r.read = wanted
	}
}

// passOn ends the reading of a frame. A reader of every frame goes on with the next one if this one is gone.
func (r *modelReader) passOn(s *modelState) {
	if r.every && r.wanted < s.published.sequence {
		r.read = r.wanted
	}
	r.at, r.wanted, r.slot, r.half, r.other = atL1, 0, 0, 0, 0
}

// judge is L4: the reader is told that it was overtaken, or what it has read is the frame.
func (m *model) judge(s *modelState, r *modelReader) (wrong string) {
	now := s.slots[r.slot].sequence
	if now != r.wanted && !m.flaws.noLastLook && !(m.flaws.marksOnlyItsOwn && now == 0) {
		m.told++
		r.passOn(s)
		return ""
	}
	if r.half != r.wanted || r.other != r.wanted {
		return fmt.Sprintf("a reader without a place judged frame %d whole, and got halves of %d and %d", r.wanted, r.half, r.other)
	}
	m.reads++
	r.read = r.wanted
	r.passOn(s)
	return ""
}

// isThere tells if a frame is there that the writer does not claim.
func (m *model) isThere(s *modelState, sequence int8) bool {
	turn := s.turns[sequence%modelSlots]
	claimed := s.slots[turn.slot].holders&writerBit != 0 && !m.flaws.joinsAtClaimed
	return turn.sequence == sequence && !claimed && s.slots[turn.slot].sequence == sequence
}

// lookFor is R1, and for a reader of every frame E1 and E2.
func (m *model) lookFor(s *modelState, r *modelReader) (wrong string) {
	if !r.every {
		if s.published.sequence <= r.read {
			return ""
		}
		r.wanted, r.slot, r.at = s.published.sequence, s.published.slot, atR2
		return ""
	}
	wanted := r.read + 1
	if wanted > s.published.sequence {
		return ""
	}
	turn := s.turns[wanted%modelSlots]
	if turn.sequence != wanted {
		return fmt.Sprintf("frame %d is wanted, and in its turn is %d", wanted, turn.sequence)
	}
	r.wanted, r.slot, r.at = wanted, turn.slot, atR2
	if m.flaws.wantsNextFirst {
		r.cursor = wanted + 1
	}
	return ""
}

// missed is what a reader does whose slot is claimed, or has another frame.
func (m *model) missed(s *modelState, r *modelReader) (wrong string) {
	if r.every && (m.flaws.skipsClaimed || s.slots[r.slot].sequence != r.wanted) {
		return fmt.Sprintf("frame %d is gone before its reader had it", r.wanted)
	}
	r.at, r.wanted, r.slot = atR1, 0, 0
	return ""
}

// awaited tells if a reader of every frame has not had what is in a slot.
func (s *modelState) awaited(slot int8) bool {
	sequence := s.slots[slot].sequence
	for i := range s.readers {
		if r := &s.readers[i]; r.inEvery && sequence > 0 && r.cursor <= sequence {
			return true
		}
	}
	return false
}

// forgetTheDead empties the places of dead readers.
func (m *model) forgetTheDead(s *modelState) {
	for i := range s.readers {
		if r := &s.readers[i]; r.at == deadReader || m.flaws.reclaimsLiving {
			r.inEvery, r.cursor = false, 0
			for slot := range s.slots {
				s.slots[slot].holders &^= 1 << i
			}
		}
	}
}

func (m *model) stepWriter(s *modelState) {
	w := &s.writer
	slot := &s.slots[w.slot]
	next := w.newest.sequence + 1
	switch w.at {
	case atW0:
		if w.newest.sequence == modelFrames {
			return
		}
		w.slot = (w.newest.slot + 1 + w.tried + modelSlots) % modelSlots
		w.tried = (w.tried + 1) % modelSlots
		if w.tried == 0 { // It has tried all slots.
			m.forgetTheDead(s)
		}
		if w.slot == w.newest.slot && w.newest.sequence > 0 && !m.flaws.takesNewest || s.awaited(w.slot) {
			m.refuse++
			return
		}
		w.at = atW1
	case atW1:
		if slot.holders&^writerBit != 0 && !m.flaws.claimsAnyway {
			w.at = atW0
			return
		}
		slot.holders |= writerBit
		w.at = atW2
		if m.flaws.noLookAfterClaim {
			w.at = atMark
		}
	case atW2:
		w.at = atMark
		if m.flaws.marksLate {
			w.at = atW3
		}
		if s.awaited(w.slot) {
			w.at = atUndo
		}
	case atUndo:
		slot.holders &^= writerBit
		w.at = atW0
	case atMark:
		slot.sequence, w.at = 0, atW3
		if m.flaws.publishFirst || m.flaws.marksLate {
			w.at = atW4
		}
	case atW3:
		slot.first, w.at = next, atW3On
	case atW3On:
		slot.second, w.at = next, atW4
		if m.flaws.marksLate {
			w.at = atMark
		}
		if m.flaws.publishFirst {
			w.published()
		}
	case atW4:
		slot.sequence, w.at = next, atTurn
	case atTurn:
		s.turns[next%modelSlots] = modelFrame{next, w.slot}
		w.at = atFree
	case atFree:
		slot.holders &^= writerBit
		w.at = atW5
	case atW5:
		s.published = modelFrame{next, w.slot}
		if m.flaws.publishFirst {
			w.at = atW3
			return
		}
		w.published()
	}
}

// published makes the writer begin the next frame.
func (w *modelWriter) published() {
	*w = modelWriter{at: atW0, newest: modelFrame{w.newest.sequence + 1, w.slot}}
}

// succeed puts the next writer in the place of a dead one, as shmcv_ring_take_over does.
func (m *model) succeed(s *modelState) {
	for i := range s.slots {
		slot := &s.slots[i]
		if slot.sequence > s.published.sequence && !m.flaws.keepsUnpublished || m.flaws.forgetsClaimed && slot.holders&writerBit != 0 {
			slot.sequence = 0
		}
		slot.holders &^= writerBit
	}
	newest := modelFrame{s.published.sequence, -1}
	if newest.sequence > 0 && s.slots[s.published.slot].sequence == newest.sequence {
		newest.slot = s.published.slot
	}
	s.writer = modelWriter{newest: newest}
}

type modelAudience struct {
	name    string
	readers [modelReaders]modelReader
}

// audiences are the readers that the model is explored with, those with the fewest states first.
var audiences = []modelAudience{
	{"two without a place", [modelReaders]modelReader{{at: atL1}, {at: atL1, every: true}}},
	{"newest, and newest without a place", [modelReaders]modelReader{{at: atR1}, {at: atL1}}},
	{"every, and every without a place", [modelReaders]modelReader{{at: atJ1, every: true}, {at: atL1, every: true}}},
	{"newest and newest", [modelReaders]modelReader{{at: atR1}, {at: atR1}}},
	{"newest and every", [modelReaders]modelReader{{at: atR1}, {at: atJ1, every: true}}},
	{"every and every", [modelReaders]modelReader{{at: atJ1, every: true}, {at: atJ1, every: true}}},
}

func exploreWith(flaws flaws, audience modelAudience) (*model, string) {
	m := &model{flaws: flaws, seen: map[modelState]bool{}}
	return m, m.explore(modelState{writer: modelWriter{newest: modelFrame{0, -1}}, readers: audience.readers})
}

func TestNoOrderOfStepsTearsOrLosesAFrame(t *testing.T) {
	for _, audience := range audiences {
		t.Run(audience.name, func(t *testing.T) {
			m, wrong := exploreWith(flaws{}, audience)
			if wrong != "" {
				t.Fatal(wrong)
			}
			t.Logf("%d states, frames read to the end in %d of them, and overtaken in %d", len(m.seen), m.reads, m.told)
			if m.reads == 0 {
				t.Error("no frame was ever read")
			}
			if without := audience.readers[1].at == atL1; without != (m.told > 0) {
				t.Errorf("readers were overtaken in %d states", m.told)
			}
		})
	}
}

// In each state a living writer finds a slot, if no reader moves, and living readers neither hold nor want every slot.
func TestNoOrderOfStepsLeavesTheWriterStuck(t *testing.T) {
	for _, audience := range audiences {
		t.Run(audience.name, func(t *testing.T) {
			m, _ := exploreWith(flaws{}, audience)
			if wrong := m.stuck(); wrong != "" {
				t.Fatal(wrong)
			}
		})
	}
}

// stuck goes through the states that were explored, and tells in which one the writer does not get on, "" for none.
func (m *model) stuck() string {
	for state := range m.seen {
		if state.writer.newest.sequence == modelFrames || !state.leavesRoom() {
			continue
		}
		before := state
		for range 100 {
			m.stepWriter(&state)
			if state.published.sequence > before.published.sequence {
				break
			}
		}
		if state.published == before.published {
			return fmt.Sprintf("the writer does not get on from %+v", before)
		}
	}
	return ""
}

// leavesRoom tells if there is a slot that no living reader holds or wants, besides the newest frame's.
func (s modelState) leavesRoom() bool {
	(&model{}).forgetTheDead(&s)
	for i := range s.slots {
		slot, unpublished := int8(i), s.slots[i].sequence > s.published.sequence
		if slot != s.writer.newest.slot && s.slots[i].holders&^writerBit == 0 && (unpublished || !s.awaited(slot)) {
			return true
		}
	}
	return false
}

func TestModelFindsWhatEachCheckPrevents(t *testing.T) {
	for name, flaws := range map[string]flaws{
		"no second look":                 {noSecondLook: true},
		"bit set on the writer's slot":   {setsBitAnyway: true},
		"slot claimed that is held":      {claimsAnyway: true},
		"published before written":       {publishFirst: true},
		"newest slot written to":         {takesNewest: true},
		"unpublished frame kept":         {keepsUnpublished: true},
		"claimed frame forgotten":        {forgetsClaimed: true},
		"living reader's place emptied":  {reclaimsLiving: true},
		"next frame wanted before held":  {wantsNextFirst: true},
		"no look after the claim":        {noLookAfterClaim: true},
		"joined without a word before":   {joinsAtOnce: true},
		"joined at a claimed frame":      {joinsAtClaimed: true},
		"frame passed over that is back": {skipsClaimed: true},
		"no last look without a place":   {noLastLook: true},
		"slot marked after the pixels":   {marksLate: true},
		"last look takes a mark for it":  {marksOnlyItsOwn: true},
	} {
		t.Run(name, func(t *testing.T) {
			for _, audience := range audiences {
				m, wrong := exploreWith(flaws, audience)
				if wrong == "" {
					wrong = m.stuck()
				}
				if wrong != "" {
					t.Log(wrong)
					return
				}
			}
			t.Error("the model finds nothing wrong with it")
		})
	}
}
