package shm

import (
	"sync"
	"time"

	"shmcv/internal/abi"
)

// turn lets one goroutine at a time, in all processes, store something in a segment. The mutex is for the goroutines of
// this process, which the lock on the file does not tell apart.
type turn struct{ sync.Mutex }

// takeTurn waits for the caller's turn, which lasts until the caller calls end. It waits for other processes as long as
// patience says. Before the turn begins, repair mends what a process has left half done that died in its turn.
//
// In a foreign segment only this process takes turns, and there is nothing to repair.
//
// Errors: EBusy when another process has kept its turn for longer than patience; those of repair.
func (s *Segment) takeTurn(turn *turn, lock int, patience time.Duration, repair func() error) (end func(), err error) {
	turn.Lock()
	if s.trailer == nil {
		return turn.Unlock, nil
	}
	if err := s.waitForLock(lock, patience); err != nil {
		turn.Unlock()
		return nil, err
	}
	end = func() {
		s.file.Unlock(lock)
		turn.Unlock()
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

// waitForLock asks for a lock again and again. A wait by the system would have no end when the holder has been stopped.
func (s *Segment) waitForLock(lock int, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for pause := 20 * time.Microsecond; ; pause = min(2*pause, 5*time.Millisecond) {
		taken, err := s.file.Lock(lock)
		if taken || err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return abi.Errorf(abi.EBusy, "shm: another process has been storing the image of %q for %v; it may have been stopped",
				s.name, patience)
		}
		time.Sleep(pause)
	}
}
