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
//	names, exists, find, remove
//	openNamed, createUnnamed
//	sleep, monotonic, processStart
//	codeOf        the code of a system's error
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

// Find gives the ID of the file that has a name.
//
// Errors: ENotFound when there is none; EPermission when the name is not that of a regular file of this user.
func Find(name string) (FileID, error) {
	id, err := find(name)
	if err != nil {
		return FileID{}, failed("find", name, err)
	}
	return FileID{id}, nil
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
