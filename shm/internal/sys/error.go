package sys

import (
	"errors"

	"shmcv/internal/abi"
)

// failed gives an error of the system the code and the message of this library's errors. An *abi.Error stays as it is.
// operation says what was asked for. name is empty where the operation is on all names.
func failed(operation, name string, cause error) error {
	var ours *abi.Error
	switch {
	case errors.As(cause, &ours):
		return ours
	case name == "":
		return abi.Errorf(codeOf(cause), "shm: %s %s: %w", operation, Folder(), cause)
	}
	return abi.Errorf(codeOf(cause), "shm: %s %s: %w", operation, place(name), cause)
}

// codeFor is a line of a system's table of errors.
type codeFor struct {
	number error
	code   abi.Code
}

// codeOf gives the code for an error of the system: EIO for one that its table does not have.
func codeOf(err error) abi.Code {
	for _, entry := range codes {
		if errors.Is(err, entry.number) {
			return entry.code
		}
	}
	return abi.EIO
}
