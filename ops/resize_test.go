package ops

import (
	"bytes"
	"fmt"
	"image"
	"testing"

	"gocv.io/x/gocv"

	"shmcv/internal/abi"
)

var allInterpolations = []abi.Interpolation{abi.InterpolationNearest, abi.InterpolationLinear, abi.InterpolationCubic,
	abi.InterpolationArea, abi.InterpolationLanczos4}

// resizedByOpenCV is the reference.
func resizedByOpenCV(t *testing.T, p Pixels, width, height uint32, interpolation abi.Interpolation) []byte {
	t.Helper()
	src := matOf(t, p)
	defer src.Close()
	dst := gocv.NewMat()
	defer dst.Close()
	if err := gocv.Resize(src, &dst, image.Pt(int(width), int(height)), 0, 0, gocv.InterpolationFlags(interpolation)); err != nil {
		t.Fatal(err)
	}
	return dst.ToBytes()
}

func TestResizeIsOpenCVsResize(t *testing.T) {
	for _, depth := range allDepths {
		for _, order := range allOrders {
			t.Run(fmt.Sprintf("depth%d-order%d", depth, order), func(t *testing.T) {
				src := noise(67, 43, depth, order, depth.Bytes()*5)
				before := clone(src)
				for _, size := range [][2]uint32{{1, 1}, {67, 43}, {134, 86}, {33, 21}, {300, 200}, {1, 99}, {640, 2}} {
					for _, interpolation := range allInterpolations {
						checkResize(t, src, size, interpolation)
					}
				}
				if !bytes.Equal(src.Data, before.Data) {
					t.Error("wrote into the source")
				}
			})
		}
	}
}

func checkResize(t *testing.T, src Pixels, size [2]uint32, interpolation abi.Interpolation) {
	t.Helper()
	dst := noise(size[0], size[1], src.Depth, src.Order, 12)
	between := gaps(dst)
	if err := Resize(src, dst, interpolation); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(packed(dst), resizedByOpenCV(t, src, size[0], size[1], interpolation)) {
		t.Errorf("%s to %v by %d: other pixels than OpenCV's", describe(src.ImageInfo), size, interpolation)
	}
	if !bytes.Equal(gaps(dst), between) {
		t.Errorf("%s to %v by %d: wrote between the rows", describe(src.ImageInfo), size, interpolation)
	}
}

func TestResizeRefusesWhatDoesNotFitTogether(t *testing.T) {
	good := noise(20, 10, abi.DepthU8, abi.OrderBGR, 0)
	memory := make([]byte, 2000)
	for _, c := range []struct {
		name          string
		src, dst      Pixels
		interpolation abi.Interpolation
		want          abi.Code
	}{
		{"interpolation 5", good, noise(5, 5, abi.DepthU8, abi.OrderBGR, 0), 5, abi.EInvalid},
		{"interpolation -1", good, noise(5, 5, abi.DepthU8, abi.OrderBGR, 0), -1, abi.EInvalid},
		{"other depth", good, noise(5, 5, abi.DepthU16, abi.OrderBGR, 0), 1, abi.EInvalid},
		{"other order", good, noise(5, 5, abi.DepthU8, abi.OrderRGB, 0), 1, abi.EInvalid},
		{"no width", good, Pixels{ImageInfo: abi.ImageInfo{Height: 5, Channels: 3, Depth: 1, Order: 2}, Data: memory}, 1, abi.EInvalid},
		{"short memory", good, Pixels{ImageInfo: good.ImageInfo, Data: memory[:599]}, 1, abi.ETooSmall},
		{"in place", good, good, 1, abi.EInvalid},
		{"overlap", Pixels{ImageInfo: good.ImageInfo, Data: memory}, Pixels{ImageInfo: good.ImageInfo, Data: memory[599:]}, 1, abi.EInvalid},
	} {
		if got := abi.CodeOf(Resize(c.src, c.dst, c.interpolation)); got != c.want {
			t.Errorf("%s: code %d, want %d", c.name, got, c.want)
		}
	}
}

// turned is the pixels of an image after a rotation.
func turned(p Pixels, code abi.RotateCode) []byte {
	result := Pixels{ImageInfo: abi.NewImageInfo(p.Height, p.Width, p.Depth, p.Order)}
	if code == abi.Rotate180 {
		result.ImageInfo = abi.NewImageInfo(p.Width, p.Height, p.Depth, p.Order)
	}
	result.Data = make([]byte, result.Bytes())
	for y := range p.Height {
		for x := range p.Width {
			to := map[abi.RotateCode][2]uint32{abi.Rotate90Clockwise: {p.Height - 1 - y, x},
				abi.Rotate180: {p.Width - 1 - x, p.Height - 1 - y}, abi.Rotate90Counterclockwise: {y, p.Width - 1 - x}}[code]
			size := p.PixelBytes()
			copy(result.row(to[1])[uint64(to[0])*size:][:size], p.row(y)[uint64(x)*size:])
		}
	}
	return result.Data
}

