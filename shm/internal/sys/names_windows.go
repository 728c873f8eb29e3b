package sys

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

// defaultFolder is in the user's local application data, which no other user can write to, and which does not wander from
// machine to machine with the user. Without a profile, as some services are, a process has its names in its temporary
// folder.
var defaultFolder = func() string {
	data := knownFolder(windows.FOLDERID_LocalAppData)
	if data == "" {
		data = os.Getenv("LOCALAPPDATA")
	}
	if data == "" {
		data = os.TempDir()
	}
	return filepath.ToSlash(filepath.Join(data, "shmcv"))
}()

// elevated is for setuid programs, which Windows does not have: who starts a process with more rights gives it another
// environment too.
func elevated() bool { return false }

// Names of files know no case in NTFS, lose a dot at their end, and CON, NUL and others are devices, with an extension
// too. So a file's name is an equals sign, which no segment's name has, and the name, in which a plus sign stands before
// each capital letter; and another equals sign if there is a dot at the end.

const (
	escape  = '='
	capital = '+'
)

func escaped(name string) string {
	if strings.HasPrefix(name, ".") { // A hidden name of this library's own.
		return name
	}
	b := []byte{escape}
	for _, c := range []byte(name) {
		if 'A' <= c && c <= 'Z' {
			b = append(b, capital, c-'A'+'a')
			continue
		}
		b = append(b, c)
	}
	if b[len(b)-1] == '.' {
		b = append(b, escape)
	}
	return string(b)
}

// unescaped gives the name of which a file's name was made, and false for any other file's.
func unescaped(file string) (string, bool) {
	if strings.HasPrefix(file, hidden) || strings.HasPrefix(file, making) {
		return file, true
	}
	text, ours := strings.CutPrefix(file, string(escape))
	if !ours {
		return "", false
	}
	text = strings.TrimSuffix(text, string(escape))
	b := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == capital && i+1 < len(text) {
			i++
			b = append(b, text[i]-'a'+'A')
			continue
		}
		b = append(b, text[i])
	}
	return string(b), escaped(string(b)) == file
}

func pathOf(name string) string {
	folder, last := split(name)
	return filepath.Join(filepath.FromSlash(folder), escaped(last))
}

// sectionName is the name that a section has in the kernel where it is free, so that a program without this library finds
// the section by the segment's own name. A name that is a path has none that others would look for.
func sectionName(name string) string {
	folder, last := split(name)
	if folder != defaultFolder {
		hash := sha256.Sum256([]byte(folder))
		last = "shmcv-" + hex.EncodeToString(hash[:8]) + "-" + last
	}
	return scope + last
}

func utf16(text string) *uint16 {
	p, err := windows.UTF16PtrFromString(text)
	if err != nil { // It has a NUL, which no name of ours has.
		panic(err)
	}
	return p
}

