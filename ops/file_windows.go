package ops

import (
	"errors"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	win "golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

// systemPath returns the path as the system takes it: absolute, with backslashes, and in the form for long paths if it is
// long. It returns an error for a path that the system would take for another one, or for a device.
func systemPath(path string) (string, error) {
	switch {
	case !utf8.ValidString(path):
		return "", errors.New("the path is not UTF-8 text")
	case strings.HasPrefix(path, extended):
		return path, nil
	}
	name := path[strings.LastIndexAny(path, `\/`)+1:]
	if name != "." && name != ".." && strings.TrimRight(name, ". ") != name {
		return "", errors.New("Windows drops dots and spaces at the end of a name; leave them out")
	}
	full, err := fullPath(path)
	switch {
	case err != nil:
		return "", err
	case strings.HasPrefix(full, `\\.\`): // The system itself knows which names are devices': NUL, and NUL.png before Windows 11.
		return "", errors.New("Windows has a device of this name, and no file can have it")
	case slices.ContainsFunc(strings.Split(full, `\`), isTooLong):
		return "", errors.New("a name in it has more than 255 characters, which no file can have")
	case len(full) < longPath:
		return full, nil
	case strings.HasPrefix(full, `\\`):
		return extended + "UNC" + full[1:], nil
	}
	return extended + full, nil
}

const (
	extended = `\\?\` // The system takes what follows as it is, of any length.
	longPath = 240    // Windows' functions take 260 units at most, and folders of 248, in other forms.
)

// isTooLong returns true if a name has more UTF-16 units than a file's may have.
func isTooLong(name string) bool { return len(name) > 255 && len(utf16.Encode([]rune(name))) > 255 }

func fullPath(path string) (string, error) {
	text, err := win.UTF16PtrFromString(path)
	if err != nil {
		return "", err
	}
	full := make([]uint16, win.MAX_PATH)
	for {
		n, err := win.GetFullPathName(text, uint32(len(full)), &full[0], nil)
		if err != nil {
			return "", err
		}
		if int(n) < len(full) {
			return win.UTF16ToString(full[:n]), nil
		}
		full = make([]uint16, n)
	}
}

// openWithoutWaiting opens a file for reading. Others may write, replace and remove it meanwhile.
func openWithoutWaiting(path string) (*os.File, error) {
	var handle win.Handle
	err := patiently(func() (err error) {
		handle, err = openShared(path, win.GENERIC_READ)
		return err
	})
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(handle), path), nil
}

// openShared opens a file or a folder that is there, with an access that others may have too.
func openShared(path string, access uint32) (win.Handle, error) {
	text, err := win.UTF16PtrFromString(path)
	if err != nil {
		return win.InvalidHandle, err
	}
	const share = win.FILE_SHARE_READ | win.FILE_SHARE_WRITE | win.FILE_SHARE_DELETE
	return win.CreateFile(text, access, share, nil, win.OPEN_EXISTING, win.FILE_FLAG_BACKUP_SEMANTICS, 0)
}

// holdPatience is how long a file is waited for that another program has open. A virus scanner and an indexer have a new file
// for some milliseconds.
var holdPatience = 500 * time.Millisecond

// patiently calls do again while it fails because another program has the file open, until holdPatience is over.
func patiently(do func() error) error {
	for deadline := time.Now().Add(holdPatience); ; time.Sleep(5 * time.Millisecond) {
		if err := do(); !isHeld(err) || time.Now().After(deadline) {
			return err
		}
	}
}

// isHeld returns true if an error says that another program has the file open.
func isHeld(err error) bool {
	return errors.Is(err, win.ERROR_SHARING_VIOLATION) || errors.Is(err, win.ERROR_LOCK_VIOLATION) ||
		errors.Is(err, win.ERROR_USER_MAPPED_FILE)
}

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
	case win.ERROR_FILE_NOT_FOUND, win.ERROR_PATH_NOT_FOUND, win.ERROR_BAD_NETPATH, win.ERROR_BAD_NET_NAME, win.ERROR_INVALID_DRIVE:
		return abi.ENotFound
	case win.ERROR_ACCESS_DENIED, win.ERROR_SHARING_VIOLATION, win.ERROR_LOCK_VIOLATION, win.ERROR_WRITE_PROTECT,
		win.ERROR_USER_MAPPED_FILE:
		return abi.EPermission
	case win.ERROR_DISK_FULL, win.ERROR_HANDLE_DISK_FULL, win.ERROR_DISK_QUOTA_EXCEEDED:
		return abi.ENoSpace
	case win.ERROR_INVALID_NAME, win.ERROR_FILENAME_EXCED_RANGE, win.ERROR_BAD_PATHNAME, win.ERROR_DIRECTORY,
		win.ERROR_CANT_RESOLVE_FILENAME, win.ERROR_BUFFER_OVERFLOW:
		return abi.EInvalid
	}
	return abi.EIO
}

// reason returns what the system said, without the name of a temporary file that the caller does not know. It says that
// another program has the file open: "access denied" alone would send its reader to look for rights.
func reason(verb string, err error) error {
	var number syscall.Errno
	switch {
	case !errors.As(err, &number):
		return err
	case isHeld(number) && verb == "load":
		return errors.New("another program has the file open, and lets nobody read it; close it there, or load it again when it is written")
	case isHeld(number):
		return errors.New("another program has the file open; close it there, or save under another name")
	}
	return number
}

// freeSpace returns how many bytes this user can still write in folder, 0 if that cannot be told.
func freeSpace(folder string) uint64 {
	path, err := win.UTF16PtrFromString(folder)
	var free uint64
	if err != nil || win.GetDiskFreeSpaceEx(path, &free, nil, nil) != nil {
		return 0
	}
	return free
}
