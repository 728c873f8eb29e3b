package shm

import "shmcv/shm/internal/sys"

// Sweep removes the names of this user's segments and streams whose creator is gone and which no process has open
// through this library, from this process's folder. It tells how many it removed. It does not know which files other programs have mapped; they
// keep their memory without the name. It leaves foreign files alone, and what it cannot look at, and waits for nobody.
//
// Errors: as for List.
func Sweep() (removed int, err error) {
	names, err := sys.Names()
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		swept, err := sweepName(name)
		if sys.Exhausted(err) {
			return removed, err
		}
		if swept {
			removed++
		}
	}
	return removed, nil
}

// sweepName removes a name if it is an orphan's, and returns true if it did. The hidden name that a process has left
// that died while it removed a name is swept like any other, and so is that of one that died while it created a file.
func sweepName(name string) (bool, error) {
	if sys.Unfinished(name) {
		return sys.RemoveUnfinished(name)
	}
	if err := validPlain(name); err != nil && !sys.Leftover(name) {
		return false, err
	}
	if sys.RemoveAbandoned(name) {
		return true, nil
	}
	m, err := look(name)
	if err != nil {
		return false, err
	}
	defer m.file.Close()
	if alive, err := m.ownerAlive(); err != nil || alive {
		return false, err
	}
	file, err := sys.OpenOwn(name) // A sys.File of its own: locks of this process's other Files exclude it too.
	if err != nil || file.ID() != m.file.ID() {
		return false, closed(file, err)
	}
	defer file.Close()
	if unused, err := file.Lock(lockUser); err != nil || !unused {
		return false, err
	}
	// From here on, Open finds the lock taken and tries again. If the name has gone to another file, or another process is
	// removing it, there is nothing to do.
	named := holdName(name, 0)
	if named == nil {
		return false, nil
	}
	defer named.Close()
	return removeFrom(name, file.ID())
}

// closed closes a file, if there is one, and gives err.
func closed(file *sys.File, err error) error {
	if file != nil {
		file.Close()
	}
	return err
}
