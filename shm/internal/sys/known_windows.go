package sys

import "golang.org/x/sys/windows"

// knownFolder returns the path of a folder that Windows knows, or nothing. On Nano Server, and in containers, shell32.dll or what it
// needs is missing, and windows.KnownFolderPath panics.
func knownFolder(known *windows.KNOWNFOLDERID) string {
	if windows.NewLazySystemDLL("shell32.dll").Load() != nil {
		return ""
	}
	path, err := windows.KnownFolderPath(known, 0)
	if err != nil {
		return ""
	}
	return path
}
