package sys

import (
	"errors"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// codes is the one table from errors of Linux to codes of this library. All others are EIO.
var codes = []codeFor{
	{unix.ENOENT, abi.ENotFound},
	{unix.EEXIST, abi.EExists},
	{unix.EACCES, abi.EPermission},
	{unix.EPERM, abi.EPermission},
	{unix.EROFS, abi.EPermission},
	{unix.ELOOP, abi.EPermission},
	{unix.EISDIR, abi.EPermission},
	{unix.ENXIO, abi.EPermission},
	{unix.ENOSPC, abi.ENoSpace},
	{unix.ENOMEM, abi.ENoSpace},
	{unix.EOPNOTSUPP, abi.EUnsupported},
}

func exhausted(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM)
}
