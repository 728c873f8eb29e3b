package ops

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// systemPath returns the path as the system takes it: as it is.
func systemPath(path string) (string, error) { return path, nil }

// openWithoutWaiting opens a file for reading. Opening a pipe that nobody writes to would wait without end otherwise.
func openWithoutWaiting(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// mapFile maps a file that has the right kind and size to be an image, for reading, until unmap is called.
func mapFile(path string) (content []byte, unmap func(), err error) {
	file, size, err := openFile(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	content, err = unix.Mmap(int(file.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, abi.Errorf(abi.ENoSpace, "load %q: %d bytes of address space wanted for the file: %w", path, size, err)
	}
	return content, func() { unix.Munmap(content) }, nil
}

// systemCode returns the code for an error of the file system, EIO for one that it does not know.
func systemCode(err error) abi.Code {
	var number syscall.Errno
	errors.As(err, &number)
	switch number {
	case syscall.ENOENT, syscall.ENOTDIR:
		return abi.ENotFound
	case syscall.EACCES, syscall.EPERM, syscall.EROFS:
		return abi.EPermission
	case syscall.ENOSPC, syscall.EDQUOT:
		return abi.ENoSpace
	case syscall.ENXIO: // a socket, or a device without a driver
		return abi.EInvalid
	case syscall.ENAMETOOLONG, syscall.ELOOP, syscall.EISDIR:
		return abi.EInvalid
	}
	return abi.EIO
}

// reason returns what the system said, without the name of a temporary file that the caller does not know.
func reason(_ string, err error) error {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number
	}
	return err
}

// freeSpace returns how many bytes an ordinary user can still write in folder, 0 if that cannot be told.
func freeSpace(folder string) uint64 {
	var stat unix.Statfs_t
	if unix.Statfs(folder, &stat) != nil {
		return 0
	}
	return stat.Bavail * uint64(stat.Bsize)
}
