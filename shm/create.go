package shm

import (
	"crypto/rand"
	"fmt"
	"time"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// Create makes a segment for size bytes of pixels, all zero, and gives it with one reference. The memory is reserved.
// The name appears when the segment is complete.
//
// Errors: EInvalid for a bad name or size; EExists when the name is taken; ENoSpace when there is not enough shared
// memory, or not enough memory left. Create looks at both before it takes any.
func Create(name string, size uint64) (*Segment, error) { return CreateFor(name, size, abi.OwnAccess) }

// CreateFor does as Create, for those whom access names.
//
// Errors: those of Create; EInvalid for an access that makes no sense; EPermission when this process may not give a file to
// that owner or group.
func CreateFor(name string, size uint64, access abi.Access) (*Segment, error) {
	if err := checkSegmentShape(name, size); err != nil {
		return nil, err
	}
	m, err := createShaped(name, shape{size: size}, access)
	if err != nil {
		return nil, err
	}
	return m.segment, nil
}

func checkSegmentShape(name string, size uint64) error {
	if err := ValidName(name); err != nil {
		return err
	}
	if size == 0 || size > maxSize {
		return abi.Errorf(abi.EInvalid, "shm: create %q: size %d; it is 1 to %d bytes", name, size, uint64(maxSize))
	}
	return nil
}

// shape is how the pixels of a segment are divided.
type shape struct {
	size     uint64 // Bytes for pixels.
	slots    uint32 // Slots of a stream; 0 for a segment that holds a single image.
	slotSize uint64 // Bytes from one slot to the next.

	whenBehind uint32 // As in identity.
}

// createShaped makes and maps the file of a segment or a stream. name and shape are valid.
func createShaped(name string, shape shape, access abi.Access) (*mapping, error) {
	if err := access.Check(); err != nil {
		return nil, err
	}
	name = sys.Plainest(name)
	if sys.Exists(name) { // First of all: if the memory is full too, the name is still what to mend.
		return nil, taken(name)
	}
	file, err := sys.Create(name, shape.size, fileSizeFor(shape), access)
	if err != nil {
		return nil, err
	}
	fileSize, err := file.Size() // In a volume of huge pages it may be more than was asked for.
	if err != nil {
		file.Close()
		return nil, err
	}
	id := newIdentity(shape, fileSize)
	m, err := newMapping(name, file, fileSize, &id, false)
	if err != nil {
		return nil, err
	}
	m.creator = true
	m.trailer.Identity = id
	mappings.Lock()
	mappings.add(m) // Before others can open it by name, so that an Open in this process finds this mapping.
	mappings.Unlock()
	if err := m.publish(); err != nil {
		m.Release()
		return nil, err
	}
	return m, nil
}

// publish makes this process the owner of a new file, and gives the file its name.
func (m *mapping) publish() error {
	// Both locks are free: nobody else can open a file that has no name.
	if _, err := m.file.Lock(lockOwner); err != nil {
		return err
	}
	if _, err := m.file.Share(lockUser); err != nil {
		return err
	}
	if err := m.file.Link(); err != nil {
		if abi.CodeOf(err) == abi.EExists {
			return taken(m.name)
		}
		return err
	}
	created.add(m.name, m.file.ID())
	appeared.Raise()
	return nil
}

// taken is the error for a name that another file has. It tells whose file that is, as far as it can be found out.
func taken(name string) error {
	return abi.Errorf(abi.EExists, "shm: create %q: the name is taken%s; open it (open_or_create does either), clear it, or "+
		"sweep, which removes the names that dead programs have left", name, creatorOf(name))
}

// creatorOf returns words about the process that created what has a name, or nothing if they cannot be found.
func creatorOf(name string) string {
	m, err := look(name)
	if abi.CodeOf(err) == abi.EUnsupported {
		return " by another program"
	}
	if err != nil {
		return ""
	}
	defer m.file.Close()
	alive, err := m.ownerAlive()
	switch {
	case err != nil:
		return ""
	case alive:
		return fmt.Sprintf(" by process %d, which has it open", m.identity.Owner)
	}
	return fmt.Sprintf(" by process %d, which has ended or closed it", m.identity.Owner)
}

func newIdentity(shape shape, fileSize uint64) identity {
	id := identity{
		Magic:       magic,
		Version:     layoutVersion,
		TrailerSize: trailerSize,
		FileSize:    fileSize,
		Size:        shape.size,
		SlotCount:   shape.slots,
		SlotSize:    shape.slotSize,
		CreatedAt:   uint64(time.Now().UnixNano()),
		UUID:        newUUID(),
		Owner:       sys.ProcessID(),
		OwnerStart:  sys.ProcessStart(),
		WhenBehind:  shape.whenBehind,
		UTCOffset:   time.Now().UnixNano() - int64(sys.Monotonic()),
	}
	id.Capacity = id.recordsAt()
	id.Checksum = id.checksum()
	return id
}

func newUUID() (uuid [16]byte) {
	rand.Read(uuid[:]) // Its documentation promises that it never fails.
	uuid[6] = uuid[6]&0x0f | 0x40
	uuid[8] = uuid[8]&0x3f | 0x80
	return uuid
}
