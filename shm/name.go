// Package shm keeps named segments of shared memory: bytes with a name, which any process of the same user can open,
// and a description of the image in them. It knows nothing of OpenCV and nothing of the C ABI.
//
// Everything here may be called from any goroutine at once. Errors are *abi.Error.
//
// Shared memory can be made shorter by any process of the user, and touching what is gone faults. Each operation
// looks at the file's size first; what slips in between is the caller's to catch with debug.SetPanicOnFault. No lock
// stays held after such a panic.
package shm

import "shmcv/internal/abi"

// ValidName tells whether name can be a segment's: 1 to abi.MaxName of the characters A-Z a-z 0-9 . _ - and no dot in
// front. It is EInvalid otherwise. The rule is the same on every system, so that a name that works once works anywhere.
func ValidName(name string) error {
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
			return abi.Errorf(abi.EInvalid, "shm: name %q has a character other than A-Z a-z 0-9 . _ -", name)
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
