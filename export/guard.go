package main

// #include "native.h"
import "C"

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"
	"unsafe"

	"shmcv/internal/abi"
)

// Go makes its poller when the first timer or file needs it, and ends the process if no file descriptor is left then. So
// it is made while the library is loaded; and if there are too few descriptors even then, no call goes on before there are
// enough.
var (
	pollerMade atomic.Bool
	pollerLock sync.Mutex
)

func init() {
	_ = makePoller()
	C.shmcv_note_start()
}

func makePoller() error {
	pollerLock.Lock()
	defer pollerLock.Unlock()
	if pollerMade.Load() {
		return nil
	}
	if !C.shmcv_reserve_descriptors() {
		return abi.Errorf(abi.EIO, "shmcv: no file descriptors are left, and the library's first call needs 2; close files, or "+
			"raise the limit (ulimit -n)")
	}
	C.shmcv_free_descriptors()
	time.AfterFunc(time.Hour, func() {}).Stop() // Go's timers stand on the poller.
	pollerMade.Store(true)
	return nil
}

func main() {} // -buildmode=c-shared requires it. Nothing calls it.

// guard runs the body of an exported function. Errors become codes here and nowhere else. A panic becomes an error
// too, and so does a fault of Go code on memory that another program truncates during the call. A fault inside OpenCV
// cannot be recovered, because C++ code cannot be unwound from a signal. Each call therefore looks at the file's size
// before it hands the memory to OpenCV.
func guard(body func() error) (status C.int32_t) {
	if !pollerMade.Load() {
		if err := makePoller(); err != nil {
			return fail(err)
		}
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if cause := recover(); cause != nil {
			status = fail(panicked(cause))
		}
	}()
	if err := body(); err != nil {
		return fail(err)
	}
	return C.SHMCV_OK
}

// fail keeps err's message for shmcv_last_error on the caller's thread and returns err's code.
func fail(err error) C.int32_t {
	message := err.Error()
	C.shmcv_set_error((*C.char)(unsafe.Pointer(unsafe.StringData(message))), C.size_t(len(message)))
	return C.int32_t(abi.CodeOf(err))
}

func panicked(cause any) error {
	if fault, ok := cause.(interface {
		runtime.Error
		Addr() uintptr
	}); ok {
		return abi.Errorf(abi.ETruncated, "shmcv: memory at %#x went away during the call; "+
			"either a segment was truncated by somebody else, or an argument points nowhere", fault.Addr())
	}
	return abi.Errorf(abi.EInternal, "shmcv: a defect in the library, please report it: %v\n%s", cause, debug.Stack())
}

// required refuses a NULL argument.
func required(argument string, pointer unsafe.Pointer) error {
	if pointer == nil {
		return abi.Errorf(abi.EInvalid, "shmcv: %s is NULL", argument)
	}
	return nil
}

// text copies a borrowed C string.
func text(argument string, s *C.in_char) (string, error) {
	if err := required(argument, unsafe.Pointer(s)); err != nil {
		return "", err
	}
	str := C.GoString((*C.char)(unsafe.Pointer(s)))
	if !utf8.ValidString(str) {
		return "", abi.Errorf(abi.EInvalid, "shmcv: %s is not UTF-8: %s", argument, clip(fmt.Sprintf("%q", str)))
	}
	return str, nil
}

// clip shortens what a message quotes.
func clip(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}
