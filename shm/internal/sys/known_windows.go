package sys

import "golang.org/x/sys/windows"

// knownFolder returns the path of a folder that Windows knows, or nothing. On Nano Server, and in containers, a library is missing
// that windows.KnownFolderPath needs, so that it panics.
func knownFolder(known *windows.KNOWNFOLDERID) string {
	for _, library := range []string{"shell32.dll", "ole32.dll"} {
		if windows.NewLazySystemDLL(library).Load() != nil {
			return ""
		}
	}
	path, err := windows.KnownFolderPath(known, 0)
	if err != nil {
		return ""
	}
	return path
}
