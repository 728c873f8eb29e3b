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
	"syscall"

	"shmcv/internal/abi"
)

// maxFile is the size of the largest file that is read. OpenCV counts bytes in int in places.
const maxFile = 1 << 30

// readFile gives the content of a regular file, in memory that must be released.
func readFile(path string) ([]byte, error) {
	file, size, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content := scratch(uint64(size))
	n, err := io.ReadFull(file, content)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		release(content)
		return nil, fileError("load", path, err)
	}
	return content[:n], nil // less than size when somebody has made it shorter meanwhile: then it is no whole image
}

// readStart gives the first bytes of a regular file, at most limit, and the file's size.
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
	// O_NONBLOCK: opening a pipe that nobody writes to would wait for ever.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
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

// writeFile puts content under path, whole or not at all: into a new file beside it that then takes its name. What
// was there before keeps its name, and its content, until then, and hands its mode on.
func writeFile(path string, content []byte) error {
	target, mode, err := targetFile(path)
	if err != nil {
		return err
	}
	folder := filepath.Dir(target)
	// The name is short whatever the target's is, hidden, and says whose it was should the machine stop in between.
	temporary := filepath.Join(folder, fmt.Sprintf(".shmcv-%d-%016x.tmp", os.Getpid(), rand.Uint64()))
	file, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return saveError(path, folder, len(content), err)
	}
	_, err = file.Write(content)
	if mode != 0 {
		err = errors.Join(err, file.Chmod(mode))
	}
	// Close reports what a network or quota file system found out late.
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(temporary, target)
	}
	if err != nil {
		os.Remove(temporary)
		return saveError(path, folder, len(content), err)
	}
	return nil
}

// targetFile follows a symbolic link, so that what it points to is replaced and not the link, and gives the mode of
// the file that is there, 0 when there is none.
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

// fileError gives what the system said the code that a caller can act on.
func fileError(verb, path string, err error) error {
	code := abi.EIO
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		code = abi.ENotFound
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		code = abi.EPermission
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		code = abi.ENoSpace
	case errors.Is(err, syscall.ENAMETOOLONG), errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.EISDIR):
		code = abi.EInvalid
	case errors.Is(err, syscall.ENXIO): // a socket, or a device without a driver
		code = abi.EInvalid
	}
	return abi.Errorf(code, "%s %q: %w", verb, path, reason(err))
}

// saveError is fileError for a file that is written, where the folder is what matters.
func saveError(path, folder string, size int, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return abi.Errorf(abi.ENotFound, "save %q: there is no folder %q; make it first", path, folder)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return abi.Errorf(abi.ENoSpace, "save %q: %d bytes wanted, %d free in %q: %w", path, size, freeSpace(folder), folder, reason(err))
	}
	return fileError("save", path, err)
}

// reason is what the system said, without the name of a temporary file that the caller has never heard of.
func reason(err error) error {
	var number syscall.Errno
	if errors.As(err, &number) {
		return number
	}
	return err
}
