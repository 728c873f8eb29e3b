//go:build shmcv_linkname

package main

import (
	"syscall"
	_ "unsafe" // for go:linkname
)

// When a thread first calls into Go, the runtime unblocks the signals that this table marks so, whatever the thread's
// mask was. Three of them are the host's, and masked by the shim for the length of the call (host_linux.c): SIGCHLD,
// SIGPROF and 34, which musl uses internally, and which is glibc's SIGRTMIN. Their marks are taken away.
//
// The linker refuses to link to the runtime's variables without -checklinkname=0; build.sh gives that flag and this
// file's tag together. See docs/host-safety.md.
//
//go:linkname sigtable runtime.sigtable
var sigtable [65]struct {
	flags int32
	name  string
}

func init() {
	for _, signal := range []syscall.Signal{syscall.SIGCHLD, syscall.SIGPROF, 34} {
		sigtable[signal].flags = 0
	}
}
