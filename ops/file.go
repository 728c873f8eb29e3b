package ops

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"shmcv/internal/abi"
)

// maxFile is the size of the largest file that is read. In places OpenCV counts bytes with an int.
const maxFile = 1 << 30

// readFile returns the content of a regular file, in memory that the caller releases. The content is shorter than the file
// was if another program has cut it meanwhile; then it is no whole image.
func readFile(path string) ([]byte, error) {
	content, _, err := readStart(path, maxFile)
	return content, err
}

// readStart returns the first bytes of a regular file, at most limit, in memory that the caller releases. It also
// returns the file's size.
func readStart(path string, limit int64) ([]byte, int64, error) {
	file, size, err := openFile(path)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	content := scratch(uint64(min(size, limit)))
	n, err := io.ReadFull(file, content)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		release(content)
		return nil, 0, fileError("load", path, err)
	}
	return content[:n], size, nil
}

// openFile opens a file that has the right kind and size to be an image.
func openFile(path string) (*os.File, int64, error) {
	if err := checkPath("load", path); err != nil {
		return nil, 0, err
	}
	file, err := openWithoutWaiting(path)
	if err != nil {
		return nil, 0, fileError("load", path, err)
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		err = fileError("load", path, err)
	case !info.Mode().IsRegular():
		err = abi.Errorf(abi.EInvalid, "load %q: it is %s, not a file", path, kindOf(info.Mode()))
	case info.Size() == 0:
		err = abi.Errorf(abi.EDecode, "load %q: the file is empty", path)
	case info.Size() > maxFile:
		err = abi.Errorf(abi.ELimit, "load %q: the file has %d bytes; at most %d are read", path, info.Size(), maxFile)
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}

// writeFile puts content under path, whole or not at all: it writes a new file beside the old one, which then takes the
// old one's name and mode. Until then the old file stays as it is.
func writeFile(path string, content []byte) error {
	target, mode, err := targetFile(path)
	if err != nil {
		return err
	}
	folder := filepath.Dir(target)
	// The name is short whatever the target's name is, it is hidden, and it says who left the file if the machine
	// stops.
	temporary := filepath.Join(folder, fmt.Sprintf(".shmcv-%d-%016x.tmp", os.Getpid(), rand.Uint64()))
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return saveError(path, folder, len(content), err)
	}
	_, err = file.Write(content)
	if mode != 0 {
		err = errors.Join(err, file.Chmod(mode))
	}
	// Close reports what a file system over a network, or with quotas, finds out late.
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(temporary, target)
	}
	if err != nil {
		os.Remove(temporary)
		return saveError(path, folder, len(content), err)
	}
	return nil
}

// targetFile follows a symbolic link, so that the file that the link points to is replaced, and not the link. It
// returns that file's path and mode; the mode is 0 if there is no file.
func targetFile(path string) (string, fs.FileMode, error) {
	if err := checkPath("save", path); err != nil {
		return "", 0, err
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return "", 0, abi.Errorf(abi.EInvalid, "save %q: it is %s, not a file", path, kindOf(info.Mode()))
	case err == nil:
		return path, info.Mode().Perm(), nil
	case strings.HasSuffix(path, string(filepath.Separator)):
		return "", 0, abi.Errorf(abi.EInvalid, "save %q: it names a folder, not a file", path)
	}
	return path, 0, nil
}

func checkPath(verb, path string) error {
	switch {
	case path == "":
		return abi.Errorf(abi.EInvalid, "%s: the path is empty", verb)
	case strings.ContainsRune(path, 0):
		return abi.Errorf(abi.EInvalid, "%s %q: the path contains a NUL", verb, path)
	}
	return nil
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// fileError makes an error of what the system said, with a code that a caller can act on.
func fileError(verb, path string, err error) error {
	code := systemCode(err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		code = abi.ENotFound
	case errors.Is(err, fs.ErrPermission):
		code = abi.EPermission
	}
	return abi.Errorf(code, "%s %q: %w", verb, path, reason(err))
}

// saveError is fileError for a file that is written. There it is the folder that may be missing or full.
func saveError(path, folder string, size int, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return abi.Errorf(abi.ENotFound, "save %q: there is no folder %q; make it first", path, folder)
	case systemCode(err) == abi.ENoSpace:
		return abi.Errorf(abi.ENoSpace, "save %q: %d bytes wanted, %d free in %q: %w", path, size, freeSpace(folder), folder, reason(err))
	}
	return fileError("save", path, err)
}
