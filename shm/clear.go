package shm

import (
	"errors"
	"sync"

	"shmcv/internal/abi"
)

// Clear removes a segment's name, whoever created it; those who have it open keep it whole. It is ENotFound when
// there is none, and EPermission when what has that name is not a regular file of this user.
func Clear(name string) error {
	if err := ValidName(name); err != nil {
		return err
	}
	id, err := lookUp(name)
	if err != nil {
		return err
	}
	if err := unlink(name); err != nil {
		return systemError("clear", name, err)
	}
	created.remove(name, id)
	return nil
}

// ClearAll removes the names of all segments that this process created, where they are still theirs.
func ClearAll() error {
	var failed []error
	for name, id := range created.all() {
		if now, err := lookUp(name); err != nil || now != id {
			created.remove(name, id)
			continue
		}
		if err := Clear(name); err != nil && abi.CodeOf(err) != abi.ENotFound {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// created are the names that this process has given to segments, whether or not it still has them open.
var created = createdNames{files: map[string]fileID{}, pruneAt: 64}

type createdNames struct {
	mu      sync.Mutex
	files   map[string]fileID
	pruneAt int
}

func (c *createdNames) add(name string, id fileID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files[name] = id
	if len(c.files) < c.pruneAt {
		return
	}
	// Other processes clear names too, and do not tell.
	for name, id := range c.files {
		if now, err := lookUp(name); err != nil || now != id {
			delete(c.files, name)
		}
	}
	c.pruneAt = max(64, 2*len(c.files))
}

func (c *createdNames) remove(name string, id fileID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files[name] == id {
		delete(c.files, name)
	}
}

func (c *createdNames) all() map[string]fileID {
	c.mu.Lock()
	defer c.mu.Unlock()
	files := make(map[string]fileID, len(c.files))
	for name, id := range c.files {
		files[name] = id
	}
	return files
}
