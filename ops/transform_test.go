package ops

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"testing"

	"gocv.io/x/gocv"

	"shmcv/internal/abi"
)

var (
	allOrders = []abi.Order{abi.OrderGray, abi.OrderBGR, abi.OrderBGRA}
	allDepths = []abi.Depth{abi.DepthU8, abi.DepthU16, abi.DepthF32}
	allCodes  = []abi.FlipCode{abi.FlipVertical, abi.FlipHorizontal, abi.FlipBoth}
)

// noise is an image of random pixels, its rows gap bytes apart.
func noise(width, height uint32, depth abi.Depth, order abi.Order, gap uint64) Pixels {
	p := Pixels{ImageInfo: abi.NewImageInfo(width, height, depth, order)}
	p.Stride += gap
	p.Data = make([]byte, p.Bytes())
	rand.NewChaCha8([32]byte{byte(width), byte(height), byte(depth), byte(order)}).Read(p.Data)
	return p
}

// clone is a copy of an image, the gaps between its rows included.
func clone(p Pixels) Pixels {
	p.Data = bytes.Clone(p.Data)
	return p
}

// packed is the image without gaps: its pixels alone, for comparing.
func packed(p Pixels) []byte {
	all := make([]byte, 0, p.RowBytes()*uint64(p.Height))
	for y := range p.Height {
		all = append(all, p.row(y)...)
	}
	return all
}

// gaps are the bytes between the rows: what nobody should write.
func gaps(p Pixels) []byte {
	var all []byte
	for y := range p.Height - 1 {
		end := uint64(y)*p.Stride + p.RowBytes()
		all = append(all, p.Data[end:uint64(y+1)*p.Stride]...)
	}
	return all
}

