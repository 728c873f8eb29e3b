package shm

import (
	"fmt"
	"testing"
)

// This is what transforms do with the turns of two segments (ReadNow, StoreNow and ReadInTurn; export/transform.go), as
// a machine that takes one step at a time. The test goes through every order of steps, and looks for a ring of parties
// each of which waits for the next.

// The step that a party takes next.
const (
	turnToStore = iota // Waits for the turn at its destination.
	turnMark           // Makes the destination's pixel sequence odd.
	turnLook           // Looks at the source's pixel sequence.
	turnBackOff        // Somebody is storing in the source: gives the turn back.
	turnRead           // Reads the source, without a turn.
	turnToRead         // The source has changed meanwhile: waits for the turn there, and has the other one.
	turnDone           // Gives the turn at the destination back.
	turnSource         // After it has backed off: waits for the turn at the source.
	turnTry            // Takes the turn at the destination if it is free, and gives both back.
)

type turnParty struct{ source, destination int }

// noSource is the source of a party that only stores.
const noSource = -1

const (
	turnParties  = 4
	turnSegments = 3
)

type turnState struct {
	at     [turnParties]int8
	holder [turnSegments]int8 // The party that has the turn, plus 1.
	odd    [turnSegments]bool
}

// turnFlaws are mistakes that the rule could have.
type turnFlaws struct {
	noLook bool // It reads a source that somebody is storing in.
	holds  bool // It waits for the source and keeps the turn at the destination.
}

// waitsFor gives the segment whose turn a party waits for, -1 if it does not wait.
func (s *turnState) waitsFor(parties [turnParties]turnParty, p int) int {
	segment := -1
	switch s.at[p] {
	case turnToStore:
		segment = parties[p].destination
	case turnToRead, turnSource:
		segment = parties[p].source
	}
	if segment >= 0 && s.holder[segment] == 0 {
		return -1
	}
	return segment
}

// ring returns true if parties wait for each other.
func (s *turnState) ring(parties [turnParties]turnParty) bool {
	for p := range turnParties {
		at := p
		for range turnParties {
			segment := s.waitsFor(parties, at)
			if segment < 0 {
				break
			}
			if at = int(s.holder[segment]) - 1; at == p {
				return true
			}
		}
	}
	return false
}

// step gives the states that can follow when a party takes a step.
func (s turnState) step(parties [turnParties]turnParty, p int, flaws turnFlaws) []turnState {
	source, destination, me := parties[p].source, parties[p].destination, int8(p)+1
	if s.waitsFor(parties, p) >= 0 {
		return nil
	}
	to := func(at int8) []turnState { s.at[p] = at; return []turnState{s} }
	switch s.at[p] {
	case turnToStore:
		s.holder[destination] = me
		return to(turnMark)
	case turnMark:
		s.odd[destination] = true
		if source == noSource {
			return to(turnDone)
		}
		return to(turnLook)
	case turnLook:
		switch {
		case !s.odd[source] || flaws.noLook:
			return to(turnRead)
		case flaws.holds:
			return to(turnToRead)
		}
		return to(turnBackOff)
	case turnBackOff:
		s.odd[destination], s.holder[destination] = false, 0
		return to(turnSource)
	case turnRead: // It may or may not have been disturbed.
		disturbed := s
		disturbed.at[p] = turnToRead
		return append(to(turnDone), disturbed)
	case turnToRead: // It has the turn at the source for as long as it reads, and waits for nothing then.
		return to(turnDone)
	case turnDone:
		s.odd[destination], s.holder[destination] = false, 0
		return to(turnToStore)
	case turnSource:
		s.holder[source] = me
		return to(turnTry)
	case turnTry: // With both turns it waits for nothing either.
		s.holder[source] = 0
		return to(turnToStore)
	}
	panic(s.at[p])
}

func findRing(parties [turnParties]turnParty, flaws turnFlaws) (states int, ring string) {
	seen := map[turnState]bool{{}: true}
	for pending := []turnState{{}}; len(pending) > 0; {
		state := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if state.ring(parties) {
			return len(seen), fmt.Sprintf("%+v", state)
		}
		for p := range turnParties {
			for _, next := range state.step(parties, p, flaws) {
				if !seen[next] {
					seen[next] = true
					pending = append(pending, next)
				}
			}
		}
	}
	return len(seen), ""
}

var (
	opposite = [turnParties]turnParty{{0, 1}, {1, 0}, {noSource, 0}, {noSource, 1}}
	ringOf3  = [turnParties]turnParty{{0, 1}, {1, 2}, {2, 0}, {noSource, 0}}
	crossed  = [turnParties]turnParty{{0, 1}, {1, 0}, {2, 0}, {1, 2}}
)

func TestNoOrderOfTurnsMakesTransformsWaitForEachOther(t *testing.T) {
	for _, parties := range [][turnParties]turnParty{opposite, ringOf3, crossed} {
		states, ring := findRing(parties, turnFlaws{})
		if ring != "" {
			t.Errorf("%v: %s", parties, ring)
		}
		t.Logf("%v: %d states", parties, states)
	}
}

func TestModelOfTurnsFindsWhatTheRulePrevents(t *testing.T) {
	for name, flaws := range map[string]turnFlaws{"no look": {noLook: true}, "waits with its turn": {holds: true}} {
		for _, parties := range [][turnParties]turnParty{opposite, ringOf3, crossed} {
			if _, ring := findRing(parties, flaws); ring == "" {
				t.Errorf("%s: the model finds nothing wrong with it", name)
			}
		}
	}
}
