package ops

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"shmcv/internal/abi"
	"shmcv/ops/internal/probe"
)

// optionsNamed reads the columns flag and options.
func optionsNamed(t *testing.T, columns []string) abi.LoadOptions {
	t.Helper()
	var fields []uint32
	for text := range strings.SplitSeq(columns[1], ",") {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		fields = append(fields, uint32(n))
	}
	return abi.LoadOptions{
		Flags: flagNamed(t, columns[0]), Order: abi.Order(fields[0]), Scale: fields[1], Width: fields[2], Height: fields[3],
		Interpolation: abi.Interpolation(fields[4]), X: fields[5], Y: fields[6], RegionWidth: fields[7], RegionHeight: fields[8],
		Reserved: [3]uint64{2: uint64(fields[9])},
	}
}

// someOptions are options that suit most images, half of the time flags alone.
func someOptions(chance *rand.Rand, flags abi.LoadFlag) abi.LoadOptions {
	options := flags.Options()
	some := func(most uint32) uint32 { return 1 + chance.Uint32N(most) }
	if chance.IntN(2) == 0 {
		return options
	}
	switch chance.IntN(3) {
	case 0:
		options.Scale = 1 << chance.UintN(4)
	case 1:
		options.Width = some(80)
	case 2:
		options.Width, options.Height = some(80), some(80)
		options.Interpolation = []abi.Interpolation{0, 1, 2, 3, 4, 6}[chance.IntN(6)]
	}
	if chance.IntN(3) == 0 {
		options.X, options.Y, options.RegionWidth, options.RegionHeight = 8*(some(4)-1), 8*(some(3)-1), some(16), some(16)
	}
	if order := abi.Order(chance.IntN(6)); options.Check() == nil {
		options.Order = order
		if options.Check() != nil {
			options.Order = 0
		}
	}
	return options
}

func TestLoadWithOptionsGivesWhatCV2MakesOfTheFile(t *testing.T) {
	for _, row := range vectors(t, "options") {
		t.Run(strings.Join(row[:3], ","), func(t *testing.T) {
			path, options, code := filepath.Join(testdata, row[0]), optionsNamed(t, row[1:]), resultNamed(t, row[3])
			old := noise(1<<16, 1, abi.DepthU8, abi.OrderGray, 0)
			if code != abi.OK {
				memory := clone(old).Data
				_, err := Load(path, options, memory, true)
				if abi.CodeOf(err) != code || !bytes.Equal(memory, old.Data) {
					t.Errorf("%v (code %d), want %s, and the memory as it was", err, abi.CodeOf(err), row[3])
				}
				if _, probed := Probe(path, options); code != abi.EDecode && code != abi.ETooSmall && fmt.Sprint(probed) != fmt.Sprint(err) {
					t.Errorf("probe says %v, load %v", probed, err)
				}
				return
			}
			want := imageNamed(t, row[4:9])
			file := content(t, row[0])
			probed, err := ProbeBytes(file, options)
			if err != nil || probed != want {
				t.Fatalf("probe: %s, %v; want %s", describe(probed), err, describe(want))
			}
			for _, keep := range []bool{false, true} {
				memory := make([]byte, want.Bytes())
				if got, err := Load(path, options, memory, keep); err != nil || got != want {
					t.Fatalf("keep %t: %s, %v", keep, describe(got), err)
				}
				if got := checksum(Pixels{ImageInfo: want, Data: memory}); got != row[9] {
					t.Errorf("keep %t: checksum %s, want %s", keep, got, row[9])
				}
				decoded := make([]byte, want.Bytes())
				if _, err := Decode(file, keep, options, decoded, keep); err != nil || !bytes.Equal(decoded, memory) {
					t.Errorf("other pixels of the bytes than of the file: %v", err)
				}
			}
			if _, err := Load(path, options, make([]byte, want.Bytes()-1), false); abi.CodeOf(err) != abi.ETooSmall {
				t.Errorf("into a byte less: %v", err)
			}
		})
	}
}

