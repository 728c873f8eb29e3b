package main

// Each of these tags takes one cure out, for scripts/hosting.sh; none is set in a library for use.

// #cgo shmcv_without_suspension CFLAGS: -DSHMCV_WITHOUT=SUSPENSION
// #cgo shmcv_without_arithmetic CFLAGS: -DSHMCV_WITHOUT=ARITHMETIC
// #cgo shmcv_without_others     CFLAGS: -DSHMCV_WITHOUT=OTHERS
// #cgo shmcv_without_fault_mask CFLAGS: -DSHMCV_WITHOUT=FAULT_MASK
// #cgo shmcv_without_call_mask  CFLAGS: -DSHMCV_WITHOUT=CALL_MASK
// #cgo shmcv_without_wide_mask  CFLAGS: -DSHMCV_WITHOUT=WIDE_MASK
// #cgo shmcv_without_preemption CFLAGS: -DSHMCV_WITHOUT=PREEMPTION
// #include "native.h"
import "C"

// By now Go's runtime has installed its handlers; host_linux.c tells which of them the host gets back.
func init() { C.shmcv_restore_host() }
