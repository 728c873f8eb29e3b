package shm

import (
	"errors"
	"sync"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// Clear removes the name of a segment or stream, no matter which process created it. It stays whole for all who have it
// open.
//
// Errors: ENotFound when there is none; EPermission when the name is not that of a regular file of this user.
func Clear(name string) error {
	if err := ValidName(name); err != nil {
		return err
	}
	id, err := sys.Find(name)
	if err != nil {
		return err
	}
	if err := sys.Remove(name); err != nil {
		return err
	}
	created.remove(name, id)
	return nil
}

// ClearName removes the name of a segment or stream that is open, if the name is still its own.
//
// Errors: ENotFound when the name is removed already, or another file has it by now; EPermission.
func (m *mapping) ClearName() error {
	now, err := sys.Find(m.name)
	if err != nil {
		return err
	}
	if now != m.file.ID() {
		return abi.Errorf(abi.ENotFound, "shm: clear %q: this one's name is removed already, and another one has that name now", m.name)
	}
	return Clear(m.name)
}

// ClearAll removes all names that this process has given to segments and streams, unless another process has given the
// name to another file meanwhile.
func ClearAll() error {
	var failed []error
	for name, id := range created.all() {
		if now, err := sys.Find(name); err != nil || now != id {
			created.remove(name, id)
			continue
		}
		if err := Clear(name); err != nil && abi.CodeOf(err) != abi.ENotFound {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

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
		if now, err := sys.Find(name); err != nil || now != id {
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

func (c *createdNames) all() map[string]sys.FileID {
	c.mu.Lock()
	defer c.mu.Unlock()
	files := make(map[string]sys.FileID, len(c.files))
	for name, id := range c.files {
		files[name] = id
	}
	return files
}
