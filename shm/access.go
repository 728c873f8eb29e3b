package shm

import "shmcv/shm/internal/sys"

// UserID gives the number of the user that a text names: by a name, or by the number itself.
//
// Errors: ENotFound when there is no such user.
func UserID(name string) (int64, error) { return sys.UserID(name) }

// GroupID does for groups what UserID does for users.
func GroupID(name string) (int64, error) { return sys.GroupID(name) }
