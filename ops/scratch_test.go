package ops

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"shmcv/internal/abi"
)

// large is the photograph in a file of that format, and memory that it has been loaded into.
func large(t *testing.T, extension string) (path string, memory []byte) {
	t.Helper()
	photograph := loaded(t, filepath.Join(testdata, "photograph.jpg"), abi.LoadColor)
	path = filepath.Join(t.TempDir(), "large"+extension)
	if err := Save(path, photograph, abi.QualityDefault); err != nil {
		t.Fatal(err)
	}
	return path, photograph.Data
}

func TestLoadingAgainTouchesNoFreshPages(t *testing.T) {
	const loads = 10
	for _, extension := range []string{".jpg", ".png"} {
		path, memory := large(t, extension)
		load := func() {
			if _, err := Load(path, abi.LoadColor, memory, true); err != nil {
				t.Fatal(err)
			}
		}
		load()
		load()
		before := faults(t)
		for range loads {
			load()
		}
		perLoad, image := (faults(t)-before)/loads, int64(len(memory)/os.Getpagesize())
		t.Logf("%s: %d faults a load; the image has %d pages", extension, perLoad, image)
		if perLoad > image/8 {
			t.Errorf("%s: %d fresh pages a load; the image has %d", extension, perLoad, image)
		}
	}
}

func TestLoadingAllocatesNoFurtherImage(t *testing.T) {
	for _, extension := range []string{".jpg", ".png"} {
		path, memory := large(t, extension)
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		forget()
		debug.FreeOSMemory()
		// The kernel's high-water mark sees what C allocates too.
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
			t.Skip(err)
		}
		resident := memoryOfProcess(t, "VmRSS")
		if _, err := Load(path, abi.LoadColor, memory, false); err != nil {
			t.Fatal(err)
		}
		more := memoryOfProcess(t, "VmHWM") - resident - info.Size()
		t.Logf("%s: %d bytes beside the file; the image has %d", extension, more, len(memory))
		if extension == ".png" { // its stream is put together, and inflated as a whole
			more -= info.Size() + int64(len(memory))
		}
		if more > int64(len(memory))/4 {
			t.Errorf("%s: %d bytes beside the file; the image has %d", extension, more, len(memory))
		}
	}
}
