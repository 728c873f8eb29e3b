package sys

import (
	"strconv"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// openFile is a file descriptor.
type openFile struct{ fd int }

func openNamed(name string) (openFile, fileID, error) {
	// The error of opening says less well what is wrong, and to open a pipe or a device can have effects: look first.
	if _, err := find(name); err != nil {
		return openFile{}, fileID{}, err
	}
	fd, err := openFD(pathOf(name), unix.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if err != nil {
		return openFile{}, fileID{}, err
	}
	return identified(name, fd)
}

func openFD(path string, flags int) (fd int, err error) {
	err = retry(func() error {
		fd, err = unix.Open(path, flags|unix.O_CLOEXEC, 0o600)
		return err
	})
	return fd, err
}

// identified examines an open file. It closes the file if that fails.
func identified(name string, fd int) (openFile, fileID, error) {
	f := openFile{fd: fd}
	var stat unix.Stat_t
	err := retry(func() error { return unix.Fstat(fd, &stat) })
	if err != nil {
		f.close()
		return openFile{}, fileID{}, err
	}
	id, err := examine(name, &stat)
	if err != nil {
		f.close()
		return openFile{}, fileID{}, err
	}
	return f, id, nil
}

func createUnnamed(name string, wanted, size uint64) (openFile, fileID, error) {
	if err := checkRoom(name, wanted, size); err != nil {
		return openFile{}, fileID{}, err
	}
	fd, err := openFD(folder, unix.O_RDWR|unix.O_TMPFILE)
	if err == unix.ENOENT {
		err = noFolder("create " + strconv.Quote(name))
	}
	if err != nil {
		return openFile{}, fileID{}, err
	}
	f, id, err := identified(name, fd)
	if err != nil {
		return openFile{}, fileID{}, err
	}
	// The umask may have taken bits from the mode that open was given.
	err = retry(func() error { return unix.Fchmod(fd, 0o600) })
	if err == nil {
		err = f.reserve(size)
	}
	if err != nil {
		f.close()
		if err == unix.ENOSPC { // Somebody else took the room after checkRoom had seen it.
			err = noRoom(name, wanted, size, freeRoom())
		}
		return openFile{}, fileID{}, err
	}
	return f, id, nil
}

// reserve gives a new file its size and memory. It goes piece by piece, because a signal undoes the piece that is being
// reserved: in one piece, a host with frequent signals would never get a large segment.
func (f openFile) reserve(size uint64) error {
	const piece = 16 << 20
	for done := uint64(0); done < size; done += piece {
		err := retry(func() error { return unix.Fallocate(f.fd, 0, int64(done), int64(min(piece, size-done))) })
		if err != nil {
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

func (f openFile) mapped(size uint64) ([]byte, error) {
	return unix.Mmap(f.fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

// unmap and close cannot fail on what mapped and open gave.

func unmap(memory []byte) { _ = unix.Munmap(memory) }

func (f openFile) close() { _ = unix.Close(f.fd) }

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