// Errors name the fields.
func TestOptionsThatContradictEachOtherAreNamed(t *testing.T) {
	for _, c := range []struct {
		options abi.LoadOptions
		names   string
	}{
		{abi.LoadOptions{Flags: abi.LoadColor, Scale: 3}, "scale 3"},
		{abi.LoadOptions{Flags: abi.LoadColor, Scale: 2, Width: 9}, "scale 2 and width 9"},
		{abi.LoadOptions{Flags: abi.LoadColor, Scale: 2, Height: 9}, "scale 2 and height 9"},
		{abi.LoadOptions{Flags: abi.LoadGray, Order: abi.OrderRGB}, "flags 0 and order 4"},
		{abi.LoadOptions{Flags: abi.LoadColor, Order: 9}, "order 9"},
		{abi.LoadOptions{Flags: abi.LoadColor, Interpolation: 2}, "interpolation 2 without width or height"},
		{abi.LoadOptions{Flags: abi.LoadColor, Width: 9, Interpolation: -1}, "interpolation -1"},
		{abi.LoadOptions{Flags: abi.LoadColor, X: 3, RegionHeight: 1}, "region_width 0"},
		{abi.LoadOptions{Flags: abi.LoadColor, Y: 3, RegionWidth: 1}, "region_height 0"},
		{abi.LoadOptions{Flags: abi.LoadColor, X: 60, RegionWidth: 8, RegionHeight: 1}, "x 60 and region_width 8"},
		{abi.LoadOptions{Flags: abi.LoadColor, Y: 40, RegionWidth: 8, RegionHeight: 4}, "y 40 and region_height 4"},
		{abi.LoadOptions{Flags: abi.LoadColor, Reserved: [3]uint64{1}}, "reserved"},
	} {
		path := filepath.Join(testdata, "small.jpg")
		_, err := Load(path, c.options, make([]byte, 1<<16), false)
		if abi.CodeOf(err) != abi.EInvalid || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%+v: %v, which should name %q", c.options, err, c.names)
		}
		if _, probed := Probe(path, c.options); fmt.Sprint(probed) != fmt.Sprint(err) {
			t.Errorf("probe says %v, load %v", probed, err)
		}
	}
}

// mixed is a photograph with letters' edges, a chequered part and a part of noise, as a JPEG of that size.
func mixed(t *testing.T, width, height uint32) []byte {
	t.Helper()
	image := part(t, 3840, 2160, abi.OrderBGR)
	small := Pixels{ImageInfo: abi.NewImageInfo(width, height, abi.DepthU8, abi.OrderBGR)}
	small.Data = make([]byte, small.Bytes())
	if err := Resize(image, small, abi.InterpolationArea); err != nil {
		t.Fatal(err)
	}
	random := noise(width/4, height/4, abi.DepthU8, abi.OrderBGR, 0)
	for y := range height / 4 {
		copy(small.row(y), random.row(y))
		chequered := small.row(height - 1 - y)[:3*(width/4)]
		for x := range chequered {
			chequered[x] = byte((uint32(x/3)+y)/3%2) * 255
		}
		for x := range width / 8 { // strokes
			if x%7 < 2 {
				copy(small.row(height/2 + y)[3*(width/2+x):], []byte{255, 255, 255})
			}
		}
	}
	encoded, err := Encode(".jpg", small, 90)
	if err != nil {
		t.Fatal(err)
	}
	defer encoded.Free()
	return bytes.Clone(encoded.Bytes())
}

// The bounds are those of the C header.
func TestADecodersScaleIsCloseToResizing(t *testing.T) {
	type bound struct {
		greatest int
		mean     float64
	}
	photograph, drawing := bound{45, 1}, bound{120, 4}
	for _, c := range []struct {
		name    string
		content []byte
		within  bound
	}{
		{"photograph", content(t, "photograph.jpg"), photograph},
		{"mixed", mixed(t, 1920, 1080), drawing},
		{"mixed, odd", mixed(t, 1927, 1083), drawing},
	} {
		whole, err := ProbeBytes(c.content, abi.LoadColor.Options())
		if err != nil {
			t.Fatal(err)
		}
		full := decodedWith(t, c.content, abi.LoadColor.Options())
		for _, scale := range []uint32{2, 4, 8} {
			for _, wanted := range [][2]uint32{
				{whole.Width / scale, whole.Height / scale}, {whole.Width/scale - 3, whole.Height/scale - 2}, {whole.Width * 55 / 100 / scale, whole.Height * 55 / 100 / scale},
			} {
				options := abi.LoadOptions{Flags: abi.LoadColor, Width: wanted[0], Height: wanted[1]}
				got := decodedWith(t, c.content, options)
				want := Pixels{ImageInfo: got.ImageInfo, Data: make([]byte, len(got.Data))}
				if err := Resize(full, want, abi.InterpolationArea); err != nil {
					t.Fatal(err)
				}
				greatest, mean := distance(got.Data, want.Data)
				p, err := probe.PlanFor(c.content, options)
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%s, %d x %d by way of %d x %d: %d at the most, %.2f on average", c.name, wanted[0], wanted[1], p.Decoded.Width, p.Decoded.Height, greatest, mean)
				if greatest > c.within.greatest || mean > c.within.mean {
					t.Errorf("%s to %v: more than %+v", c.name, wanted, c.within)
				}
				options.Interpolation = abi.InterpolationCubic
				if err := Resize(full, want, abi.InterpolationCubic); err != nil || !bytes.Equal(decodedWith(t, c.content, options).Data, want.Data) {
					t.Errorf("%s to %v, cubic: %v, or other pixels than resized ones", c.name, wanted, err)
				}
			}
		}
	}
}

