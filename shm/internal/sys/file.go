package sys

import "shmcv/internal/abi"

// File is an open file of shared memory. It has a size that only a neighbour would change, mappings, and a set of
// locks. Its methods may be called by several goroutines at once, Map and Close excepted.
type File struct {
	system openFile
	id     FileID
	name   string    // For messages.
	maps   []mapping // What Map has given, as the system has it.
}

// Open opens the file that has a name, for reading and writing.
//
// Errors: ENotFound when there is none; EPermission when it is not a regular file of this user, nor one that its owner has
// given a group of this process to read and write.
func Open(name string) (*File, error) { return openFor(name, ToWrite) }

// OpenOwn does as Open, for files of this user alone.
func OpenOwn(name string) (*File, error) { return openFor(name, ToOwn) }

// OpenToRead opens the file that has a name, for reading, and for writing if the system lets this process. It may be
// another user's; see Writable.
//
// Errors: ENotFound when there is none; EPermission when it is no regular file, or this process may not read it.
func OpenToRead(name string) (*File, error) { return openFor(name, ToRead) }

// OpenToLook opens the file that has a name, for reading alone. Of the locks it can have those that are shared.
//
// Errors: ENotFound when there is none; EPermission when it is not a regular file of this user, nor one that its owner has
// given a group of this process to read.
func OpenToLook(name string) (*File, error) { return openFor(name, ToLook) }

func openFor(name string, use Use) (*File, error) {
	file, id, err := openNamed(name, use)
	if err != nil {
		return nil, failed("open", name, err)
	}
	return &File{system: file, id: FileID{id}, name: name}, nil
}

// Writable returns true if the file was opened for writing too.
func (f *File) Writable() bool { return f.system.writable() }

// ReadByOthers returns true if the file's mode lets somebody read the file who may not write to it.
func (f *File) ReadByOthers() bool { return f.system.readByOthers() }

// Create makes a file of at least size bytes, all zero, that has no name yet; Link gives it the name. (On Windows the last 4096
// bytes begin with shm's magic number, by which others tell the file from another program's.) Its size is a
// multiple of the pages of its folder's file system. access says which users may open it. All of its memory is reserved: a
// page that is touched later is there.
//
// Create looks at the shared memory that is free, and at the memory that is left to this process, before it takes any:
// the error is then ENoSpace. wanted is how many of the bytes the caller asked for; the message tells both numbers.
//
// Errors: EPermission when this process may not make such a file, or not give it to that owner or group; EUnsupported
// where the folder's file system lacks what segments need.
func Create(name string, wanted, size uint64, access abi.Access) (*File, error) {
	file, id, err := createUnnamed(name, wanted, size, access)
	if err != nil {
		return nil, failed("create", name, err)
	}
	return &File{system: file, id: FileID{id}, name: name}, nil
}

// Link gives the file its name, by which others can open it from then on. The file must come from Create.
//
// Errors: EExists when the name is taken. If several callers want the same name, one of them gets it.
func (f *File) Link() error {
	if err := f.system.link(f.name); err != nil {
		return failed("create", f.name, err)
	}
	return nil
}

// ID gives the file's ID.
func (f *File) ID() FileID { return f.id }

// Number gives what C code of this system knows the open file by: a file descriptor, or where its bells are. It is the file's
// until Close.
func (f *File) Number() uintptr { return f.system.number() }

// Size gives the file's size in bytes. shm asks for it in every call, so it has to be fast.
func (f *File) Size() (uint64, error) {
	size, err := f.system.size()
	if err != nil {
		return 0, failed("look at", f.name, err)
	}
	return size, nil
}

// ReadAt copies bytes of the file to buffer, from offset on, and gives their number. The number is less than
// len(buffer) only where the file ends.
func (f *File) ReadAt(buffer []byte, offset uint64) (int, error) {
	n, err := f.system.readAt(buffer, offset)
	if err != nil {
		return n, failed("read", f.name, err)
	}
	return n, nil
}

// Reserve makes sure that all of the file's memory is there: a page that is touched later is there. The programs that
// make files without this library reserve nothing, as a rule. A page that is not there is taken when a program touches
// it, also to read it; if the shared memory is full by then, the system ends that program.
//
// Reserve asks the system once how much memory the file has. If that is all, it does nothing. Otherwise it looks at what
// is free, as Create does, and then takes what is missing. The file's content and size stay as they are.
//
// Errors: ENoSpace when there is not enough.
func (f *File) Reserve() error {
	if err := f.system.reserveMissing(f.name); err != nil {
		return failed("open", f.name, err)
	}
	return nil
}

// Map makes size bytes of the file, from offset on, the caller's memory until Close. Every process that maps the file
// sees the same bytes. The memory begins on a page if offset is that of a page. Unless it is writable, memory that is
// written to faults.
//
// Memory that a neighbour cuts off the file faults when it is touched.
func (f *File) Map(offset, size uint64, writable bool) ([]byte, error) {
	memory, mapping, err := f.system.mapped(offset, size, writable)
	if err != nil {
		return nil, failed("map", f.name, err)
	}
	f.maps = append(f.maps, mapping)
	return memory, nil
}

// Close takes the mappings away, gives all locks back and closes the file. It gives the locks back itself, because a
// forked child may still have the file open.
func (f *File) Close() {
	for _, mapping := range f.maps {
		mapping.unmap()
	}
	f.maps = nil
	f.system.unlockAll()
	f.system.close()
}

// A lock has a number from 0 to 255 and belongs to one File: neither to a thread nor to the process, so two Files of
// one process exclude each other. The system gives it back when the last process that has this File ends.

// Lock takes a lock for this file alone, which has been opened for writing. It does not wait: it returns false if
// another File holds or shares the lock. A File that shares a lock cannot make it its own; it has to give it back first.
func (f *File) Lock(number int) (taken bool, err error) { return f.take(number, false) }

// Share takes a lock that other Files may share. It does not wait: it returns false if another File holds the lock
// alone.
func (f *File) Share(number int) (taken bool, err error) { return f.take(number, true) }

func (f *File) take(number int, shared bool) (bool, error) {
	taken, err := f.system.lock(number, shared)
	if err != nil {
		return false, failed("lock", f.name, err)
	}
	return taken, nil
}

// Unlock gives a lock back. A lock that the File does not have stays as it is.
func (f *File) Unlock(number int) { f.system.unlock(number) }

// HeldByOther returns true if another File has a lock for itself alone, which takes the right to write. A lock that others
// share counts for nothing, because everybody can share it who may read the file. The caller must not have the lock itself:
// a system may answer by sharing the lock and giving it back.
func (f *File) HeldByOther(number int) (bool, error) {
	held, err := f.system.heldByOther(number)
	if err != nil {
		return false, failed("look at", f.name, err)
	}
	return held, nil
}
