package sys

import (
	"errors"
	"os/user"
	"strconv"

	"shmcv/internal/abi"
)

func userID(name string) (int64, error) {
	return accountID("user", name, func() (string, error) {
		found, err := user.Lookup(name)
		if err != nil {
			return "", err
		}
		return found.Uid, nil
	})
}

func groupID(name string) (int64, error) {
	return accountID("group", name, func() (string, error) {
		found, err := user.LookupGroup(name)
		if err != nil {
			return "", err
		}
		return found.Gid, nil
	})
}

// accountID gives the number of a user or group. A name that the system knows comes before a number, as for chown.
func accountID(kind, name string, lookUp func() (string, error)) (int64, error) {
	id, err := lookUp()
	unknown := errors.As(err, new(user.UnknownUserError)) || errors.As(err, new(user.UnknownGroupError))
	if err != nil {
		id = name
	}
	number, bad := strconv.ParseUint(id, 10, 32)
	switch {
	case bad == nil && number < 1<<32-1:
		return int64(number), nil
	case err == nil || unknown:
		return 0, abi.Errorf(abi.ENotFound, "shm: this system knows no %s %.80q; in a container, give the number that it has outside", kind, name)
	}
	return 0, abi.Errorf(codeOf(err), "shm: look up %s %.80q: %w", kind, name, err)
}
