package ops

import (
	"errors"
	"io/fs"
	"os"
	"unsafe"

	win "golang.org/x/sys/windows"
)

// bytesAt gives memory that is none of Go's.
func bytesAt(address uintptr, size int64) []byte {
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&address)), size)
}

// mayWrite returns nil if the process may write to a file. Another program may hold the file open just now: then
// replaceFile says so.
func mayWrite(path string) error {
	attributes, err := attributesOf(path)
	if err == nil && attributes&win.FILE_ATTRIBUTE_READONLY != 0 {
		return win.ERROR_ACCESS_DENIED
	}
	return nil
}

func attributesOf(path string) (uint32, error) {
	text, err := win.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	return win.GetFileAttributes(text)
}

// isForbidden returns true if the system refuses a step of replacing a file that it may allow in place: the folder is
// closed, or another program has the file open and lets others write to it.
func isForbidden(err error) bool {
	return errors.Is(err, win.ERROR_ACCESS_DENIED) || errors.Is(err, win.ERROR_SHARING_VIOLATION)
}

// isShared returns true if a file has further names. What os.Stat gives does not tell.
func isShared(fs.FileInfo) bool { return false }

// createUnnamed fails: there are no files without names.
func createUnnamed(string) (*os.File, error) { return nil, win.ERROR_NOT_SUPPORTED }

// createNamed makes a file of a temporary name. As long as it is open, nobody else can open it.
func createNamed(name string) (file *os.File, claimed string, err error) {
	claimed, err = claim(name, func(name string) (err error) {
		text, err := win.UTF16PtrFromString(name)
		if err != nil {
			return err
		}
		const access = win.GENERIC_WRITE | win.DELETE
		handle, err := win.CreateFile(text, access, win.FILE_SHARE_DELETE, nil, win.CREATE_NEW, win.FILE_ATTRIBUTE_NORMAL, 0)
		if err != nil {
			return &fs.PathError{Op: "create", Path: name, Err: err}
		}
		file = os.NewFile(uintptr(handle), name)
		return nil
	})
	return file, claimed, err
}

func link(_ *os.File, name string) error {
	return &fs.PathError{Op: "link", Path: name, Err: win.ERROR_NOT_SUPPORTED}
}

// removeIfLeft removes a file under a temporary name if no process has it open.
func removeIfLeft(name string) bool {
	text, err := win.UTF16PtrFromString(name)
	if err != nil {
		return false
	}
	handle, err := win.CreateFile(text, win.GENERIC_READ|win.DELETE, win.FILE_SHARE_DELETE, nil, win.OPEN_EXISTING, 0, 0)
	if err != nil {
		return false
	}
	defer win.CloseHandle(handle)
	return os.Remove(name) == nil
}

// takeAfter gives a new file the attributes and the access of the old one at target. Some file systems know no access.
func takeAfter(file *os.File, target string, _ fs.FileInfo) error {
	if err := takeAttributes(file.Name(), target); err != nil {
		return err
	}
	descriptor, err := win.GetNamedSecurityInfo(target, win.SE_FILE_OBJECT, win.DACL_SECURITY_INFORMATION)
	if err != nil {
		return nil
	}
	list, _, err := descriptor.DACL()
	if err != nil {
		return nil
	}
	return win.SetNamedSecurityInfo(file.Name(), win.SE_FILE_OBJECT, win.DACL_SECURITY_INFORMATION, nil, nil, list, nil)
}

func takeAttributes(name, target string) error {
	const taken = win.FILE_ATTRIBUTE_HIDDEN | win.FILE_ATTRIBUTE_SYSTEM | win.FILE_ATTRIBUTE_ARCHIVE |
		win.FILE_ATTRIBUTE_NOT_CONTENT_INDEXED
	attributes, err := attributesOf(target)
	if err != nil || attributes&taken == 0 {
		return err
	}
	text, err := win.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	return win.SetFileAttributes(text, attributes&taken)
}

// flush has the file system say what it finds out late.
func flush(*os.File) error { return nil }
