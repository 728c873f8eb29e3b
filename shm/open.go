package shm

import (
	"time"
	"unsafe"

	"shmcv/internal/abi"
)

// Open gives the segment of that name with one more reference: the one this process has mapped already, if it has.
// A file without our metadata is opened as a foreign segment, whose pixels are all of it.
//
// It is ENotFound when there is none, EPermission when the file is not a regular one of this user, EInvalid when it is
// empty, ECorrupt when its metadata makes no sense, and EUnsupported when a later version of this library made it.
func Open(name string) (*Segment, error) {
	if err := ValidName(name); err != nil {
		return nil, err
	}
	file, err := openToUse(name)
	if err != nil {
		return nil, err
	}
	segments.Lock()
	defer segments.Unlock()
	if s := segments.find(file.id); s != nil {
		file.close()
		return s, nil
	}
	s, err := newFound(name, file)
	if err != nil {
		return nil, err
	}
	segments.add(s)
	return s, nil
}

// openToUse opens the file of that name and takes the lock that tells Sweep that it is used. Meanwhile the name may
// have gone, or to another file: then it is another's or nobody's.
func openToUse(name string) (file, error) {
	for deadline := time.Now().Add(lockPatience); ; time.Sleep(100 * time.Microsecond) {
		f, err := openFile(name)
		if err != nil {
			return file{}, err
		}
		err = f.share(lockUser)
		if err == nil {
			now, err := lookUp(name)
			if err == nil && now == f.id {
				return f, nil
			}
			f.close()
			if err != nil {
				return file{}, err
			}
			continue
		}
		f.close()
		if !heldByOther(err) {
			return file{}, systemError("open", name, err)
		}
		if time.Now().After(deadline) { // A sweep holds it for microseconds.
			return file{}, abi.Errorf(abi.EBusy, "shm: open %q: another process has kept it from being used for %v", name, lockPatience)
		}
	}
}

// newFound makes a segment of a file that somebody else has made, and takes the file over.
func newFound(name string, file file) (*Segment, error) {
	fileSize, id, err := examineContent(name, file)
	if err != nil {
		file.close()
		return nil, err
	}
	return newSegment(name, file, fileSize, id)
}

// examineContent gives the size of a file and what its end says the segment is, nil for a foreign one.
func examineContent(name string, file file) (fileSize uint64, id *identity, err error) {
	fileSize, err = file.size()
	if err != nil {
		return 0, nil, systemError("open", name, err)
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

// readIdentity gives the identity at the end of a file, nil if there is none. It reads a copy through the file and not
// the memory, which might be gone by then, or change after the check.
func readIdentity(name string, file file, fileSize uint64) (*identity, error) {
	if fileSize < trailerSize {
		return nil, nil
	}
	id := new(identity)
	n, err := file.readAt((*[unsafe.Sizeof(*id)]byte)(unsafe.Pointer(id))[:], fileSize-trailerSize)
	if err != nil {
		return nil, systemError("open", name, err)
	}
	if n < int(unsafe.Sizeof(*id)) {
		return nil, abi.Errorf(abi.ETruncated, "shm: open %q: its file became shorter than %d bytes meanwhile", name, fileSize)
	}
	if id.Magic != magic {
		return nil, nil
	}
	return id, id.check(name, fileSize)
}
