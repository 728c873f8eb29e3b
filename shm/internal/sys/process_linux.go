package sys

import (
	"bytes"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// processStart is in clock ticks since the machine started.
var processStart = sync.OnceValue(func() uint64 {
	stat, _ := os.ReadFile("/proc/self/stat")
	// The second field is the program's name in parentheses. The name may hold spaces and parentheses itself.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	const start = 22 - 3 // The start is the 22nd field, and fields begins with the 3rd.
	if len(fields) <= start {
		return 0
	}
	ticks, _ := strconv.ParseUint(string(fields[start]), 10, 64)
	return ticks
})

// processIsGone answers false for what is no process's id: kill takes it for a group's.
func processIsGone(id uint32) bool { return int32(id) > 0 && unix.Kill(int(id), 0) == unix.ESRCH }
