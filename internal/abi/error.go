package abi

import (
	"errors"
	"fmt"
)

// This is the one table of errors: bindings/gen makes the constants of the header and of every binding from it.

// Code is what a function of the C ABI returns. The values are append-only and never reused.
type Code int32

const (
	OK           Code = 0   // It worked.
	EInvalid     Code = -1  // An argument makes no sense: NULL, a bad name, size, geometry or flag.
	ENotFound    Code = -2  // There is no segment or file of that name.
	EExists      Code = -3  // A segment of that name is there already.
	EClosed      Code = -4  // The segment handle is closed, or was never given out.
	ENoSpace     Code = -5  // Shared memory or the disk is full.
	ETooSmall    Code = -6  // The segment or buffer is smaller than what should go into it.
	ETruncated   Code = -7  // Somebody has made the segment's file shorter since it was opened.
	ENoImage     Code = -8  // The segment holds no image yet.
	EPermission  Code = -9  // The system or this library refuses access to the segment, file or folder.
	EDecode      Code = -10 // The file is not a whole image: corrupt, truncated or empty.
	EEncode      Code = -11 // The image could not be encoded.
	EUnsupported Code = -12 // The format, file extension or combination of colour order and depth is not supported.
	EIO          Code = -13 // Reading or writing failed.
	ENoDisplay   Code = -14 // There is no display to show a window on, or no window support in this build.
	EForked      Code = -15 // The process is a fork of one that has used the library; only exec makes it usable again.
	ECorrupt     Code = -16 // The segment's metadata has been overwritten.
	ELimit       Code = -17 // The image is larger than the library's limits.
	EBusy        Code = -18 // Another party holds what is asked for.
	ETimeout     Code = -19 // The time is up.
	EInternal    Code = -20 // A defect in this library; please report it with the message.
)

// Error is an error with its code. The message says what was asked, what was found and what to do.
type Error struct {
	Code    Code
	Message string
	Cause   error // what the system said, if it was the system
}

// Errorf makes an *Error as fmt.Errorf does, a %w in the format included.
func Errorf(code Code, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Cause: errors.Unwrap(err)}
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Cause }

// CodeOf gives the code that err carries: OK for nil, EInternal for an error that carries none.
func CodeOf(err error) Code {
	if err == nil {
		return OK
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return EInternal
}
