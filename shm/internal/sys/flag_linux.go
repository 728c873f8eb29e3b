package sys

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// flag is an eventfd, which polls readable unless its number is 0. A forked child closes it, as it does all that is noted.
type flag struct{ fd int }

func newFlag() (flag, error) {
	fd, err := noted(func() (int, error) { return unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK) })
	return flag{fd}, err
}

func (f flag) number() int64 { return int64(f.fd) }

// Neither raise nor lower blocks: the number does not overflow, because lower makes it 0. Both are raw system calls as those of
// bells are.

func (f flag) raise() {
	one := uint64(1)
	_, _, _ = unix.RawSyscall(unix.SYS_WRITE, uintptr(f.fd), uintptr(unsafe.Pointer(&one)), unsafe.Sizeof(one))
}

func (f flag) lower() {
	var number uint64
	_, _, _ = unix.RawSyscall(unix.SYS_READ, uintptr(f.fd), uintptr(unsafe.Pointer(&number)), unsafe.Sizeof(number))
}

func (f flag) close() { closeNoted(f.fd) }
