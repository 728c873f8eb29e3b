package main

// #include "host.h"
import "C"

// By now Go's runtime has changed what host_windows.c gives back.
func init() { C.shmcv_restore_host() }
