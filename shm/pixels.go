package shm

import (
	"errors"
	"time"

	"shmcv/internal/abi"
)

// StoreFunc stores pixels in memory and says what they mean. When it fails, the pixels are those that were there
// before.
type StoreFunc func(memory []byte) (abi.ImageInfo, error)

// ReadFunc reads the pixels of an image. It may be called again if they have changed meanwhile.
type ReadFunc func(image abi.ImageInfo, pixels []byte) error

// pixelPatience is how long a caller waits for its turn to store pixels: as long as decoding a very large file takes. It
// is a variable for tests.
var pixelPatience = 10 * time.Second

// copyAttempts is how often Read reads pixels on the chance that nobody stores others meanwhile.
const copyAttempts = 2

// Store lets write store an image in the segment. One process at a time does so. Read gives others the image that was
// there before, or the one that is there afterwards.
//
// Errors: those of write and of SetImage; EBusy when another process has been storing for 10 seconds.
func (s *Segment) Store(write StoreFunc) error { return s.storeWithin(pixelPatience, write) }

// StoreNow does as Store, if nobody else has the turn at the moment. Otherwise it returns false and does not call write.
func (s *Segment) StoreNow(write StoreFunc) (now bool, err error) {
	err = s.storeWithin(0, func(memory []byte) (abi.ImageInfo, error) {
		now = true
		return write(memory)
	})
	if !now && abi.CodeOf(err) == abi.EBusy {
		return false, nil
	}
	return true, err
}

func (s *Segment) storeWithin(patience time.Duration, write StoreFunc) error {
	if err := s.checkWritable(); err != nil {
		return err
	}
	bytes, err := s.Bytes()
	if err != nil {
		return err
	}
	end, err := s.takePixelTurn(patience)
	if err != nil {
		return err
	}
	defer end()
	if s.trailer == nil {
		return s.storePixels(write, bytes)
	}
	s.trailer.PixelSequence.begin()
	err = s.storePixels(write, bytes)
	s.trailer.PixelSequence.end() // Not after a panic: the next process then finds the number odd.
	return err
}

func (s *Segment) storePixels(write StoreFunc, bytes []byte) error {
	image, err := write(bytes)
	if errors.As(err, new(*spoiled)) {
		err = errors.Join(err, s.setImage(abi.ImageInfo{}))
	}
	if err != nil {
		return err
	}
	return s.SetImage(image)
}

// spoiled is the error of a StoreFunc that has written over the pixels.
type spoiled struct{ error }

func (e *spoiled) Unwrap() error { return e.error }

// Spoiled makes of a StoreFunc's error one that says that the pixels are not those any more that were there before. The
// segment has no image then.
func Spoiled(err error) error { return &spoiled{err} }

// Read gives read an image as one Store has stored it, never a mixture of two. It does not notice what is written to
// the memory by other means.
//
// Errors: those of read and of Image; EBusy as for Store.
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
			if s.trailer.PixelSequence.isStill(before) {
				return err
			}
		}
	}
	return s.ReadInTurn(read)
}

// ReadInTurn does as Read, and nobody stores meanwhile.
func (s *Segment) ReadInTurn(read ReadFunc) error {
	end, err := s.takePixelTurn(pixelPatience)
	if err != nil {
		return err
	}
	defer end()
	if s.readOnly && s.trailer != nil && s.trailer.PixelSequence.isOdd() {
		return noImage(s.name) // A process has died while it stored pixels, which a turn to read does not repair.
	}
	return s.readOnce(read)
}

// ReadNow does as Read, if nobody is storing at the moment. Otherwise it returns false and has not called read.
//
// It is for a caller that has the turn to store in another segment, and so must not wait for somebody who may wait for
// the caller. If it waits although nobody was storing when it looked, it does not wait in a ring: of those who store in
// one segment and read another, and wait for each other in a ring, the one whose turn began last would have found its
// source being stored to, and would not wait. turn_test.go goes through all orders in which that can happen.
func (s *Segment) ReadNow(read ReadFunc) (now bool, err error) {
	if s.trailer != nil {
		if err := s.checkTrailer(); err != nil {
			return true, err
		}
		if s.trailer.PixelSequence.isOdd() {
			return false, nil
		}
		return true, s.Read(read)
	}
	if !s.pixels.begin(time.Now()) {
		return false, nil
	}
	defer s.pixels.end()
	return true, s.readOnce(read)
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

// takePixelTurn waits until only the caller may store pixels. If the process before died in its turn, the pixels are a
// mixture, and the segment has no image.
//
// Of a segment that was opened read-only it gives a turn to read: nobody stores pixels meanwhile, and nothing is
// repaired.
func (s *Segment) takePixelTurn(patience time.Duration) (end func(), err error) {
	return s.takeTurn(s.pixels, lockPixels, patience, func() error {
		if !s.trailer.PixelSequence.isOdd() {
			return nil
		}
		endImage, err := s.takeImageTurn()
		if err != nil {
			return err
		}
		defer endImage()
		s.storeImage(abi.ImageInfo{})
		s.trailer.PixelSequence.end()
		return nil
	})
}
