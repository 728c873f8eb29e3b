package shm

import (
	"time"

	"shmcv/internal/abi"
)

// StoreFunc stores pixels in memory and says what they mean. When it fails, what was there is still there.
type StoreFunc func(memory []byte) (abi.ImageInfo, error)

// ReadFunc reads the pixels of an image. It may be called again when they have changed meanwhile.
type ReadFunc func(image abi.ImageInfo, pixels []byte) error

const (
	// pixelPatience is how long the pixel lock is waited for: as long as decoding a very large file takes.
	pixelPatience = 10 * time.Second

	// copyAttempts is how often pixels are copied on the chance that nobody stores meanwhile.
	copyAttempts = 2
)

// Store lets write store an image in the segment, one at a time in all processes. Those who read meanwhile by Read
// get what was there before, or what is there afterwards. Errors are those of write and of SetImage, and EBusy when
// another process has been storing for 10 seconds.
func (s *Segment) Store(write StoreFunc) error {
	bytes, err := s.Bytes()
	if err != nil {
		return err
	}
	unlock, err := s.lockPixels()
	if err != nil {
		return err
	}
	defer unlock()
	if s.trailer == nil {
		return s.storeLocked(write, bytes)
	}
	s.trailer.PixelSequence.Add(1)
	err = s.storeLocked(write, bytes)
	s.trailer.PixelSequence.Add(1) // Not after a panic: who follows then finds the number odd.
	return err
}

func (s *Segment) storeLocked(write StoreFunc, bytes []byte) error {
	image, err := write(bytes)
	if err != nil {
		return err
	}
	return s.SetImage(image)
}

// Read gives read an image as it was stored by one Store, never a mixture of two. What is written to the memory by
// other means, it does not know of. Errors are those of read and of Image, and EBusy as for Store.
func (s *Segment) Read(read ReadFunc) error {
	if s.trailer != nil {
		if err := s.checkTrailer(); err != nil {
			return err
		}
		for range copyAttempts {
			before := s.trailer.PixelSequence.Load()
			if before%2 == 1 {
				break
			}
			err := s.readOnce(read)
			if s.trailer.PixelSequence.Load() == before {
				return err
			}
		}
	}
	unlock, err := s.lockPixels()
	if err != nil {
		return err
	}
	defer unlock()
	return s.readOnce(read)
}

func (s *Segment) readOnce(read ReadFunc) error {
	image, err := s.Image()
	if err != nil {
		return err
	}
	bytes, err := s.Bytes()
	if err != nil {
		return err
	}
	return read(image, bytes[:image.Bytes()])
}

// lockPixels makes the caller the only one in any process who stores pixels, until it calls unlock. Where the last one
// has died at it, the pixels are a mixture, and the segment has no image afterwards.
func (s *Segment) lockPixels() (unlock func(), err error) {
	s.pixels.Lock()
	if s.trailer == nil {
		return s.pixels.Unlock, nil
	}
	unlock = func() {
		s.file.unlock(lockPixels)
		s.pixels.Unlock()
	}
	if err := s.waitForLock(lockPixels, pixelPatience); err != nil {
		s.pixels.Unlock()
		return nil, err
	}
	// The repair touches memory that may be gone: a panic must not leave the lock held.
	repaired := false
	defer func() {
		if !repaired {
			unlock()
		}
	}()
	if s.trailer.PixelSequence.Load()%2 == 1 {
		unlockImage, err := s.lockImage()
		if err != nil {
			return nil, err
		}
		defer unlockImage()
		s.trailer.storeImage(abi.ImageInfo{})
		s.trailer.PixelSequence.Add(1)
	}
	repaired = true
	return unlock, nil
}

// ImageSequence is how often an image has been stored in the segment, by whomever: it tells that there is another. Of
// a foreign segment it counts those of this process.
func (s *Segment) ImageSequence() (uint64, error) {
	if s.trailer == nil {
		s.image.Lock()
		defer s.image.Unlock()
		return s.foreignStored, s.checkSize()
	}
	return s.trailer.ImageSequence.Load() / 2, s.checkTrailer()
}

// AwaitImage tells how often an image has been stored in the segment, once that is more than newerThan. Where it is not
// yet, it asks for a sleep, as Stream.Wait. It is ETimeout when none has been stored by then, and EUnsupported for a
// foreign segment, whose other users do not tell.
func (s *Segment) AwaitImage(newerThan uint64, timeout time.Duration, nap *Nap) (sequence uint64, err error) {
	if s.trailer == nil {
		return 0, abi.Errorf(abi.EUnsupported, "shm: %q was made by another program, which does not tell when it stores an image", s.name)
	}
	news := func() (bool, error) {
		sequence, err = s.ImageSequence()
		return sequence > newerThan, err
	}
	there, err := news()
	if !there && err == nil {
		there, err = s.trailer.imageBell().await(nap, timeout, news)
	}
	if err == nil && !there && nap.Word == nil {
		err = abi.Errorf(abi.ETimeout, "shm: no image newer than %d was stored in %q within %v", newerThan, s.name, timeout)
	}
	return sequence, err
}
