package ops

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"shmcv/internal/abi"
)

// wholeFiles are small ones of every format and every way in which OpenCV decodes them.
var wholeFiles = []string{
	"small.jpg", "small-progressive.jpg", "small-restart.jpg", "small-gray.jpg", "small-cmyk.jpg", "orientation-6.jpg",
	"small-bgr.png", "small-bgra16.png", "small-palette-trns.png", "small-interlaced.png", "small-1bit.png", "orientation-8-bgra.png",
	"small-bgr.bmp", "small-bgra.bmp", "small-gray.bmp", "small-lossy.webp", "small-lossless-bgra.webp",
	"small-bgr.tif", "small-bgra.tif", "small-gray16.tif", "small-bgr-f32.tif",
	"small.ppm", "small.pgm", "small16.pgm", "small.pbm",
	"unusual/bgr.jp2", "unusual/bgra.jp2", "unusual/gray-16bit.jp2", "unusual/bgr.pfm", "unusual/lossless.jpg",
	"unusual/masks-header-56.bmp", "unusual/planes.tif", "unusual/tiled-gray.tif", "unusual/tiled-1bit.tif",
}

// written puts content into a new file and gives its path.
func written(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func content(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testdata, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// waysToLoad have an image decoded as it is, by a decoder that scales it, and whole before it is resized or cut.
var waysToLoad = []abi.LoadOptions{
	abi.LoadColor.Options(), abi.LoadUnchanged.Options(), abi.LoadBGRA.Options(), {Flags: abi.LoadColor, Scale: 2},
	{Flags: abi.LoadColor, Width: 8, Height: 5, Order: abi.OrderRGB}, {Flags: abi.LoadColor, RegionWidth: 9, RegionHeight: 4},
}

func TestLoadNoticesWhereverAFileEnds(t *testing.T) {
	for _, name := range wholeFiles {
		t.Run(name, func(t *testing.T) {
			whole := content(t, name)
			step := max(1, len(whole)/300)
			path := filepath.Join(t.TempDir(), filepath.Base(name))
			old := noise(1<<18, 1, abi.DepthU8, abi.OrderGray, 0)
			memory := clone(old).Data
			silently(t, func() {
				for length := len(whole) - 1; length > 0; length -= step {
					if err := os.WriteFile(path, whole[:length], 0o644); err != nil {
						t.Fatal(err)
					}
					for _, options := range waysToLoad {
						image, err := Load(path, options, memory, true)
						// A JPEG without its end marker has all its pixels, and a TIFF without the texts behind them.
						if kind := filepath.Ext(name); err == nil && len(whole)-length <= 100 && (kind == ".jpg" || kind == ".tif") {
							if !bytes.Equal(memory[:image.Bytes()], decodedWith(t, whole, options).Data) {
								t.Fatalf("%d of %d bytes, %+v: other pixels than the whole file's", length, len(whole), options)
							}
							copy(memory, old.Data)
							continue
						}
						code := abi.CodeOf(err)
						// Too little is left to tell what it was, or it cannot be had with this flag.
						expected := code == abi.EDecode || code == abi.EUnsupported && (length < 16 || strings.Contains(name, "f32") || strings.Contains(name, "pfm"))
						if !expected {
							t.Fatalf("%d of %d bytes, %+v: %v (code %d)", length, len(whole), options, err, code)
						}
						if !bytes.Equal(memory, old.Data) {
							t.Fatalf("%d of %d bytes, %+v: the memory has changed", length, len(whole), options)
						}
					}
				}
			})
		})
	}
}

func TestLoadRefusesWhatLibjpegOnlyWarnsOf(t *testing.T) {
	if os.Getenv("SHMCV_OPENCV") == "system" {
		t.Skip("the system's libjpeg does not tell")
	}
	const startOfScan = 0xDA
	without := func(b []byte, at, n int) []byte { return slices.Delete(bytes.Clone(b), at, at+n) }
	with := func(b []byte, at, n int) []byte {
		return slices.Replace(bytes.Clone(b), at, at+n, bytes.Repeat([]byte{0xFE}, n)...)
	}
	for _, c := range []struct {
		name, warning string
		damage        func(b []byte, at, n int) []byte
		n             int
	}{
		{"small-gray.jpg", "end early", without, 40},
		{"small-progressive.jpg", "a code that does not exist", without, 40},
		{"small-restart.jpg", "superfluous bytes", with, 16},
	} {
		whole := content(t, c.name)
		scan := bytes.Index(whole, []byte{0xFF, startOfScan}) + 14
		path := written(t, c.name, c.damage(whole, scan+(len(whole)-scan-46)/2, c.n))
		silently(t, func() {
			_, err := Load(path, abi.LoadColor.Options(), make([]byte, 1<<16), false)
			if abi.CodeOf(err) != abi.EDecode || !strings.Contains(err.Error(), c.warning) {
				t.Errorf("%s: %v", c.name, err)
			}
		})
	}
}

func TestLoadSurvivesDamageAnywhere(t *testing.T) {
	for _, name := range wholeFiles {
		t.Run(name, func(t *testing.T) {
			whole := content(t, name)
			path := filepath.Join(t.TempDir(), filepath.Base(name))
			old := noise(1<<18, 1, abi.DepthU8, abi.OrderGray, 0)
			memory := clone(old).Data
			chance := rand.New(rand.NewPCG(1, uint64(len(whole))))
			refused := 0
			silently(t, func() {
				for round := range 400 {
					damaged := bytes.Clone(whole)
					for range 1 + chance.IntN(3) {
						// Every other round in the header, where it decides about sizes.
						within := len(damaged)
						if round%2 == 0 {
							within = min(within, 200)
						}
						damaged[chance.IntN(within)] = byte(chance.Uint32())
					}
					if err := os.WriteFile(path, damaged, 0o644); err != nil {
						t.Fatal(err)
					}
					flag := []abi.LoadFlag{abi.LoadColor, abi.LoadGray, abi.LoadUnchanged, abi.LoadBGRA, abi.LoadColor | abi.LoadAnyDepth}[chance.IntN(5)]
					options := someOptions(chance, flag)
					image, err := Load(path, options, memory, true)
					if err != nil {
						refused++
						// A region may lie beyond an image whose header is damaged.
						if code := abi.CodeOf(err); code == abi.EInternal || code == abi.EInvalid && !options.HasRegion() {
							t.Fatalf("%v (code %d)", err, code)
						}
						if !bytes.Equal(memory, old.Data) {
							t.Fatalf("%v: the memory has changed", err)
						}
						continue
					}
					if probed, err := Probe(path, options); err != nil || probed != image {
						t.Fatalf("Probe says %s (%v), Load %s", describe(probed), err, describe(image))
					}
					if !bytes.Equal(memory[image.Bytes():], old.Data[image.Bytes():]) {
						t.Fatal("Load wrote beyond its image")
					}
					copy(memory, old.Data)
				}
			})
			if refused == 0 {
				t.Error("no damage at all was noticed")
			}
		})
	}
}

func TestLoadDecodesDamagedFilesInPlaceWithoutWritingBeyondTheImage(t *testing.T) {
	for _, name := range []string{"corrupt.jpg", "corrupt-deflate.png", "truncated.bmp", "truncated.ppm"} {
		memory := make([]byte, 67*43*3+4096)
		if _, err := Load(filepath.Join(testdata, name), abi.LoadColor.Options(), memory, false); abi.CodeOf(err) != abi.EDecode {
			t.Errorf("%s: %v", name, err)
		}
		if !bytes.Equal(memory[67*43*3:], make([]byte, 4096)) {
			t.Errorf("%s: wrote beyond the image", name)
		}
	}
}

func TestLoadSaysHowManyBytesItNeeds(t *testing.T) {
	memory := make([]byte, 67*43*3-1)
	_, err := Load(filepath.Join(testdata, "small.jpg"), abi.LoadColor.Options(), memory, false)
	if abi.CodeOf(err) != abi.ETooSmall || !strings.Contains(err.Error(), "8643 bytes wanted") || !strings.Contains(err.Error(), "8642 bytes there") {
		t.Errorf("%v", err)
	}
}

func TestUnknownFlagsAreInvalid(t *testing.T) {
	path := filepath.Join(testdata, "small.jpg")
	for _, flag := range []abi.LoadFlag{-2, 4, 7, 8, 16, 128, 256, abi.LoadBGRA | abi.LoadAnyDepth, 1 << 30} {
		if _, err := Load(path, flag.Options(), make([]byte, 1<<16), false); abi.CodeOf(err) != abi.EInvalid {
			t.Errorf("Load with %d: %v", flag, err)
		}
		if _, err := Probe(path, flag.Options()); abi.CodeOf(err) != abi.EInvalid {
			t.Errorf("Probe with %d: %v", flag, err)
		}
	}
}

func TestOnlyFilesAreLoaded(t *testing.T) {
	folder := t.TempDir()
	pipe := filepath.Join(folder, "pipe.jpg")
	if !makePipe(t, pipe) {
		pipe = folder
	}
	huge := filepath.Join(folder, "huge.jpg")
	if err := os.WriteFile(huge, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, maxFile+1); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		want abi.Code
	}{
		{"", abi.EInvalid}, {"a\x00b", abi.EInvalid}, {folder, abi.EInvalid}, {pipe, abi.EInvalid}, {os.DevNull, abi.EInvalid},
		{filepath.Join(folder, "missing.jpg"), abi.ENotFound}, {filepath.Join(huge, "below.jpg"), abi.ENotFound},
		{filepath.Join(folder, strings.Repeat("x", 300)), abi.EInvalid}, {huge, abi.ELimit},
	} {
		if _, err := Load(c.path, abi.LoadColor.Options(), nil, false); abi.CodeOf(err) != c.want {
			t.Errorf("Load %.40q: %v, want code %d", c.path, err, c.want)
		}
		if _, err := Probe(c.path, abi.LoadColor.Options()); abi.CodeOf(err) != c.want {
			t.Errorf("Probe %.40q: %v, want code %d", c.path, err, c.want)
		}
	}
}

func TestSaveSaysWhatIsWrongWithThePath(t *testing.T) {
	image := noise(4, 4, abi.DepthU8, abi.OrderBGR, 0)
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, "folder.png"), 0o755); err != nil {
		t.Fatal(err)
	}
	there := []string{"folder.png", "pipe.png"}
	havePipe := makePipe(t, filepath.Join(folder, "pipe.png"))
	if !havePipe {
		there = there[:1]
	}
	for name, want := range map[string]abi.Code{
		"": abi.EUnsupported, "x": abi.EUnsupported, "x.": abi.EUnsupported, "png": abi.EUnsupported, "x.pam": abi.EUnsupported,
		"folder.png": abi.EInvalid, "pipe.png": abi.EInvalid, "a\x00b.png": abi.EInvalid,
		"missing/x.png": abi.ENotFound, "pipe.png/x.png": abi.ENotFound, strings.Repeat("x", 300) + ".png": abi.EInvalid,
	} {
		if name == "pipe.png" && !havePipe {
			continue
		}
		err := Save(filepath.Join(folder, name), image, abi.QualityDefault)
		if abi.CodeOf(err) != want {
			t.Errorf("%.40q: %v, want code %d", name, err, want)
		}
		if want == abi.EUnsupported && !strings.Contains(err.Error(), ".webp") {
			t.Errorf("%q: %v does not list the formats", name, err)
		}
	}
	checkFiles(t, folder, there...)
}

