package shm

import (
	"time"

	"shmcv/internal/abi"
)

// Image gives the description of the image: the one that any process stored last, never a mixture of two. For a foreign
// segment it is the one that this process set.
//
// Errors: ENoImage before one is stored; ECorrupt when the stored one cannot be that of an image in this segment;
// ETruncated when the file no longer covers the segment; EBusy when the process that is storing one has been stopped.
func (s *Segment) Image() (abi.ImageInfo, error) {
	image, err := s.storedImage()
	if err != nil {
		return abi.ImageInfo{}, err
	}
	if image == (abi.ImageInfo{}) {
		return image, noImage(s.name)
	}
	if s.trailer == nil {
		return image, nil
	}
	return checkedImage(image, s.size, s.name)
}

func noImage(name string) error {
	return abi.Errorf(abi.ENoImage, "shm: %q holds no image yet; load or set one", name)
}

// checkedImage gives an image that was found in a trailer, if it fits in size bytes: any process of this user can write
// anything there. name is for the message.
func checkedImage(image abi.ImageInfo, size uint64, name string) (abi.ImageInfo, error) {
	checked, err := image.Checked()
	if err != nil || checked.Bytes() > size {
		return abi.ImageInfo{}, corrupt(name)
	}
	return checked, nil
}

// storedImage gives the image as it is stored: all zero where there is none.
func (s *Segment) storedImage() (abi.ImageInfo, error) {
	if s.trailer == nil {
		s.foreign.Lock()
		defer s.foreign.Unlock()
		return s.foreign.image, s.checkSize()
	}
	if err := s.checkTrailer(); err != nil {
		return abi.ImageInfo{}, err
	}
	if image, ok := s.trailer.readImage(); ok {
		return image, nil
	}
	end, err := s.takeImageTurn()
	if err != nil {
		return abi.ImageInfo{}, err
	}
	defer end()
	if image, ok := s.trailer.readImage(); ok {
		return image, nil
	}
	if s.readOnly { // A process has died in its turn, which a turn to read does not repair.
		return abi.ImageInfo{}, nil
	}
	return abi.ImageInfo{}, corrupt(s.name) // Somebody stores out of turn.
}

// SetImage says what the pixels mean, to all processes that have the segment open; for a foreign segment, to this
// process only. A stride of 0 means rows without gaps.
//
// Errors: EInvalid or ELimit when the image makes no sense; ETooSmall when it does not fit; otherwise those of Image.
func (s *Segment) SetImage(image abi.ImageInfo) error {
	image, err := image.Checked()
	if err != nil {
		return err
	}
	if _, err := s.Room(image); err != nil {
		return err
	}
	return s.setImage(image)
}

// setImage stores a description that has been checked, or all zero for none.
func (s *Segment) setImage(image abi.ImageInfo) error {
	if s.trailer == nil {
		s.foreign.Lock()
		defer s.foreign.Unlock()
		s.foreign.image = image
		s.foreign.stored++
		return nil
	}
	end, err := s.takeImageTurn()
	if err != nil {
		return err
	}
	defer end()
	if err := s.checkTrailer(); err != nil {
		return err
	}
	s.storeImage(image)
	return nil
}

// imagePatience is how long a process waits for its turn to store an image's description. A turn takes about a
// microsecond, so a process that keeps it this long has been stopped.
const imagePatience = time.Second

// takeImageTurn waits until only the caller may store an image's description. If the process before died in its turn,
// the segment has no image.
//
// Of a segment that was opened read-only it gives a turn to read: nobody stores a description meanwhile, and nothing is
// repaired.
func (s *Segment) takeImageTurn() (end func(), err error) {
	return s.takeTurn(s.image, lockImage, imagePatience, func() error {
		if s.trailer.ImageSequence.Load()%2 == 1 {
			s.storeImage(abi.ImageInfo{})
		}
		return nil
	})
}

// storeImage stores an image's description, all zero for none. It is the caller's turn.
func (s *Segment) storeImage(image abi.ImageInfo) { s.bell.Ring(s.trailer.storeImage(image)) }