// What is resized after the decoder has done its part, of every depth.
func TestASizeIsMadeOfWhatIsDecodedByResizing(t *testing.T) {
	for _, c := range []struct {
		file                 string
		flags                abi.LoadFlag
		scale, width, height uint32
		way                  abi.Interpolation
	}{
		{"photograph.jpg", abi.LoadColor, 4, 500, 300, abi.InterpolationArea},
		{"photograph.jpg", abi.LoadGray, 8, 476, 268, abi.InterpolationArea},
		{"photograph.jpg", abi.LoadColor, 1, 3841, 100, abi.InterpolationLinear},
		{"small.jpg", abi.LoadColor, 1, 31, 17, abi.InterpolationArea},
		{"small-bgr16.png", abi.LoadUnchanged, 1, 33, 21, abi.InterpolationArea},
		{"small-gray16.png", abi.LoadGray | abi.LoadAnyDepth, 1, 90, 58, abi.InterpolationLinear},
		{"small-bgr-f32.tif", abi.LoadUnchanged, 1, 20, 40, abi.InterpolationArea},
		{"small-gray-f32.tif", abi.LoadUnchanged, 1, 70, 70, abi.InterpolationLinear},
	} {
		file := content(t, c.file)
		decoded := decodedWith(t, file, abi.LoadOptions{Flags: c.flags, Scale: c.scale})
		got := decodedWith(t, file, abi.LoadOptions{Flags: c.flags, Width: c.width, Height: c.height})
		want := Pixels{ImageInfo: got.ImageInfo, Data: make([]byte, len(got.Data))}
		if err := Resize(decoded, want, c.way); err != nil || !bytes.Equal(got.Data, want.Data) {
			t.Errorf("%+v: %v, or other pixels", c, err)
		}
	}
}

// distance returns how far the bytes are from each other.
func distance(a, b []byte) (greatest int, mean float64) {
	sum := 0
	for i := range a {
		d := max(int(a[i])-int(b[i]), int(b[i])-int(a[i]))
		greatest, sum = max(greatest, d), sum+d
	}
	return greatest, float64(sum) / float64(len(a))
}

// decodedWith decodes into memory of just the size that the probe says.
func decodedWith(t testing.TB, content []byte, options abi.LoadOptions) Pixels {
	t.Helper()
	image, err := ProbeBytes(content, options)
	if err != nil {
		t.Fatal(err)
	}
	memory := make([]byte, image.Bytes())
	if got, err := Decode(content, false, options, memory, false); err != nil || got != image {
		t.Fatalf("the probe says %s, decoding %s, %v", describe(image), describe(got), err)
	}
	return Pixels{ImageInfo: image, Data: memory}
}

