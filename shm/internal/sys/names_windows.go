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
	"time"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

// elevated is for setuid programs, which Windows does not have: who starts a process with more rights gives it another
// environment too.
func elevated() bool { return false }

// Names of files know no case in NTFS, lose a dot at their end, and CON, NUL and others are devices, with an extension
// too. So a file's name is an equals sign, which no segment's name has, and the name in small letters. If there are capitals, a
// plus sign and hexadecimal digits follow, which have a bit for each character; zeros at their end are left out. Otherwise, if
// there is a dot at the end, another equals sign follows. The longest of 200 characters takes 252 units of the 255 that
// a file's name may have.

const (
	escape   = '='
	capitals = "+"
)

func escaped(name string) string {
	if strings.HasPrefix(name, ".") { // A hidden name of this library's own.
		return name
	}
	bits := make([]byte, (len(name)+3)/4)
	for i, c := range []byte(name) {
		if 'A' <= c && c <= 'Z' {
			bits[i/4] |= 8 >> (i % 4)
		}
	}
	digits := ""
	for _, four := range bits {
		digits += strconv.FormatUint(uint64(four), 16)
	}
	file := string(escape) + strings.ToLower(name)
	if digits = strings.TrimRight(digits, "0"); digits != "" {
		return file + capitals + digits
	}
	if strings.HasSuffix(file, ".") {
		return file + string(escape)
	}
	return file
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
	text, digits, _ := strings.Cut(strings.TrimSuffix(text, string(escape)), capitals)
	name := []byte(text)
	for i := range min(len(name), 4*len(digits)) {
		if four, err := strconv.ParseUint(digits[i/4:i/4+1], 16, 4); err == nil && four&(8>>(i%4)) != 0 {
			name[i] = strings.ToUpper(text[i : i+1])[0]
		}
	}
	return string(name), escaped(string(name)) == file
}

func pathOf(name string) string {
	folder, last := split(name)
	return filepath.Join(filepath.FromSlash(folder), escaped(last))
}

// sectionName is the name that a section has in the kernel where it is free, so that a program without this library finds
// the section by the segment's own name. A name in another folder has none that others would look for, and plain is false.
func sectionName(name string) (section string, plain bool) {
	switch folder, last := split(name); folder {
	case globalFolder:
		return allSessions + last, true
	case defaultFolder:
		return oneSession + last, true
	default:
		hash := sha256.Sum256([]byte(strings.ToLower(folder)))
		return oneSession + "shmcv-" + hex.EncodeToString(hash[:8]) + "-" + last, false
	}
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
	said := ""
	if folder == Folder() {
		said = ", which " + folderVariable + " names"
	}
	return abi.Errorf(abi.ENotFound, "shm: %s: there is no folder %s%s; make it", operation, folder, said)
}

// checkFolder makes the folders that this library names itself if they are missing. Any other folder has to be there.
func checkFolder(operation, name string) error {
	folder := folderOf(name)
	if err := checkLocal(folder); err != nil {
		return err
	}
	path := filepath.FromSlash(folder)
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir() && folder == globalFolder:
		return checkOwner(operation, name, path)
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return abi.Errorf(abi.ENotFound, "shm: %s %q: %s is a file and no folder; name another one in the environment variable %s",
			operation, name, path, folderVariable)
	case folder != defaultFolder && folder != globalFolder:
		return noFolder(operation+" "+abi.Quote(name), folder)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return noRight(operation, name, err)
	}
	security, err := folderSecurity(folder)
	if err == nil {
		err = windows.CreateDirectory(longPath(path), security)
	}
	if errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		return nil
	}
	return noRight(operation, name, err)
}

// noRight is the error of a user who may not make files in a folder, and any other error as it is.
func noRight(operation, name string, err error) error {
	if !errors.Is(err, windows.ERROR_ACCESS_DENIED) && !errors.Is(err, windows.ERROR_WRITE_PROTECT) {
		return err
	}
	folder := filepath.FromSlash(folderOf(name))
	if folderOf(name) == globalFolder {
		return noGlobal(operation, name)
	}
	return abi.Errorf(abi.EPermission, "shm: %s %q: this user may not make files in %s; give the user the right to it (icacls \"%s\" /grant "+
		"NAME:M), or name another folder in the environment variable %s", operation, name, folder, folder, folderVariable)
}

// noGlobal is the error of a process that may not make what all sessions see.
func noGlobal(operation, name string) error {
	return abi.Errorf(abi.EPermission, `shm: %s %q: to make a segment for all sessions takes the right to make global objects `+
		"(SeCreateGlobalPrivilege), which services and elevated administrators have; let a service make it, which others only open, or leave "+
		`Global\ out, for a segment of this session`, operation, name)
}

