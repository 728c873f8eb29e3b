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
