package ops

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gocv.io/x/gocv"

	"shmcv/internal/abi"
	"shmcv/ops/internal/probe"
)

const (
	alone    uint64 = math.MaxUint64 // as togetherFrom: no image is large enough for two threads
	together uint64 = 0              // every image is
)

// decodeBy decodes a file with one thread or two. It returns the number of threads that worked on it.
func decodeBy(togetherFrom uint64, content []byte, options abi.LoadOptions) ([]byte, int, error) {
	p, err := probe.PlanFor(content, options)
	if err != nil {
		return nil, 0, err
	}
	target := Pixels{ImageInfo: p.Decoded, Data: make([]byte, p.Decoded.Bytes())}
	threads, err := decode(p, content, target, togetherFrom)
	return target.Data, threads, err
}

// sameByTwo fails unless two threads make of a file what one thread makes of it: the same pixels, or the same error. It
// returns the number of threads that did take part, and whether there are pixels.
func sameByTwo(t testing.TB, what string, content []byte, options abi.LoadOptions) (threads int, ok bool) {
	t.Helper()
	one, _, errOne := decodeBy(alone, content, options)
	two, threads, errTwo := decodeBy(together, content, options)
	if fmt.Sprint(errOne) != fmt.Sprint(errTwo) {
		t.Fatalf("%s: one thread says %v, two say %v", what, errOne, errTwo)
	}
	if errOne == nil && !bytes.Equal(one, two) {
		t.Fatalf("%s: two threads give other pixels than one", what)
	}
	return threads, errOne == nil
}

// needTwo skips a test where only one thread ever decodes.
func needTwo(t *testing.T) {
	t.Helper()
	if os.Getenv("SHMCV_OPENCV") == "system" || runtime.NumCPU() == 1 {
		t.Skip("the system's codecs, or a single processor")
	}
}

// part is a part of the photograph.
func part(t *testing.T, width, height uint32, order abi.Order) Pixels {
	t.Helper()
	photograph := loaded(t, filepath.Join(testdata, "photograph.jpg"), abi.LoadColor)
	part := Pixels{ImageInfo: abi.NewImageInfo(width, height, abi.DepthU8, abi.OrderBGR), Data: photograph.Data}
	part.Stride = photograph.Stride
	if order == abi.OrderBGR {
		return part
	}
	converted := Pixels{ImageInfo: abi.NewImageInfo(width, height, abi.DepthU8, order)}
	converted.Data = make([]byte, converted.Bytes())
	if err := Convert(part, converted); err != nil {
		t.Fatal(err)
	}
	return converted
}

// encoded is a part of the photograph, in a format of OpenCV's, with its parameters.
func encoded(t *testing.T, extension string, width, height uint32, order abi.Order, parameters ...int) []byte {
	t.Helper()
	m := matOf(t, part(t, width, height, order))
	defer m.Close()
	parameters = append(parameters, gocv.IMWriteJpegQuality, 90) // gocv wants one at least
	file, err := gocv.IMEncodeWithParams(gocv.FileExt(extension), m, parameters)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	return bytes.Clone(file.GetBytes())
}

// What gocv does not name of OpenCV's parameters.
const restartInterval, samplingFactor = 4, 7

// jpegs are files of all the ways that a JPEG is coded in.
func jpegs(t *testing.T, width, height uint32) map[string][]byte {
	return map[string][]byte{
		"4:2:0":    encoded(t, ".jpg", width, height, abi.OrderBGR),
		"4:2:2":    encoded(t, ".jpg", width, height, abi.OrderBGR, samplingFactor, 0x211111),
		"4:4:0":    encoded(t, ".jpg", width, height, abi.OrderBGR, samplingFactor, 0x121111),
		"4:4:4":    encoded(t, ".jpg", width, height, abi.OrderBGR, samplingFactor, 0x111111),
		"gray":     encoded(t, ".jpg", width, height, abi.OrderGray),
		"restarts": encoded(t, ".jpg", width, height, abi.OrderBGR, restartInterval, 3),
	}
}

