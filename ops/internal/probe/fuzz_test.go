package probe

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"shmcv/internal/abi"
)

// Each format has a target that begins with its signature whatever the fuzzer does, and that also builds files of which
// it knows what they say. FuzzPlan has all formats, and all flags. An input that takes more than ten seconds is a find:
// Go's fuzzer ends it.

func FuzzPlan(f *testing.F) {
	for i, file := range seeds(f, nil) {
		flags := slices.Sorted(maps.Values(everyFlag))
		f.Add(file, int32(flags[i%len(flags)]), uint32(len(file)/2))
	}
	f.Add([]byte("text"), int32(0), uint32(0))
	f.Fuzz(func(t *testing.T, file []byte, flags int32, cut uint32) {
		checkSound(t, file, abi.LoadFlag(flags), cut)
	})
}

// seeds returns the small files of the test data that have the signature, or all that are files of a known format.
func seeds(f *testing.F, signature func([]byte) bool) (files [][]byte) {
	f.Helper()
	const small = 16 << 10
	err := filepath.WalkDir(testdata, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		file, err := os.ReadFile(path)
		if err == nil && len(file) < small && formatOf(file) != nil && (signature == nil || signature(file)) {
			files = append(files, file)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		f.Fatalf("%d seeds, %v", len(files), err)
	}
	return files
}

// beginning returns a copy of the file that begins with the signature.
func beginning(signature string, file []byte) []byte {
	file = append(bytes.Clone(file), make([]byte, max(0, len(signature)-len(file)))...)
	copy(file, signature)
	return file
}

// longestSignature is how many bytes tell of any file whether it is one of the formats.
const longestSignature = 12

// checkSound fails unless PlanFor and CheckWhole keep for this file, and for its beginning of cut bytes (modulo the
// file's length), what they promise for any bytes and flags. It returns PlanFor's answer.
func checkSound(t *testing.T, file []byte, flags abi.LoadFlag, cut uint32) (Plan, error) {
	t.Helper()
	before := bytes.Clone(file)
	p, err := PlanFor(file, flags.Options())
	wholeErr := whole(file)
	if !bytes.Equal(file, before) {
		t.Fatal("the content has changed")
	}

	known := slices.Contains(slices.Collect(maps.Values(everyFlag)), flags)
	switch code := abi.CodeOf(err); {
	case !known && code != abi.EInvalid:
		t.Fatalf("flags %d: %v", flags, err)
	case known && err != nil && !errors.Is(err, ErrShort) && code != abi.EDecode && code != abi.EUnsupported && code != abi.ELimit:
		t.Fatalf("PlanFor: %v (code %d)", err, code)
	case err == nil:
		checkPlan(t, p, flags)
	}
	if wholeErr != nil && !errors.Is(wholeErr, ErrShort) && abi.CodeOf(wholeErr) != abi.EDecode {
		t.Fatalf("CheckWhole: %v", wholeErr)
	}

	// A beginning of the file is told to be one, or says already what the whole file says.
	start := file[:int(cut%uint32(len(file)+1))]
	if !known || len(start) < longestSignature {
		return p, err
	}
	q, startErr := PlanFor(start, flags.Options())
	if !errors.Is(startErr, ErrShort) && (text(startErr) != text(err) || !samePlan(p, q)) {
		t.Fatalf("%d of %d bytes say %+v, %v; all of them %+v, %v", len(start), len(file), q, startErr, p, err)
	}
	if startWhole := whole(start); !errors.Is(startWhole, ErrShort) && text(startWhole) != text(wholeErr) {
		t.Fatalf("%d of %d bytes are %v; all of them are %v", len(start), len(file), startWhole, wholeErr)
	}
	return p, err
}

// whole returns CheckWhole's error. A JPEG that ends among its pixels is not whole.
func whole(file []byte) error {
	addEnd, err := CheckWhole(file)
	if addEnd {
		return errNoMarker
	}
	return err
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// samePlan compares all that Load acts on: the content that the plans of PNGs refer to may differ in length.
func samePlan(p, q Plan) bool {
	if (p.PNG == nil) != (q.PNG == nil) {
		return false
	}
	if p.PNG != nil && (p.PNG.DataBytes != q.PNG.DataBytes || p.PNG.DataChunks != q.PNG.DataChunks) {
		return false
	}
	p.PNG, q.PNG = nil, nil
	return p == q
}

// checkPlan fails unless the plan agrees with itself and with the flags.
func checkPlan(t *testing.T, p Plan, flags abi.LoadFlag) {
	t.Helper()
	for _, image := range []abi.ImageInfo{p.Decoded, p.Result} {
		if checked, err := image.Checked(); err != nil || checked != image || !image.Packed() {
			t.Fatalf("%+v: %v", p, err)
		}
	}
	if p.Orientation < 1 || p.Orientation > 8 {
		t.Fatalf("orientation %d", p.Orientation)
	}
	sides := func(image abi.ImageInfo) [2]uint32 { return [2]uint32{image.Width, image.Height} }
	turned := func(sides [2]uint32) [2]uint32 { return [2]uint32{sides[1], sides[0]} }
	upright := sides(p.Decoded)
	if Transposes(p.Orientation) {
		upright = turned(upright)
	}
	if upright != sides(p.Result) {
		t.Fatalf("%+v, turned by %d, gives %+v", p.Decoded, p.Orientation, p.Result)
	}
	if p.Canvas != sides(p.Decoded) && (p.Format != "TIFF" || p.Canvas != turned(sides(p.Decoded))) {
		t.Fatalf("a canvas of %v for %+v", p.Canvas, p.Decoded)
	}
	if (p.Format == "PNG") != (p.PNG != nil) {
		t.Fatalf("the plan of a %s has the PNG %+v", p.Format, p.PNG)
	}

	eightBits := flags&abi.LoadAnyDepth == 0 && flags != abi.LoadUnchanged
	order, fixed := map[abi.LoadFlag]abi.Order{abi.LoadColor: abi.OrderBGR, abi.LoadGray: abi.OrderGray, abi.LoadBGRA: abi.OrderBGRA}[flags&^abi.LoadAnyDepth]
	switch {
	case eightBits && p.Result.Depth != abi.DepthU8, fixed && p.Result.Order != order:
		t.Fatalf("flags %d give %+v", flags, p.Result)
	case flags == abi.LoadUnchanged && (p.Orientation != 1 || p.Decoded != p.Result || p.Read != ReadUnchanged):
		t.Fatalf("unchanged, and yet %+v", p)
	case p.Read == ReadUnchanged && flags != abi.LoadUnchanged && flags != abi.LoadBGRA:
		t.Fatalf("flags %d read unchanged", flags)
	case strings.HasPrefix(p.Format, "JPEG") && p.Decoded.Order == abi.OrderGray && p.Read&^(ReadAnyDepth|ReadIgnoreOrientation) == ReadGray: // A lossless one, or a JPEG 2000.
	case flags != abi.LoadBGRA && (p.Decoded.Depth != p.Result.Depth || p.Decoded.Order != p.Result.Order):
		t.Fatalf("flags %d convert %+v to %+v", flags, p.Decoded, p.Result)
	}
	if !strings.Contains("JPEG PNG WebP TIFF BMP PNM PFM JPEG 2000", p.Format) || p.Format == "" {
		t.Fatalf("format %q", p.Format)
	}
}

// wantSize fails unless the file can be loaded unchanged and has these sides, channels and depth.
func wantSize(t *testing.T, file []byte, width, height, channels uint32, depth abi.Depth) {
	t.Helper()
	p, err := PlanFor(file, abi.LoadUnchanged.Options())
	if width > abi.MaxDimension || height > abi.MaxDimension || uint64(width)*uint64(height) > abi.MaxPixels {
		if abi.CodeOf(err) != abi.ELimit {
			t.Fatalf("%d x %d: %v", width, height, err)
		}
		return
	}
	if width == 0 || height == 0 {
		if abi.CodeOf(err) != abi.EDecode {
			t.Fatalf("%d x %d: %v", width, height, err)
		}
		return
	}
	if err != nil || p.Canvas != [2]uint32{width, height} || p.Decoded.Channels != channels || p.Decoded.Depth != depth {
		t.Fatalf("%d x %d, %d channels, depth %d: %+v, %v", width, height, channels, depth, p, err)
	}
}
