package sys

import (
	"errors"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

// codes is the one table from errors of Windows to codes of this library. All others are EIO.
var codes = []codeFor{
	{windows.ERROR_FILE_NOT_FOUND, abi.ENotFound},
	{windows.ERROR_PATH_NOT_FOUND, abi.ENotFound},
	{windows.ERROR_ALREADY_EXISTS, abi.EExists},
	{windows.ERROR_FILE_EXISTS, abi.EExists},
	{windows.ERROR_ACCESS_DENIED, abi.EPermission},
	{windows.ERROR_SHARING_VIOLATION, abi.EPermission},
	{windows.ERROR_WRITE_PROTECT, abi.EPermission},
	{windows.ERROR_PRIVILEGE_NOT_HELD, abi.EPermission},
	{windows.ERROR_DISK_FULL, abi.ENoSpace},
	{windows.ERROR_HANDLE_DISK_FULL, abi.ENoSpace},
	{windows.ERROR_COMMITMENT_LIMIT, abi.ENoSpace},
	{windows.ERROR_NOT_ENOUGH_MEMORY, abi.ENoSpace},
	{windows.ERROR_NO_SYSTEM_RESOURCES, abi.ENoSpace},
	{windows.ERROR_NOT_SUPPORTED, abi.EUnsupported},
}

func exhausted(err error) bool {
	for _, number := range []windows.Errno{windows.ERROR_TOO_MANY_OPEN_FILES, windows.ERROR_NO_SYSTEM_RESOURCES,
		windows.ERROR_NOT_ENOUGH_MEMORY, windows.ERROR_COMMITMENT_LIMIT} {
		if errors.Is(err, number) {
			return true
		}
	}
	return false
}
