package ops

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"unsafe"

	win "golang.org/x/sys/windows"
)

// bytesAt gives memory that is none of Go's.
func bytesAt(address uintptr, size int64) []byte {
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&address)), size)
}

// mayWrite returns nil if the process may write to a file. Another program may hold the file open just now: then rename says so.
func mayWrite(path string) error {
	attributes, err := attributesOf(path)
	if err == nil && attributes&win.FILE_ATTRIBUTE_READONLY != 0 {
		return errors.New("it has the attribute read-only (attrib -r takes it away)")
	}
	file, err := openShared(path, win.FILE_WRITE_DATA)
	if isHeld(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return win.CloseHandle(file)
}

func attributesOf(path string) (uint32, error) {
	text, err := win.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	return win.GetFileAttributes(text)
}

// isForbidden returns true if the system refuses a step of replacing a file that it may allow in place: the folder is
// closed, or the process may write to the file and not replace it.
func isForbidden(err error) bool { return errors.Is(err, win.ERROR_ACCESS_DENIED) }

// isShared returns true if a file has further names, or if the user has had the system encrypt it, which a new file would
// not be.
func isShared(path string, _ fs.FileInfo) bool {
	file, err := openShared(path, win.FILE_READ_ATTRIBUTES)
	if err != nil {
		return false
	}
	defer win.CloseHandle(file)
	var now win.ByHandleFileInformation
	err = win.GetFileInformationByHandle(file, &now)
	return err == nil && (now.NumberOfLinks > 1 || now.FileAttributes&win.FILE_ATTRIBUTE_ENCRYPTED != 0)
}

// createUnnamed fails: there are no files without names.
func createUnnamed(string) (*os.File, error) { return nil, win.ERROR_NOT_SUPPORTED }

// createNamed makes a file of a temporary name. As long as it is open, nobody else can open it to write. Others can read it, for
// the moment between its getting the target's name and its being closed.
func createNamed(name string) (file *os.File, claimed string, err error) {
	claimed, err = claim(name, func(name string) (err error) {
		text, err := win.UTF16PtrFromString(name)
		if err != nil {
			return err
		}
		const access = win.GENERIC_WRITE | win.DELETE | win.READ_CONTROL | win.WRITE_DAC
		const share = win.FILE_SHARE_READ | win.FILE_SHARE_DELETE
		handle, err := win.CreateFile(text, access, share, nil, win.CREATE_NEW, win.FILE_ATTRIBUTE_NORMAL, 0)
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

// rename gives an open file the name target, which another file may have. The system may say "access denied" of a file that
// another program has open. That becomes a sharing violation, of which the caller is told the cause.
func rename(file *os.File, _, target string) error {
	return patiently(func() error {
		err := renameOpen(win.Handle(file.Fd()), target)
		if errors.Is(err, win.ERROR_ACCESS_DENIED) && mayReplace(target) {
			return win.ERROR_SHARING_VIOLATION
		}
		return err
	})
}

// mayReplace returns true if the process has the right to replace a file, whether or not another program has the file open.
func mayReplace(target string) bool {
	file, err := openShared(target, win.DELETE)
	if err == nil {
		win.CloseHandle(file)
	}
	return err == nil || isHeld(err)
}

// renameOpen replaces a file as POSIX does, also where others have it open who let it be removed. Some file systems and older
// editions of Windows know only the other way.
func renameOpen(file win.Handle, target string) error {
	name, err := win.UTF16FromString(target)
	if err != nil {
		return err
	}
	// FILE_RENAME_INFO: flags, or whether to replace; the folder's handle; the length of the path in bytes; the path.
	const length, path = 16, 20
	information := make([]byte, path+2*len(name))
	binary.LittleEndian.PutUint32(information[length:], uint32(2*(len(name)-1)))
	for i, unit := range name {
		binary.LittleEndian.PutUint16(information[path+2*i:], unit)
	}
	binary.LittleEndian.PutUint32(information, win.FILE_RENAME_REPLACE_IF_EXISTS|win.FILE_RENAME_POSIX_SEMANTICS)
	err = win.SetFileInformationByHandle(file, win.FileRenameInfoEx, &information[0], uint32(len(information)))
	if err == nil || isForbidden(err) || isHeld(err) {
		return err
	}
	binary.LittleEndian.PutUint32(information, 1)
	return win.SetFileInformationByHandle(file, win.FileRenameInfo, &information[0], uint32(len(information)))
}

// removeIfLeft removes a file under a temporary name if no process has it open.
func removeIfLeft(name string) bool {
	text, err := win.UTF16PtrFromString(name)
	if err != nil {
		return false
	}
	handle, err := win.CreateFile(text, win.GENERIC_WRITE|win.DELETE, win.FILE_SHARE_DELETE, nil, win.OPEN_EXISTING, 0, 0)
	if err != nil {
		return false
	}
	defer win.CloseHandle(handle)
	return os.Remove(name) == nil
}

// takeAfter gives a new file the attributes, the time of creation and the access of the old one at target.
func takeAfter(file *os.File, target string, old fs.FileInfo) error {
	handle := win.Handle(file.Fd())
	if data, ok := old.Sys().(*syscall.Win32FileAttributeData); ok {
		created := win.Filetime(data.CreationTime)
		_ = win.SetFileTime(handle, &created, nil, nil)
	}
	if err := takeAccess(handle, target); err != nil {
		return err
	}
	return takeAttributes(file.Name(), target) // The last, because Wine's SetFileTime takes attributes away.
}

// takeAccess gives a new file the access list of an old one, and whether that takes after the folder's. Some file systems know
// no access.
func takeAccess(file win.Handle, target string) error {
	descriptor, err := win.GetNamedSecurityInfo(target, win.SE_FILE_OBJECT, win.DACL_SECURITY_INFORMATION)
	if err != nil {
		return nil
	}
	list, _, err := descriptor.DACL()
	if err != nil {
		return nil
	}
	what := win.SECURITY_INFORMATION(win.DACL_SECURITY_INFORMATION | win.UNPROTECTED_DACL_SECURITY_INFORMATION)
	if control, _, err := descriptor.Control(); err == nil && control&win.SE_DACL_PROTECTED != 0 {
		what = win.DACL_SECURITY_INFORMATION | win.PROTECTED_DACL_SECURITY_INFORMATION
	}
	err = win.SetSecurityInfo(file, win.SE_FILE_OBJECT, what, nil, nil, list, nil)
	if errors.Is(err, win.ERROR_NOT_SUPPORTED) || errors.Is(err, win.ERROR_INVALID_FUNCTION) {
		return nil
	}
	return err
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
