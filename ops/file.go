package ops

import (
	"errors"
	"io"
	"io/fs"
	"os"
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
