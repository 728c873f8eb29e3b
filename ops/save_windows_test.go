package ops

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	win "golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

func TestSaveReplacesAFileAndKeepsItsAttributes(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "photo.png")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := win.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := win.SetFileAttributes(text, win.FILE_ATTRIBUTE_HIDDEN); err != nil {
		t.Fatal(err)
	}
	image := noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	if err := Save(path, image, abi.QualityDefault); err != nil {
		t.Fatal(err)
	}
	checkFiles(t, folder, "photo.png")
	if attributes, err := attributesOf(path); err != nil || attributes&win.FILE_ATTRIBUTE_HIDDEN == 0 {
		t.Errorf("attributes %#x, %v", attributes, err)
	}
	if err := win.SetFileAttributes(text, win.FILE_ATTRIBUTE_READONLY); err != nil {
		t.Fatal(err)
	}
	if err := Save(path, image, abi.QualityDefault); abi.CodeOf(err) != abi.EPermission {
		t.Errorf("a file that may only be read: %v", err)
	}
	_ = win.SetFileAttributes(text, win.FILE_ATTRIBUTE_NORMAL)
}

func TestSaveSaysThatAnotherProgramHasTheFileOpen(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "photo.png")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := win.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	viewer, err := win.CreateFile(text, win.GENERIC_READ, win.FILE_SHARE_READ, nil, win.OPEN_EXISTING, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer win.CloseHandle(viewer)
	err = Save(path, noise(9, 7, abi.DepthU8, abi.OrderBGR, 0), abi.QualityDefault)
	if abi.CodeOf(err) != abi.EPermission || !strings.Contains(err.Error(), "another program has the file open") {
		t.Errorf("%v", err)
	}
	checkFiles(t, folder, "photo.png")
	if content, err := os.ReadFile(path); err != nil || string(content) != "old" {
		t.Errorf("%q, %v", content, err)
	}
}
