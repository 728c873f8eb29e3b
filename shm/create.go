package shm

import (
	"crypto/rand"
	"os"
	"time"

	"shmcv/internal/abi"
)

// Create makes a segment for size bytes of pixels, all zero, and gives it with one reference. The memory is reserved,
// and the name appears when the segment is complete.
//
// It is EInvalid for a bad name or size, EExists when the name is taken, and ENoSpace when there is not enough shared
// memory or memory left, both looked at before any of it is taken.
func Create(name string, size uint64) (*Segment, error) {
	if err := ValidName(name); err != nil {
		return nil, err
	}
	if size == 0 || size > maxSize {
		return nil, abi.Errorf(abi.EInvalid, "shm: create %q: size %d; it is 1 to %d bytes", name, size, uint64(maxSize))
	}
	return createShaped(name, shape{size: size})
}

// shape is how the pixels of a segment are divided.
type shape struct {
	size     uint64 // Bytes for pixels.
	slots    uint32 // Slots of a stream; 0 for a segment that holds a single image.
	slotSize uint64 // Bytes from one slot to the next.
}

// createShaped makes a segment; name and shape are valid.
func createShaped(name string, shape shape) (*Segment, error) {
	if exists(name) {
		return nil, taken(name)
	}
	fileSize := fileSizeFor(shape.size)
	file, err := createUnnamed(name, shape.size, fileSize)
	if err != nil {
		return nil, err
	}
	id := newIdentity(shape, fileSize)
	s, err := newSegment(name, file, fileSize, &id)
	if err != nil {
		return nil, err
	}
	s.creator = true
	s.trailer.Identity = id
	segments.Lock()
	segments.add(s) // Before it can be opened by name, so that an Open finds this one.
	segments.Unlock()
	if err := s.publish(); err != nil {
		s.Release()
		return nil, err
	}
	return s, nil
}

// publish makes this process the owner of a new segment, and gives it its name.
func (s *Segment) publish() error {
	if err := s.file.lock(lockOwner); err != nil {
		return systemError("create", s.name, err)
	}
	if err := s.file.share(lockUser); err != nil {
		return systemError("create", s.name, err)
	}
	if err := s.file.link(s.name); err != nil {
		if alreadyExists(err) {
			return taken(s.name)
		}
		return systemError("create", s.name, err)
	}
	created.add(s.name, s.file.id)
	return nil
}

func taken(name string) error {
	return abi.Errorf(abi.EExists, "shm: create %q: the name is taken; open it, or clear it first", name)
}

func newIdentity(shape shape, fileSize uint64) identity {
	id := identity{
		Magic:       magic,
		Version:     layoutVersion,
		TrailerSize: trailerSize,
		FileSize:    fileSize,
		Size:        shape.size,
		Capacity:    fileSize - trailerSize,
		SlotCount:   shape.slots,
		SlotSize:    shape.slotSize,
		CreatedAt:   uint64(time.Now().UnixNano()),
		UUID:        newUUID(),
		Owner:       uint32(os.Getpid()),
		OwnerStart:  processStart(),
	}
	id.Checksum = id.checksum()
	return id
}

func newUUID() (uuid [16]byte) {
	rand.Read(uuid[:]) // It never fails: the documentation promises so.
	uuid[6] = uuid[6]&0x0f | 0x40
	uuid[8] = uuid[8]&0x3f | 0x80
	return uuid
}
