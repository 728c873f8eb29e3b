package sys

import "os"

// Monotonic gives the time in nanoseconds by a clock that nobody sets and all processes of the machine share.
func Monotonic() uint64 { return monotonic() }

// ProcessID gives the id of this process. A forked child does not get here, so that it never changes.
func ProcessID() uint32 { return processID }

var processID = uint32(os.Getpid())

// ProcessStart gives the time at which this process started, in a unit of the system's own. It tells this process from
// a later one that has the same id. It is 0 where the system does not tell.
func ProcessStart() uint64 { return processStart() }

// ProcessIsGone returns true if this process sees no process of that id. The process may be in a container, where this
// one cannot see it.
func ProcessIsGone(id uint32) bool { return processIsGone(id) }
