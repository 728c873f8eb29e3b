package sys

import (
	"testing"
)

// This is the life of a name of Windows as a machine that takes one step at a time (names_windows.go, file_windows.go). A section
// and an event end with the last process that has them open; the small file stays until somebody removes it. Two processes open
// and close a segment that one of them has made, and a third one makes another of that name as soon as it can. Each may be killed
// before any of its steps.

const (
	aliveRest  = iota
	aliveProbe // Has found the small file, and looks whether there is the event: has it open for a moment.
	aliveLook  // Has that event open.
	aliveEvent // Opens the event.
	aliveSect  // Opens the section.
	aliveHolds
	aliveGiveSect  // Closes the section.
	aliveGiveEvent // Closes the event.
	aliveLast      // Looks whether there is the event still.
	aliveRemove    // It is not: removes the name from that file.
	aliveGone
)

const aliveParties = 3

type aliveParty struct {
	at                     int8
	of                     int8 // Which segment it deals with.
	event, section, probes bool
	missed                 bool // Nobody has held the segment all the time since it began to open it.
	makes                  bool // It makes the second segment.
}

type aliveState struct {
	name    int8 // Which segment the small file is of; 0 for none.
	parties [aliveParties]aliveParty
	deaths  int8
	wrong   string
}

type aliveFlaws struct {
	removesByPath bool // Whoever removes the name does not look whose it is.
	removesAlways bool // Whoever closes a segment does not look for the event.
	sectionFirst  bool // The section is opened before the event, without which it will do.
}

func (s *aliveState) hasEvent(of int8) bool {
	for _, p := range s.parties {
		if p.of == of && (p.event || p.probes) {
			return true
		}
	}
	return false
}

func (s *aliveState) hasSection(of int8) bool {
	for _, p := range s.parties {
		if p.of == of && p.section {
			return true
		}
	}
	return false
}

func (s *aliveState) holds(of int8) bool {
	for _, p := range s.parties {
		if p.of == of && p.at == aliveHolds {
			return true
		}
	}
	return false
}

func (s *aliveState) remove(of int8, f aliveFlaws) {
	if s.name != of && !f.removesByPath {
		return
	}
	if s.name != 0 && s.holds(s.name) {
		s.wrong = "the name of a segment is removed that a process has open"
	}
	s.name = 0
}

// step is the next step of a party; false if it has none.
func (s *aliveState) step(i int, f aliveFlaws) bool {
	p := &s.parties[i]
	notFound := func() {
		if !p.missed {
			s.wrong = "a segment is not found that a process has had open all the time"
		}
		p.at, p.of = aliveRest, 0
	}
	switch p.at {
	case aliveRest:
		if s.name == 0 {
			if !p.makes {
				return false
			}
			*p = aliveParty{at: aliveHolds, of: 2, event: true, section: true} // Its file is moved to the name.
			s.name = 2
			return true
		}
		if s.name == 2 && p.makes {
			return false
		}
		p.of, p.at, p.missed = s.name, aliveProbe, !s.holds(s.name)
	case aliveProbe:
		if !s.hasEvent(p.of) {
			s.remove(p.of, f)
			notFound()
			return true
		}
		p.probes, p.at = true, aliveLook
	case aliveLook:
		p.probes, p.at = false, aliveEvent
		if f.sectionFirst {
			p.at = aliveSect
		}
		if p.makes { // The name is taken. It tries again.
			p.at, p.of = aliveRest, 0
		}
	case aliveEvent:
		if !s.hasEvent(p.of) && !f.sectionFirst {
			s.remove(p.of, f)
			notFound()
			return true
		}
		p.event, p.at = s.hasEvent(p.of), aliveSect
		if f.sectionFirst {
			p.at = aliveHolds
		}
	case aliveSect:
		p.section = s.hasSection(p.of)
		switch {
		case !p.section && !p.event:
			notFound()
		case !p.section:
			if !p.missed {
				s.wrong = "a segment is not found that a process has had open all the time"
			}
			p.at = aliveGiveEvent
		case f.sectionFirst:
			p.at = aliveEvent
		default:
			p.at = aliveHolds
		}
	case aliveHolds:
		p.at = aliveGiveSect
	case aliveGiveSect:
		p.section, p.at = false, aliveGiveEvent
	case aliveGiveEvent:
		p.event, p.at = false, aliveLast
		if f.removesAlways {
			p.at = aliveRemove
		}
	case aliveLast:
		if p.at = aliveRest; !s.hasEvent(p.of) {
			p.at = aliveRemove
		} else {
			p.of = 0
		}
	case aliveRemove:
		s.remove(p.of, f)
		p.at, p.of = aliveRest, 0
	default:
		return false
	}
	return true
}

// notAllTheTime notes for those who open a segment that there is a moment when nobody has it open.
func (s *aliveState) notAllTheTime() {
	for i := range s.parties {
		if p := &s.parties[i]; p.of != 0 && !s.holds(p.of) {
			p.missed = true
		}
	}
}

func exploreAlive(f aliveFlaws) (states int, wrong string, second bool) {
	start := aliveState{name: 1}
	start.parties[0] = aliveParty{at: aliveHolds, of: 1, event: true, section: true}
	start.parties[2].makes = true
	seen, pending := map[aliveState]bool{start: true}, []aliveState{start}
	for len(pending) > 0 {
		s := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if s.wrong != "" {
			return len(seen), s.wrong, second
		}
		second = second || s.name == 2
		add := func(next aliveState) {
			next.notAllTheTime()
			if !seen[next] {
				seen[next] = true
				pending = append(pending, next)
			}
		}
		for i, p := range s.parties {
			if next := s; next.step(i, f) {
				add(next)
			}
			if p.at != aliveGone && p.at != aliveRest && s.deaths < 2 {
				dead := s
				dead.parties[i] = aliveParty{at: aliveGone}
				dead.deaths++
				add(dead)
			}
		}
	}
	return len(seen), "", second
}

func TestNoOrderOfStepsTakesTheNameOfALivingSegment(t *testing.T) {
	states, wrong, second := exploreAlive(aliveFlaws{})
	if wrong != "" {
		t.Fatal(wrong)
	}
	t.Logf("%d states", states)
	if !second {
		t.Error("nobody ever makes the second segment")
	}
}

func TestModelFindsWhatEachRuleOfLivingNamesPrevents(t *testing.T) {
	for name, f := range map[string]aliveFlaws{
		"name removed by its path":    {removesByPath: true},
		"name removed without a look": {removesAlways: true},
		"section opened first":        {sectionFirst: true},
	} {
		t.Run(name, func(t *testing.T) {
			_, wrong, _ := exploreAlive(f)
			if wrong == "" {
				t.Fatal("the model finds nothing wrong with it")
			}
			t.Log(wrong)
		})
	}
}
