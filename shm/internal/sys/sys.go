// Package sys gives package shm the services of the operating system: names and files of shared memory, mappings,
// locks, bells to wake other processes by, the clock that all processes share, and the identity of this process.
//
// The exported surface is the same on every system. It is declared in the files without a system in their names, which
// also say what each part promises. These files call the following, which each system's own files define (*_linux.go and
// *_windows.go; none.go lists them all, with nothing behind them):
//
//	defaultFolder where plain names are, unless SHMCV_FOLDER says otherwise
//	noDefaultFolder the error of a user who has no such folder
//	cleanFolder, isPath, splitPath, joinPath, rooted
//	              how folders are written, and names in them
//	elevated      true if this process has more rights than its caller
//	fileID        type: tells files apart; comparable
//	openFile      type: an open file of shared memory
//	bell          type: a word in a mapping, with its sleepers
//	alarm         type: the same for the threads of this process alone
//	word          type: what a thread sleeps on; mostWords of them at the most
//	flag          type: what a host's own loop waits on
//	names, exists, find, remove, removeFrom, leftover
//	unfinished, removeAbandoned, removeUnfinished
//	userID, groupID
//	openNamed, createUnnamed
//	sleep, monotonic, processStart, newFlag
//	codes         the codes of a system's errors
//	exhausted     true for an error that says that this process has no descriptors or no memory left
//
// They return errors as the system gave them, or an *abi.Error where they know more. The functions of the exported
// surface return only *abi.Error.
package sys

// FileID tells files apart, whatever their names are. The IDs of two files are equal if both are the same file.
type FileID struct{ id fileID }

// Names gives the names of everything that lies in this process's folder, sorted. Not everything there is a segment, and
// not every name is valid for one.
func Names() ([]string, error) {
	if err := CheckFolder(); err != nil {
		return nil, err
	}
	all, err := names()
	if err != nil {
		return nil, failed("list", "", err)
	}
	return all, nil
}

// Exists returns true if a name is taken, be it by a segment or not.
func Exists(name string) bool { return exists(name) }

// Use is what a file is wanted for. It decides whose files will do. Whoever may write to a file can change it and make it
// shorter, which is why the owner of a file matters to all who map it.
type Use int

const (
	ToOwn   Use = iota // A file of this user.
	ToWrite            // One of this user, or one that its owner has given a group of this process to read and write, and not all users.
	ToLook             // One of this user, or one that its owner has given a group of this process to read.
	ToRead             // Anybody's.
)

// Find gives the ID of the file that has a name, and its size in bytes. It does not open the file.
//
// Errors: ENotFound when there is none; EPermission when it is not a regular file, or not one for that use.
func Find(name string, use Use) (FileID, uint64, error) {
	id, size, err := find(name, use)
	if err != nil {
		return FileID{}, 0, failed("find", name, err)
	}
	return FileID{id}, size, nil
}

// Remove takes a name away from its file, which stays whole for everybody who has it open. The name is free at once.
//
// Errors: ENotFound when there is no such name; EPermission.
func Remove(name string) error {
	if err := remove(name); err != nil {
		return failed("clear", name, err)
	}
	return nil
}

// RemoveFrom takes a name away from the file that has the ID. It returns false, and leaves the name where it is, if
// another file has it by now, or none.
//
// No system removes a name on condition that it is still a certain file's. So RemoveFrom moves the name away to a hidden
// one, looks at what it has moved, and moves it back if that is another file. A program that looks for the name just
// then does not find it. A process that dies in between leaves a hidden name; see Leftover.
func RemoveFrom(name string, id FileID) (bool, error) {
	removed, err := removeFrom(name, id.id)
	if err != nil {
		return false, failed("clear", name, err)
	}
	return removed, nil
}

// Leftover returns true if a name is one of the hidden names of RemoveFrom.
func Leftover(name string) bool { return leftover(name) }

// Unfinished returns true if a name is one of the hidden names that files have before Link, where the system cannot make
// files without a name.
func Unfinished(name string) bool { return unfinished(name) }

// RemoveAbandoned removes a name whose file is gone, where a file ends with the last process that has it open. It returns true
// if it did.
func RemoveAbandoned(name string) bool { return removeAbandoned(name) }

// RemoveUnfinished removes an unfinished name if the process that made it is gone, and returns true if it did.
func RemoveUnfinished(name string) (bool, error) {
	removed, err := removeUnfinished(name)
	if err != nil {
		return false, failed("clear", name, err)
	}
	return removed, nil
}

// UserID gives the number of the user that a text names: by a name, or by the number itself.
//
// Errors: ENotFound when there is no such user.
func UserID(name string) (int64, error) { return userID(name) }

// GroupID does for groups what UserID does for users.
func GroupID(name string) (int64, error) { return groupID(name) }

// Exhausted returns true if an error of this package says that this process, or the system, has no descriptors or no
// address space left, and nothing about the file that was asked for.
func Exhausted(err error) bool { return exhausted(err) }
