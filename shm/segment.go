package shm

import (
	"sync"
	"time"

	"shmcv/internal/abi"
)

// Segment is a piece of shared memory with one image in it. A process has one Segment for a file, however often it
// opens the file, and counts references to it.
type Segment struct {
	*mapping

	pixels turn // Of those who store or copy pixels.
	image  turn // Of those who store an image's description.

	// Of a foreign segment, whose image only this process knows.
	foreign struct {
		sync.Mutex
		image  abi.ImageInfo
		stored uint64 // How often image has been set.
	}
}

func newSegment(m *mapping) *Segment {
	return &Segment{mapping: m, pixels: newTurn(), image: newTurn()}
}

// Bytes gives the memory of the pixels: as many bytes as were asked for at creation, for a foreign segment all of it.
// It starts on a page boundary and is valid until the reference is released. The memory of a segment that was opened
// read-only faults when it is written to.
//
// Errors: ETruncated when the file no longer covers the memory.
func (s *Segment) Bytes() ([]byte, error) {
	if err := s.checkSize(); err != nil {
		return nil, err
	}
	return s.memory[:s.size:s.size], nil
}

// checkWritable returns EPermission if the segment was opened read-only.
func (s *Segment) checkWritable() error {
	if s.readOnly {
		return abi.Errorf(abi.EPermission, "shm: segment %q was opened read-only; open it with shmcv_open to change it, or copy it", s.name)
	}
	return nil
}

// Room describes an image as it would be stored here: just as it is. The image has been checked.
//
// Errors: those of Bytes; ETooSmall when the image does not fit; EPermission when the segment was opened read-only.
func (s *Segment) Room(image abi.ImageInfo) (abi.ImageInfo, error) {
	if err := s.checkWritable(); err != nil {
		return image, err
	}
	bytes, err := s.Bytes()
	if err != nil {
		return image, err
	}
	return roomFor(image, bytes, s.name)
}

// roomFor returns the image if it fits into bytes, which are those of the segment or stream that has the name.
func roomFor(image abi.ImageInfo, bytes []byte, name string) (abi.ImageInfo, error) {
	if image.Bytes() > uint64(len(bytes)) {
		return image, abi.Errorf(abi.ETooSmall, "shm: an image of %d x %d pixels, stride %d, needs %d bytes; %q has %d",
			image.Width, image.Height, image.Stride, image.Bytes(), name, len(bytes))
	}
	return image, nil
}

// Sequence tells how often an image has been stored in the segment, by any process. A number that differs from the one
// before means another image. Of a foreign segment it counts the images that this process has stored.
//
// Errors: ETruncated; ECorrupt.
func (s *Segment) Sequence() (uint64, error) {
	if s.trailer != nil {
		return s.trailer.ImageSequence.Load() / 2, s.checkTrailer()
	}
	s.foreign.Lock()
	defer s.foreign.Unlock()
	return s.foreign.stored, s.checkSize()
}

// Wait waits until more than newerThan images have been stored in the segment, and tells how many have. It does not
// sleep itself. If nap.Count is not 0 when it returns, there is no such image yet: sleep as nap says, and call Wait
// again with the same arguments. timeout counts from the first call; less than 0 means without an end, and with 0 Wait
// never asks for a sleep.
//
// Errors: ETimeout when no such image has been stored by then; EUnsupported for a foreign segment, because other
// programs do not tell when they store an image; ETruncated; ECorrupt.
func (s *Segment) Wait(newerThan uint64, timeout time.Duration, nap *Nap) (sequence uint64, err error) {
	if s.trailer == nil {
		return 0, toldNothing(s.name)
	}
	news := func() (bool, error) {
		sequence, err = s.Sequence()
		return sequence > newerThan, err
	}
	there, err := news()
	if !there && err == nil {
		there, err = await(&s.bell, nap, timeout, s.sleepSlice, news)
	}
	if err == nil && !there && nap.Count == 0 {
		err = abi.Errorf(abi.ETimeout, "shm: no image newer than %d was stored in %q within %v", newerThan, s.name, timeout)
	}
	return sequence, err
}

// toldNothing is the error of a wait on a foreign segment.
func toldNothing(name string) error {
	return abi.Errorf(abi.EUnsupported, "shm: %q was made by another program, which does not tell when it stores an image", name)
}
