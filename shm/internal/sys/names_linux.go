package sys

import (
	"crypto/rand"
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// folder is where the C library's shm_open has its files too, on a file system that is memory.
const folder = "/dev/shm"

func pathOf(name string) string { return folder + "/" + name }

type fileID struct{ device, inode uint64 }

// retry repeats a system call as long as a signal of the host's interrupts it.
func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// examine gives the ID of a regular file, of this user or of any. It refuses everything else: another user could
// replace, write or remove the file, and to open a pipe or a device can block or have effects.
func examine(name string, stat *unix.Stat_t, anyUsers bool) (fileID, error) {
	kind := ""
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFLNK:
		kind = "a symbolic link"
	case unix.S_IFDIR:
		kind = "a folder"
	case unix.S_IFIFO:
		kind = "a named pipe"
	case unix.S_IFSOCK:
		kind = "a socket"
	default:
		kind = "a device"
	}
	if kind != "" {
		return fileID{}, abi.Errorf(abi.EPermission, "shm: %s is %s; a segment is a regular file", pathOf(name), kind)
	}
	if user := os.Geteuid(); int(stat.Uid) != user && !anyUsers {
		return fileID{}, abi.Errorf(abi.EPermission, "shm: %s belongs to user %d, and this process runs as %d; "+
			"a segment is of one user only, and others can at most open it read-only", pathOf(name), stat.Uid, user)
	}
	return fileID{device: uint64(stat.Dev), inode: stat.Ino}, nil
}

// noFolder is the error where /dev/shm is missing, as in a chroot or a small container.
func noFolder(operation string) error {
	return abi.Errorf(abi.ENotFound, "shm: %s: there is no folder %s, where shared memory has its names; mount it "+
		"(mkdir -p %s && mount -t tmpfs tmpfs %s)", operation, folder, folder, folder)
}

func exists(name string) bool {
	var stat unix.Stat_t
	return retry(func() error { return unix.Lstat(pathOf(name), &stat) }) == nil
}

func find(name string, anyUsers bool) (fileID, uint64, error) {
	var stat unix.Stat_t
	if err := retry(func() error { return unix.Lstat(pathOf(name), &stat) }); err != nil {
		return fileID{}, 0, err
	}
	id, err := examine(name, &stat, anyUsers)
	return id, uint64(stat.Size), err
}

func remove(name string) error {
	return retry(func() error { return unix.Unlink(pathOf(name)) })
}

// hidden is how the names begin to which removeFrom moves others. No segment's name begins with a dot.
const hidden = ".shmcv-removed-"

func leftover(name string) bool { return strings.HasPrefix(name, hidden) }

func removeFrom(name string, id fileID) (bool, error) {
	aside := hidden + rand.Text()
	err := retry(func() error { return unix.Rename(pathOf(name), pathOf(aside)) }) // Nobody has a name like aside.
	if err == unix.ENOENT {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var stat unix.Stat_t
	if err := retry(func() error { return unix.Lstat(pathOf(aside), &stat) }); err != nil {
		return false, err
	}
	if (fileID{device: uint64(stat.Dev), inode: stat.Ino}) == id {
		return true, remove(aside)
	}
	err = giveBack(aside, name)
	if err == unix.EEXIST { // A third file has got the name meanwhile.
		return false, remove(aside)
	}
	return false, err
}

// giveBack gives a file another name, which must be free.
func giveBack(from, to string) error {
	err := retry(func() error {
		return unix.Renameat2(unix.AT_FDCWD, pathOf(from), unix.AT_FDCWD, pathOf(to), unix.RENAME_NOREPLACE)
	})
	if err == unix.ENOSYS || err == unix.EINVAL { // An old kernel, or one that a sandbox hides.
		err = retry(func() error { return unix.Link(pathOf(from), pathOf(to)) })
		if err == nil {
			err = remove(from)
		}
	}
	return err
}

func names() ([]string, error) {
	entries, err := os.ReadDir(folder)
	if errors.Is(err, unix.ENOENT) {
		err = noFolder("list")
	}
	if err != nil {
		return nil, err
	}
	all := make([]string, len(entries))
	for i, entry := range entries {
		all[i] = entry.Name()
	}
	return all, nil
}