// matOf is a copy of an image for gocv. The caller closes it.
func matOf(t testing.TB, p Pixels) gocv.Mat {
	t.Helper()
	m, err := gocv.NewMatFromBytes(int(p.Height), int(p.Width), matType(p.ImageInfo), packed(p))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// flippedByOpenCV is the reference.
func flippedByOpenCV(t *testing.T, p Pixels, code abi.FlipCode) []byte {
	t.Helper()
	src := matOf(t, p)
	defer src.Close()
	dst := gocv.NewMat()
	defer dst.Close()
	if err := gocv.Flip(src, &dst, int(code)); err != nil {
		t.Fatal(err)
	}
	return dst.ToBytes()
}

// smallSizes are all up to 67 x 67: of every shuffle all remainders, twice over.
func smallSizes() (all [][2]uint32) {
	for width := uint32(1); width <= 67; width++ {
		for height := uint32(1); height <= 67; height++ {
			all = append(all, [2]uint32{width, height})
		}
	}
	return all
}

// wideSizes have rows of some chunks of flip.c, and longer ones than it fetches ahead.
var wideSizes = [][2]uint32{{2731, 3}, {8193, 2}, {16400, 3}, {32769, 1}, {43700, 4}}

func TestFlipIsOpenCVsFlip(t *testing.T) {
	checkFlips(t, append(smallSizes(), wideSizes...))
}

func TestFlipWithoutAKernelIsOpenCVsFlip(t *testing.T) {
	kernel := flipKernel
	t.Cleanup(func() { flipKernel = kernel })
	flipKernel = nil
	checkFlips(t, append([][2]uint32{{1, 1}, {1, 67}, {67, 1}, {67, 67}, {16, 2}, {17, 33}, {33, 16}}, wideSizes...))
}

func checkFlips(t *testing.T, sizes [][2]uint32) {
	t.Helper()
	for _, depth := range allDepths {
		for _, order := range allOrders {
			t.Run(fmt.Sprintf("depth%d-order%d", depth, order), func(t *testing.T) {
				for _, size := range sizes {
					gap := depth.Bytes() * uint64((size[0]+size[1])%16) // of every width some have none
					src := noise(size[0], size[1], depth, order, gap)
					for _, code := range allCodes {
						want := flippedByOpenCV(t, src, code)
						checkFlip(t, src, code, want)
						checkFlipInPlace(t, src, code, want)
					}
				}
			})
		}
	}
}

func checkFlip(t *testing.T, src Pixels, code abi.FlipCode, want []byte) {
	t.Helper()
	dst := noise(src.Width, src.Height, src.Depth, src.Order, 12)
	before := clone(src)
	between := gaps(dst)
	if err := Flip(src, dst, code); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(packed(dst), want) {
		t.Fatalf("%s by %d: other pixels than OpenCV's", describe(src.ImageInfo), code)
	}
	if !bytes.Equal(gaps(dst), between) {
		t.Fatalf("%s by %d: wrote between the rows", describe(src.ImageInfo), code)
	}
	if !bytes.Equal(src.Data, before.Data) {
		t.Fatalf("%s by %d: wrote into the source", describe(src.ImageInfo), code)
	}
}

func checkFlipInPlace(t *testing.T, src Pixels, code abi.FlipCode, want []byte) {
	t.Helper()
	both := clone(src)
	if err := Flip(both, both, code); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(packed(both), want) {
		t.Fatalf("%s by %d in place: other pixels than OpenCV's", describe(src.ImageInfo), code)
	}
	if !bytes.Equal(gaps(both), gaps(src)) {
		t.Fatalf("%s by %d in place: wrote between the rows", describe(src.ImageInfo), code)
	}
}

func TestFlipOfALargeImageIsOpenCVsFlip(t *testing.T) {
	for _, order := range allOrders { // larger than a second-level cache, on odd addresses
		src := noise(2999, 1501, abi.DepthU8, order, 5)
		for _, code := range allCodes {
			want := flippedByOpenCV(t, src, code)
			checkFlip(t, src, code, want)
			checkFlipInPlace(t, src, code, want)
		}
	}
}

func TestFlipRefusesWhatDoesNotFitTogether(t *testing.T) {
	image := func(change func(*Pixels)) Pixels {
		p := noise(20, 10, abi.DepthU8, abi.OrderBGR, 0)
		change(&p)
		return p
	}
	good := image(func(*Pixels) {})
	memory := make([]byte, 2000)
	overlapping := func(at int) Pixels { return Pixels{ImageInfo: good.ImageInfo, Data: memory[at:]} }
	for _, c := range []struct {
		name     string
		src, dst Pixels
		code     abi.FlipCode
		want     abi.Code
	}{
		{"code 2", good, image(func(*Pixels) {}), 2, abi.EInvalid},
		{"code -2", good, image(func(*Pixels) {}), -2, abi.EInvalid},
		{"other size", good, noise(10, 20, abi.DepthU8, abi.OrderBGR, 0), 1, abi.EInvalid},
		{"other depth", good, noise(20, 10, abi.DepthU16, abi.OrderBGR, 0), 1, abi.EInvalid},
		{"other order", good, noise(20, 10, abi.DepthU8, abi.OrderBGRA, 0), 1, abi.EInvalid},
		{"red for blue", good, noise(20, 10, abi.DepthU8, abi.OrderRGB, 0), 1, abi.EInvalid},
		{"short memory", good, image(func(p *Pixels) { p.Data = p.Data[:len(p.Data)-1] }), 1, abi.ETooSmall},
		{"no memory", Pixels{ImageInfo: good.ImageInfo}, good, 1, abi.ETooSmall},
		{"no width", good, image(func(p *Pixels) { p.Width = 0 }), 1, abi.EInvalid},
		{"stride below the row", image(func(p *Pixels) { p.Stride = 59 }), good, 1, abi.EInvalid},
		{"overlap", overlapping(0), overlapping(100), 1, abi.EInvalid},
		{"overlap from the other side", overlapping(100), overlapping(0), 1, abi.EInvalid},
		{"one start, two strides", overlapping(0), Pixels{ImageInfo: image(func(p *Pixels) { p.Stride = 64 }).ImageInfo, Data: memory}, 1, abi.EInvalid},
	} {
		if got := abi.CodeOf(Flip(c.src, c.dst, c.code)); got != c.want {
			t.Errorf("%s: code %d, want %d", c.name, got, c.want)
		}
	}
}

func TestConvertMovesEveryChannelToItsPlace(t *testing.T) {
	orders := []abi.Order{abi.OrderGray, abi.OrderBGR, abi.OrderBGRA, abi.OrderRGB, abi.OrderRGBA}
	for _, size := range [][2]uint32{{1, 1}, {37, 11}, {521, 257}} { // the last is enough for OpenCV's threads
		for _, from := range orders {
			for _, to := range orders {
				src := noise(size[0], size[1], abi.DepthU8, from, 7)
				dst := noise(size[0], size[1], abi.DepthU8, to, 3)
				checkConvert(t, src, dst)
			}
		}
	}
}

func checkConvert(t *testing.T, src, dst Pixels) {
	t.Helper()
	between := gaps(dst)
	if err := Convert(src, dst); err != nil {
		t.Fatalf("from %s to %s: %v", describe(src.ImageInfo), describe(dst.ImageInfo), err)
	}
	if !bytes.Equal(gaps(dst), between) {
		t.Errorf("from %s to %s: wrote between the rows", describe(src.ImageInfo), describe(dst.ImageInfo))
	}
	for y := range src.Height {
		for x := range src.Width {
			want := pixel(dst.Order, colourAt(src, x, y))
			got := dst.row(y)[x*dst.Channels : (x+1)*dst.Channels]
			if !bytes.Equal(got, want) {
				t.Fatalf("from %s to %s at (%d, %d): % d, want % d", describe(src.ImageInfo), describe(dst.ImageInfo), x, y, got, want)
			}
		}
	}
}

// colourAt is what a pixel means: blue, green, red, alpha, and the gray it had if it is one.
func colourAt(p Pixels, x, y uint32) (c [5]byte) {
	s := p.row(y)[x*p.Channels : (x+1)*p.Channels]
	switch p.Order {
	case abi.OrderGray:
		return [5]byte{s[0], s[0], s[0], 255, s[0]}
	case abi.OrderBGR:
		c = [5]byte{s[0], s[1], s[2], 255}
	case abi.OrderRGB:
		c = [5]byte{s[2], s[1], s[0], 255}
	case abi.OrderBGRA:
		c = [5]byte{s[0], s[1], s[2], s[3]}
	case abi.OrderRGBA:
		c = [5]byte{s[2], s[1], s[0], s[3]}
	}
	c[4] = byte((int(c[0])*3735 + int(c[1])*19235 + int(c[2])*9798 + 16384) >> 15) // OpenCV's 0.114, 0.587, 0.299
	return c
}

func pixel(order abi.Order, c [5]byte) []byte {
	switch order {
	case abi.OrderGray:
		return []byte{c[4]}
	case abi.OrderBGR:
		return []byte{c[0], c[1], c[2]}
	case abi.OrderRGB:
		return []byte{c[2], c[1], c[0]}
	case abi.OrderBGRA:
		return []byte{c[0], c[1], c[2], c[3]}
	}
	return []byte{c[2], c[1], c[0], c[3]}
}

func TestConvertKeepsDepth(t *testing.T) {
	for _, depth := range []abi.Depth{abi.DepthU16, abi.DepthF32} {
		src := noise(9, 5, depth, abi.OrderBGR, 0)
		dst := noise(9, 5, depth, abi.OrderRGBA, 0)
		back := noise(9, 5, depth, abi.OrderBGR, 8)
		if err := Convert(src, dst); err != nil {
			t.Fatal(err)
		}
		if err := Convert(dst, back); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(packed(back), src.Data) {
			t.Errorf("depth %d: BGR to RGBA and back is not the same", depth)
		}
	}
}

func TestConvertWithinOneMemory(t *testing.T) {
	memory := make([]byte, 40*30*4)
	src := noise(40, 30, abi.DepthU8, abi.OrderBGR, 0)
	copy(memory, src.Data)
	inside := Pixels{ImageInfo: src.ImageInfo, Data: memory}
	wide := Pixels{ImageInfo: abi.NewImageInfo(40, 30, abi.DepthU8, abi.OrderBGRA), Data: memory}
	want := noise(40, 30, abi.DepthU8, abi.OrderBGRA, 0)
	if err := Convert(src, want); err != nil {
		t.Fatal(err)
	}
	if err := Convert(inside, wide); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(wide.Data, want.Data) {
		t.Error("BGR to BGRA where both start at the same byte differs from the same apart")
	}
}

func TestConvertRefusesOtherSizeOrDepth(t *testing.T) {
	src := noise(20, 10, abi.DepthU8, abi.OrderBGR, 0)
	for _, dst := range []Pixels{noise(10, 20, abi.DepthU8, abi.OrderBGRA, 0), noise(20, 10, abi.DepthU16, abi.OrderBGRA, 0)} {
		if got := abi.CodeOf(Convert(src, dst)); got != abi.EInvalid {
			t.Errorf("to %s: code %d, want EInvalid", describe(dst.ImageInfo), got)
		}
	}
}

func BenchmarkFlip4K(b *testing.B) {
	for _, order := range allOrders {
		src := noise(3840, 2160, abi.DepthU8, order, 0)
		dst := clone(src)
		b.Run(fmt.Sprintf("copy-%dch", order.Channels()), func(b *testing.B) {
			for b.Loop() {
				copy(dst.Data, src.Data)
			}
		})
		for _, code := range allCodes {
			b.Run(fmt.Sprintf("%dch-code%d", order.Channels(), code), func(b *testing.B) {
				for b.Loop() {
					Flip(src, dst, code)
				}
			})
			b.Run(fmt.Sprintf("%dch-code%d-in-place", order.Channels(), code), func(b *testing.B) {
				for b.Loop() {
					Flip(dst, dst, code)
				}
			})
		}
	}
}

func TestFlipStaysInsideTheRows(t *testing.T) {
	if flipKernel == nil {
		t.Skip("no kernel for this processor")
	}
	program := filepath.Join(t.TempDir(), "flip")
	compiler := exec.Command("gcc", "-O2", "-fsanitize=address,undefined", "-fno-sanitize-recover", "-o", program, "testdata/flip_sanitized.c")
	if out, err := compiler.CombinedOutput(); err != nil {
		t.Skipf("no gcc with its sanitizers: %v\n%s", err, out)
	}
	if out, err := exec.Command(program).CombinedOutput(); err != nil || string(out) != "flipped\n" {
		t.Errorf("%v\n%s", err, out)
	}
}
