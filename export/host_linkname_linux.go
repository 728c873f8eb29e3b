//go:build shmcv_linkname

package main

import (
	"syscall"
	_ "unsafe" // for go:linkname
)

// sigtable is the runtime's own table of signals. When a thread first calls into Go, the runtime unblocks the signals
// that the table marks so, whatever the thread's mask was. Three of these signals are the host's, and the shim blocks
// them for the length of a call (host_linux.c): SIGCHLD, SIGPROF and 34. (34 is glibc's SIGRTMIN; musl uses it itself,
// which is why the runtime unblocks it.) So init takes their marks away.
//
// The linker refuses to link to the runtime's variables without -checklinkname=0. build.sh gives that flag together with
// this file's tag. See docs/host-safety.md.
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
