package abi

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// The table of errors. bindings/gen makes the constants and the exceptions of every language from it, so a new code is
// one line here. The parentheses at a line's end are for Python's exception of that code: the built-in exception that
// it is also derived from, and its errno.

// Code is what a function of the C ABI returns. Values are added at the end, and never used again for something else.
type Code int32

const (
	OK           Code = 0   // It worked.
	EInvalid     Code = -1  // An argument makes no sense: NULL, a bad name, size, geometry or flag. (Python: ValueError.)
	ENotFound    Code = -2  // There is no segment, file, folder, user or group of that name. (Python: FileNotFoundError, ENOENT.)
	EExists      Code = -3  // A segment of that name is there already. (Python: FileExistsError, EEXIST.)
	EClosed      Code = -4  // The handle is closed, or was never given out. (Python: ValueError.)
	ENoSpace     Code = -5  // Shared memory or the disk is full, or the process gets no more memory. (Python: OSError, ENOSPC.)
	ETooSmall    Code = -6  // The segment or buffer is smaller than what should go into it. (Python: ValueError.)
	ETruncated   Code = -7  // Another program has made the segment's file shorter since it was opened. (Python: OSError, EIO.)
	ENoImage     Code = -8  // The segment holds no image yet. (Python: ValueError.)
	EPermission  Code = -9  // The system or this library refuses access to the segment, file or folder. (Python: PermissionError, EACCES.)
	EDecode      Code = -10 // The file is not a whole image: corrupt, truncated or empty. (Python: ValueError.)
	EEncode      Code = -11 // The image could not be encoded. (Python: ValueError.)
	EUnsupported Code = -12 // The format, file extension or combination of colour order and depth is not supported. (Python: ValueError.)
	EIO          Code = -13 // Reading or writing failed. (Python: OSError, EIO.)
	ENoDisplay   Code = -14 // There is no display to show a window on, or no window support in this build. (Python: RuntimeError.)
	EForked      Code = -15 // A forked child uses a handle of its parent's, or cannot open a copy of the library. (Python: RuntimeError.)
	ECorrupt     Code = -16 // The segment's metadata has been overwritten. (Python: ValueError.)
	ELimit       Code = -17 // The image is larger than the library's limits. (Python: ValueError.)
	EBusy        Code = -18 // Another party holds what is asked for. (Python: OSError, EBUSY.)
	ETimeout     Code = -19 // The time is up. (Python: TimeoutError, ETIMEDOUT.)
	EInternal    Code = -20 // A defect in this library; please report it with the message. (Python: RuntimeError.)
	EEnded       Code = -21 // The writer has ended the stream, and there is no frame after the last. (Python: EOFError.)
	EWriterGone  Code = -22 // No program writes to the stream, and the reader has asked to be told. (Python: ConnectionResetError, ECONNRESET.)
	EReplaced    Code = -23 // Another stream has got the stream's name. (Python: OSError, ESTALE.)
	EOvertaken   Code = -24 // The writer has begun to write over a frame that its reader does not hold. (Python: RuntimeError.)
)

// MessageSize is how many bytes shmcv_last_error writes at the most, with the NUL at the end.
const MessageSize = 1024

// Error is an error with its code. The message says what was asked, what was found and what to do.
type Error struct {
	Code    Code
	Message string
	Cause   error // The system's own error, if there is one.
}

// Errorf makes an *Error with a message that is formatted as by fmt.Errorf, except that %q of a string is Quote's. A %w in the
// format sets Cause.
func Errorf(code Code, format string, args ...any) error {
	if backslashesSeparate {
		for i, arg := range args {
			if text, isText := arg.(string); isText {
				args[i] = quotable(text)
			}
		}
	}
	err := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: err.Error(), Cause: errors.Unwrap(err)}
}

// backslashesSeparate is true on Windows, where a path is full of them.
const backslashesSeparate = os.PathSeparator == '\\'

// Quote returns a text in quotation marks, with escapes for what cannot be seen. Where backslashes separate folders they are
// written as they are, so that a user can copy a path out of a message.
func Quote(text string) string { return withPlainBackslashes(strconv.Quote(text)) }

func withPlainBackslashes(quoted string) string {
	if backslashesSeparate {
		return strings.ReplaceAll(quoted, `\\`, `\`)
	}
	return quoted
}

// quotable is a string of which %q is Quote's. Every other verb takes it for the string that it is.
type quotable string

func (q quotable) Format(state fmt.State, verb rune) {
	text := fmt.Sprintf(fmt.FormatString(state, verb), string(q))
	if verb == 'q' {
		text = withPlainBackslashes(text)
	}
	_, _ = io.WriteString(state, text)
}

func (e *Error) Error() string { return e.Message }
func (e *Error) Unwrap() error { return e.Cause }

// CodeOf returns the code of the *Error in err: OK for nil, EInternal if err holds no *Error.
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