// folderSecurity gives the security of a folder that this library makes: this user's own, or the one for all sessions, in which
// administrators and services make files, and everybody sees them. Files have access lists of their own.
func folderSecurity(folder string) (*windows.SecurityAttributes, error) {
	me, err := self()
	if err != nil {
		return nil, err
	}
	if folder != globalFolder {
		return attributes("D:P" + entry(allOfFile, me.user.String()))
	}
	const sees = windows.FILE_GENERIC_READ | windows.FILE_GENERIC_EXECUTE
	return attributes("D:P" + entry(allOfFile, "SY") + entry(allOfFile, "BA") + entry(sees|addFile, "SU") + entry(sees, everyone))
}

// checkOwner returns an error if the folder for all sessions is a stranger's: every user may make a folder where it is.
func checkOwner(operation, name, path string) error {
	descriptor, err := securityOfFolder(path)
	if err != nil {
		return err
	}
	owner, _, err := descriptor.Owner()
	if err != nil || isTrusted(owner) {
		return err
	}
	return abi.Errorf(abi.EPermission, "shm: %s %q: the folder %s belongs to %s, and not to administrators or a service; an administrator "+
		"removes it, and this library makes it again", operation, name, path, nameOf(owner))
}

// securityOfFolder is a variable for tests.
var securityOfFolder = func(path string) (*windows.SECURITY_DESCRIPTOR, error) {
	const wanted = windows.OWNER_SECURITY_INFORMATION | windows.DACL_SECURITY_INFORMATION
	return windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, wanted)
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
// it. Where there is no small file, another program's section will do.
func find(name string, use Use) (fileID, uint64, error) {
	file, r, err := openRecord(name, use)
	if isMissing(err) {
		return findForeign(name, use)
	}
	if err != nil {
		return fileID{}, 0, err
	}
	_ = windows.CloseHandle(file)
	return r.id, r.size, nil
}

func removeAbandoned(name string) bool {
	file, _, removed, err := openRecordOrRemove(name, ToLook)
	if err == nil {
		_ = windows.CloseHandle(file)
	}
	return removed
}

// isAbandoned returns true if the section to which a name belongs is gone.
func (r *record) isAbandoned(name string, file windows.Handle) bool {
	return !leftover(name) && !unfinished(name) && !r.isAlive(file)
}

// openRecord opens the small file of a name, and reads it. The name of a section that is gone it removes, if this process may.
func openRecord(name string, use Use) (windows.Handle, record, error) {
	file, r, _, err := openRecordOrRemove(name, use)
	return file, r, err
}

// openRecordOrRemove also returns whether this process has removed the name.
func openRecordOrRemove(name string, use Use) (file windows.Handle, r record, removed bool, err error) {
	path := pathOf(name)
	if file, err = openPath(path, windows.GENERIC_READ); err != nil {
		return 0, record{}, false, err
	}
	r, err = readRecord(file, path)
	if err == nil {
		err = distrust(file, path, use)
	}
	if err == nil && r.isAbandoned(name, file) {
		if err = checkLocal(folderOf(name)); err == nil {
			removed, err = removeFrom(name, r.id)
			removed = removed && err == nil
			err = windows.ERROR_FILE_NOT_FOUND
		}
	}
	if err != nil {
		_ = windows.CloseHandle(file)
		return 0, record{}, removed, err
	}
	return file, r, false, nil
}

// openPath opens a file of names. Others may open, rename and remove it meanwhile.
func openPath(path string, access uint32) (windows.Handle, error) {
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	return windows.CreateFile(longPath(path), access, share, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
}

// hidden is how the names begin to which remove and removeFrom move others. No segment's name begins with a dot.
const hidden = ".shmcv-removed-"

func leftover(name string) bool { return strings.HasPrefix(name, hidden) }

func remove(name string) error {
	if leftover(name) || unfinished(name) {
		return windows.DeleteFile(longPath(pathOf(name)))
	}
	file, err := openPath(pathOf(name), windows.GENERIC_READ|windows.DELETE)
	if isMissing(err) && isForeign(name) {
		return foreignStays(name)
	}
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
		if isForeign(name) && foreignID(name) == id {
			return false, foreignStays(name)
		}
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

// takePatience is how long takeName waits for another process that takes the same name away, which takes microseconds. Whoever may
// read the file can keep the lock for longer. It is a variable for tests.
var takePatience = time.Second

// takeName takes the name away from an open file, and returns false if another process has done so. It moves the file away
// first. A name that is removed while others have the file open can stay taken until they close it; a name that is moved away
// is free at once. The lock is for the result: without it two processes could both say that they did it.
func takeName(name string, file windows.Handle) (bool, error) {
	f := openFile{&opened{file: file}}
	for deadline := time.Now().Add(takePatience); ; time.Sleep(20 * time.Microsecond) {
		taken, err := f.lockByte(lockTaking, false)
		if err != nil {
			return false, err
		}
		if taken {
			defer f.unlockByte(lockTaking)
		}
		if taken || time.Now().After(deadline) {
			break
		}
	}
	if now, err := finalName(file); f.isRemoved() || err == nil && strings.HasPrefix(now, hidden) {
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
