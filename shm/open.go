package shm

import (
	"time"
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// Open opens the segment that has a name. If this process has the segment open already, it gives the same Segment with
// one more reference. A file without this library's metadata is opened as a foreign segment, whose pixels are all of
// it. Memory that such a file does not have yet is reserved (sys.File.Reserve).
//
// Errors: ENotFound when there is none; EPermission when the file is not a regular file of this user, nor one that its owner
// has given a group of this process to read and write (sys.ToWrite); EInvalid when the name is bad, when the file is empty, and when it holds a stream; ECorrupt when the metadata makes no sense;
// EUnsupported when a later version of this library made it; ENoSpace when there is no memory for all of a file that
// another program made.
func Open(name string) (*Segment, error) { return openSegment(name, sys.ToWrite) }

// OpenReadOnly opens the segment that has a name, to be read alone. Its memory faults when it is written to, and what
// would change the segment is EPermission. Any regular file will do that this process may read, also another user's. A
// Segment that Open has given is another one.
//
// It never repairs what a process has left that died while it stored an image: there is no image then, until the next
// is stored. A file that this process may not write to has no mark that somebody waits: Wait looks at it every 10 ms.
//
// Errors: those of Open; EPermission when this process may not read the file.
func OpenReadOnly(name string) (*Segment, error) { return openSegment(name, sys.ToRead) }

func openSegment(name string, use sys.Use) (*Segment, error) {
	m, err := openMapping(name, use)
	if err != nil {
		return nil, err
	}
	if m.isStream() {
		m.Release()
		return nil, abi.Errorf(abi.EInvalid, "shm: open %q: it is a stream; open it as one (shmcv_stream_open)", name)
	}
	return m.segment, nil
}

// OpenStream opens the stream that has a name. Each call makes a party of its own to the stream; see Stream. A stream that
// this process may only read is opened as OpenStreamReadOnly does, if it is this user's, or its owner has given a group of
// this process to read it.
//
// Errors: those of Open; EInvalid when the file holds a segment.
func OpenStream(name string) (*Stream, error) {
	m, err := openMapping(name, sys.ToWrite)
	if abi.CodeOf(err) == abi.EPermission { // If this one is too, its message tells what is missing to read the stream at least.
		m, err = openMapping(name, sys.ToLook)
	}
	return streamIn(m, name, err)
}

// OpenStreamReadOnly opens the stream that has a name, to be read alone. Any regular file will do that this process may
// read, also another user's. The party takes no place: any number of them may read, the writer knows of none, and may write
// over a frame that one of them reads; see Frame.Check.
//
// Errors: those of OpenReadOnly; EInvalid when the file holds a segment.
func OpenStreamReadOnly(name string) (*Stream, error) {
	m, err := openMapping(name, sys.ToRead)
	return streamIn(m, name, err)
}

// streamIn makes a party to the stream that a mapping has. err is that of the mapping.
func streamIn(m *mapping, name string, err error) (*Stream, error) {
	if err != nil {
		return nil, err
	}
	if !m.isStream() {
		m.Release()
		return nil, abi.Errorf(abi.EInvalid, "shm: open stream %q: it is a segment and no stream; open it as one (shmcv_open)", name)
	}
	return newStream(m)
}

// openMapping gives the mapping of the file that has a name, with one more reference. If this process has mapped the
// file already, that is the same mapping. use is sys.ToWrite, or one to read alone.
func openMapping(name string, use sys.Use) (*mapping, error) {
	if err := ValidName(name); err != nil {
		return nil, err
	}
	name = sys.Plainest(name)
	file, err := openToUse(name, use)
	if err != nil {
		return nil, err
	}
	readOnly := use != sys.ToWrite
	key := mappingKey{file.ID(), readOnly}
	if m := mappings.findLocking(key); m != nil {
		file.Close()
		return m, nil
	}
	// Without the mutex, because to reserve a large file takes a while.
	fileSize, id, err := examineContent(name, file)
	if err == nil {
		err = file.Reserve()
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	mappings.Lock()
	defer mappings.Unlock()
	if m := mappings.find(key); m != nil { // Another thread has mapped it meanwhile.
		file.Close()
		return m, nil
	}
	m, err := newMapping(name, file, fileSize, id, readOnly)
	if err != nil {
		return nil, err
	}
	mappings.add(m)
	return m, nil
}

// sweepPatience is how long openToUse waits for another process that sweeps the name, which takes microseconds.
const sweepPatience = time.Second

// openToUse opens the file that has a name, and takes the lock that tells Sweep that the file is used. Between the two,
// another process may remove the name or give it to another file. openToUse then looks again.
func openToUse(name string, use sys.Use) (*sys.File, error) {
	openFile := sys.Open
	switch use {
	case sys.ToRead:
		openFile = sys.OpenToRead
	case sys.ToLook:
		openFile = sys.OpenToLook
	}
	for deadline := time.Now().Add(sweepPatience); ; time.Sleep(100 * time.Microsecond) {
		file, err := openFile(name)
		if err != nil {
			return nil, err
		}
		used, err := file.Share(lockUser)
		if used {
			var now sys.FileID
			if now, _, err = sys.Find(name, use); err == nil && now == file.ID() {
				return file, nil
			}
		}
		file.Close()
		if err != nil {
			return nil, err
		}
		if !used && time.Now().After(deadline) {
			return nil, abi.Errorf(abi.EBusy, "shm: open %q: another process has kept it from being used for %v", name, sweepPatience)
		}
	}
}

// examineContent gives the size of a file, and the identity that its end tells: nil for a foreign segment.
func examineContent(name string, file *sys.File) (fileSize uint64, id *identity, err error) {
	fileSize, err = file.Size()
	if err != nil {
		return 0, nil, err
	}
	if fileSize == 0 {
		return 0, nil, abi.Errorf(abi.EInvalid, "shm: open %q: its file is empty; whoever made it has not given it a size yet", name)
	}
	if fileSize > maxSize+granularity {
		return 0, nil, abi.Errorf(abi.EUnsupported, "shm: open %q: its file has %d bytes; at most %d are handled",
			name, fileSize, uint64(maxSize))
	}
	id, err = readIdentity(name, file, fileSize)
	return fileSize, id, err
}

// readIdentity gives the identity at the end of a file; nil if there is none. It reads a copy through the file and not
// the memory, which a neighbour might take away by then, or change after the check.
func readIdentity(name string, file *sys.File, fileSize uint64) (*identity, error) {
	if fileSize < trailerSize {
		return nil, nil
	}
	id := new(identity)
	n, err := file.ReadAt((*[unsafe.Sizeof(*id)]byte)(unsafe.Pointer(id))[:], fileSize-trailerSize)
	if err != nil {
		return nil, err
	}
	if n < int(unsafe.Sizeof(*id)) {
		return nil, abi.Errorf(abi.ETruncated, "shm: open %q: its file became shorter than %d bytes meanwhile", name, fileSize)
	}
	if id.Magic != magic {
		return nil, nil
	}
	return id, id.check(name, fileSize)
}
