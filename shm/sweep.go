package shm

import "shmcv/internal/abi"

// Sweep removes the names of this user's segments whose creator is gone and which no process has open through this
// library, and gives how many. Plain mappings by other programs are not known of; they stay whole without the name.
// Foreign files are left alone.
func Sweep() (removed int, err error) {
	names, err := allNames()
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
		case abi.EIO, abi.ENoSpace: // As for List.
			return removed, err
		}
	}
	return removed, nil
}

// sweepName removes one name, if it is that of an orphan.
func sweepName(name string) (bool, error) {
	if err := ValidName(name); err != nil {
		return false, err
	}
	file, err := openFile(name) // By a description of its own, which sees this process's locks too.
	if err != nil {
		return false, err
	}
	defer file.close()
	_, id, err := examineContent(name, file)
	if err != nil || id == nil {
		return false, err
	}
	if alive, err := file.lockedByOther(lockOwner); err != nil || alive {
		return false, err
	}
	if err := file.lock(lockUser); err != nil {
		return false, nil // Somebody uses it.
	}
	// Whoever opens it now finds the lock taken, and tries again. The name may have gone to another file meanwhile.
	if now, err := lookUp(name); err != nil || now != file.id {
		return false, err
	}
	return true, Clear(name)
}
