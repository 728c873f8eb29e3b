package ops

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"shmcv/internal/abi"
)

// writeFile puts content under path.
//
// Usually it does so whole or not at all: it writes a new file, which then takes the name, the owner, the mode and the
// extended attributes of the old one. Until then the old file stays as it is. An old file that cannot be replaced so is
// written in place: one with further hard links, one whose owner the process may not give to a new file, one in a
// folder that the process may not write to, and one that is a mount of its own. If the process is killed meanwhile, such
// a file is damaged.
func writeFile(path string, content []byte) error {
	target, old, err := targetFile(path)
	if err != nil {
		return err
	}
	folder := filepath.Dir(target)
	if old != nil {
		if err := mayWrite(target); err != nil {
			return abi.Errorf(abi.EPermission, "save %q: the file is there, and may not be written (mode %04o): %w",
				path, old.Mode().Perm(), reason("save", err))
		}
	}
	if old == nil || !isShared(target, old) {
		if err = replaceFile(target, old, content); err == nil {
			return nil
		}
		if old == nil || !errors.Is(err, errInPlace) {
			return saveError(path, folder, len(content), err)
		}
	}
	if err := overwrite(target, content); err != nil {
		return saveError(path, folder, len(content), err)
	}
	return nil
}

// errInPlace says that a file cannot be replaced, and may well be written in place.
var errInPlace = errors.New("the file cannot be replaced")

// inPlace makes an error of a step of replacing a file one that wraps errInPlace too, if the step is not allowed.
func inPlace(err error) error {
	if err != nil && isForbidden(err) {
		return errors.Join(errInPlace, err)
	}
	return err
}

// replaceFile gives the name target to a new file. old is the file that has the name, or nil. The new file has no name
// until it is whole, where the file system has such files: a process that is killed then leaves nothing. Elsewhere, and
// while the new file takes over the name, it has a second one, which the next replaceFile for target removes.
func replaceFile(target string, old fs.FileInfo, content []byte) error {
	name := "" // Of the new file, as long as it is not target.
	file, err := createUnnamed(filepath.Dir(target))
	if err != nil {
		if file, name, err = createNamed(temporaryName(target)); err != nil {
			return inPlace(err)
		}
	}
	defer file.Close() // Which ends the lock, too.
	defer func() {
		if name != "" {
			os.Remove(name)
		}
	}()
	if err := fill(file, target, old, content); err != nil {
		return err
	}
	if name == "" && old == nil {
		if err := link(file, target); !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if name == "" {
		claimed, err := claim(temporaryName(target), func(name string) error { return link(file, name) })
		if err != nil {
			return inPlace(err)
		}
		name = claimed
	}
	if err := rename(file, name, target); err != nil {
		return inPlace(err)
	}
	name = ""
	return nil
}

// fill makes file what the file under the name target will be.
func fill(file *os.File, target string, old fs.FileInfo, content []byte) error {
	if _, err := file.Write(content); err != nil {
		return err
	}
	if old != nil {
		if err := takeAfter(file, target, old); err != nil {
			return inPlace(err)
		}
	}
	return flush(file)
}

// temporaryName is the second name of a new file for target. It is short whatever the target's name is, it is hidden,
// and it is the same each time, so that one that was left behind is found.
func temporaryName(target string) string {
	hash := fnv.New64a()
	hash.Write([]byte(filepath.Base(target)))
	return filepath.Join(filepath.Dir(target), fmt.Sprintf(".shmcv-%016x.tmp", hash.Sum64()))
}

// temporaryPatience is how long a temporary name is waited for that another process has. It needs the name for
// microseconds, or, where no file is without a name, for as long as it writes.
const temporaryPatience = 5 * time.Second

// claim calls create until the name is free. A file that has the name and is not locked was left by a process that was
// killed: claim removes it. If the name does not become free in time, claim takes one that nobody has.
func claim(name string, create func(name string) error) (string, error) {
	for deadline := time.Now().Add(temporaryPatience); ; time.Sleep(time.Millisecond) {
		err := create(name)
		switch {
		case !errors.Is(err, fs.ErrExist):
			return name, err
		case removeIfLeft(name):
		case time.Now().After(deadline):
			name = fmt.Sprintf("%s-%016x.tmp", strings.TrimSuffix(name, ".tmp"), rand.Uint64())
		}
	}
}

// overwrite writes content into a file that is there.
func overwrite(target string, content []byte) error {
	file, err := os.OpenFile(target, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Truncate(int64(len(content)))
	}
	return errors.Join(err, file.Close())
}

// maxLinks is how many symbolic links are followed, as by Linux.
const maxLinks = 40

// targetFile follows symbolic links, so that the file that a link points to is replaced, and not the link. It returns that
// file's path and what is known of it: nil if there is no file, as behind a link to nowhere.
func targetFile(path string) (string, fs.FileInfo, error) {
	target, err := checkPath("save", path)
	if err != nil {
		return "", nil, err
	}
	for range maxLinks {
		next, err := os.Readlink(target)
		if err != nil { // It is no link.
			break
		}
		switch {
		case filepath.IsAbs(next):
			target = next
		case next != "" && os.IsPathSeparator(next[0]): // On Windows, a path from the root of the drive.
			target = filepath.VolumeName(target) + next
		default:
			target = filepath.Join(filepath.Dir(target), next)
		}
	}
	info, err := os.Stat(target)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return "", nil, abi.Errorf(abi.EInvalid, "save %q: it is %s, not a file", path, kindOf(info.Mode()))
	case err == nil:
		return target, info, nil
	case os.IsPathSeparator(path[len(path)-1]):
		return "", nil, abi.Errorf(abi.EInvalid, "save %q: it names a folder, not a file", path)
	case errors.Is(err, fs.ErrNotExist):
		return target, nil, nil
	}
	return "", nil, fileError("save", path, err)
}

// saveError is fileError for a file that is written. There it is the folder that may be missing or full.
func saveError(path, folder string, size int, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return abi.Errorf(abi.ENotFound, "save %q: there is no folder %q; make it first", path, folder)
	case systemCode(err) == abi.ENoSpace:
		return abi.Errorf(abi.ENoSpace, "save %q: %d bytes wanted, %d free in %q: %w", path, size, freeSpace(folder), folder, reason("save", err))
	}
	return fileError("save", path, err)
}