func TestTwoThreadsDecodeWhatOneDoes(t *testing.T) {
	needTwo(t)
	for _, size := range [][2]uint32{{1, 1}, {7, 5}, {17, 130}, {641, 367}, {1283, 967}} {
		for name, content := range jpegs(t, size[0], size[1]) {
			for _, options := range []abi.LoadOptions{
				abi.LoadColor.Options(), abi.LoadGray.Options(), abi.LoadUnchanged.Options(),
				{Flags: abi.LoadColor, Scale: 2}, {Flags: abi.LoadColor, Scale: 8, Order: abi.OrderRGB}, {Flags: abi.LoadGray, Scale: 4},
			} {
				what := fmt.Sprintf("%s of %d x %d, %+v", name, size[0], size[1], options)
				if threads, ok := sameByTwo(t, what, content, options); threads != 2 || !ok {
					t.Errorf("%s: %d thread, decoded: %t", what, threads, ok)
				}
			}
		}
	}
	files, err := os.ReadDir(testdata)
	if err != nil {
		t.Fatal(err)
	}
	silently(t, func() {
		for _, file := range files {
			if name := file.Name(); strings.HasSuffix(name, ".jpg") || strings.HasSuffix(name, ".tif") {
				sameByTwo(t, name, content(t, name), abi.LoadUnchanged.Options())
			}
		}
	})
}

func TestLargeImagesAreDecodedByTwoThreads(t *testing.T) {
	needTwo(t)
	for extension, want := range map[string]int{".jpg": 2, ".png": 1, ".bmp": 1} {
		if _, threads, err := decodeBy(togetherFrom, encoded(t, extension, 1920, 1080, abi.OrderBGR), abi.LoadColor.Options()); err != nil || threads != want {
			t.Errorf("%s: %v, %d threads", extension, err, threads)
		}
	}
	if _, threads, err := decodeBy(togetherFrom, content(t, "small.jpg"), abi.LoadColor.Options()); err != nil || threads != 1 {
		t.Errorf("a small one: %v, %d threads", err, threads)
	}
}

func TestTwoThreadsFindTheDamageThatOneDoes(t *testing.T) {
	needTwo(t)
	files := jpegs(t, 641, 367)
	before := threadsOfProcess(t)
	for name, whole := range files {
		chance := rand.New(rand.NewPCG(7, uint64(len(whole))))
		refused, accepted := 0, 0
		silently(t, func() {
			for round := range 60 {
				damaged := bytes.Clone(whole)
				if round%4 == 0 {
					damaged = damaged[:chance.IntN(len(damaged))]
				} else {
					for range 1 + chance.IntN(3) {
						damaged[300+chance.IntN(len(damaged)-300)] = byte(chance.Uint32())
					}
				}
				options := abi.LoadOptions{Flags: abi.LoadColor, Scale: 1 << (round % 4)}
				_, ok := sameByTwo(t, fmt.Sprintf("%s, round %d", name, round), damaged, options)
				if ok {
					accepted++
				} else {
					refused++
				}
			}
		})
		if refused == 0 || accepted == 0 {
			t.Errorf("%s: %d refused, %d accepted: the test has missed something", name, refused, accepted)
		}
	}
	// Go starts a thread now and then; the hundreds that have decoded are gone.
	if after := threadsOfProcess(t); after > before+20 {
		t.Errorf("there were %d threads, and are %d", before, after)
	}
}

// encodeBy encodes an image as a JPEG with one thread or two. It returns the number of threads that worked on it.
func encodeBy(togetherFrom uint64, image Pixels, parameters ...int32) ([]byte, int, error) {
	file, err := jpegEncoder.encodeWith(parameters, ".jpg", image, togetherFrom)
	if err != nil {
		return nil, 0, err
	}
	defer file.Free()
	return bytes.Clone(file.content), file.threads, nil
}

