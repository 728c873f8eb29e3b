package shm

import "shmcv/internal/abi"

// Info tells what is known of the segment. An image that cannot be had because another process is storing one is left
// out.
func (s *Segment) Info() (abi.SegmentInfo, error) {
	info := abi.SegmentInfo{Size: s.size, FileSize: uint64(len(s.memory))}
	copy(info.Name[:], s.name)
	image, err := s.currentImage()
	switch abi.CodeOf(err) {
	case abi.OK:
		info.Image, info.HasImage = image, 1
	case abi.ENoImage, abi.EBusy:
	default:
		return abi.SegmentInfo{}, err
	}
	if s.trailer == nil {
		info.Foreign = 1
		return info, nil
	}
	info.UUID = s.identity.UUID
	info.CreatedAt = s.identity.CreatedAt
	info.Owner = s.identity.Owner
	info.Slots, info.SlotSize = s.identity.SlotCount, s.identity.SlotSize
	alive, err := s.ownerAlive()
	if err != nil {
		return abi.SegmentInfo{}, err
	}
	if alive {
		info.OwnerAlive = 1
	}
	return info, nil
}

// currentImage is the image, or that of a stream's newest frame.
func (s *Segment) currentImage() (abi.ImageInfo, error) {
	if s.identity.SlotCount == 0 {
		return s.Image()
	}
	return s.newestImage()
}

// ownerAlive tells whether the creator has the segment open.
func (s *Segment) ownerAlive() (bool, error) {
	if s.creator { // A file description does not see its own locks.
		return true, nil
	}
	alive, err := s.file.lockedByOther(lockOwner)
	if err != nil {
		return false, systemError("look at", s.name, err)
	}
	return alive, nil
}
