package ops

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"shmcv/internal/abi"
)

func TestSaveReplacesAFileAndKeepsItsMode(t *testing.T) {
	folder := t.TempDir()
	path, link := filepath.Join(folder, "photo.png"), filepath.Join(folder, "link.png")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("photo.png", link); err != nil {
		t.Fatal(err)
	}
	image := noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	if err := Save(link, image, abi.QualityDefault); err != nil {
		t.Fatal(err)
	}
	checkFiles(t, folder, "link.png", "photo.png")
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is one no more: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if back := loaded(t, path, abi.LoadColor); !bytes.Equal(back.Data, image.Data) {
		t.Error("other pixels")
	}
}