// longPath lets a path be longer than 260 characters.
func longPath(path string) *uint16 {
	if filepath.IsAbs(path) && len(path) > 200 && !strings.HasPrefix(path, `\\`) {
		path = `\\?\` + path
	}
	return utf16(path)
}

// noFolder is the error where a folder that was named is missing.
func noFolder(operation, folder string) error {
	return abi.Errorf(abi.ENotFound, "shm: %s: there is no folder %s, which %s names; make it", operation, folder, folderVariable)
}

// checkFolder makes the folder of plain names if it is missing. Any other folder has to be there.
func checkFolder(operation, name string) error {
	folder := folderOf(name)
	path := filepath.FromSlash(folder)
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
	}
	if folder != defaultFolder {
		return noFolder(operation+" "+strconv.Quote(name), folder)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	access, err := ownSecurity()
	if err == nil {
		err = windows.CreateDirectory(longPath(path), access)
	}
	if errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		return nil
	}
	return err
}

// exists returns true if a name is taken. It removes the name of a section that is gone.
func exists(name string) bool {
	_, _, err := find(name, ToRead)
	return !isMissing(err)
}

// isMissing returns true for an error that says that there is no such file.
func isMissing(err error) bool {
	return errors.Is(err, windows.ERROR_FILE_NOT_FOUND) || errors.Is(err, windows.ERROR_PATH_NOT_FOUND)
}

// find also removes the name of a section that is gone: its last process has been killed, or has ended without closing
// it.
func find(name string, use Use) (fileID, uint64, error) {
	r, err := recordAt(pathOf(name))
	if err != nil {
		return fileID{}, 0, err
	}
	if leftover(name) || unfinished(name) || r.isAlive() {
		return r.id, r.size, nil
	}
	_, _ = removeFrom(name, r.id)
	return fileID{}, 0, windows.ERROR_FILE_NOT_FOUND
}

// recordAt reads the record of the file that has a path.
func recordAt(path string) (record, error) {
	file, err := openPath(path, windows.GENERIC_READ)
	if err != nil {
		return record{}, err
	}
	defer windows.CloseHandle(file)
	return readRecord(file, path)
}

// openPath opens a file of names. Others may open, rename and remove it meanwhile.
func openPath(path string, access uint32) (windows.Handle, error) {
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	return windows.CreateFile(longPath(path), access, share, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
}

// isAlive returns true if a process has the section open.
func (r *record) isAlive() bool {
	event, err := windows.OpenEvent(windows.SYNCHRONIZE, false, utf16(r.alive()))
	if err != nil {
		return !isMissing(err) // Who may not open it knows that it is there.
	}
	_ = windows.CloseHandle(event)
	return true
}

// hidden is how the names begin to which remove and removeFrom move others. No segment's name begins with a dot.
const hidden = ".shmcv-removed-"

func leftover(name string) bool { return strings.HasPrefix(name, hidden) }

func remove(name string) error {
	if leftover(name) || unfinished(name) {
		return windows.DeleteFile(longPath(pathOf(name)))
	}
	file, err := openPath(pathOf(name), windows.GENERIC_READ|windows.DELETE)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(file)
	_, err = takeName(name, file)
	return err
}

// removeFrom can look at a file and take the name from that file: the file is open meanwhile.
func removeFrom(name string, id fileID) (bool, error) {
	path := pathOf(name)
	file, err := openPath(path, windows.GENERIC_READ|windows.DELETE)
	if isMissing(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer windows.CloseHandle(file)
	if r, err := readRecord(file, path); err != nil || r.id != id {
		return false, err
	}
	return takeName(name, file)
}

// lockTaking is the lock of who takes a name away from its file. shm has no use for it.
const lockTaking = 254

// takeName takes the name away from an open file, and returns false if another process has done so. It moves the file away
// first. A name that is removed while others have the file open can stay taken until they close it; a name that is moved away
// is free at once.
func takeName(name string, file windows.Handle) (bool, error) {
	f := openFile{&opened{file: file}}
	if taken, err := f.lockByte(lockTaking, false); err != nil || !taken {
		return false, err
	}
	defer f.unlockByte(lockTaking)
	if now, err := finalName(file); err == nil && strings.HasPrefix(now, hidden) {
		return false, nil
	}
	moved := filepath.Join(filepath.FromSlash(folderOf(name)), hidden+rand.Text())
	if err := renameOpen(file, moved); err != nil {
		return false, err
	}
	err := windows.DeleteFile(longPath(moved))
	if isMissing(err) || errors.Is(err, windows.ERROR_ACCESS_DENIED) { // Another process was faster.
		err = nil
	}
	return err == nil, err
}

// finalName gives the last part of an open file's path.
func finalName(file windows.Handle) (string, error) {
	path := make([]uint16, windows.MAX_LONG_PATH)
	n, err := windows.GetFinalPathNameByHandle(file, &path[0], uint32(len(path)), 0)
	if err != nil || int(n) > len(path) {
		return "", err
	}
	return filepath.Base(windows.UTF16ToString(path[:n])), nil
}

// renameOpen gives an open file another path, which must be free.
func renameOpen(file windows.Handle, to string) error {
	name, err := windows.UTF16FromString(to)
	if err != nil {
		return err
	}
	// FILE_RENAME_INFO: whether to replace, the folder's handle, the length of the path in bytes, the path.
	const length, path = 16, 20
	information := make([]byte, path+2*len(name))
	binary.LittleEndian.PutUint32(information[length:], uint32(2*(len(name)-1)))
	for i, unit := range name {
		binary.LittleEndian.PutUint16(information[path+2*i:], unit)
	}
	return windows.SetFileInformationByHandle(file, windows.FileRenameInfo, &information[0], uint32(len(information)))
}

// rename gives a file another path, which must be free.
func rename(from, to string) error { return windows.MoveFileEx(longPath(from), longPath(to), 0) }

func names() ([]string, error) {
	entries, err := os.ReadDir(filepath.FromSlash(Folder()))
	if errors.Is(err, fs.ErrNotExist) {
		if Folder() != defaultFolder {
			err = noFolder("list", Folder())
		} else {
			err = nil
		}
	}
	if err != nil {
		return nil, err
	}
	var all []string
	for _, entry := range entries {
		if name, ours := unescaped(entry.Name()); ours {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all, nil
}