// What a decoder does itself is not done after it.
func TestAJPEGIsDecodedInTheLargestScaleThatServes(t *testing.T) {
	const scale, whole = 8, 1
	for _, c := range []struct {
		options abi.LoadOptions
		want    uint32
	}{
		{abi.LoadOptions{Scale: 8}, scale}, {abi.LoadOptions{Scale: 4}, 4}, {abi.LoadOptions{Width: 480}, scale},
		{abi.LoadOptions{Width: 481, Height: 270}, 4}, {abi.LoadOptions{Width: 480, Height: 271}, 4}, {abi.LoadOptions{Width: 961, Height: 100}, 2},
		{abi.LoadOptions{Width: 1921, Height: 100}, whole}, {abi.LoadOptions{Width: 100, Interpolation: abi.InterpolationLinear}, whole},
		{abi.LoadOptions{Width: 100, Height: 2161}, whole}, {abi.LoadOptions{Scale: 8, X: 8, Y: 16, RegionWidth: 80, RegionHeight: 800}, scale},
		{abi.LoadOptions{Scale: 8, X: 9, Y: 16, RegionWidth: 80, RegionHeight: 800}, whole},
		{abi.LoadOptions{Width: 10, X: 4, Y: 16, RegionWidth: 80, RegionHeight: 800}, 4},
		{abi.LoadOptions{Scale: 8, RegionWidth: 3840, RegionHeight: 2160}, scale},
	} {
		c.options.Flags = abi.LoadColor
		p, err := probe.PlanFor(content(t, "photograph.jpg"), c.options)
		if err != nil || p.Decoded.Width != 3840/c.want || p.Decoded.Height != 2160/c.want {
			t.Errorf("%+v: %s, %v; want 1/%d", c.options, describe(p.Decoded), err, c.want)
		}
	}
}

// A decoder of smaller images is watched as others are; see ops_decode.
func TestRowsThatAScaledDecoderLeavesOutAreMissed(t *testing.T) {
	whole := content(t, "photograph.jpg")
	for _, options := range []abi.LoadOptions{{Flags: abi.LoadColor, Scale: 4}, {Flags: abi.LoadGray, Scale: 8}, {Flags: abi.LoadColor, Width: 700}} {
		for _, length := range []int{len(whole) / 2, len(whole) * 9 / 10} {
			image, err := ProbeBytes(whole, options)
			if err != nil {
				t.Fatal(err)
			}
			silently(t, func() {
				if _, err := Decode(whole[:length], false, options, make([]byte, image.Bytes()), false); abi.CodeOf(err) != abi.EDecode {
					t.Errorf("%+v, %d bytes: %v", options, length, err)
				}
			})
		}
	}
}

// FuzzDecode: whatever the bytes and the options are, ProbeBytes says which image Decode makes; an error of either names
// what is wrong, and leaves the memory as it was.
func FuzzDecode(f *testing.F) {
	seeds, err := filepath.Glob(filepath.Join(testdata, "*.*"))
	if err != nil {
		f.Fatal(err)
	}
	for i, seed := range seeds {
		content, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		if len(content) < 16<<10 {
			f.Add(content, uint8(i), uint8(i%6), uint32(1)<<(i%4), uint32(0), uint32(0), int32(0), uint32(i%9), uint32(i%7), uint32(i%30), uint32(i%20))
			f.Add(content, uint8(i), uint8(0), uint32(0), uint32(i%90), uint32(i%70), int32(i%6), uint32(0), uint32(0), uint32(0), uint32(0))
		}
	}
	f.Fuzz(func(t *testing.T, content []byte, flag, order uint8, scale, width, height uint32, interpolation int32, x, y, regionWidth, regionHeight uint32) {
		options := abi.LoadOptions{
			Flags: fuzzedFlag(t, content, flag), Order: abi.Order(order), Scale: scale, Width: width, Height: height,
			Interpolation: abi.Interpolation(interpolation), X: x, Y: y, RegionWidth: regionWidth, RegionHeight: regionHeight,
		}
		const room = 1 << 20
		image, err := ProbeBytes(content, options)
		if err == nil && image.Bytes() > room {
			t.Skip("a large one")
		}
		memory := bytes.Repeat([]byte{7}, room)
		got, decodeErr := Decode(content, false, options, memory, true)
		switch code := abi.CodeOf(decodeErr); {
		case err != nil && fmt.Sprint(decodeErr) != fmt.Sprint(err):
			t.Fatalf("the probe says %v, decoding %v", err, decodeErr)
		case decodeErr == nil && got != image:
			t.Fatalf("the probe says %s, decoding %s", describe(image), describe(got))
		case code == abi.EInternal || code == abi.ENoSpace || code == abi.EInvalid && options == options.Flags.Options():
			t.Fatal(decodeErr)
		}
		rest := memory
		if decodeErr == nil {
			rest = memory[image.Bytes():]
		}
		if len(bytes.TrimLeft(rest, "\a")) != 0 {
			t.Fatalf("%v: the memory has changed", decodeErr)
		}
		if left := outstanding(); left != 0 {
			t.Fatalf("%d bytes are not released", left)
		}
	})
}
