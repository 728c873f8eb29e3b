// Package shm keeps named shared memory: segments, which hold one image, and streams, which hold frame after frame. Any
// process of the same user can open them by name, and processes of other users if the creator has said so. The package
// knows nothing of OpenCV and nothing of the C ABI. What it needs of the operating system is in package sys
// (shm/internal/sys).
//
// All functions and methods may be called from any goroutine at once. Errors are *abi.Error.
//
// Any process that may write can make shared memory shorter, and touching memory that is gone faults. Each operation looks
// at the file's size first. A cut between that look and the touch is the caller's to catch, with debug.SetPanicOnFault.
// No lock stays held after such a panic.
package shm

import (
	"strings"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// ValidName returns EInvalid unless a segment may have this name. A name is 1 to abi.MaxName of the characters A-Z a-z 0-9
// . _ - and has no dot in front. It is in this process's folder. A path is sys.ValidFolder's path of another folder, a
// slash, and a name. The rule for names is the same on every system, so that a name that works on one works on all. Paths are
// each system's own.
func ValidName(name string) error {
	if sys.IsPath(name) {
		return validPath(name)
	}
	if err := validPlain(name); err != nil {
		return err
	}
	return sys.CheckFolder()
}

func validPath(path string) error {
	folder, last := sys.Split(path)
	if folder == "" {
		return abi.Errorf(abi.EInvalid, "shm: name %.40q begins with a slash, as a path does, and names no folder; leave the slash out", path)
	}
	if err := sys.ValidFolder(folder); err != nil {
		return abi.Errorf(abi.CodeOf(err), "shm: name %.80q is a path: %v", path, err)
	}
	return validPlain(last)
}

func validPlain(name string) error {
	switch {
	case name == "":
		return abi.Errorf(abi.EInvalid, "shm: the name is empty; it needs 1 to %d of A-Z a-z 0-9 . _ -", abi.MaxName)
	case len(name) > abi.MaxName:
		return abi.Errorf(abi.EInvalid, "shm: name %.40q... has %d bytes; at most %d are allowed", name, len(name), abi.MaxName)
	case name[0] == '.':
		return abi.Errorf(abi.EInvalid, "shm: name %q starts with a dot, which is not allowed", name)
	}
	for _, c := range []byte(name) {
		if !validByte(c) {
			hint := ""
			switch {
			case c == '/':
				hint = "; a path begins with a slash"
			case strings.HasPrefix(name, `Global\`):
				hint = "; names are for all sessions here, so leave Global out"
			}
			return abi.Errorf(abi.EInvalid, "shm: name %q has a character other than A-Z a-z 0-9 . _ -%s", name, hint)
		}
	}
	return nil
}

func validByte(c byte) bool {
	switch {
	case 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		return true
	}
	return c == '.' || c == '_' || c == '-'
}
