package ops

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"shmcv/internal/abi"
)

// TestSavedFilesAreTheSameOnEverySystem compares files with what Linux makes of the same images.
func TestSavedFilesAreTheSameOnEverySystem(t *testing.T) {
	if os.Getenv("SHMCV_OPENCV") == "system" {
		t.Skip("the system's codecs, which may be of another version")
	}
	photo := loaded(t, filepath.Join(testdata, "patches.jpg"), abi.LoadColor)
	images := map[string]Pixels{
		"photo": photo, "gray": noise(33, 21, abi.DepthU8, abi.OrderGray, 0), "bgra": noise(33, 21, abi.DepthU8, abi.OrderBGRA, 0),
		"bgr16": noise(33, 21, abi.DepthU16, abi.OrderBGR, 0), "gray16": noise(33, 21, abi.DepthU16, abi.OrderGray, 0),
		"bgr-f32": noise(33, 21, abi.DepthF32, abi.OrderBGR, 0),
	}
	folder := t.TempDir()
	seen := map[string]bool{}
	for line := range strings.Lines(string(savedHashes(t))) {
		name, want, _ := strings.Cut(strings.TrimSpace(line), " ")
		image, extension, _ := strings.Cut(name, ".")
		image, quality, given := strings.Cut(image, "@")
		if !given {
			quality = strconv.Itoa(abi.QualityDefault)
		}
		number, err := strconv.Atoi(quality)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, "saved."+extension)
		if err := Save(path, images[image], int32(number)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		hash := sha256.Sum256(content)
		if got := hex.EncodeToString(hash[:8]); got != want {
			t.Errorf("%s: %d bytes with the hash %s, not %s", name, len(content), got, want)
		}
		seen["."+extension] = true
	}
	for _, extension := range strings.Fields(knownExtensions) {
		if !seen[extension] {
			t.Errorf("no file is %s", extension)
		}
	}
}

// savedHashes is a list of files: the image, a quality after "@", the extension, and how the file's SHA-256 begins.
func savedHashes(t *testing.T) []byte {
	t.Helper()
	list, err := os.ReadFile(filepath.Join("testdata", "saved.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}
