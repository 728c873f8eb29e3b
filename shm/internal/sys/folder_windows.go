package sys

import (
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

// How the names of kernel objects begin that are for this session, and for all sessions. A section for all takes a right to
// make, which services and elevated administrators have, and none to open.
const (
	oneSession  = `Local\`
	allSessions = `Global\`
)

// defaultFolder is in the user's local application data, which no other user can write to, and which does not wander from
// machine to machine with the user. It is empty where the user has no such folder: no other folder is this user's alone.
var defaultFolder = shmcvIn(windows.FOLDERID_LocalAppData, "LOCALAPPDATA")

// globalFolder has the names that begin with Global\. All users see it.
var globalFolder = shmcvIn(windows.FOLDERID_ProgramData, "ProgramData")

func shmcvIn(known *windows.KNOWNFOLDERID, variable string) string {
	path := knownFolder(known)
	if path == "" {
		path = os.Getenv(variable)
	}
	if path == "" {
		return ""
	}
	return slashed(filepath.Join(path, "shmcv"))
}

// noDefaultFolder is the error of a user without local application data.
func noDefaultFolder() error {
	if defaultFolder != "" {
		return nil
	}
	return abi.Errorf(abi.ENotFound, "shm: this user has no folder for local application data (LOCALAPPDATA), where segments have their "+
		"names; load the user's profile, or name a folder in the environment variable %s", folderVariable)
}

// cleanFolder gives the form of a folder's path that this package uses: with slashes, and the drive's letter in capitals.
// Global is the folder of the names for all sessions.
func cleanFolder(text string) string {
	text = slashed(text)
	if isScope(text, allSessions) {
		return globalFolder
	}
	return text
}

func slashed(path string) string {
	path = strings.TrimRight(strings.ReplaceAll(path, `\`, "/"), "/")
	if hasDrive(path) {
		path = strings.ToUpper(path[:1]) + path[1:]
	}
	return path
}

func hasDrive(path string) bool {
	return len(path) > 1 && path[1] == ':' && ('a' <= path[0]|0x20 && path[0]|0x20 <= 'z')
}

// isPath returns true if a name has a folder before it: from a drive on, or for all sessions. What only looks like a path is told of
// as one.
func isPath(name string) bool {
	if name == "" {
		return false
	}
	first := strings.IndexAny(name, `/\`)
	return first == 0 || first == 2 && hasDrive(name) || first > 0 && (isScope(name[:first], allSessions) || isScope(name[:first], oneSession))
}

// isScope returns true if a word is that of names for all sessions, or for one. Capitals make no difference, as in the kernel.
func isScope(word, scope string) bool { return strings.EqualFold(word+`\`, scope) }

func splitPath(path string) (folder, last string) {
	end := strings.LastIndexAny(path, `/\`)
	return cleanFolder(path[:end]), path[end+1:]
}

// joinPath gives the path of a name in a folder, as it is told to users.
func joinPath(folder, last string) string {
	if folder == globalFolder {
		return allSessions + last
	}
	return folder + "/" + last
}

// rooted gives what follows the drive in a path, and an error unless the path begins on a drive.
func rooted(path string) (parts string, err error) {
	switch {
	case strings.HasPrefix(path, "//?/"), strings.HasPrefix(path, "//./"):
		return "", abi.Errorf(abi.EInvalid, `leave %s out; long paths need none`, strings.ReplaceAll(path[:4], "/", `\`))
	case strings.HasPrefix(path, "//"):
		return "", abi.Errorf(abi.EUnsupported, `%s is on another machine, and shared memory is of one machine; name a folder on a drive of `+
			"this one", path)
	case isScope(path, oneSession):
		return "", abi.Errorf(abi.EInvalid, `names are for one session without Local\; leave it out`)
	case !hasDrive(path) || len(path) < 4 || path[2] != '/':
		return "", abi.Errorf(abi.EInvalid, `a folder is given by its path from the drive on, as C:\cams; or it is Global, for all sessions`)
	}
	for part := range strings.SplitSeq(path[3:], "/") {
		if trimmed := strings.TrimRight(part, ". "); trimmed != part && trimmed != "" {
			return "", abi.Errorf(abi.EInvalid, "the folder's path has a part that is %q; Windows takes dots and spaces from its end", part)
		}
	}
	return path[3:], nil
}

// isShare remembers which folders are on other machines.
var isShare sync.Map

// checkLocal returns an error for a folder that other machines can have too. Their kernel objects cannot be seen from here, so
// that what is in use there would look abandoned.
func checkLocal(folder string) error {
	remote, known := isShare.Load(folder)
	if !known {
		remote = driveType(folder) == windows.DRIVE_REMOTE
		isShare.Store(folder, remote)
	}
	if remote.(bool) {
		return abi.Errorf(abi.EUnsupported, "shm: the folder %s is on another machine, and shared memory is of one machine; name a folder on "+
			"a drive of this one in the environment variable %s, or by a path", folder, folderVariable)
	}
	return nil
}

// driveType is a variable for tests.
var driveType = func(folder string) uint32 {
	volume := filepath.VolumeName(filepath.FromSlash(folder)) + `\`
	return windows.GetDriveType(utf16(volume))
}
