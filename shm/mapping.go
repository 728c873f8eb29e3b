package shm

import (
	"sync/atomic"
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// mapping is what this process has mapped of a shared-memory file: once for reading and writing, and once more where it
// has been opened read-only. Segments and streams stand on it. A caller that is given one holds a reference, and may use
// it and its memory until the caller releases the reference.
type mapping struct {
	name     string
	file     *sys.File
	readOnly bool     // Nothing may be stored in the segment through this mapping.
	fileSize uint64   // Bytes of the file as it was when it was mapped.
	memory   []byte   // All of the file. Writable for a segment, unless it was opened read-only; not writable for a stream.
	size     uint64   // Bytes for pixels, from the start of memory.
	trailer  *trailer // In memory, or in shared; nil for a foreign segment.
	shared   []byte   // The end of the file in a mapping of its own, which is writable: a stream's from sharedAt on.
	records  []byte   // What describes a stream's frames. Not writable.
	identity identity // What the trailer said when it was found sound: nobody else can change this copy.
	creator  bool     // This process created the file, through this sys.File, which holds the creator's lock.

	references atomic.Int64
	kept       atomic.Bool // See Keep.

	// Of a stream; see replaced.
	looked atomic.Int64 // When this process last looked at the name: nanoseconds after loaded.
	lost   atomic.Bool  // The name was not this file's then.

	segment *Segment // What the file holds, if that is a single image; nil for a stream.
	parties parties  // What this process does with the stream, if the file holds one.
	bell    sys.Bell // Rung for each image, or each frame. A foreign segment has none.
}

// newMapping maps a file, which it takes over, and gives the mapping with one reference. id is nil for a foreign
// segment.
//
// The pixels of a stream, and those of a segment that was opened read-only, are mapped so that they can only be read: a
// stray write of this process faults, and other processes see nothing of it. The end of the file is mapped apart then,
// because a reader of a stream tells there what it holds, and who waits for an image marks the bell. The writer of a stream
// maps the pixels once more (Stream.becomeWriter).
func newMapping(name string, file *sys.File, fileSize uint64, id *identity, readOnly bool) (*mapping, error) {
	m := &mapping{name: name, file: file, readOnly: readOnly, fileSize: fileSize, size: fileSize}
	m.references.Store(1)
	if err := m.mapFile(id); err != nil {
		file.Close()
		return nil, err
	}
	if !m.isStream() {
		m.segment = newSegment(m)
	}
	return m, nil
}

func (m *mapping) mapFile(id *identity) (err error) {
	apart := m.readOnly || id != nil && id.SlotCount != 0
	if m.memory, err = m.file.Map(0, m.fileSize, !apart); err != nil || id == nil {
		return err
	}
	m.size, m.identity = id.Size, *id
	end := m.memory[m.identity.sharedAt():]
	if apart && m.file.Writable() {
		if end, err = m.file.Map(m.identity.sharedAt(), uint64(len(end)), true); err != nil {
			return err
		}
	}
	m.shared, m.trailer = end, trailerOf(end)
	m.records = m.memory[m.identity.recordsAt():m.identity.sharedAt()]
	value, waiters := unsafe.Offsetof(m.trailer.ImageBell), unsafe.Offsetof(m.trailer.ImageWaiters)
	if m.isStream() {
		value, waiters = unsafe.Offsetof(m.trailer.StreamBell), unsafe.Offsetof(m.trailer.StreamWaiters)
	}
	m.bell = m.file.Bell(end[len(end)-trailerSize:], uint64(value), uint64(waiters), m.file.Writable())
	return nil
}

// SameFile returns true if two segments are one, be it opened to write or read-only.
func (m *mapping) SameFile(other *Segment) bool { return m.file.ID() == other.file.ID() }

// isStream returns true if the file holds a stream, false if it holds a single image.
func (m *mapping) isStream() bool { return m.identity.SlotCount != 0 }

// Retain adds a reference. The caller holds one.
func (m *mapping) Retain() { m.references.Add(1) }

// Release gives a reference back. With the last one the memory is unmapped and the locks are given back; for others the
// creator is then gone, if it was this process.
func (m *mapping) Release() {
	if m.references.Add(-1) > 0 {
		return
	}
	mappings.remove(m)
	m.file.Close()
}

// Keep keeps the memory mapped until this process ends, whatever is released. Calls after the first have no effect.
func (m *mapping) Keep() {
	if m.kept.CompareAndSwap(false, true) {
		m.Retain()
	}
}

// Name gives the name by which this process created or first opened the segment.
func (m *mapping) Name() string { return m.name }

// checkSize returns ETruncated if a part of the memory is no longer there.
func (m *mapping) checkSize() error {
	size, err := m.file.Size()
	if err != nil {
		return err
	}
	if size < m.fileSize {
		return abi.Errorf(abi.ETruncated, "shm: %q had %d bytes when it was opened, and somebody has cut it to %d; "+
			"clear it and create it again", m.name, m.fileSize, size)
	}
	return nil
}

// checkTrailer returns an error if the size or the identity is no longer what it was. The segment is not foreign.
func (m *mapping) checkTrailer() error {
	if err := m.checkSize(); err != nil {
		return err
	}
	if m.trailer.Identity != m.identity {
		return corrupt(m.name)
	}
	return nil
}
