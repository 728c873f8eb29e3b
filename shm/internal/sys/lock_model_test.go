package sys

import (
	"fmt"
	"testing"
)

// This is a lock of Windows (file_windows.go) as a machine that takes one step at a time. The system knows bytes that are locked,
// alone or shared, and does not tell of them. A lock is on two bytes. Who takes it alone takes the first, and then waits for the
// second, which only those keep who look. Who shares it takes the first. Who looks shares the second for a moment.

const (
	lockRest   = iota // Takes the first byte, alone or shared, or begins a look.
	lockSecond        // Takes the second byte.
	lockHeld
	lockHalf   // Gives back the first byte, having given back the second.
	lockShared // Has a part in the first byte.
	lockLook   // Has a part in the second byte, for a moment.
	lockDead
)

const lockParties = 3

type lockState struct {
	at     [lockParties]int8
	wrong  string
	deaths int8
}

type lockFlaws struct {
	looksAtFirst bool // A look tries the first byte: who asks for the lock meanwhile is refused.
	oneByte      bool // The lock is on the first byte alone, and a look tries the second: it never finds anybody.
	secondOnce   bool // Who takes the lock does not wait for the second byte.
	keepsLook    bool // A look does not give its byte back.
}

// Whether parties have a byte, alone or shared.
func (s *lockState) has(i, which int, f lockFlaws) (alone, shared bool) {
	switch at := s.at[i]; {
	case which == 0:
		return at == lockSecond || at == lockHeld || at == lockHalf, at == lockShared || at == lockLook && f.looksAtFirst
	default:
		return at == lockHeld && !f.oneByte, at == lockLook && !f.looksAtFirst
	}
}

func (s *lockState) free(which int, toShare bool, f lockFlaws) bool {
	for i := range s.at {
		if alone, shared := s.has(i, which, f); alone || shared && !toShare {
			return false
		}
	}
	return true
}

// unused returns true if nobody holds or shares the lock, or is taking it or giving it back.
func (s *lockState) unused() bool {
	for _, at := range s.at {
		if at != lockRest && at != lockLook && at != lockDead {
			return false
		}
	}
	return true
}

func (s *lockState) held() bool {
	for _, at := range s.at {
		if at == lockHeld {
			return true
		}
	}
	return false
}

func (s lockState) next(f lockFlaws) (all []lockState) {
	add := func(i int, at int8, wrong string) {
		after := s
		after.at[i], after.wrong = at, wrong
		all = append(all, after)
	}
	for i, at := range s.at {
		switch at {
		case lockRest:
			if s.free(0, false, f) {
				add(i, lockSecond, "")
			} else if s.unused() {
				add(i, lockRest, "who asks for a lock that nobody has is refused")
			}
			if s.free(0, true, f) {
				add(i, lockShared, "")
			}
			which := 1
			if f.looksAtFirst {
				which = 0
			}
			if s.free(which, true, f) {
				wrong := ""
				if s.held() {
					wrong = "a look finds a lock free that is held"
				}
				add(i, lockLook, wrong)
			} else if s.unused() {
				add(i, lockRest, "a look finds a lock held that nobody has")
			}
		case lockSecond:
			switch {
			case f.oneByte || s.free(1, false, f):
				wrong := ""
				for j, other := range s.at {
					if j != i && (other == lockHeld || other == lockShared) {
						wrong = "two have the lock"
					}
				}
				add(i, lockHeld, wrong)
			case f.secondOnce:
				add(i, lockRest, "who asks for a lock that nobody has is refused")
			}
		case lockHeld:
			add(i, lockHalf, "")
		case lockHalf, lockShared:
			add(i, lockRest, "")
		case lockLook:
			if !f.keepsLook {
				add(i, lockRest, "")
			}
		}
		if at != lockDead && at != lockRest && s.deaths < 1 { // The system drops the locks of the dead.
			after := s
			after.at[i] = lockDead
			after.deaths++
			all = append(all, after)
		}
	}
	return all
}

func exploreLock(f lockFlaws) (states int, wrong string) {
	start := lockState{}
	seen, pending := map[lockState]bool{start: true}, []lockState{start}
	for len(pending) > 0 {
		s := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if s.wrong != "" {
			return len(seen), s.wrong
		}
		all := s.next(f)
		stuck := true // A party that takes the second byte gets it, when all others rest.
		for i, at := range s.at {
			if at == lockSecond {
				alone := s
				for j, other := range s.at {
					if j != i && other == lockLook && !f.keepsLook {
						alone.at[j] = lockRest
					}
				}
				stuck = !alone.free(1, false, f) && !f.oneByte
				if stuck {
					return len(seen), fmt.Sprintf("party %d waits for the second byte for ever: %v", i, s.at)
				}
			}
		}
		for _, next := range all {
			if !seen[next] {
				seen[next] = true
				pending = append(pending, next)
			}
		}
	}
	return len(seen), ""
}

func TestNoOrderOfStepsMixesUpLocksOfTwoBytes(t *testing.T) {
	states, wrong := exploreLock(lockFlaws{})
	if wrong != "" {
		t.Fatal(wrong)
	}
	t.Logf("%d states", states)
}

func TestModelFindsWhatEachRuleOfLocksPrevents(t *testing.T) {
	for name, f := range map[string]lockFlaws{
		"look at the first byte": {looksAtFirst: true},
		"one byte":               {oneByte: true},
		"second byte tried once": {secondOnce: true},
		"look that does not end": {keepsLook: true},
	} {
		t.Run(name, func(t *testing.T) {
			_, wrong := exploreLock(f)
			if wrong == "" {
				t.Fatal("the model finds nothing wrong with it")
			}
			t.Log(wrong)
		})
	}
}
