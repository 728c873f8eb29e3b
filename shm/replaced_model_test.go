package shm

import "testing"

// This is how a reader learns that another stream has the name of its own, as a machine that takes one step at a time. One
// process clears the name, another one gives the name to its stream, and the writer of the first stream may go on meanwhile.
// The reader sleeps on the bell, which both ring. The process that clears may die before any of its steps.
//
// A reader looks at the name every 100 ms besides, which would hide every mistake here. So the sleep of a reader that has no
// reason to look again soon has no end in this machine, unless the bell wakes the reader.

// The step that the reader takes next; N1 to N3 are those of Stream.take.
const (
	atN1      = iota // Looks for a frame.
	atMarked         // Looks whether the stream is cleared.
	atN2             // Looks at the name.
	atN3             // Looks for a frame once more.
	atListen1        // Sets the bell's mark.
	atListen2        // Reads the bell's value.
	atListen3        // Looks whether the mark is still there, and looks for everything again.
	atFallAsleep
	asleep      // Until it is woken.
	asleepShort // For a few milliseconds.
	toldReader
)

// What those do who ring the bell: a step of their own each, and then these three.
const (
	atStep     = iota
	atTakeMark // Takes the bell's mark.
	atBell     // Changes the bell's value.
	atWake     // Wakes who sleeps, if there was a mark.
	ringerDone
)

const (
	nameOwn = iota
	nameGone
	nameOther
)

type ringer struct {
	at    int8
	left  int8 // Steps of its own that are left.
	wakes bool // There was a mark.
	dead  bool
}

type namingState struct {
	published, lastBefore int8 // The newest frame; and that at the moment when the other stream got the name.
	cleared, marked       bool
	bell, name            int8
	writer, clearer       ringer
	reader                struct {
		at, read, heard  int8
		listened, looked bool // It has set the mark; it has found the stream cleared in this look.
	}
}

// namingFlaws are mistakes that the rules could have. The model must find each.
type namingFlaws struct {
	noLastLook     bool // N3 is left out.
	clearsUnmarked bool // Who clears rings the bell alone.
	ringsFirst     bool // Who clears marks the stream after the bell.
	ignoresMark    bool // The look before the sleep is for frames alone.
	sleepsLong     bool // A reader that finds no name sleeps as others do.
	sleepsUnseen   bool // There is no look after the bell's value was read.
	takesMarkLate  bool // The bell's value changes before the mark is taken.
	trustsMark     bool // A reader does not look whether the mark is still there.
}

func (s namingState) next(flaws namingFlaws) (all []namingState, wrong string) {
	add := func(change func(s *namingState)) {
		after := s
		change(&after)
		all = append(all, after)
	}
	s.ring(&all, flaws, func(s *namingState) *ringer { return &s.writer }, func(s *namingState, _ int8) { s.published++ })
	s.ring(&all, flaws, func(s *namingState) *ringer { return &s.clearer }, func(s *namingState, left int8) {
		switch {
		case left == 2:
			s.name = nameGone
		case !flaws.clearsUnmarked && !flaws.ringsFirst:
			s.cleared = true
		}
	})
	if flaws.ringsFirst && s.clearer.at == ringerDone && !s.clearer.dead && !s.cleared {
		add(func(s *namingState) { s.cleared = true })
	}
	if s.clearer.at != ringerDone {
		add(func(s *namingState) { s.clearer = ringer{at: ringerDone, dead: true} })
	}
	if s.name == nameGone {
		add(func(s *namingState) { s.name, s.lastBefore = nameOther, s.published })
	}
	read := func(next int8) func(s *namingState) {
		return func(s *namingState) {
			r := &s.reader
			if s.published > r.read {
				r.read, r.at, r.listened = s.published, atN1, false
				return
			}
			r.at = next
		}
	}
	r := s.reader
	switch r.at {
	case atN1:
		add(read(atMarked))
	case atMarked:
		add(func(s *namingState) {
			s.reader.looked = s.cleared && !(flaws.ignoresMark && r.listened)
			switch {
			case s.reader.looked:
				s.reader.at = atN2
			case r.listened:
				s.reader.at = atFallAsleep
			default:
				s.reader.at = atListen1
			}
		})
	case atN2:
		add(func(s *namingState) {
			switch {
			case s.name == nameOther && flaws.noLastLook:
				s.reader.at = toldReader
			case s.name == nameOther:
				s.reader.at = atN3
			case r.listened:
				s.reader.at = atFallAsleep
			default:
				s.reader.at = atListen1
			}
		})
	case atN3:
		add(read(toldReader))
	case atListen1:
		add(func(s *namingState) { s.marked, s.reader.at = true, atListen2 })
	case atListen2:
		add(func(s *namingState) { s.reader.heard, s.reader.at = s.bell, atListen3 })
	case atListen3:
		add(func(s *namingState) {
			switch {
			case !s.marked && !flaws.trustsMark:
				s.reader.at = atListen1
			case flaws.sleepsUnseen:
				s.reader.at = atFallAsleep
			default:
				s.reader.at, s.reader.listened = atN1, true
			}
		})
	case atFallAsleep:
		add(func(s *namingState) {
			s.reader.at = asleep
			if r.looked && !flaws.sleepsLong {
				s.reader.at = asleepShort
			}
			if s.bell != r.heard {
				s.reader.at = atN1
			}
			s.reader.listened, s.reader.heard = false, 0
		})
	case asleepShort:
		add(func(s *namingState) { s.reader.at = atN1 })
	case toldReader:
		if r.read < s.lastBefore {
			return nil, "a reader was told, and has not had a frame that was there before"
		}
	}
	if len(all) == 0 && r.at != toldReader && !s.clearer.dead && (s.name == nameOther || r.read < s.published) {
		return nil, "a reader sleeps, and there is a frame, or another stream has the name"
	}
	return all, ""
}

