package sys

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// openFile is a file descriptor.
type openFile struct {
	fd       int
	readOnly bool
}

func openNamed(name string, access access) (openFile, fileID, error) {
	// The error of opening says less well what is wrong, and to open a pipe or a device can have effects: look first.
	if _, _, err := find(name, access == toRead); err != nil {
		return openFile{}, fileID{}, err
	}
	const flags = unix.O_NOFOLLOW | unix.O_NONBLOCK
	fd, err := -1, error(nil)
	if access != toLook {
		fd, err = openFD(pathOf(name), flags|unix.O_RDWR)
	}
	readOnly := access == toLook || access == toRead && cannotWrite(err)
	if readOnly {
		fd, err = openFD(pathOf(name), flags|unix.O_RDONLY)
	}
	if err != nil {
		return openFile{}, fileID{}, err
	}
	return identified(name, openFile{fd, readOnly}, access == toRead)
}

// cannotWrite returns true if a file might be opened for reading, where opening it for writing too gave the error.
func cannotWrite(err error) bool {
	return err == unix.EACCES || err == unix.EPERM || err == unix.EROFS || err == unix.ETXTBSY
}

func (f openFile) writable() bool { return !f.readOnly }

func openFD(path string, flags int) (int, error) {
	return noted(func() (fd int, err error) {
		err = retry(func() error {
			fd, err = unix.Open(path, flags|unix.O_CLOEXEC, 0o600)
			return err
		})
		return fd, err
	})
}

// identified examines an open file. It closes the file if that fails.
func identified(name string, f openFile, anyUsers bool) (openFile, fileID, error) {
	var stat unix.Stat_t
	err := retry(func() error { return unix.Fstat(f.fd, &stat) })
	if err != nil {
		f.close()
		return openFile{}, fileID{}, err
	}
	id, err := examine(name, &stat, anyUsers)
	if err != nil {
		f.close()
		return openFile{}, fileID{}, err
	}
	return f, id, nil
}

func createUnnamed(name string, wanted, size uint64) (openFile, fileID, error) {
	claim := claim{"create", name, fmt.Sprintf("%d bytes wanted, %d with metadata", wanted, size), size}
	if err := claim.check(); err != nil {
		return openFile{}, fileID{}, err
	}
	if err := claim.checkFileSize(); err != nil {
		return openFile{}, fileID{}, err
	}
	fd, err := openFD(folder, unix.O_RDWR|unix.O_TMPFILE)
	if err == unix.ENOENT {
		err = noFolder("create " + strconv.Quote(name))
	}
	if err != nil {
		return openFile{}, fileID{}, err
	}
	f, id, err := identified(name, openFile{fd: fd}, false)
	if err != nil {
		return openFile{}, fileID{}, err
	}
	// The umask may have taken bits from the mode that open was given.
	err = retry(func() error { return unix.Fchmod(fd, 0o600) })
	if err == nil {
		err = f.reserve(size, 0)
	}
	if err != nil {
		f.close()
		if err == unix.ENOSPC { // Somebody else took the room after check had seen it.
			err = claim.noRoom(freeRoom())
		}
		return openFile{}, fileID{}, err
	}
	return f, id, nil
}

// reserve gives a file size bytes of memory, and its size unless mode says to keep it. It goes piece by piece, because a signal undoes the piece that is being
// reserved: in one piece, a host with frequent signals would never get a large segment.
func (f openFile) reserve(size uint64, mode uint32) error {
	for done := uint64(0); done < size; done += piece {
		err := retry(func() error { return unix.Fallocate(f.fd, mode, int64(done), int64(min(piece, size-done))) })
		if err != nil {
			return err
		}
	}
	return nil
}

// piece is how much memory is reserved by one system call.
const piece = 16 << 20

func (f openFile) reserveMissing(name string) error {
	var stat unix.Stat_t
	if err := retry(func() error { return unix.Fstat(f.fd, &stat) }); err != nil {
		return err
	}
	const block = 512 // The unit of st_blocks, whatever the file system's own blocks are.
	size, there := uint64(stat.Size), uint64(stat.Blocks)*block
	if there >= size {
		return nil
	}
	claim := claim{"open", name, fmt.Sprintf("its file has %d bytes, and %d of them have no memory yet", size, size-there), size - there}
	if err := claim.check(); err != nil {
		return err
	}
	var err error
	if f.readOnly {
		err = f.populate(size)
	} else {
		err = f.reserve(size, unix.FALLOC_FL_KEEP_SIZE)
	}
	switch err {
	case unix.ENOSPC:
		return claim.noRoom(freeRoom())
	case unix.EOPNOTSUPP: // Not on tmpfs. Such a file system may not count a file's blocks either.
		return nil
	}
	return err
}

