package ops

import (
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
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
			if _, err := Load(path, abi.LoadColor.Options(), memory, true); err != nil {
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
			t.Skipf("the system does not count anew how much memory this process has had: %v", err)
		}
		resident := memoryOfProcess(t, "VmRSS")
		if _, err := Load(path, abi.LoadColor.Options(), memory, false); err != nil {
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

// outstanding is how many bytes callers of scratch have not released.
func outstanding() int64 {
	kept.Lock()
	defer kept.Unlock()
	bytes := mapped.Load()
	for _, memory := range kept.memory {
		bytes -= int64(cap(memory))
	}
	return bytes
}

func TestEveryWayOutReleasesItsMemory(t *testing.T) {
	photograph := loaded(t, filepath.Join(testdata, "photograph.jpg"), abi.LoadColor)
	photograph.Height = 300
	folder := t.TempDir()
	for extension := range encoders {
		path := filepath.Join(folder, "photograph"+extension)
		if err := Save(path, photograph, abi.QualityDefault); err != nil { // .pgm and .pbm hold no colours
			continue
		}
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string][]byte{
			"whole": whole, "without its end": whole[:len(whole)-len(whole)/3], "without pixels": whole[:20],
			"of another kind": append([]byte("text"), whole...), "with a hole": slices.Concat(whole[:len(whole)/2], make([]byte, 10000), whole[len(whole)/2:]),
		} {
			path := written(t, "some"+extension, content)
			for _, options := range append([]abi.LoadOptions{abi.LoadGray.Options(), {Flags: abi.LoadColor, X: 3840}}, waysToLoad...) {
				memory := make([]byte, 4*3840*300)
				_, _ = Probe(path, options)
				_, _ = Load(path, options, memory, true)
				_, _ = Load(path, options, memory[:100], false)
				if left := outstanding(); left != 0 {
					t.Fatalf("%s %s, %+v: %d bytes are not released", extension, name, options, left)
				}
			}
		}
	}
	_ = Save(filepath.Join(folder, "missing", "photograph.png"), photograph, abi.QualityDefault)
	rgb := photograph
	rgb.Order = abi.OrderRGB
	_ = Save(filepath.Join(folder, "photograph.png"), rgb, 1)
	_ = Show("window", rgb) // and there is no display
	_ = Convert(photograph, rgb)
	if left := outstanding(); left != 0 {
		t.Errorf("%d bytes are not released", left)
	}
	forget()
	if left := mapped.Load(); left != 0 {
		t.Errorf("%d bytes are not given back", left)
	}
}

func TestAFaultReleasesItsMemory(t *testing.T) {
	image := abi.NewImageInfo(1000, 1000, abi.DepthU8, abi.OrderBGR)
	cut := Pixels{ImageInfo: image, Data: cutMemory(t, int(image.Bytes()))}
	func() {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() {
			if recover() == nil {
				t.Error("no fault")
			}
		}()
		_ = Convert(cut, cut.as(abi.OrderRGB)) // in place, by way of a copy
	}()
	if left := outstanding(); left != 0 {
		t.Errorf("%d bytes are not released", left)
	}
}

// as is the same memory in another order.
func (p Pixels) as(order abi.Order) Pixels {
	p.Order = order
	return p
}

func TestLoadingWithoutMemoryIsNoSpace(t *testing.T) {
	for _, extension := range []string{".jpg", ".png", ".bmp", ".tif"} {
		path, memory := large(t, extension)
		forget()
		// Free memory of malloc's would do for a decoder.
		withoutMemory(t, func() {
			for _, options := range []abi.LoadOptions{
				abi.LoadColor.Options(), {Flags: abi.LoadColor, Width: 3000}, {Flags: abi.LoadColor, RegionWidth: 3000, RegionHeight: 2000},
			} {
				if _, err := Load(path, options, memory, true); abi.CodeOf(err) != abi.ENoSpace {
					t.Errorf("%s, %+v: %v", extension, options, err)
				}
			}
		})
		if left := outstanding(); left != 0 {
			t.Errorf("%s: %d bytes are not released", extension, left)
		}
		if _, err := Load(path, abi.LoadColor.Options(), memory, true); err != nil {
			t.Errorf("%s, with memory again: %v", extension, err)
		}
	}
}

// A gigabyte of nothing behind a text, or behind a header that promises little.
func TestALargeFileThatIsNoImageIsRefusedByItsStart(t *testing.T) {
	header := content(t, "small.pgm")
	for _, c := range []struct {
		name  string
		start []byte
		room  int
		want  abi.Code
	}{
		{"text", []byte("hello, I am no image"), 1 << 16, abi.EUnsupported},
		{"PNG", []byte("\x89PNG\r\n\x1a\n"), 1 << 16, abi.EDecode},
		{"no room", header, 1, abi.ETooSmall},
	} {
		path := written(t, "large", c.start)
		if err := os.Truncate(path, maxFile); err != nil {
			t.Fatal(err)
		}
		forget()
		before := faults(t)
		if _, err := Load(path, abi.LoadUnchanged.Options(), make([]byte, c.room), true); abi.CodeOf(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
		if _, err := Probe(path, abi.LoadUnchanged.Options()); c.room > 1 && abi.CodeOf(err) != c.want {
			t.Errorf("%s: %v", c.name, err)
		}
		if pages := faults(t) - before; pages > maxFile/int64(os.Getpagesize())/8 {
			t.Errorf("%s: %d pages of memory", c.name, pages)
		}
	}
}
