package shm

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// What the rest of the package needs of the system is in this file and in space_linux.go: the type file, its methods,
// and exists, lookUp, openFile, createUnnamed, unlink, allNames, unmap, processStart, systemError, alreadyExists, heldByOther.

const directory = "/dev/shm"

func pathOf(name string) string { return directory + "/" + name }

// file is an open file of shared memory.
type file struct {
	fd int
	id fileID
}

// fileID tells files apart, whatever their names.
type fileID struct{ device, inode uint64 }

// retry repeats a system call that a signal of the host's has interrupted.
func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// examine refuses what is not a regular file of this user: it could be replaced, written or removed by somebody else,
// and a pipe or device can block or do things when it is opened.
func examine(name string, stat *unix.Stat_t) (fileID, error) {
	what := ""
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFLNK:
		what = "a symbolic link"
	case unix.S_IFDIR:
		what = "a folder"
	case unix.S_IFIFO:
		what = "a named pipe"
	case unix.S_IFSOCK:
		what = "a socket"
	default:
		what = "a device"
	}
	if what != "" {
		return fileID{}, abi.Errorf(abi.EPermission, "shm: %s is %s; a segment is a regular file", pathOf(name), what)
	}
	if user := os.Geteuid(); int(stat.Uid) != user {
		return fileID{}, abi.Errorf(abi.EPermission, "shm: %s belongs to user %d, and this process runs as %d; "+
			"a segment is of one user only", pathOf(name), stat.Uid, user)
	}
	return fileID{device: uint64(stat.Dev), inode: stat.Ino}, nil
}

// exists tells whether the name is taken, by whatever.
func exists(name string) bool {
	var stat unix.Stat_t
	return retry(func() error { return unix.Lstat(pathOf(name), &stat) }) == nil
}

// lookUp gives the identity of the file of that name: ENotFound when there is none, EPermission when it is not a
// regular file of this user.
func lookUp(name string) (fileID, error) {
	var stat unix.Stat_t
	if err := retry(func() error { return unix.Lstat(pathOf(name), &stat) }); err != nil {
		return fileID{}, systemError("find", name, err)
	}
	return examine(name, &stat)
}

