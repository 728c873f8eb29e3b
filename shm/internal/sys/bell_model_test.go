package sys

import (
	"fmt"
	"testing"
)

// This is a bell of Windows (bell_windows.h) as a machine that takes one step at a time: one process rings, others listen and
// sleep. Ring and Listen are those of bell.go, with the events of bell_windows.c below them. explore goes through every order of
// steps. A sleep has no end in this machine unless an event ends it: the slice by which real sleeps end would hide every mistake.
//
// One case stays, which bell_windows.c tells of: two sleepers, of which one resets the event of the other. It takes two rings
// between the other's last look and its sleep, and is what the slice is for.

const (
	ringIdle  = iota // Publishes news.
	ringMark         // Takes the mark away.
	ringStore        // Changes the value.
	ringEven         // Sets the event of even values.
	ringOdd          // Sets the event of odd values.
)

const (
	hearMark   = iota // Sets the mark.
	hearValue         // Reads the value.
	hearReset         // Resets the event of the value's parity.
	hearAgain         // Looks whether the value is still that.
	hearUndo          // It is not: sets the event, of which others may have been told before.
	hearMarked        // Looks whether the mark is still there.
	hearNews          // Looks for news.
	hearSleep         // Goes to sleep on the event of the value's parity.
	hearAsleep
)

const (
	bellNews      = 4 // So often it rings.
	bellListeners = 2
)

type bellListener struct{ at, heard, read int8 }

type bellState struct {
	news, value int8
	marked      bool
	events      [2]bool
	ringer      struct {
		at    int8
		wakes bool
	}
	listeners [bellListeners]bellListener
}

// bellFlaws are mistakes that the rules could have. The model must find each.
type bellFlaws struct {
	oneEvent    bool // Both parities have one event.
	noLastLook  bool // The value is not looked at after the reset.
	resetsLast  bool // The event is reset after the look for news.
	setsFirst   bool // The events are set before the value changes.
	setsOne     bool // Who rings sets the event of the value that was, and no other.
	autoReset   bool // An event wakes one sleeper, and is reset then.
	noUndo      bool // An event that was reset too late stays reset.
	noMarkCheck bool // Whoever listens does not look whether the mark is still there.
}

func (f bellFlaws) parity(value int8) int8 {
	if f.oneEvent {
		return 0
	}
	return value & 1
}

// set sets an event, which wakes who sleeps on it.
func (s *bellState) set(event int8, f bellFlaws) {
	s.events[event] = true
	for i := range s.listeners {
		l := &s.listeners[i]
		if l.at == hearAsleep && f.parity(l.heard) == event {
			l.at = hearNews
			if f.autoReset {
				s.events[event] = false
				return
			}
		}
	}
}

func (s bellState) ring(f bellFlaws) (bellState, bool) {
	r := &s.ringer
	switch r.at {
	case ringIdle:
		if s.news == bellNews {
			return s, false
		}
		s.news, r.at = s.news+1, ringMark
	case ringMark:
		r.wakes, s.marked, r.at = s.marked, false, ringStore
		if f.setsFirst {
			r.at = ringEven
		}
	case ringStore:
		s.value++
		r.at = ringEven
		if !r.wakes || f.setsFirst {
			r.at, r.wakes = ringIdle, false
		}
	case ringEven:
		if r.wakes && (!f.setsOne || f.parity(s.value-1) == 0) {
			s.set(0, f)
		}
		r.at = ringOdd
	case ringOdd:
		if r.wakes && (!f.setsOne || f.parity(s.value-1) == 1) {
			s.set(1, f)
		}
		r.at = ringIdle
		if f.setsFirst {
			r.at = ringStore
			return s, true
		}
		r.wakes = false
	}
	return s, true
}

