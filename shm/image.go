package shm

import (
	"time"

	"shmcv/internal/abi"
)

// Image tells what the pixels mean: what SetImage of any process stored last, never a mixture of two. A foreign
// segment's image is what this process set.
//
// It is ENoImage before one is stored, ECorrupt when what is there cannot be an image of this segment, ETruncated when
// the file no longer covers the segment, and EBusy when the process that is storing one has been stopped at it.
func (s *Segment) Image() (abi.ImageInfo, error) {
	image, err := s.storedImage()
	if err != nil {
		return abi.ImageInfo{}, err
	}
	if image == (abi.ImageInfo{}) {
		return image, abi.Errorf(abi.ENoImage, "shm: %q holds no image yet; load or set one", s.name)
	}
	if s.trailer == nil {
		return image, nil
	}
	// Any process of this user can write the trailer, so that it is believed no more than an argument of a caller's.
	checked, err := image.Checked()
	if err != nil || checked.Bytes() > s.size {
		return abi.ImageInfo{}, corrupt(s.name)
	}
	return checked, nil
}

// storedImage gives the image as it is stored, all zero when there is none.
func (s *Segment) storedImage() (abi.ImageInfo, error) {
	if s.trailer == nil {
		s.image.Lock()
		defer s.image.Unlock()
		return s.foreign, s.checkSize()
	}
	if err := s.checkTrailer(); err != nil {
		return abi.ImageInfo{}, err
	}
	if image, ok := s.trailer.readImage(); ok {
		return image, nil
	}
	unlock, err := s.lockImage()
	if err != nil {
		return abi.ImageInfo{}, err
	}
	defer unlock()
	if image, ok := s.trailer.readImage(); ok {
		return image, nil
	}
	return abi.ImageInfo{}, corrupt(s.name) // Somebody writes without holding the lock.
}

// SetImage says what the pixels mean, to all processes that have the segment open; of a foreign segment, to this one.
// A stride of 0 means packed rows.
//
// It is EInvalid or ELimit when the image makes no sense, ETooSmall when it does not fit, and otherwise as Image.
func (s *Segment) SetImage(image abi.ImageInfo) error {
	image, err := image.Checked()
	if err != nil {
		return err
	}
	if _, err := s.Room(image); err != nil {
		return err
	}
	if s.trailer == nil {
		s.image.Lock()
		defer s.image.Unlock()
		s.foreign = image
		s.foreignStored++
		return nil
	}
	unlock, err := s.lockImage()
	if err != nil {
		return err
	}
	defer unlock()
	if err := s.checkTrailer(); err != nil {
		return err
	}
	s.trailer.storeImage(image)
	return nil
}

// lockPatience is how long the image lock is waited for. It is held for about a microsecond, so that whoever holds it
// this long has been stopped.
const lockPatience = time.Second

// lockImage makes the caller the only one in any process who stores an image, until it calls unlock. The segment has
// no image afterwards if the last one to store has died at it.
func (s *Segment) lockImage() (unlock func(), err error) {
	s.image.Lock()
	unlock = func() {
		s.file.unlock(lockImage)
		s.image.Unlock()
	}
	if err := s.waitForLock(lockImage, lockPatience); err != nil {
		s.image.Unlock()
		return nil, err
	}
	// The repair touches memory that may be gone: a panic must not leave the lock held.
	repaired := false
	defer func() {
		if !repaired {
			unlock()
		}
	}()
	if s.trailer.ImageSequence.Load()%2 == 1 {
		s.trailer.storeImage(abi.ImageInfo{})
	}
	repaired = true
	return unlock, nil
}

// waitForLock asks again and again, because the system's own wait has no end when the holder has been stopped.
func (s *Segment) waitForLock(number int, patience time.Duration) error {
	deadline := time.Now().Add(patience)
	for pause := 20 * time.Microsecond; ; pause = min(2*pause, 5*time.Millisecond) {
		err := s.file.lock(number)
		if err == nil {
			return nil
		}
		if !heldByOther(err) {
			return systemError("lock", s.name, err)
		}
		if time.Now().After(deadline) {
			return abi.Errorf(abi.EBusy, "shm: another process has been storing the image of %q for %v; it may have been stopped",
				s.name, patience)
		}
		time.Sleep(pause)
	}
}