// populate does for a file that cannot be written to what reserve does for others: it lets the system touch all pages.
// A kernel before 5.14 cannot do that. Then it is enough that there was room.
func (f openFile) populate(size uint64) error {
	memory, mapping, err := f.mapped(0, size, false)
	if err != nil {
		return err
	}
	defer mapping.unmap()
	for done := uint64(0); done < size; done += piece {
		err := retry(func() error { return unix.Madvise(memory[done:min(done+piece, size)], unix.MADV_POPULATE_READ) })
		switch err {
		case nil:
		case unix.EINVAL:
			return nil
		case unix.EFAULT: // To touch a page would have been a bus error.
			return unix.ENOSPC
		default:
			return err
		}
	}
	return nil
}

func (f openFile) link(name string) error {
	from := "/proc/self/fd/" + strconv.Itoa(f.fd)
	err := retry(func() error {
		return unix.Linkat(unix.AT_FDCWD, from, unix.AT_FDCWD, pathOf(name), unix.AT_SYMLINK_FOLLOW)
	})
	if err != unix.ENOENT {
		return err
	}
	// /proc is not mounted. Linux 6.10 and later, and every kernel for the superuser, can do without.
	err = retry(func() error {
		return unix.Linkat(f.fd, "", unix.AT_FDCWD, pathOf(name), unix.AT_EMPTY_PATH)
	})
	if err != unix.ENOENT {
		return err
	}
	return abi.Errorf(abi.EUnsupported, "shm: create %q: /proc is not mounted, and before Linux 6.10 a new file gets its name "+
		"through it; mount it (mount -t proc proc /proc), or start the program where it is", name)
}

func (f openFile) number() uintptr { return uintptr(f.fd) }

// size seeks to the end, which takes less than half of fstat's time. The call is raw, which it may be because it does
// not block, so that it takes Go's scheduler no time either. Nobody uses the position that it leaves.
func (f openFile) size() (uint64, error) {
	end, _, errno := unix.RawSyscall(unix.SYS_LSEEK, uintptr(f.fd), 0, unix.SEEK_END)
	if errno != 0 {
		return 0, errno
	}
	return uint64(end), nil
}

func (f openFile) readAt(buffer []byte, offset uint64) (n int, err error) {
	err = retry(func() error {
		n, err = unix.Pread(f.fd, buffer, int64(offset))
		return err
	})
	return n, err
}

// mapping is memory as mmap gave it: from the page on that the first byte is in.
type mapping []byte

func (f openFile) mapped(offset, size uint64, writable bool) ([]byte, mapping, error) {
	protection := unix.PROT_READ
	if writable {
		protection |= unix.PROT_WRITE
	}
	before := offset % uint64(os.Getpagesize())
	fd, done := f.again()
	defer done()
	pages, err := unix.Mmap(fd, int64(offset-before), int(before+size), protection, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	return pages[before:], pages, nil
}

// again opens the file once more, to map it. A mapping keeps an open file description, and with it its locks, as a
// descriptor does. A forked child has all mappings, and cannot know whether they are still wanted. So nothing is mapped
// by the description that has the locks. Where /proc is not mounted, there is only that one, and a dead process counts as
// alive for as long as a forked child of it lives.
func (f openFile) again() (fd int, done func()) {
	mode := unix.O_RDWR
	if f.readOnly {
		mode = unix.O_RDONLY
	}
	fd = -1
	err := retry(func() (err error) {
		fd, err = unix.Open("/proc/self/fd/"+strconv.Itoa(f.fd), mode|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return f.fd, func() {}
	}
	return fd, func() { _ = unix.Close(fd) }
}

// unmap and close cannot fail on what mapped and open gave.

func (m mapping) unmap() { _ = unix.Munmap(m) }

func (f openFile) close() { closeNoted(f.fd) }

// firstLock is the byte that lock 0 is on: far behind the end of every file, so that no other program's lock is there.
const firstLock = 1 << 62

// flock asks for the lock of length bytes, from that of lock number on. Length 0 means all that follow. The lock
// belongs to the open file description. (Older locks belong to the process, and it would lose them when it closes any
// other descriptor of the file.)
func (f openFile) flock(command, kind, number int, length int64) (unix.Flock_t, error) {
	flock := unix.Flock_t{Type: int16(kind), Whence: unix.SEEK_SET, Start: firstLock + int64(number), Len: length}
	err := retry(func() error { return unix.FcntlFlock(uintptr(f.fd), command, &flock) })
	return flock, err
}

func (f openFile) lock(number int, shared bool) (bool, error) {
	kind := unix.F_WRLCK
	if shared {
		kind = unix.F_RDLCK
	}
	_, err := f.flock(unix.F_OFD_SETLK, kind, number, 1)
	if err == unix.EAGAIN || err == unix.EACCES { // Another description holds it.
		return false, nil
	}
	return err == nil, err
}

// unlock and unlockAll cannot fail on an open file.

func (f openFile) unlock(number int) { _, _ = f.flock(unix.F_OFD_SETLK, unix.F_UNLCK, number, 1) }

func (f openFile) unlockAll() { _, _ = f.flock(unix.F_OFD_SETLK, unix.F_UNLCK, 0, 0) }

func (f openFile) heldByOther(number int) (bool, error) {
	flock, err := f.flock(unix.F_OFD_GETLK, unix.F_WRLCK, number, 1)
	return flock.Type != unix.F_UNLCK, err
}
