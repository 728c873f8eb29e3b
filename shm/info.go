package shm

import "shmcv/internal/abi"

// Info tells what is known of the segment or stream. It leaves out an image that another process is storing and does
// not finish.
//
// Errors: ETruncated; ECorrupt.
func (m *mapping) Info() (abi.SegmentInfo, error) {
	image, err := m.currentImage()
	return m.infoWith(image, err)
}

// infoWith gives what Info does. err tells why there is no image.
func (m *mapping) infoWith(image abi.ImageInfo, err error) (abi.SegmentInfo, error) {
	info := abi.SegmentInfo{Size: m.size, FileSize: m.fileSize}
	copy(info.Name[:], m.name)
	switch abi.CodeOf(err) {
	case abi.OK:
		info.Image, info.HasImage = image, 1
	case abi.ENoImage, abi.EBusy:
	default:
		return abi.SegmentInfo{}, err
	}
	if m.trailer == nil {
		info.Foreign = 1
		return info, nil
	}
	info.UUID = m.identity.UUID
	info.CreatedAt = m.identity.CreatedAt
	info.Owner = m.identity.Owner
	info.Slots, info.SlotSize, info.WhenBehind = m.identity.SlotCount, m.identity.SlotSize, m.identity.WhenBehind
	if m.isStream() {
		if info.UtcOffsetNs = m.identity.UTCOffset; m.writerAlive() {
			info.Writer = m.trailer.Writer.Load()
		}
	}
	alive, err := m.ownerAlive()
	if err != nil {
		return abi.SegmentInfo{}, err
	}
	if alive {
		info.OwnerAlive = 1
	}
	return info, nil
}

// currentImage gives the segment's image, or that of a stream's newest frame.
func (m *mapping) currentImage() (abi.ImageInfo, error) {
	if m.isStream() {
		return m.newestImage()
	}
	return m.segment.Image()
}

// writerAlive returns true if a party writes to the stream.
func (m *mapping) writerAlive() bool {
	m.parties.mu.Lock()
	own := m.parties.writer != nil
	m.parties.mu.Unlock()
	if own { // HeldByOther does not see the locks of its own file.
		return true
	}
	held, err := m.file.HeldByOther(lockWriter)
	return held && err == nil
}

// ownerAlive returns true if the creator has the file open.
func (m *mapping) ownerAlive() (bool, error) {
	if m.creator { // HeldByOther does not see the locks of its own file.
		return true, nil
	}
	return m.file.HeldByOther(lockOwner)
}
