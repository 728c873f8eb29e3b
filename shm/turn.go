package shm

import (
	"time"

	"shmcv/internal/abi"
)

// turn lets one goroutine at a time, in all processes, store something in a segment. The channel is for the goroutines
// of this process, which the lock on the file does not tell apart; the one whose turn it is has put its token there. A
// mutex would not do: it has no deadline.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// begin waits for the turn among the goroutines of this process. It returns false if that takes until the deadline.
func (t turn) begin(deadline time.Time) bool {
	select {
	case t <- struct{}{}:
		return true
	default:
	}
	timeUp := time.NewTimer(time.Until(deadline))
	defer timeUp.Stop()
	select {
	case t <- struct{}{}:
		return true
	case <-timeUp.C:
		return false
	}
}

func (t turn) end() { <-t }

// takeTurn waits for the caller's turn, which lasts until the caller calls end. It waits as long as patience says, for
// the goroutines of this process and for other processes together. Before the turn begins, repair mends what is left of
// a process that died in its turn.
//
// In a foreign segment only this process takes turns, and there is nothing to repair. In a segment that was opened
// read-only, the turn is shared with others who read, and repair is not called.
//
// Errors: EBusy when others have kept the turn for longer than patience; those of repair.
func (s *Segment) takeTurn(turn turn, lock int, patience time.Duration, repair func() error) (end func(), err error) {
	deadline := time.Now().Add(patience)
	if !turn.begin(deadline) {
		return nil, abi.Errorf(abi.EBusy, "shm: other threads of this process have been storing the image of %q for %v", s.name, patience)
	}
	if s.trailer == nil {
		return turn.end, nil
	}
	if err := s.waitInLine(lock, patience, deadline); err != nil {
		turn.end()
		return nil, err
	}
	end = func() {
		s.file.Unlock(lock)
		turn.end()
	}
	if s.readOnly {
		return end, nil
	}
	// repair touches memory that may be gone. The turn must end then, too.
	repaired := false
	defer func() {
		if !repaired {
			end()
		}
	}()
	if err := repair(); err != nil {
		return nil, err
	}
	repaired = true
	return end, nil
}

// waitInLine waits for a turn's lock behind whoever waits for it already. Without a line, a process that stores again and
// again takes the lock the moment that it has given it back, and one that sleeps between two attempts may never get it.
func (s *Segment) waitInLine(lock int, patience time.Duration, deadline time.Time) error {
	if err := s.waitForLock(lock+lockNext, patience, deadline); err != nil {
		return err
	}
	defer s.file.Unlock(lock + lockNext)
	return s.waitForLock(lock, patience, deadline)
}

// waitForLock asks for a lock again and again. A wait by the system would have no end when the holder has been stopped.
// It asks once even after the deadline.
func (s *Segment) waitForLock(lock int, patience time.Duration, deadline time.Time) error {
	take := s.file.Lock
	if s.readOnly {
		take = s.file.Share
	}
	for pause := 20 * time.Microsecond; ; pause = min(2*pause, 5*time.Millisecond) {
		taken, err := take(lock)
		if taken || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return storing(s.name, patience)
		}
		time.Sleep(pause)
	}
}

func storing(name string, patience time.Duration) error {
	return abi.Errorf(abi.EBusy, "shm: another process has been storing the image of %q for %v; it may have been stopped", name, patience)
}
