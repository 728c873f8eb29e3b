package sys

import (
	"strings"

	"shmcv/internal/abi"
)

// noDefaultFolder returns no error: there is a folder for names, or making one tells that there is none.
func noDefaultFolder() error { return nil }

func cleanFolder(text string) string { return strings.TrimRight(text, "/") }

func isPath(name string) bool { return strings.HasPrefix(name, "/") }

func splitPath(path string) (folder, last string) {
	slash := strings.LastIndexByte(path, '/')
	return path[:slash], path[slash+1:]
}

func joinPath(folder, last string) string { return folder + "/" + last }

// rooted gives what follows the root in a path, and an error unless the path begins there.
func rooted(path string) (parts string, err error) {
	parts, absolute := strings.CutPrefix(path, "/")
	if !absolute {
		return "", abi.Errorf(abi.EInvalid, "a folder is given by its absolute path, in UTF-8")
	}
	return parts, nil
}