func TestRotateTurnsEveryPixel(t *testing.T) {
	for _, depth := range allDepths {
		for _, order := range allOrders {
			for _, size := range [][2]uint32{{1, 1}, {9, 9}, {67, 43}, {2, 65}} {
				for _, code := range []abi.RotateCode{abi.Rotate90Clockwise, abi.Rotate180, abi.Rotate90Counterclockwise} {
					checkRotate(t, noise(size[0], size[1], depth, order, depth.Bytes()*3), code)
				}
			}
		}
	}
}

func checkRotate(t *testing.T, src Pixels, code abi.RotateCode) {
	t.Helper()
	want := turned(src, code)
	width, height := src.Height, src.Width
	if code == abi.Rotate180 {
		width, height = src.Width, src.Height
	}
	dst := noise(width, height, src.Depth, src.Order, 12)
	between := gaps(dst)
	if err := Rotate(src, dst, code); err != nil || !bytes.Equal(packed(dst), want) || !bytes.Equal(gaps(dst), between) {
		t.Fatalf("%s by %d: %v, other pixels, or something between the rows", describe(src.ImageInfo), code, err)
	}
	both := make([]byte, max(len(src.Data), len(want)))
	copy(both, src.Data)
	result := Pixels{ImageInfo: abi.NewImageInfo(width, height, src.Depth, src.Order), Data: both}
	if err := Rotate(Pixels{ImageInfo: src.ImageInfo, Data: both}, result, code); err != nil || !bytes.Equal(packed(result), want) {
		t.Fatalf("%s by %d within one memory: %v, or other pixels", describe(src.ImageInfo), code, err)
	}
	if code != abi.Rotate180 {
		return
	}
	in := clone(src)
	if err := Rotate(in, in, code); err != nil || !bytes.Equal(packed(in), want) || !bytes.Equal(gaps(in), gaps(src)) {
		t.Fatalf("%s in place: %v, other pixels, or something between the rows", describe(src.ImageInfo), err)
	}
}

func TestRotateRefusesWhatDoesNotFitTogether(t *testing.T) {
	src := noise(20, 10, abi.DepthU8, abi.OrderBGR, 0)
	for _, c := range []struct {
		name string
		dst  Pixels
		code abi.RotateCode
	}{
		{"code 3", noise(10, 20, abi.DepthU8, abi.OrderBGR, 0), 3},
		{"code -1", noise(10, 20, abi.DepthU8, abi.OrderBGR, 0), -1},
		{"not turned", noise(20, 10, abi.DepthU8, abi.OrderBGR, 0), abi.Rotate90Clockwise},
		{"turned", noise(10, 20, abi.DepthU8, abi.OrderBGR, 0), abi.Rotate180},
		{"other depth", noise(10, 20, abi.DepthU16, abi.OrderBGR, 0), abi.Rotate90Clockwise},
		{"other order", noise(10, 20, abi.DepthU8, abi.OrderRGB, 0), abi.Rotate90Clockwise},
	} {
		if got := abi.CodeOf(Rotate(src, c.dst, c.code)); got != abi.EInvalid {
			t.Errorf("%s: code %d, want EInvalid", c.name, got)
		}
	}
}

// TestOverlapIsThatOfThePixels compares all pairs of regions of a small image with what they have in common byte by byte.
func TestOverlapIsThatOfThePixels(t *testing.T) {
	const width, height = 4, 3
	whole := noise(width, height, abi.DepthU8, abi.OrderBGR, 2)
	var regions []Pixels
	for x := range uint32(width) {
		for y := range uint32(height) {
			for w := uint32(1); x+w <= width; w++ {
				for h := uint32(1); y+h <= height; h++ {
					regions = append(regions, regionOf(whole, x, y, w, h))
				}
			}
		}
	}
	for _, p := range regions {
		for _, q := range regions {
			clear(whole.Data)
			for y := range p.Height {
				for i := range p.row(y) {
					p.row(y)[i] = 1
				}
			}
			want := bytes.ContainsRune(packed(q), 1)
			if got := p.overlaps(q); got != want {
				t.Fatalf("%s at %d and %s at %d: %v, want %v", describe(p.ImageInfo), p.start()-whole.start(),
					describe(q.ImageInfo), q.start()-whole.start(), got, want)
			}
		}
	}
}

func regionOf(p Pixels, x, y, width, height uint32) Pixels {
	image := p.ImageInfo
	image.Width, image.Height = width, height
	return Pixels{ImageInfo: image, Data: p.Data[uint64(y)*p.Stride+uint64(x)*p.PixelBytes():]}
}

func TestRegionsSideBySideAreApart(t *testing.T) {
	whole := noise(40, 20, abi.DepthU8, abi.OrderBGR, 0)
	left, right := regionOf(whole, 0, 0, 20, 20), regionOf(whole, 20, 0, 20, 20)
	want := packed(left)
	if err := Flip(left, right, abi.FlipHorizontal); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(packed(left), want) || !bytes.Equal(packed(right), flippedByOpenCV(t, left, abi.FlipHorizontal)) {
		t.Error("other pixels")
	}
	if got := abi.CodeOf(Flip(left, regionOf(whole, 19, 0, 20, 20), abi.FlipHorizontal)); got != abi.EInvalid {
		t.Errorf("regions that share a column: code %d, want EInvalid", got)
	}
}