// ring adds the step of who rings the bell after steps of its own.
func (s namingState) ring(all *[]namingState, flaws namingFlaws, which func(s *namingState) *ringer, step func(s *namingState, left int8)) {
	r := which(&s) // s is a copy.
	switch r.at {
	case atStep:
		step(&s, r.left)
		r.left--
		if r != &s.clearer || r.left == 0 { // Who clears has two steps before the bell, and the writer has a bell for each frame.
			r.at = atTakeMark
			if flaws.takesMarkLate {
				r.at = atBell
			}
		}
	case atTakeMark:
		r.wakes, s.marked, r.at = s.marked, false, atBell
		if flaws.takesMarkLate {
			r.at = atWake
		}
	case atBell:
		s.bell++
		r.at = atWake
		if flaws.takesMarkLate {
			r.at = atTakeMark
		}
	case atWake:
		if r.wakes && (s.reader.at == asleep || s.reader.at == asleepShort) {
			s.reader.at = atN1
		}
		r.at, r.wakes = r.after(), false
	default:
		return
	}
	*all = append(*all, s)
}

func (r ringer) after() int8 {
	if r.left > 0 {
		return atStep
	}
	return ringerDone
}

func exploreNaming(flaws namingFlaws) (states, told int, wrong string) {
	start := namingState{writer: ringer{left: 2}, clearer: ringer{left: 2}}
	seen, pending := map[namingState]bool{start: true}, []namingState{start}
	for len(pending) > 0 {
		state := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		next, wrong := state.next(flaws)
		if wrong != "" {
			return len(seen), told, wrong
		}
		if state.reader.at == toldReader {
			told++
		}
		for _, s := range next {
			if !seen[s] {
				seen[s] = true
				pending = append(pending, s)
			}
		}
	}
	return len(seen), told, ""
}

func TestNoOrderOfStepsHidesAReplacement(t *testing.T) {
	states, told, wrong := exploreNaming(namingFlaws{})
	if wrong != "" {
		t.Fatal(wrong)
	}
	t.Logf("%d states, the reader is told in %d of them", states, told)
	if told == 0 {
		t.Error("no reader was ever told")
	}
}

func TestModelFindsWhatEachRuleOfNamesPrevents(t *testing.T) {
	for name, flaws := range map[string]namingFlaws{
		"no last look":                  {noLastLook: true},
		"cleared without a mark":        {clearsUnmarked: true},
		"bell rung before the mark":     {ringsFirst: true},
		"mark ignored before the sleep": {ignoresMark: true},
		"long sleep without a name":     {sleepsLong: true},
		"no look after listening":       {sleepsUnseen: true},
		"mark taken after the bell":     {takesMarkLate: true},
		"mark that is taken is trusted": {trustsMark: true},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, wrong := exploreNaming(flaws)
			if wrong == "" {
				t.Fatal("the model finds nothing wrong with it")
			}
			t.Log(wrong)
		})
	}
}