// openFile opens the file of that name; errors as for lookUp.
func openFile(name string) (file, error) {
	// Opening says less well what is wrong, and opening a pipe or device can have effects: look first.
	if _, err := lookUp(name); err != nil {
		return file{}, err
	}
	fd, err := openFD(pathOf(name), unix.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if err != nil {
		return file{}, systemError("open", name, err)
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

// identified examines an open file, which it closes if that fails.
func identified(name string, fd int) (file, error) {
	f := file{fd: fd}
	var stat unix.Stat_t
	if err := retry(func() error { return unix.Fstat(fd, &stat) }); err != nil {
		f.close()
		return file{}, systemError("open", name, err)
	}
	id, err := examine(name, &stat)
	if err != nil {
		f.close()
		return file{}, err
	}
	f.id = id
	return f, nil
}

// createUnnamed makes a file of that size, with its memory reserved, that has no name yet. name and wanted, the bytes
// that were asked for, are for messages.
func createUnnamed(name string, wanted, size uint64) (file, error) {
	if err := checkSpace(name, wanted, size); err != nil {
		return file{}, err
	}
	fd, err := openFD(directory, unix.O_RDWR|unix.O_TMPFILE)
	if err != nil {
		return file{}, systemError("create", name, err)
	}
	f, err := identified(name, fd)
	if err != nil {
		return file{}, err
	}
	// The mode that open was given has lost what the umask says.
	if err := retry(func() error { return unix.Fchmod(fd, 0o600) }); err != nil {
		f.close()
		return file{}, systemError("create", name, err)
	}
	if err := f.reserve(size); err != nil {
		f.close()
		if err == unix.ENOSPC {
			return file{}, noSpace(name, wanted, size, freeSpace())
		}
		return file{}, systemError("create", name, err)
	}
	return f, nil
}

// reserve gives a new file its size and memory. It goes in pieces, because a signal undoes the piece that is at work:
// in one go, a host with frequent signals would never get a large segment.
func (f file) reserve(size uint64) error {
	const piece = 16 << 20
	for done := uint64(0); done < size; done += piece {
		err := retry(func() error { return unix.Fallocate(f.fd, 0, int64(done), int64(min(piece, size-done))) })
		if err != nil {
			return err
		}
	}
	return nil
}

// link gives an unnamed file its name, if nobody has that: alreadyExists otherwise.
func (f file) link(name string) error {
	from := "/proc/self/fd/" + strconv.Itoa(f.fd)
	return retry(func() error {
		return unix.Linkat(unix.AT_FDCWD, from, unix.AT_FDCWD, pathOf(name), unix.AT_SYMLINK_FOLLOW)
	})
}

// size is asked for by every call. To seek to the end takes less than half of fstat's time, and being raw, which it may be
// as it does not block, it takes Go's scheduler none. The position that it leaves nobody uses.
func (f file) size() (uint64, error) {
	end, _, errno := unix.RawSyscall(unix.SYS_LSEEK, uintptr(f.fd), 0, unix.SEEK_END)
	if errno != 0 {
		return 0, errno
	}
	return uint64(end), nil
}

// readAt reads less than asked for only at the end of the file.
func (f file) readAt(buffer []byte, offset uint64) (n int, err error) {
	err = retry(func() error {
		n, err = unix.Pread(f.fd, buffer, int64(offset))
		return err
	})
	return n, err
}

func (f file) mapped(size uint64) ([]byte, error) {
	return unix.Mmap(f.fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

// unmap and close cannot fail on what mapped and open gave.
func unmap(memory []byte) { _ = unix.Munmap(memory) }

func (f file) close() { _ = unix.Close(f.fd) }

// flock asks for a byte's lock, which belongs to the open file description: not to the thread, nor to the process as
// with older locks, where closing any other descriptor of the file would drop it.
func (f file) flock(command, kind, number int) (unix.Flock_t, error) {
	flock := unix.Flock_t{Type: int16(kind), Whence: unix.SEEK_SET, Start: 1<<62 + int64(number), Len: 1}
	err := retry(func() error { return unix.FcntlFlock(uintptr(f.fd), command, &flock) })
	return flock, err
}

// share takes a lock that others may share, without waiting: heldByOther when another open file has it for itself.
func (f file) share(number int) error {
	_, err := f.flock(unix.F_OFD_SETLK, unix.F_RDLCK, number)
	return err
}

// lock takes a lock without waiting: heldByOther when another open file has it.
func (f file) lock(number int) error {
	_, err := f.flock(unix.F_OFD_SETLK, unix.F_WRLCK, number)
	return err
}

// unlock cannot fail on a lock that is held.
func (f file) unlock(number int) { _, _ = f.flock(unix.F_OFD_SETLK, unix.F_UNLCK, number) }

// unlockAll gives back whatever locks this file description has.
func (f file) unlockAll() {
	flock := unix.Flock_t{Type: unix.F_UNLCK, Whence: unix.SEEK_SET, Start: 1 << 62, Len: 0}
	_ = retry(func() error { return unix.FcntlFlock(uintptr(f.fd), unix.F_OFD_SETLK, &flock) })
}

// lockedByOther tells whether another open file holds the lock.
func (f file) lockedByOther(number int) (bool, error) {
	flock, err := f.flock(unix.F_OFD_GETLK, unix.F_WRLCK, number)
	return flock.Type != unix.F_UNLCK, err
}

func heldByOther(err error) bool { return err == unix.EAGAIN || err == unix.EACCES }

func alreadyExists(err error) bool { return err == unix.EEXIST }

func unlink(name string) error {
	return retry(func() error { return unix.Unlink(pathOf(name)) })
}

// allNames are sorted, and not all of segments.
func allNames() ([]string, error) {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return nil, abi.Errorf(abi.EIO, "shm: list: %w", err)
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names, nil
}

// processStart is when this process started, in clock ticks since the machine did; 0 when /proc does not tell.
var processStart = sync.OnceValue(func() uint64 {
	stat, _ := os.ReadFile("/proc/self/stat")
	// The second field is the program's name in parentheses, which may hold spaces and parentheses of its own.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const start = 22 - 3 // It is the 22nd, and these start with the 3rd.
	if len(fields) <= start {
		return 0
	}
	ticks, _ := strconv.ParseUint(string(fields[start]), 10, 64)
	return ticks
})

// systemError gives what the system said a code of ours.
func systemError(operation, name string, err error) error {
	code := abi.EIO
	switch {
	case errors.Is(err, unix.ENOENT):
		code = abi.ENotFound
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM), errors.Is(err, unix.EROFS),
		errors.Is(err, unix.ELOOP), errors.Is(err, unix.EISDIR), errors.Is(err, unix.ENXIO):
		code = abi.EPermission
	case errors.Is(err, unix.ENOSPC), errors.Is(err, unix.ENOMEM):
		code = abi.ENoSpace
	case errors.Is(err, unix.EOPNOTSUPP):
		code = abi.EUnsupported
	}
	return abi.Errorf(code, "shm: %s %q in %s: %w", operation, name, directory, err)
}
