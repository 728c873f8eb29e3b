package sys

import (
	"crypto/rand"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// openFile is a file descriptor.
type openFile struct {
	fd       int
	readOnly bool
	page     uint64 // The unit in which the system maps the file.
	made     string // The hidden path of a file that is still without its name, where it could not be made without any.
}

func openNamed(name string, use Use) (openFile, fileID, error) {
	// The error of opening says less well what is wrong, and to open a pipe or a device can have effects: look first.
	_, _, err := find(name, use)
	if err == unix.ENOENT || err == unix.ENOTDIR {
		if missing := checkFolder("open", name); missing != nil {
			err = missing
		}
	}
	if err != nil {
		return openFile{}, fileID{}, err
	}
	const flags = unix.O_NOFOLLOW | unix.O_NONBLOCK
	fd := -1
	if use != ToLook {
		fd, err = openFD(pathOf(name), flags|unix.O_RDWR)
	}
	readOnly := use == ToLook || use == ToRead && cannotWrite(err)
	if readOnly {
		fd, err = openFD(pathOf(name), flags|unix.O_RDONLY)
	}
	if err != nil {
		return openFile{}, fileID{}, err
	}
	return identified(name, openFile{fd: fd, readOnly: readOnly}, use)
}

// cannotWrite returns true if a file might be opened for reading, where opening it for writing too gave the error.
func cannotWrite(err error) bool {
	return err == unix.EACCES || err == unix.EPERM || err == unix.EROFS || err == unix.ETXTBSY
}

func (f openFile) writable() bool { return !f.readOnly }

func (f openFile) readByOthers() bool {
	var stat unix.Stat_t
	if err := retry(func() error { return unix.Fstat(f.fd, &stat) }); err != nil {
		return false
	}
	readers, writers := stat.Mode>>2&0o011, stat.Mode>>1&0o011 // Of the group, and of all others.
	return readers&^writers != 0
}

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
func identified(name string, f openFile, use Use) (openFile, fileID, error) {
	var stat unix.Stat_t
	err := retry(func() error { return unix.Fstat(f.fd, &stat) })
	if err != nil {
		f.close()
		return openFile{}, fileID{}, err
	}
	id, err := examine(name, &stat, use)
	if err != nil {
		f.close()
		return openFile{}, fileID{}, err
	}
	f.page = pageOf(f.fd, &stat)
	return f, id, nil
}

// pageOf gives the unit in which the system maps a file: pages of memory, or the huge pages of its file system.
func pageOf(fd int, stat *unix.Stat_t) uint64 {
	page := uint64(os.Getpagesize())
	if uint64(stat.Blksize) <= page {
		return page
	}
	var volume unix.Statfs_t
	if err := retry(func() error { return unix.Fstatfs(fd, &volume) }); err == nil && volume.Type == unix.HUGETLBFS_MAGIC {
		page = uint64(volume.Bsize)
	}
	return page
}

// roundUp gives the smallest multiple of unit, a power of 2, that is not smaller than size.
func roundUp(size, unit uint64) uint64 { return (size + unit - 1) &^ (unit - 1) }

func createUnnamed(name string, wanted, size uint64, access abi.Access) (openFile, fileID, error) {
	if err := checkFolder("create", name); err != nil {
		return openFile{}, fileID{}, err
	}
	volume, err := volumeOf(folderOf(name))
	if err != nil {
		return openFile{}, fileID{}, err
	}
	size = roundUp(size, volume.page)
	claim := claim{volume, "create", name, fmt.Sprintf("%d bytes wanted, %d with metadata", wanted, size), size}
	if err := claim.check(); err != nil {
		return openFile{}, fileID{}, err
	}
	if err := claim.checkFileSize(); err != nil {
		return openFile{}, fileID{}, err
	}
	f, err := makeFile(volume.folder)
	if err != nil {
		return openFile{}, fileID{}, err
	}
	f, id, err := identified(name, f, ToOwn)
	if err != nil {
		return openFile{}, fileID{}, err
	}
	err = f.give(name, access)
	if err == nil {
		err = f.reserve(size, 0)
	}
	switch err {
	case nil:
		return f, id, nil
	case unix.ENOSPC: // Somebody else took the room after check had seen it.
		err = claim.noRoom(volume.free())
	case unix.EOPNOTSUPP:
		err = abi.Errorf(abi.EUnsupported, "shm: create %q: the file system of %s cannot reserve memory for a file (fallocate); "+
			"use a folder on one that can, which tmpfs and hugetlbfs can", name, volume.folder)
	}
	f.close()
	return openFile{}, fileID{}, err
}

// withoutTmpfile lets tests make files as on a file system that has none without names.
var withoutTmpfile = false

// makeFile makes an empty file without a name. Where the file system cannot do that, the file has a hidden name.
func makeFile(folder string) (openFile, error) {
	fd, err := -1, error(unix.EOPNOTSUPP)
	if !withoutTmpfile {
		fd, err = openFD(folder, unix.O_RDWR|unix.O_TMPFILE)
	}
	if err != unix.EOPNOTSUPP && err != unix.EISDIR && err != unix.EINVAL {
		return openFile{fd: fd}, err
	}
	for range 100 {
		hidden := folder + "/" + making + rand.Text()
		fd, err := openFD(hidden, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW)
		if err != nil {
			return openFile{}, err
		}
		f := openFile{fd: fd, made: hidden}
		held, err := f.lock(lockMaking, false)
		if err != nil {
			f.close()
			return openFile{}, err
		}
		if held && f.has(hidden) { // Else a process that sweeps took the name before it had the lock.
			return f, nil
		}
		f.close()
	}
	return openFile{}, unix.EBUSY
}

// making is how the hidden names begin that files have before link, where they cannot be without a name. The process that
// makes the file holds lockMaking, which shm has no use for.
const (
	making     = ".shmcv-new-"
	lockMaking = 255
)

func unfinished(name string) bool { return strings.HasPrefix(name, making) }

func removeAbandoned(string) bool { return false } // A file stays until its name is removed.

// removeUnfinished cannot take the name of a file that is being made: link moves the name only while it has the lock.
func removeUnfinished(name string) (bool, error) {
	f, _, err := openNamed(name, ToOwn)
	if err != nil {
		return false, err
	}
	defer f.close()
	abandoned, err := f.lock(lockMaking, false)
	if err != nil || !abandoned || !f.has(pathOf(name)) {
		return false, err
	}
	return true, remove(name)
}

// has returns true if a path is that of the file.
func (f openFile) has(path string) bool {
	var own, found unix.Stat_t
	return retry(func() error { return unix.Fstat(f.fd, &own) }) == nil &&
		retry(func() error { return unix.Lstat(path, &found) }) == nil &&
		own.Dev == found.Dev && own.Ino == found.Ino
}

// give makes a new file that of the owner and group, with the mode, that access says. The umask, which may have taken bits
// from the mode that open was given, does not matter. The group comes before the mode, so that no other group may open the
// file meanwhile, and the owner comes last, because only the owner can do the rest.
func (f openFile) give(name string, access abi.Access) error {
	if access.Group >= 0 {
		err := retry(func() error { return unix.Fchown(f.fd, -1, int(access.Group)) })
		if err != nil {
			return notGiven(name, err, fmt.Sprintf("to group %d; this process (user %d) is not in that group, or no superuser; add the user to it "+
				"(usermod -aG), or start the container with it (docker run --group-add %d)", access.Group, os.Geteuid(), access.Group))
		}
	}
	if err := retry(func() error { return unix.Fchmod(f.fd, access.Mode) }); err != nil {
		return err
	}
	if access.Owner >= 0 {
		err := retry(func() error { return unix.Fchown(f.fd, int(access.Owner), -1) })
		if err != nil {
			return notGiven(name, err, fmt.Sprintf("to user %d; this process runs as user %d, and only the superuser gives files to others; "+
				"give the segment a group that both are in", access.Owner, os.Geteuid()))
		}
	}
	return nil
}

// notGiven is the error for a file that does not become another user's or group's.
func notGiven(name string, err error, words string) error {
	switch err {
	case unix.EPERM:
		return abi.Errorf(abi.EPermission, "shm: create %q: it cannot be given %s", name, words)
	case unix.EINVAL:
		return abi.Errorf(abi.EInvalid, "shm: create %q: it cannot be given %s; this process's user namespace (container) has no such "+
			"number", name, words[:strings.IndexByte(words, ';')])
	}
	return err
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
	volume, err := volumeOf(folderOf(name))
	if err != nil {
		return err
	}
	claim := claim{volume, "open", name, fmt.Sprintf("its file has %d bytes, and %d of them have no memory yet", size, size-there), size - there}
	if err := claim.check(); err != nil {
		return err
	}
	if f.readOnly {
		err = f.populate(size)
	} else {
		err = f.reserve(size, unix.FALLOC_FL_KEEP_SIZE)
	}
	switch err {
	case unix.ENOSPC:
		return claim.noRoom(volume.free())
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

func (f *openFile) link(name string) error {
	if f.made != "" {
		err := rename(f.made, pathOf(name))
		if err == nil {
			f.made = ""
			f.unlock(lockMaking)
		}
		return err
	}
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
	before := offset % f.page
	length := before + size
	if f.page > uint64(os.Getpagesize()) { // Huge pages are mapped, and unmapped, in whole.
		length = roundUp(length, f.page)
	}
	fd, done := f.again()
	defer done()
	pages, err := unix.Mmap(fd, int64(offset-before), int(length), protection, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, err
	}
	return pages[before : before+size], pages, nil
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

func (f openFile) close() {
	if f.made != "" {
		_ = unix.Unlink(f.made)
	}
	closeNoted(f.fd)
}

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
	flock, err := f.flock(unix.F_OFD_GETLK, unix.F_RDLCK, number, 1)
	return flock.Type != unix.F_UNLCK, err
}
