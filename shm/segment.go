package shm

import (
	"sync"
	"sync/atomic"

	"shmcv/internal/abi"
)

// Segment is this process's one mapping of a shared-memory file. Whoever has been given one holds a reference, and
// may use it and the memory it gives until releasing it.
type Segment struct {
	name     string
	file     file
	memory   []byte   // The whole file as it was when it was mapped.
	size     uint64   // Bytes for pixels, from the start of memory.
	trailer  *trailer // In memory; nil for a foreign segment.
	identity identity // What the trailer said when it was found sound: nobody else can change this one.
	creator  bool     // This process created it, through this file description, which holds the owner's lock.

	references atomic.Int64

	parties parties // What this process does with it, if it is a stream.

	pixels        sync.Mutex    // Held by the goroutine that stores or copies pixels.
	image         sync.Mutex    // Held by the goroutine that stores an image; locks between processes do not tell goroutines apart.
	foreign       abi.ImageInfo // A foreign segment's image, which only this process knows.
	foreignStored uint64        // How often it has been set.
}

// newSegment maps file, which it takes over, and gives it one reference. id is nil for a foreign segment.
func newSegment(name string, file file, fileSize uint64, id *identity) (*Segment, error) {
	memory, err := file.mapped(fileSize)
	if err != nil {
		file.close()
		return nil, systemError("map", name, err)
	}
	s := &Segment{name: name, file: file, memory: memory, size: fileSize}
	if id != nil {
		s.size = id.Size
		s.identity = *id
		s.trailer = trailerOf(memory)
	}
	s.references.Store(1)
	return s, nil
}

// Retain adds a reference. The caller holds one.
func (s *Segment) Retain() { s.references.Add(1) }

// Release gives a reference back. With the last one the memory is unmapped, and the segment is no longer this
// process's: one that it created counts as ownerless from then on.
func (s *Segment) Release() {
	if s.references.Add(-1) > 0 {
		return
	}
	segments.remove(s)
	unmap(s.memory)
	// Closing alone would not do in a process that has forked: the child has the same file description.
	s.file.unlockAll()
	s.file.close()
}

// Name is the name that the segment was created or opened by.
func (s *Segment) Name() string { return s.name }

// Bytes gives the memory of the pixels: as many bytes as were asked for at creation, for a foreign segment all of it.
// It starts on a page boundary and is valid until the reference is released. It is ETruncated when the file no longer
// covers it.
func (s *Segment) Bytes() ([]byte, error) {
	if err := s.checkSize(); err != nil {
		return nil, err
	}
	return s.memory[:s.size:s.size], nil
}

// Room gives the part of Bytes that image, which is checked, takes: ETooSmall when there is less.
func (s *Segment) Room(image abi.ImageInfo) ([]byte, error) {
	bytes, err := s.Bytes()
	if err != nil {
		return nil, err
	}
	return roomFor(image, bytes, s.name)
}

// roomFor gives the part of bytes, which are name's, that image takes.
func roomFor(image abi.ImageInfo, bytes []byte, name string) ([]byte, error) {
	if image.Bytes() > uint64(len(bytes)) {
		return nil, abi.Errorf(abi.ETooSmall, "shm: an image of %d x %d pixels, stride %d, needs %d bytes; %q has %d",
			image.Width, image.Height, image.Stride, image.Bytes(), name, len(bytes))
	}
	return bytes[:image.Bytes()], nil
}

// checkSize tells whether all memory is still there.
func (s *Segment) checkSize() error {
	size, err := s.file.size()
	if err != nil {
		return systemError("look at", s.name, err)
	}
	if size < uint64(len(s.memory)) {
		return abi.Errorf(abi.ETruncated, "shm: %q had %d bytes when it was opened, and somebody has cut it to %d; "+
			"clear it and create it again", s.name, len(s.memory), size)
	}
	return nil
}

// checkTrailer tells whether the size and the identity of a segment that is not foreign are what they were.
func (s *Segment) checkTrailer() error {
	if err := s.checkSize(); err != nil {
		return err
	}
	if s.trailer.Identity != s.identity {
		return corrupt(s.name)
	}
	return nil
}
