package ops

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"shmcv/internal/abi"
)

const testdata = "../testdata"

var flagNames = map[string]abi.LoadFlag{
	"color": abi.LoadColor, "gray": abi.LoadGray, "unchanged": abi.LoadUnchanged, "bgra": abi.LoadBGRA,
	"color+any_depth": abi.LoadColor | abi.LoadAnyDepth, "gray+any_depth": abi.LoadGray | abi.LoadAnyDepth,
}

var resultNames = map[string]abi.Code{
	"OK": abi.OK, "E_INVALID": abi.EInvalid, "E_NOT_FOUND": abi.ENotFound, "E_TOO_SMALL": abi.ETooSmall, "E_DECODE": abi.EDecode,
	"E_UNSUPPORTED": abi.EUnsupported, "E_LIMIT": abi.ELimit, "E_ENCODE": abi.EEncode,
}

// vectors gives the rows of one kind, without that column; testdata/README.md describes them.
func vectors(t *testing.T, kind string) [][]string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(testdata, "vectors.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(content)) {
		columns := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if columns[0] == kind {
			rows = append(rows, columns[1:])
		}
	}
	if len(rows) == 0 {
		t.Fatalf("no rows of the kind %q", kind)
	}
	return rows
}

func flagNamed(t *testing.T, name string) abi.LoadFlag {
	t.Helper()
	flag, ok := flagNames[name]
	if !ok {
		t.Fatalf("no flag %q", name)
	}
	return flag
}

func resultNamed(t *testing.T, name string) abi.Code {
	t.Helper()
	code, ok := resultNames[name]
	if !ok {
		t.Fatalf("no result %q", name)
	}
	return code
}

func number(t *testing.T, text string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// imageNamed reads the five columns that describe an image.
func imageNamed(t *testing.T, columns []string) abi.ImageInfo {
	t.Helper()
	depth := map[string]abi.Depth{"u8": abi.DepthU8, "u16": abi.DepthU16, "f32": abi.DepthF32}[columns[3]]
	order := map[string]abi.Order{"gray": abi.OrderGray, "bgr": abi.OrderBGR, "bgra": abi.OrderBGRA, "rgb": abi.OrderRGB, "rgba": abi.OrderRGBA}[columns[4]]
	image := abi.NewImageInfo(uint32(number(t, columns[0])), uint32(number(t, columns[1])), depth, order)
	if uint64(image.Channels) != number(t, columns[2]) {
		t.Fatalf("%v describes no image", columns)
	}
	return image
}

// loaded loads a file into memory of just the size that Probe says.
func loaded(t testing.TB, path string, flag abi.LoadFlag) Pixels {
	t.Helper()
	image, err := Probe(path, flag.Options())
	if err != nil {
		t.Fatal(err)
	}
	memory := make([]byte, image.Bytes())
	got, err := Load(path, flag.Options(), memory, false)
	if err != nil {
		t.Fatal(err)
	}
	if got != image {
		t.Fatalf("%s: Probe says %s, Load %s", path, describe(image), describe(got))
	}
	return Pixels{ImageInfo: got, Data: memory}
}

func checksum(p Pixels) string { return fmt.Sprintf("%08x", crc32.ChecksumIEEE(packed(p))) }

func TestLoadGivesThePixelsOfCV2(t *testing.T) {
	for _, row := range vectors(t, "load") {
		t.Run(row[0]+","+row[1], func(t *testing.T) {
			path, flag, want := filepath.Join(testdata, row[0]), flagNamed(t, row[1]), imageNamed(t, row[2:7])
			got := loaded(t, path, flag)
			if got.ImageInfo != want {
				t.Fatalf("%s, want %s", describe(got.ImageInfo), describe(want))
			}
			if checksum(got) != row[7] {
				t.Errorf("checksum %s, want %s", checksum(got), row[7])
			}
			kept := noise(want.Width, want.Height, want.Depth, want.Order, 0)
			if _, err := Load(path, flag.Options(), kept.Data, true); err != nil || !bytes.Equal(kept.Data, got.Data) {
				t.Errorf("over an image that is to be kept: %v, or other pixels", err)
			}
		})
	}
}

func TestLoadedPixelsHaveTheFilesColours(t *testing.T) {
	for _, row := range vectors(t, "pixel") {
		p := loaded(t, filepath.Join(testdata, row[0]), flagNamed(t, row[1]))
		x, y := uint32(number(t, row[2])), uint32(number(t, row[3]))
		tolerance := float64(number(t, row[5]))
		for i, text := range strings.Split(row[4], ",") {
			want, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatal(err)
			}
			if got := sample(p, x*p.Channels+uint32(i), y); math.Abs(got-want) > tolerance {
				t.Errorf("%v: sample %d is %g, want %g", row, i, got, want)
			}
		}
	}
}

