package shm

import (
	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// Sweep removes the names of this user's segments and streams whose creator is gone and which no process has open
// through this library. It tells how many it removed. It does not know which files other programs have mapped; they keep
// their memory without the name. It leaves foreign files alone.
//
// Errors: as for List.
func Sweep() (removed int, err error) {
	names, err := sys.Names()
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		swept, err := sweepName(name)
		switch abi.CodeOf(err) {
		case abi.OK:
			if swept {
				removed++
			}
		case abi.EIO, abi.ENoSpace:
			return removed, err
		}
	}
	return removed, nil
}

// sweepName removes a name if it is an orphan's, and returns true if it did.
func sweepName(name string) (bool, error) {
	if err := ValidName(name); err != nil {
		return false, err
	}
	file, err := sys.Open(name) // A file of its own, which this process's other locks exclude like those of others.
	if err != nil {
		return false, err
	}
	defer file.Close()
	_, id, err := examineContent(name, file)
	if err != nil || id == nil {
		return false, err
	}
	if alive, err := file.HeldByOther(lockOwner); err != nil || alive {
		return false, err
	}
	if unused, err := file.Lock(lockUser); err != nil || !unused {
		return false, err
	}
	// From here on, Open finds the lock taken and tries again. The name may have gone to another file before.
	if now, err := sys.Find(name); err != nil || now != file.ID() {
		return false, err
	}
	return true, Clear(name)
}
