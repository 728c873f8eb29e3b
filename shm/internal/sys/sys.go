// Package sys gives package shm the services of the operating system: names and files of shared memory, mappings,
// locks, bells to wake other processes by, the clock that all processes share, and the identity of this process.
//
// The exported surface is the same on every system. It is declared in the files without a system in their names, which
// also say what each part promises. These files call the following, which each system's own files define (*_linux.go
// for Linux; none.go lists them all, with nothing behind them):
//
//	folder        where the names are, for messages
//	fileID        type: tells files apart; comparable
//	openFile      type: an open file of shared memory
//	bell          type: a word in a mapping, with its sleepers
//	alarm         type: the same for the threads of this process alone
//	word          type: what a thread sleeps on; mostWords of them at the most
//	names, exists, find, remove, removeFrom, leftover
//	openNamed, createUnnamed
//	sleep, monotonic, processStart
//	codeOf        the code of a system's error
//	exhausted     true for an error that says that this process has no descriptors or no memory left
//
// They return errors as the system gave them, or an *abi.Error where they know more. The functions of the exported
// surface return only *abi.Error.
package sys

// Folder is where the names of shared memory are, for messages.
const Folder = folder

// FileID tells files apart, whatever their names are. The IDs of two files are equal if both are the same file.
type FileID struct{ id fileID }

// Names gives the names of everything that lies where segments do, sorted. Not everything there is a segment, and not
// every name is valid for one.
func Names() ([]string, error) {
	all, err := names()
	if err != nil {
		return nil, failed("list", "", err)
	}
	return all, nil
}

// Exists returns true if a name is taken, be it by a segment or not.
func Exists(name string) bool { return exists(name) }

// Find gives the ID of the file that has a name, and its size in bytes. It does not open the file.
//
// Errors: ENotFound when there is none; EPermission when the name is not that of a regular file of this user.
func Find(name string) (FileID, uint64, error) { return findAs(name, false) }

// FindAnyUsers does as Find, for files of other users too.
func FindAnyUsers(name string) (FileID, uint64, error) { return findAs(name, true) }

func findAs(name string, anyUsers bool) (FileID, uint64, error) {
	id, size, err := find(name, anyUsers)
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

// Exhausted returns true if an error of this package says that this process, or the system, has no descriptors or no
// address space left, and nothing about the file that was asked for.
func Exhausted(err error) bool { return exhausted(err) }
