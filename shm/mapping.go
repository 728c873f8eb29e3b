package shm

import (
	"sync/atomic"
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// mapping is this process's one mapping of a shared-memory file. Segments and streams stand on it. A caller that is
// given one holds a reference, and may use it and its memory until the caller releases the reference.
type mapping struct {
	name     string
	file     *sys.File
	memory   []byte   // The whole file as it was when it was mapped.
	size     uint64   // Bytes for pixels, from the start of memory.
	trailer  *trailer // In memory; nil for a foreign segment.
	identity identity // What the trailer said when it was found sound: nobody else can change this copy.
	creator  bool     // This process created the file, through this sys.File, which holds the creator's lock.

	references atomic.Int64
	kept       atomic.Bool // See Keep.

	segment *Segment // What the file holds, if that is a single image; nil for a stream.
	parties parties  // What this process does with the stream, if the file holds one.
	bell    sys.Bell // Rung for each image, or each frame. A foreign segment has none.
}

// newMapping maps a file, which it takes over, and gives the mapping with one reference. id is nil for a foreign
// segment.
func newMapping(name string, file *sys.File, fileSize uint64, id *identity) (*mapping, error) {
	memory, err := file.Map(fileSize)
	if err != nil {
		file.Close()
		return nil, err
	}
	m := &mapping{name: name, file: file, memory: memory, size: fileSize}
	m.references.Store(1)
	if id != nil {
		m.size = id.Size
		m.identity = *id
		m.trailer = trailerOf(memory)
	}
	if m.isStream() {
		m.bell = m.bellAt(unsafe.Offsetof(m.trailer.StreamBell), unsafe.Offsetof(m.trailer.StreamWaiters))
		return m, nil
	}
	if m.trailer != nil {
		m.bell = m.bellAt(unsafe.Offsetof(m.trailer.ImageBell), unsafe.Offsetof(m.trailer.ImageWaiters))
	}
	m.segment = &Segment{mapping: m}
	return m, nil
}

// bellAt gives the bell at two offsets in the trailer.
func (m *mapping) bellAt(value, waiters uintptr) sys.Bell {
	start := uint64(len(m.memory)) - trailerSize
	return m.file.Bell(start+uint64(value), start+uint64(waiters))
}

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
	if size < uint64(len(m.memory)) {
		return abi.Errorf(abi.ETruncated, "shm: %q had %d bytes when it was opened, and somebody has cut it to %d; "+
			"clear it and create it again", m.name, len(m.memory), size)
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
