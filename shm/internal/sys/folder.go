package sys

import (
	"os"
	"strings"
	"sync"
	"unicode/utf8"

	"shmcv/internal/abi"
)

// folderVariable is the environment variable that names the folder of this process's plain names. Go has a copy of the
// environment of the time when the library was loaded.
const folderVariable = "SHMCV_FOLDER"

// chosen is the folder of plain names, or the error of a variable that names none. A program with more rights than its
// caller does not let the caller choose.
var chosen = sync.OnceValues(func() (string, error) {
	named := cleanFolder(os.Getenv(folderVariable))
	if os.Getenv(folderVariable) == "" || elevated() {
		return defaultFolder, noDefaultFolder()
	}
	if err := ValidFolder(named); err != nil {
		return defaultFolder, abi.Errorf(abi.CodeOf(err), "shm: the environment variable %s is %.80q: %v", folderVariable,
			os.Getenv(folderVariable), err)
	}
	return named, nil
})

// Folder gives the folder of this process's plain names: that of the environment variable SHMCV_FOLDER, or the system's
// own for shared memory.
func Folder() string {
	folder, _ := chosen()
	return folder
}

// CheckFolder returns EInvalid if SHMCV_FOLDER names no folder. Plain names stand for nothing then.
func CheckFolder() error {
	_, err := chosen()
	return err
}

// ValidFolder returns EInvalid unless a text can be the path of a folder: absolute, at most abi.MaxFolder bytes of UTF-8,
// without empty parts and without the parts . and .. in it. It does not look whether there is such a folder. On Windows a folder
// on another machine is EUnsupported.
func ValidFolder(path string) error {
	if len(path) > abi.MaxFolder {
		return abi.Errorf(abi.EInvalid, "the folder's path has %d bytes; at most %d are allowed", len(path), abi.MaxFolder)
	}
	parts, err := rooted(path)
	if err != nil {
		return err
	}
	if !utf8.ValidString(path) {
		return abi.Errorf(abi.EInvalid, "a folder is given by its absolute path, in UTF-8")
	}
	for part := range strings.SplitSeq(parts, "/") {
		if part == "" || part == "." || part == ".." {
			return abi.Errorf(abi.EInvalid, "the folder's path has a part that is %q; give the folder's plain path", part)
		}
	}
	return nil
}

// IsPath returns true if a name has a folder before it. Any other name is in this process's folder.
func IsPath(name string) bool { return isPath(name) }

// Split gives the folder of a path, and the name in it.
func Split(path string) (folder, last string) { return splitPath(path) }

// Plainest gives the one form of a valid name that messages and tables have: without the folder if that is this process's.
func Plainest(name string) string {
	if !isPath(name) {
		return name
	}
	folder, last := splitPath(name)
	if folder == Folder() {
		return last
	}
	return joinPath(folder, last)
}

// split gives the folder of a name and the name in it.
func split(name string) (folder, last string) {
	if !isPath(name) {
		return Folder(), name
	}
	return splitPath(name)
}

// folderOf gives the folder of a name.
func folderOf(name string) string {
	folder, _ := split(name)
	return folder
}

// place gives words for messages: a name and where it is.
func place(name string) string {
	if isPath(name) {
		return abi.Quote(name)
	}
	return abi.Quote(name) + " in " + Folder()
}
