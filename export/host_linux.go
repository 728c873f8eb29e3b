package main

// Each of these tags takes one cure of host_linux.c out, for scripts/hosting.sh. A library for use has none of them.

// #cgo shmcv_without_suspension CFLAGS: -DSHMCV_WITHOUT=SUSPENSION
// #cgo shmcv_without_arithmetic CFLAGS: -DSHMCV_WITHOUT=ARITHMETIC
// #cgo shmcv_without_others     CFLAGS: -DSHMCV_WITHOUT=OTHERS
// #cgo shmcv_without_fault_mask CFLAGS: -DSHMCV_WITHOUT=FAULT_MASK
// #cgo shmcv_without_call_mask  CFLAGS: -DSHMCV_WITHOUT=CALL_MASK
// #cgo shmcv_without_wide_mask  CFLAGS: -DSHMCV_WITHOUT=WIDE_MASK
// #cgo shmcv_without_preemption CFLAGS: -DSHMCV_WITHOUT=PREEMPTION
// #include "host.h"
import "C"

// By now Go's runtime has installed its handlers. host_linux.c tells which of them go back to the host's.
func init() { C.shmcv_restore_host() }
