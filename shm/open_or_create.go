package shm

import "shmcv/internal/abi"

// changes is how often OpenOrCreate looks again when the name has come and gone between its looks. Others would have to
// create and clear the name as often in some microseconds each.
const changes = 1000

// OpenOrCreate opens the segment that has a name, or makes one for size bytes of pixels if there is none. A segment that
// is there must have at least size bytes; it keeps its size and its image. It returns true if it has made the segment.
//
// Errors: those of Open and Create, except for ENotFound and EExists; ETooSmall when the segment that is there is smaller.
func OpenOrCreate(name string, size uint64) (s *Segment, made bool, err error) {
	return OpenOrCreateFor(name, size, abi.OwnAccess)
}

// OpenOrCreateFor does as OpenOrCreate, for those whom access names if it makes the segment. A segment that is there keeps
// its access.
//
// Errors: those of OpenOrCreate and CreateFor.
func OpenOrCreateFor(name string, size uint64, access abi.Access) (s *Segment, made bool, err error) {
	if err := checkSegmentShape(name, size); err != nil {
		return nil, false, err
	}
	s, made, err = openOr(
		func() (*Segment, error) { return Open(name) },
		func() (*Segment, error) { return CreateFor(name, size, access) })
	if err == nil && s.size < size {
		defer s.Release()
		return nil, false, abi.Errorf(abi.ETooSmall, "shm: open or create %q: it is there and has %d bytes for pixels, where "+
			"%d are wanted; clear it first, or take another name", name, s.size, size)
	}
	return s, made, err
}

// OpenOrCreateStream opens the stream that has a name, or makes one if there is none. A stream that is there must have
// slots of at least slotSize bytes, and at least as many of them; 0 slots are 4 for a new stream, and any number for one
// that is there. It returns true if it has made the stream.
//
// Errors: those of OpenStream and CreateStream, except for ENotFound and EExists; ETooSmall when the stream that is there
// has smaller slots, or fewer.
func OpenOrCreateStream(name string, slotSize uint64, slots uint32, whenBehind abi.WhenBehind) (s *Stream, made bool, err error) {
	return OpenOrCreateStreamFor(name, slotSize, slots, whenBehind, abi.OwnAccess)
}

// OpenOrCreateStreamFor does as OpenOrCreateStream, for those whom access names if it makes the stream. A stream that is
// there keeps its access.
//
// Errors: those of OpenOrCreateStream and CreateStreamFor.
func OpenOrCreateStreamFor(name string, slotSize uint64, slots uint32, whenBehind abi.WhenBehind, access abi.Access) (s *Stream, made bool, err error) {
	if err := checkStreamShape(name, slotSize, slots); err != nil {
		return nil, false, err
	}
	s, made, err = openOr(
		func() (*Stream, error) { return OpenStream(name) },
		func() (*Stream, error) { return CreateStreamFor(name, slotSize, slots, whenBehind, access) })
	if err == nil && (s.identity.SlotSize < slotSize || s.identity.SlotCount < slots) {
		defer s.Release()
		if slots == 0 {
			slots = s.identity.SlotCount
		}
		return nil, false, abi.Errorf(abi.ETooSmall, "shm: open or create stream %q: it is there and has %d slots of %d bytes, "+
			"where %d slots of %d bytes are wanted; clear it first, or take another name",
			name, s.identity.SlotCount, s.identity.SlotSize, slots, slotSize)
	}
	return s, made, err
}

// openOr opens something, or makes it if it is not there. It returns true if it has made it.
func openOr[T any](open, create func() (T, error)) (found T, made bool, err error) {
	for range changes {
		if found, err = open(); abi.CodeOf(err) != abi.ENotFound {
			return found, false, err
		}
		if found, err = create(); abi.CodeOf(err) != abi.EExists {
			return found, err == nil, err
		}
	}
	return found, false, err
}
