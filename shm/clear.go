package shm

import (
	"errors"
	"sync"
	"time"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// Clear removes the name of a segment or stream, no matter which process created it. It stays whole for all who have it
// open.
//
// Errors: ENotFound when there is none; EPermission when the name is not that of a regular file of this user, or one that
// Open would open, or when this process may not remove names from the folder.
func Clear(name string) error {
	if err := ValidName(name); err != nil {
		return err
	}
	name = sys.Plainest(name)
	id, err := clearable(name)
	if err != nil {
		return err
	}
	file := holdName(name, namePatience)
	if file != nil {
		defer file.Close()
		id = file.ID()
	}
	if err := sys.Remove(name); err != nil {
		return err
	}
	created.remove(name, id)
	tellCleared(name, id, file)
	return nil
}

// clearable gives the file that has a name, if this process may take the name away: from a file that Open would open, and
// from one that this process has created and given to another user.
func clearable(name string) (sys.FileID, error) {
	id, _, err := sys.Find(name, sys.ToWrite)
	if abi.CodeOf(err) != abi.EPermission {
		return id, err
	}
	if own, _, e := sys.Find(name, sys.ToRead); e == nil && created.has(name, own) {
		return own, nil
	}
	return id, err
}

// ClearName removes the name of a segment or stream that is open, if the name is still its own.
//
// Errors: ENotFound when the name is removed already, or another file has it by now; EPermission.
func (m *mapping) ClearName() error {
	if _, err := clearable(m.name); err != nil {
		return err
	}
	removed, err := clearFrom(m.name, m.file.ID())
	if err != nil {
		return err
	}
	if !removed {
		return abi.Errorf(abi.ENotFound, "shm: clear %q: this one's name is removed already, and another one has that name now", m.name)
	}
	created.remove(m.name, m.file.ID())
	return nil
}

// ClearAll removes all names that this process has given to segments and streams, unless another process has given the
// name to another file meanwhile.
func ClearAll() error {
	var failed []error
	for name, id := range created.all() {
		if _, err := clearFrom(name, id); err != nil && abi.CodeOf(err) != abi.ENotFound {
			failed = append(failed, err)
			continue
		}
		created.remove(name, id)
	}
	return errors.Join(failed...)
}

// clearFrom removes a name, and returns false if another file has it by now.
func clearFrom(name string, id sys.FileID) (bool, error) {
	file := holdName(name, namePatience)
	if file != nil {
		defer file.Close()
	}
	removed, err := removeFrom(name, id)
	if removed {
		tellCleared(name, id, file)
	}
	return removed, err
}

// To look which file has a name and then to remove the name are two steps. A name that another process removes and gives
// to a new file in between must stay with the new file. Two things see to that:
//
//   - Who removes a name holds lockName of its file. So the name stays with a file for as long as another process holds
//     that lock, and what a look has found stays true.
//   - Programs without this library know no such lock, and a process that has been stopped may hold it for ever. So a
//     name that is removed after a look is removed by sys.RemoveFrom, which gives it back if it is another file's.

// namePatience is how long a process waits for another one that removes the same name, which takes microseconds. Then
// it goes on without the lock. It is a variable for tests.
var namePatience = time.Second

// holdName opens the file that has a name, and takes lockName, which ends when the caller closes the file. It returns
// nil if that is not possible: there is no such file, it cannot be opened, or another process keeps the lock for longer
// than patience.
func holdName(name string, patience time.Duration) *sys.File {
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Microsecond) {
		file, err := sys.Open(name)
		if err != nil {
			return nil
		}
		held, err := file.Lock(lockName)
		if held {
			if now, _, err := sys.Find(name, sys.ToWrite); err == nil && now == file.ID() {
				return file
			}
		}
		file.Close()
		if err != nil || !held && !time.Now().Before(deadline) {
			return nil
		}
	}
}

// removeFrom takes a name away from a file, and returns false if another file has it by now, or none. The caller has
// called holdName.
func removeFrom(name string, id sys.FileID) (bool, error) {
	if now, _, err := sys.Find(name, sys.ToRead); err != nil || now != id { // Whose it is, the caller has decided.
		return false, err
	}
	hasLooked(name)
	return sys.RemoveFrom(name, id)
}

// hasLooked lets tests do something between a look and the removal.
var hasLooked = func(name string) {}

// created holds the names that this process has given to files, whether or not it still has the files open.
var created = createdNames{files: map[string]sys.FileID{}, pruneAt: 64}

type createdNames struct {
	mu      sync.Mutex
	files   map[string]sys.FileID
	pruneAt int // How many names there have to be before add looks for those that are gone.
}

func (c *createdNames) add(name string, id sys.FileID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files[name] = id
	if len(c.files) < c.pruneAt {
		return
	}
	// Other processes clear names too, and do not tell.
	for name, id := range c.files {
		if now, _, err := sys.Find(name, sys.ToRead); err != nil || now != id {
			delete(c.files, name)
		}
	}
	c.pruneAt = max(64, 2*len(c.files))
}

func (c *createdNames) remove(name string, id sys.FileID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files[name] == id {
		delete(c.files, name)
	}
}

// has returns true if this process has given a name to a file.
func (c *createdNames) has(name string, id sys.FileID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.files[name]
	return ok && found == id
}

func (c *createdNames) all() map[string]sys.FileID {
	c.mu.Lock()
	defer c.mu.Unlock()
	files := make(map[string]sys.FileID, len(c.files))
	for name, id := range c.files {
		files[name] = id
	}
	return files
}