func (s bellState) hear(i int, f bellFlaws) (bellState, bool) {
	l := &s.listeners[i]
	switch l.at {
	case hearMark:
		s.marked, l.at = true, hearValue
	case hearValue:
		l.heard, l.at = s.value, hearReset
	case hearReset:
		if !f.resetsLast {
			s.events[f.parity(l.heard)] = false
		}
		l.at = hearAgain
	case hearAgain:
		l.at = hearMarked
		if s.value != l.heard && !f.noLastLook {
			l.at = hearUndo
		}
	case hearUndo:
		l.at = hearValue
		if !f.noUndo {
			s.set(f.parity(l.heard), f)
		}
	case hearMarked:
		l.at = hearNews
		if !s.marked && !f.noMarkCheck {
			l.at = hearMark
		} else {
			l.at = hearSleep // With the look for news that follows Listen, in one step below.
			if s.news > l.read {
				l.read, l.at = s.news, hearMark
			}
		}
	case hearNews: // Awake.
		if s.news == l.read && s.news == bellNews {
			return s, false
		}
		l.read, l.at = s.news, hearMark
	case hearSleep:
		if f.resetsLast {
			s.events[f.parity(l.heard)] = false
		}
		l.at = hearAsleep
		if event := f.parity(l.heard); s.events[event] {
			l.at = hearNews
			if f.autoReset {
				s.events[event] = false
			}
		}
	default:
		return s, false
	}
	return s, true
}

// exploreBell goes through all states. It tells which mistake it found, and in how many states a sleeper waits for its slice.
func exploreBell(f bellFlaws, listeners int) (states, slices, sleeps int, wrong string) {
	start := bellState{}
	for i := listeners; i < bellListeners; i++ {
		start.listeners[i].at = -1
	}
	seen, pending := map[bellState]bool{start: true}, []bellState{start}
	for len(pending) > 0 {
		s := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		moved := false
		add := func(next bellState, moves bool) {
			moved = moved || moves
			if moves && !seen[next] {
				seen[next] = true
				pending = append(pending, next)
			}
		}
		add(s.ring(f))
		for i := range s.listeners {
			add(s.hear(i, f))
			if l := s.listeners[i]; l.at == hearAsleep && l.read == s.news {
				sleeps++
			}
		}
		if moved {
			continue
		}
		for i, l := range s.listeners {
			if l.at != hearAsleep || l.read == s.news {
				continue
			}
			if listeners == 1 || s.value-l.heard < 2 {
				return len(seen), slices, sleeps, fmt.Sprintf("listener %d sleeps since value %d, and the bell has rung to %d", i, l.heard, s.value)
			}
			slices++
		}
	}
	return len(seen), slices, sleeps, ""
}

func TestNoOrderOfStepsSleepsOverABellOfTwoEvents(t *testing.T) {
	for listeners := 1; listeners <= bellListeners; listeners++ {
		states, slices, sleeps, wrong := exploreBell(bellFlaws{}, listeners)
		if wrong != "" {
			t.Fatal(wrong)
		}
		t.Logf("%d listeners: %d states, sleeps in %d, ended by the slice in %d", listeners, states, sleeps, slices)
		if sleeps == 0 || (slices > 0) != (listeners > 1) {
			t.Errorf("%d listeners: %d sleeps, %d slices", listeners, sleeps, slices)
		}
	}
}

func TestModelFindsWhatEachRuleOfBellsPrevents(t *testing.T) {
	for name, f := range map[string]bellFlaws{
		"one event for all values":         {oneEvent: true},
		"no look at the value after reset": {noLastLook: true},
		"event reset after the look":       {resetsLast: true},
		"events set before the value":      {setsFirst: true},
		"event of the old value alone":     {setsOne: true},
		"event that wakes one":             {autoReset: true},
		"mark that is taken is trusted":    {noMarkCheck: true},
		"event reset too late stays so":    {noUndo: true},
	} {
		t.Run(name, func(t *testing.T) {
			for listeners := 1; listeners <= bellListeners; listeners++ {
				_, _, _, wrong := exploreBell(f, listeners)
				if wrong != "" {
					t.Log(wrong)
					return
				}
			}
			t.Error("the model finds nothing wrong with it")
		})
	}
}
