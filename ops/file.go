package ops

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"shmcv/internal/abi"
	"shmcv/ops/internal/probe"
)

// maxFile is the size of the largest file that is read. In places OpenCV counts bytes with an int.
const maxFile = 1 << 30

// startOfFile is how much of a large file is read before anything else: as much as nearly every header takes.
const startOfFile = 256 << 10

// readFile returns the content of a regular file, in memory that the caller releases. The content is shorter than the file
// was if another program has cut it meanwhile; then it is no whole image. Each byte is read once, so that what was judged
// is what is decoded.
//
// The start of a large file is shown to look first, in memory that is look's alone until it returns. An error of look
// costs no memory and no time for the rest of the file, which may be much, or nothing at all (a sparse file). But if the
// error is probe.ErrShort, the start was too short for a judgement, and readFile goes on.
func readFile(path string, look func(start []byte) error) (content []byte, err error) {
	file, size, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	start, err := readOn(path, file, nil, min(size, startOfFile))
	if err != nil || int64(len(start)) == size {
		return start, err
	}
	defer release(start)
	if err := look(start); err != nil && !errors.Is(err, probe.ErrShort) {
		return nil, loadError(path, err)
	}
	return readOn(path, file, start, size)
}

// readStart returns the start of a regular file, in memory that the caller releases, and the file's size.
func readStart(path string) (start []byte, size int64, err error) {
	file, size, err := openFile(path)
	if err != nil {
		return nil, 0, err
	}
	defer file.Close()
	start, err = readOn(path, file, nil, min(size, startOfFile))
	return start, size, err
}

// readOn returns size bytes of a file, of which the caller has the start, in memory that the caller releases. It returns
// fewer bytes if the file ends earlier.
func readOn(path string, file io.Reader, start []byte, size int64) ([]byte, error) {
	content, err := scratch(uint64(size))
	if err != nil {
		return nil, loadError(path, err)
	}
	n, err := io.ReadFull(file, content[copy(content, start):])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		release(content)
		return nil, fileError("load", path, err)
	}
	return content[:len(start)+n], nil
}

// openFile opens a file that has the right kind and size to be an image.
func openFile(path string) (*os.File, int64, error) {
	target, err := checkPath("load", path)
	if err != nil {
		return nil, 0, err
	}
	file, err := openWithoutWaiting(target)
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

// checkPath returns the path as the system takes it.
func checkPath(verb, path string) (string, error) {
	switch {
	case path == "":
		return "", abi.Errorf(abi.EInvalid, "%s: the path is empty", verb)
	case strings.ContainsRune(path, 0):
		return "", abi.Errorf(abi.EInvalid, "%s %q: the path contains a NUL", verb, path)
	}
	target, err := systemPath(path)
	if err != nil {
		return "", abi.Errorf(abi.EInvalid, "%s %q: %w", verb, path, err)
	}
	return target, nil
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
	return abi.Errorf(code, "%s %q: %w", verb, path, reason(verb, err))
}
