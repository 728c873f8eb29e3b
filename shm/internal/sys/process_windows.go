package sys

import (
	"errors"
	"sync"

	"golang.org/x/sys/windows"
)

// processStart is in units of 100 ns since the year 1601.
var processStart = sync.OnceValue(func() uint64 {
	var start, end, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(windows.CurrentProcess(), &start, &end, &kernel, &user); err != nil {
		return 0
	}
	return uint64(start.HighDateTime)<<32 | uint64(start.LowDateTime)
})

// processIsGone also returns true for a process that has ended, and that another process has a handle to.
func processIsGone(id uint32) bool {
	process, err := windows.OpenProcess(windows.SYNCHRONIZE, false, id)
	if err != nil {
		return errors.Is(err, windows.ERROR_INVALID_PARAMETER) // No process has the id.
	}
	defer windows.CloseHandle(process)
	event, err := windows.WaitForSingleObject(process, 0)
	return err == nil && event == windows.WAIT_OBJECT_0
}
