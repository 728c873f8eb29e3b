package sys

import (
	"os"
	"strconv"
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
	named := strings.TrimRight(os.Getenv(folderVariable), "/")
	if os.Getenv(folderVariable) == "" || elevated() {
		return defaultFolder, nil
	}
	if err := ValidFolder(named); err != nil {
		return defaultFolder, abi.Errorf(abi.EInvalid, "shm: the environment variable %s is %.80q: %v", folderVariable,
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
// without empty parts and without the parts . and .. in it. It does not look whether there is such a folder.
func ValidFolder(path string) error {
	if len(path) > abi.MaxFolder {
		return abi.Errorf(abi.EInvalid, "the folder's path has %d bytes; at most %d are allowed", len(path), abi.MaxFolder)
	}
	parts, absolute := strings.CutPrefix(path, "/")
	if !absolute || !utf8.ValidString(path) {
		return abi.Errorf(abi.EInvalid, "a folder is given by its absolute path, in UTF-8")
	}
	for part := range strings.SplitSeq(parts, "/") {
		if part == "" || part == "." || part == ".." {
			return abi.Errorf(abi.EInvalid, "the folder's path has a part that is %q; give the folder's plain path", part)
		}
	}
	return nil
}

// split gives the folder of a name and the name in it. A name that begins with a slash is a path, whose last part is the
// name; any other is in this process's folder.
func split(name string) (folder, last string) {
	if !strings.HasPrefix(name, "/") {
		return Folder(), name
	}
	slash := strings.LastIndexByte(name, '/')
	return name[:slash], name[slash+1:]
}

// folderOf gives the folder of a name.
func folderOf(name string) string {
	folder, _ := split(name)
	return folder
}

// place gives words for messages: a name and where it is.
func place(name string) string {
	if strings.HasPrefix(name, "/") {
		return strconv.Quote(name)
	}
	return strconv.Quote(name) + " in " + Folder()
}
