package shm

import (
	"os"
	"strings"
	"testing"

	"shmcv/shm/internal/sys"
)

// Tests reach shared memory here by Linux's own means, as other programs do.

// pathOf gives the path of the file that has a name.
func pathOf(name string) string {
	if strings.HasPrefix(name, "/") {
		return name
	}
	return sys.Folder() + "/" + name
}

// truncate changes the size of a file. Any process of the user can do so.
func truncate(t testing.TB, name string, size int64) {
	t.Helper()
	if err := os.Truncate(pathOf(name), size); err != nil {
		t.Fatal(err)
	}
}

// writeFile makes a file without this library's metadata.
func writeFile(t testing.TB, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(pathOf(name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// overwrite writes over a segment's trailer as another program would, through the file.
func overwrite(t testing.TB, file *os.File, fileSize int64, content []byte) {
	t.Helper()
	if _, err := file.WriteAt(content, fileSize-trailerSize); err != nil {
		t.Fatal(err)
	}
}

// rawFile opens a file as another program does.
func rawFile(t testing.TB, name string) *os.File {
	t.Helper()
	file, err := os.OpenFile(pathOf(name), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// descriptors counts this process's open files.
func descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// mapped counts the files of shared memory that this process has mapped.
func mapped(t testing.TB) int {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(maps), sys.Folder()+"/")
}

// fileLength gives the size of the whole file.
func (m *mapping) fileLength() int64 { return int64(m.fileSize) }