func TestSaveWritesTheSameFileWhateverTheOrderAndStride(t *testing.T) {
	folder := t.TempDir()
	for _, extension := range strings.Fields(knownExtensions) {
		bgr := noise(33, 21, abi.DepthU8, abi.OrderBGR, 0)
		variants := []Pixels{bgr, noise(33, 21, abi.DepthU8, abi.OrderRGB, 0), noise(33, 21, abi.DepthU8, abi.OrderBGR, 61)}
		if extension == ".pgm" || extension == ".pbm" {
			variants = []Pixels{noise(33, 21, abi.DepthU8, abi.OrderGray, 0), noise(33, 21, abi.DepthU8, abi.OrderGray, 31)}
		}
		var first []byte
		for i, variant := range variants {
			if i > 0 {
				if err := Convert(variants[0], variant); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(folder, fmt.Sprint(i, extension))
			if err := Save(path, variant, abi.QualityDefault); err != nil {
				t.Fatal(err)
			}
			saved, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = saved
			}
			if !bytes.Equal(saved, first) {
				t.Errorf("%s: variant %d gives another file", extension, i)
			}
		}
	}
}

func TestSaveRefusesWhatAFormatCannotHold(t *testing.T) {
	for _, c := range []struct {
		name    string
		src     Pixels
		quality int32
		want    abi.Code
	}{
		{"gray.ppm", noise(4, 4, abi.DepthU8, abi.OrderGray, 0), -1, abi.EUnsupported},
		{"colour.pgm", noise(4, 4, abi.DepthU8, abi.OrderBGR, 0), -1, abi.EUnsupported},
		{"colour.pbm", noise(4, 4, abi.DepthU8, abi.OrderBGR, 0), -1, abi.EUnsupported},
		{"alpha.pnm", noise(4, 4, abi.DepthU8, abi.OrderBGRA, 0), -1, abi.EUnsupported},
		{"float.png", noise(4, 4, abi.DepthF32, abi.OrderBGR, 0), -1, abi.EUnsupported},
		{"wide.jpg", noise(65501, 1, abi.DepthU8, abi.OrderGray, 0), -1, abi.EUnsupported},
		{"wide.webp", noise(16384, 1, abi.DepthU8, abi.OrderBGR, 0), -1, abi.EUnsupported},
		{"quality.bmp", noise(4, 4, abi.DepthU8, abi.OrderBGR, 0), 90, abi.EInvalid},
		{"quality.webp", noise(4, 4, abi.DepthU8, abi.OrderBGR, 0), 0, abi.EInvalid},
		{"nothing.png", Pixels{}, -1, abi.EInvalid},
		{"short.png", Pixels{ImageInfo: abi.NewImageInfo(4, 4, abi.DepthU8, abi.OrderBGR), Data: make([]byte, 47)}, -1, abi.ETooSmall},
	} {
		folder := t.TempDir()
		if err := Save(filepath.Join(folder, c.name), c.src, c.quality); abi.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want code %d", c.name, err, c.want)
		}
		checkFiles(t, folder)
	}
}

