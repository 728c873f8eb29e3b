package ops

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// mayWrite returns nil if the process may write to a file.
func mayWrite(path string) error {
	return unix.Faccessat(unix.AT_FDCWD, path, unix.W_OK, unix.AT_EACCESS)
}

// isForbidden returns true if the system refuses a step of replacing a file that it may allow in place: the folder is
// closed, the owner is another, or the name is a mount.
func isForbidden(err error) bool {
	for _, number := range []syscall.Errno{unix.EACCES, unix.EPERM, unix.EROFS, unix.EBUSY, unix.EXDEV} {
		if errors.Is(err, number) {
			return true
		}
	}
	return false
}

// isShared returns true if a file has further names.
func isShared(_ string, info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink > 1
}

// createUnnamed makes a file without a name, which is gone when it is closed. It fails where the file system has none,
// and where link needs /proc and there is none.
func createUnnamed(folder string) (*os.File, error) {
	file, err := os.OpenFile(folder, os.O_WRONLY|unix.O_TMPFILE, 0o666)
	if err != nil {
		return nil, err
	}
	if _, err := os.Lstat(pathOf(file)); err != nil {
		file.Close()
		return nil, err
	}
	return file, unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}

// createNamed makes a file of a temporary name, and locks it.
func createNamed(name string) (file *os.File, claimed string, err error) {
	claimed, err = claim(name, func(name string) (err error) {
		if file, err = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err == nil {
			// Where the file system has no locks, a leftover stays.
			unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		}
		return err
	})
	return file, claimed, err
}

func pathOf(file *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", file.Fd()) }

// link gives a file without a name one that is free.
func link(file *os.File, name string) error {
	err := unix.Linkat(unix.AT_FDCWD, pathOf(file), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
	if err != nil {
		return &fs.PathError{Op: "link", Path: name, Err: err}
	}
	return nil
}

// rename gives a file the name target, which another file may have, for the name that it has.
func rename(_ *os.File, name, target string) error { return os.Rename(name, target) }

// removeIfLeft removes a file under a temporary name if no process has it locked.
func removeIfLeft(name string) bool {
	file, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer file.Close()
	if unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return false
	}
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(name)
	return err == nil && os.SameFile(opened, named) && os.Remove(name) == nil
}

// takeAfter gives a new file the owner, the extended attributes and the mode of the old one at target.
func takeAfter(file *os.File, target string, old fs.FileInfo) error {
	stat, ok := old.Sys().(*syscall.Stat_t)
	var now unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &now); err != nil {
		return err
	}
	if ok && (now.Uid != stat.Uid || now.Gid != stat.Gid) {
		if err := unix.Fchown(int(file.Fd()), int(stat.Uid), int(stat.Gid)); err != nil {
			return err
		}
	}
	copyAttributes(target, file)
	return file.Chmod(old.Mode().Perm())
}

// copyAttributes gives a file the extended attributes of another one. It leaves out those that only the system may set.
func copyAttributes(from string, to *os.File) {
	names := make([]byte, 64<<10)
	size, err := unix.Listxattr(from, names)
	if err != nil {
		return
	}
	value := make([]byte, 64<<10)
	for name := range strings.SplitSeq(strings.TrimSuffix(string(names[:size]), "\x00"), "\x00") {
		if n, err := unix.Getxattr(from, name, value); err == nil {
			unix.Fsetxattr(int(to.Fd()), name, value[:n], 0)
		}
	}
}

// flush has the file system say what it finds out late, as one over a network does when a file is closed.
func flush(file *os.File) error {
	descriptor, err := unix.Dup(int(file.Fd()))
	if err != nil {
		return err
	}
	return unix.Close(descriptor)
}