func TestTwoThreadsEncodeWhatOneDoes(t *testing.T) {
	needTwo(t)
	const quality = gocv.IMWriteJpegQuality
	type way struct {
		parameters []int32
		threads    int
	}
	ways := []way{
		{nil, 2},
		{[]int32{samplingFactor, 0x411111}, 2},
		{[]int32{samplingFactor, 0x211111}, 2},
		{[]int32{samplingFactor, 0x121111}, 2},
		{[]int32{samplingFactor, 0x111111}, 2},
		{[]int32{restartInterval, 3}, 2},
		// These go over the coefficients more than once.
		{[]int32{gocv.IMWriteJpegOptimize, 1}, 1},
		{[]int32{gocv.IMWriteJpegProgressive, 1}, 1},
	}
	for q := int32(0); q <= 100; q += 5 {
		ways = append(ways, way{[]int32{quality, q}, 2})
	}
	before := threadsOfProcess(t)
	for _, size := range [][2]uint32{{1, 1}, {7, 5}, {17, 130}, {641, 367}, {1283, 967}} {
		for _, order := range []abi.Order{abi.OrderGray, abi.OrderBGR, abi.OrderBGRA} {
			image := part(t, size[0], size[1], order)
			for _, way := range ways {
				one, threads, err := encodeBy(alone, image, way.parameters...)
				if err != nil || threads != 1 {
					t.Fatalf("%s, %v: %v, %d threads, not alone", describe(image.ImageInfo), way.parameters, err, threads)
				}
				two, threads, err := encodeBy(together, image, way.parameters...)
				if err != nil || threads != way.threads {
					t.Fatalf("%s, %v: %v, %d threads", describe(image.ImageInfo), way.parameters, err, threads)
				}
				if !bytes.Equal(one, two) {
					t.Fatalf("%s, %v: two threads write another file than one", describe(image.ImageInfo), way.parameters)
				}
			}
		}
	}
	// Go starts a thread now and then; the hundreds that have encoded are gone.
	if after := threadsOfProcess(t); after > before+20 {
		t.Errorf("there were %d threads, and are %d", before, after)
	}
}

func TestLargeJPEGsAreEncodedByTwoThreads(t *testing.T) {
	needTwo(t)
	for _, c := range []struct{ width, height, threads uint32 }{{1920, 1080, 2}, {64, 48, 1}} {
		file, err := jpegEncoder.encode(".jpg", part(t, c.width, c.height, abi.OrderBGR), abi.QualityDefault)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Free()
		if file.threads != int(c.threads) {
			t.Errorf("%d x %d: %d threads", c.width, c.height, file.threads)
		}
	}
}

// The file's memory grows in the second thread, where nothing would catch what OpenCV throws when there is no more.
func TestEncodingWithoutMemoryFails(t *testing.T) {
	needTwo(t)
	noise := Pixels{ImageInfo: abi.NewImageInfo(4096, 4800, abi.DepthU8, abi.OrderBGR)}
	noise.Data = make([]byte, noise.Bytes())
	rand.NewChaCha8([32]byte{}).Read(noise.Data)
	best := []int32{gocv.IMWriteJpegQuality, 100}
	whole, _, err := encodeBy(alone, noise, best...)
	if err != nil {
		t.Fatal(err)
	}
	if len(whole) <= 32<<20 {
		t.Fatalf("%d bytes: malloc may have as many left", len(whole))
	}
	for _, from := range []uint64{alone, together} {
		var failure error
		withoutMemory(t, func() {
			var file Encoded
			file, failure = jpegEncoder.encodeWith(best, ".jpg", noise, from)
			file.Free()
		})
		if abi.CodeOf(failure) != abi.ENoSpace {
			t.Errorf("without memory: %v", failure)
		}
		if again, _, err := encodeBy(from, noise, best...); err != nil || !bytes.Equal(again, whole) {
			t.Errorf("with memory again: %v, %d bytes of %d", err, len(again), len(whole))
		}
	}
}

// FuzzJPEGTwoThreads: two threads make of a file what one thread makes of it.
func FuzzJPEGTwoThreads(f *testing.F) {
	if os.Getenv("SHMCV_OPENCV") == "system" || runtime.NumCPU() == 1 {
		f.Skip("the system's codecs, or a single processor")
	}
	seeds, err := filepath.Glob(filepath.Join(testdata, "*.jpg"))
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range seeds {
		content, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		if len(content) < 64<<10 { // a larger one is decoded too seldom to be of use
			f.Add(content, uint8(len(content)))
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, flag uint8) {
		options := fuzzedFlag(t, content, flag).Options()
		options.Scale = 1 << (flag >> 6)
		sameByTwo(t, "fuzzed", content, options)
	})
}

// fuzzedFlag returns one of the flags. It skips a file that is no image, or a large one.
func fuzzedFlag(t *testing.T, content []byte, flag uint8) abi.LoadFlag {
	t.Helper()
	flags := slices.Sorted(maps.Values(flagNames))
	chosen := flags[int(flag)%len(flags)]
	p, err := probe.PlanFor(content, chosen.Options())
	if err != nil || p.Decoded.Bytes() > 1<<20 {
		t.Skip("no image, or a large one")
	}
	return chosen
}