func TestSaveAndLoadUpToTheLimitsOfAFormat(t *testing.T) {
	for name, src := range map[string]Pixels{
		"wide.jpg":  noise(65500, 1, abi.DepthU8, abi.OrderGray, 0),
		"wide.webp": noise(16383, 1, abi.DepthU8, abi.OrderBGR, 0),
		"wide.png":  noise(abi.MaxDimension, 1, abi.DepthU8, abi.OrderGray, 0),
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := Save(path, src, abi.QualityDefault); err != nil {
			t.Error(err)
			continue
		}
		if back := loaded(t, path, abi.LoadUnchanged); back.ImageInfo != src.ImageInfo {
			t.Errorf("%s comes back as %s", name, describe(back.ImageInfo))
		}
	}
}

func TestEverythingAtOnceFromManyThreads(t *testing.T) {
	folder := t.TempDir()
	want := loaded(t, filepath.Join(testdata, "small-bgr.png"), abi.LoadColor)
	var threads sync.WaitGroup
	for i := range 8 {
		threads.Go(func() {
			memory := make([]byte, 1<<16)
			path := filepath.Join(folder, fmt.Sprintf("%d.png", i))
			for range 50 {
				image, err := Load(filepath.Join(testdata, "small-bgr.png"), abi.LoadColor.Options(), memory, i%2 == 0)
				pixels := Pixels{ImageInfo: image, Data: memory}
				err = errors.Join(err, Flip(pixels, pixels, abi.FlipBoth), Flip(pixels, pixels, abi.FlipBoth), Save(path, pixels, abi.QualityDefault))
				if _, damaged := Load(filepath.Join(testdata, "corrupt.jpg"), abi.LoadColor.Options(), memory, true); abi.CodeOf(damaged) != abi.EDecode {
					err = errors.Join(err, fmt.Errorf("corrupt.jpg: %w", damaged))
				}
				if err != nil || !bytes.Equal(packed(pixels), want.Data) {
					t.Errorf("%v, or other pixels", err)
					return
				}
			}
		})
	}
	threads.Wait()
}