// sample is the i-th sample of a row.
func sample(p Pixels, i, y uint32) float64 {
	at := p.row(y)[uint64(i)*p.Depth.Bytes():]
	switch p.Depth {
	case abi.DepthU16:
		return float64(binary.NativeEndian.Uint16(at))
	case abi.DepthF32:
		return float64(math.Float32frombits(binary.NativeEndian.Uint32(at)))
	}
	return float64(at[0])
}

func TestFlipGivesThePixelsOfCV2(t *testing.T) {
	for _, row := range vectors(t, "flip") {
		src := loaded(t, filepath.Join(testdata, row[0]), flagNamed(t, row[1]))
		code, err := strconv.Atoi(row[2])
		if err != nil {
			t.Fatal(err)
		}
		dst := clone(src)
		clear(dst.Data)
		if err := Flip(src, dst, abi.FlipCode(code)); err != nil || checksum(dst) != row[3] {
			t.Errorf("%v: %v, checksum %s", row, err, checksum(dst))
		}
		if err := Flip(src, src, abi.FlipCode(code)); err != nil || checksum(src) != row[3] {
			t.Errorf("%v in place: %v, checksum %s", row, err, checksum(src))
		}
	}
}

func TestSaveGivesThePixelsOfCV2(t *testing.T) {
	for _, row := range vectors(t, "save") {
		t.Run(strings.Join(row[:4], ","), func(t *testing.T) {
			src := loaded(t, filepath.Join(testdata, row[0]), flagNamed(t, row[1]))
			extension := row[2]
			if extension == "-" {
				extension = ""
			}
			quality, err := strconv.Atoi(row[3])
			if err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			path := filepath.Join(folder, "saved"+extension)
			err = Save(path, src, int32(quality))
			if got := abi.CodeOf(err); got != resultNamed(t, row[4]) {
				t.Fatalf("%v (code %d)", err, got)
			}
			if err != nil {
				checkFiles(t, folder)
				return
			}
			checkFiles(t, folder, "saved"+extension)
			back := loaded(t, path, abi.LoadUnchanged)
			if want := imageNamed(t, row[5:10]); back.ImageInfo != want {
				t.Fatalf("%s, want %s", describe(back.ImageInfo), describe(want))
			}
			if checksum(back) != row[10] {
				t.Errorf("checksum %s, want %s", checksum(back), row[10])
			}
		})
	}
}

// checkFiles fails unless the folder holds these files and nothing else.
func checkFiles(t *testing.T, folder string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if fmt.Sprint(names) != fmt.Sprint(want) {
		t.Errorf("the folder holds %q, want %q", names, want)
	}
}

func TestLoadRefusesBadFilesAndKeepsTheOldImage(t *testing.T) {
	for _, row := range vectors(t, "error") {
		t.Run(row[0]+","+row[1], func(t *testing.T) {
			old := noise(uint32(number(t, row[2])), 1, abi.DepthU8, abi.OrderGray, 0)
			memory := clone(old).Data
			_, err := Load(filepath.Join(testdata, row[0]), flagNamed(t, row[1]).Options(), memory, true)
			if got := abi.CodeOf(err); got != resultNamed(t, row[3]) {
				t.Errorf("%v (code %d), want %s", err, got, row[3])
			}
			if !bytes.Equal(memory, old.Data) {
				t.Error("the memory has changed")
			}
		})
	}
}

func TestResizeGivesThePixelsOfCV2(t *testing.T) {
	for _, row := range vectors(t, "resize") {
		src := loaded(t, filepath.Join(testdata, row[0]), flagNamed(t, row[1]))
		dst := noise(uint32(number(t, row[2])), uint32(number(t, row[3])), src.Depth, src.Order, 0)
		if err := Resize(src, dst, abi.Interpolation(number(t, row[4]))); err != nil || checksum(dst) != row[5] {
			t.Errorf("%v: %v, checksum %s", row, err, checksum(dst))
		}
	}
}

func TestRotateGivesThePixelsOfCV2(t *testing.T) {
	for _, row := range vectors(t, "rotate") {
		src := loaded(t, filepath.Join(testdata, row[0]), flagNamed(t, row[1]))
		code := abi.RotateCode(number(t, row[2]))
		dst := noise(src.Height, src.Width, src.Depth, src.Order, 0)
		if code == abi.Rotate180 {
			dst = clone(src)
		}
		clear(dst.Data)
		if err := Rotate(src, dst, code); err != nil || checksum(dst) != row[3] {
			t.Errorf("%v: %v, checksum %s", row, err, checksum(dst))
		}
	}
}
