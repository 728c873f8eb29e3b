//go:build shmcv_declarations

// What is declared here is defined in native.c, because it has to work without Go: in a forked child, and before Go's
// runtime has started. The file is read by bindings/gen and never compiled.

package main

// shmcv_version gives the library's version, for example "0.1.0". The string is static; it is never freed.
//
//export cVersion
func cVersion() *C.in_char

// shmcv_abi_version gives the version of the binary interface as major << 16 | minor. A caller works with a library
// of the same major version as SHMCV_ABI_MAJOR, and the same minor version as SHMCV_ABI_MINOR or a later one.
//
//export cAbiVersion
func cAbiVersion() C.uint32_t

// shmcv_last_error copies the message of this thread's last failed call into buf, NUL-terminated, cut at capacity
// bytes; 1024 always suffice. A call that succeeds leaves the message as it was, so look at it only after a failure.
// Before the first failure it is empty.
//
// Errors: SHMCV_E_INVALID when buf is NULL or capacity is 0.
//
//export cLastError
func cLastError(buf *C.char, capacity C.uint64_t) C.int32_t
