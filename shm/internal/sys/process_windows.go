package sys

import (
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
