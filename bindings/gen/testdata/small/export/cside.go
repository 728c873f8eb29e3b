//go:build shmcv_declarations

package main

// shmcv_version gives the version.
//
//export cVersion
func cVersion() *C.in_char

// shmcv_last_error copies the message into buf.
//
//export cLastError
func cLastError(buf *C.char, capacity C.uint64_t) C.int32_t
