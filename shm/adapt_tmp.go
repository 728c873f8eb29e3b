package shm

import (
	"time"

	"shmcv/internal/abi"
)

func OpenStream(name string) (*Stream, error) {
	s, err := Open(name)
	if err != nil {
		return nil, err
	}
	if st, ok := s.AsStream(); ok {
		return st, nil
	}
	s.Release()
	return nil, abi.Errorf(abi.EInvalid, "shm: open %q: it is a segment and no stream; open it as one (shmcv_open)", name)
}
func (s *Segment) Sequence() (uint64, error) { return s.ImageSequence() }
func (s *Segment) Wait(newerThan uint64, timeout time.Duration, nap *Nap) (uint64, error) {
	return s.AwaitImage(newerThan, timeout, nap)
}
