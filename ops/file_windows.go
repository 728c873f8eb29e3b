package ops

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	win "golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

// openWithoutWaiting opens a file for reading. Others may replace and remove it meanwhile.
func openWithoutWaiting(path string) (*os.File, error) { return os.Open(path) }

// mapFile maps a file that has the right kind and size to be an image, for reading, until unmap is called.
func mapFile(path string) (content []byte, unmap func(), err error) {
	file, size, err := openFile(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	section, err := win.CreateFileMapping(win.Handle(file.Fd()), nil, win.PAGE_READONLY, 0, 0, nil)
	if err != nil {
		return nil, nil, fileError("load", path, err)
	}
	defer win.CloseHandle(section)
	address, err := win.MapViewOfFile(section, win.FILE_MAP_READ, 0, 0, uintptr(size))
	if err != nil {
		return nil, nil, abi.Errorf(abi.ENoSpace, "load %q: %d bytes of address space wanted for the file: %w", path, size, err)
	}
	return bytesAt(address, size), func() { win.UnmapViewOfFile(address) }, nil
}

// systemCode returns the code for an error of the file system, EIO for one that it does not know.
func systemCode(err error) abi.Code {
	var number syscall.Errno
	errors.As(err, &number)
	switch number {
	case win.ERROR_FILE_NOT_FOUND, win.ERROR_PATH_NOT_FOUND, win.ERROR_BAD_NETPATH, win.ERROR_BAD_NET_NAME:
		return abi.ENotFound
	case win.ERROR_ACCESS_DENIED, win.ERROR_SHARING_VIOLATION, win.ERROR_LOCK_VIOLATION, win.ERROR_WRITE_PROTECT,
		win.ERROR_USER_MAPPED_FILE:
		return abi.EPermission
	case win.ERROR_DISK_FULL, win.ERROR_HANDLE_DISK_FULL, win.ERROR_DISK_QUOTA_EXCEEDED:
		return abi.ENoSpace
	case win.ERROR_INVALID_NAME, win.ERROR_FILENAME_EXCED_RANGE, win.ERROR_BAD_PATHNAME, win.ERROR_DIRECTORY:
		return abi.EInvalid
	}
	return abi.EIO
}

// reason returns what the system said, without the name of a temporary file that the caller does not know. It says that
// another program has the file open: "access denied" alone would send its reader to look for rights.
func reason(err error) error {
	var number syscall.Errno
	if !errors.As(err, &number) {
		return err
	}
	switch number {
	case win.ERROR_SHARING_VIOLATION, win.ERROR_LOCK_VIOLATION, win.ERROR_USER_MAPPED_FILE:
		return errors.New("another program has the file open; close it there, or save under another name")
	}
	return number
}

// freeSpace returns how many bytes this user can still write in folder, 0 if that cannot be told.
func freeSpace(folder string) uint64 {
	path, err := win.UTF16PtrFromString(filepath.FromSlash(folder))
	var free uint64
	if err != nil || win.GetDiskFreeSpaceEx(path, &free, nil, nil) != nil {
		return 0
	}
	return free
}
