//go:build shmcv_declarations

// The functions declared here are defined in C, in native.c and errors.g.c, because they have to work without Go: in a
// forked child, whose messages are kept here and not in the copy, and before Go's runtime has started. bindings/gen
// reads this file. It is never compiled.

package main

// shmcv_version returns the library's version, for example "0.2.0". The string is static and is never freed.
//
//export cVersion
func cVersion() *C.in_char

// shmcv_abi_version returns the version of the binary interface as major << 16 | minor. A caller works with a library
// whose major version is SHMCV_ABI_MAJOR and whose minor version is SHMCV_ABI_MINOR or a later one.
//
//export cAbiVersion
func cAbiVersion() C.uint32_t

// shmcv_last_error copies the message of this thread's last failed call into buf, NUL-terminated. A message that does not
// fit into capacity bytes is cut at a whole character; SHMCV_MESSAGE_SIZE bytes always suffice. A call that succeeds
// leaves the message as it was, so look at it only after a failure. Before the first failure it is empty.
//
// Errors: SHMCV_E_INVALID if buf is NULL or capacity is 0.
//
//export cLastError
func cLastError(buf *C.char, capacity C.uint64_t) C.int32_t

// shmcv_error_name returns a code's name, for example "SHMCV_E_NOT_FOUND" for -2, and "unknown" for a number that is no
// code. The string is static and is never freed.
//
//export cErrorName
func cErrorName(code C.int32_t) *C.in_char
