package probe

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shmcv/internal/abi"
)

const testdata = "../../../testdata"

// everyFlag is all that Load knows, by the names that vectors.tsv uses.
var everyFlag = map[string]abi.LoadFlag{
	"color": abi.LoadColor, "gray": abi.LoadGray, "unchanged": abi.LoadUnchanged, "bgra": abi.LoadBGRA,
	"color+any_depth": abi.LoadColor | abi.LoadAnyDepth, "gray+any_depth": abi.LoadGray | abi.LoadAnyDepth,
}

// content returns a file of the test data.
func content(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testdata, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// vectors returns the rows of one kind, without that column; testdata/README.md describes them.
func vectors(t testing.TB, kind string) (rows [][]string) {
	t.Helper()
	for line := range strings.Lines(string(content(t, "vectors.tsv"))) {
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

// wholeFiles returns the small files that can be loaded: every format, and every way in which OpenCV decodes it.
func wholeFiles(t testing.TB) map[string][]byte {
	t.Helper()
	const small = 64 << 10
	files := map[string][]byte{}
	for _, row := range vectors(t, "load") {
		if whole := content(t, row[0]); len(whole) < small {
			files[row[0]] = whole
		}
	}
	return files
}

func TestPlansAreWhatTheVectorsSay(t *testing.T) {
	for _, row := range vectors(t, "load") {
		file := content(t, row[0])
		p, err := PlanFor(file, everyFlag[row[1]].Options())
		if err != nil {
			t.Errorf("%s, %s: %v", row[0], row[1], err)
			continue
		}
		depth := map[abi.Depth]string{abi.DepthU8: "u8", abi.DepthU16: "u16", abi.DepthF32: "f32"}[p.Result.Depth]
		order := map[abi.Order]string{abi.OrderGray: "gray", abi.OrderBGR: "bgr", abi.OrderBGRA: "bgra"}[p.Result.Order]
		got := []string{fmt.Sprint(p.Result.Width), fmt.Sprint(p.Result.Height), fmt.Sprint(p.Result.Channels), depth, order}
		if want := row[2:7]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s, %s: %v, want %v", row[0], row[1], got, want)
		}
		if _, err := CheckWhole(file); err != nil {
			t.Errorf("%s: %v", row[0], err)
		}
	}
}

// TestBadFilesAreRefusedByTheirHeadersOrLeftToTheDecoder looks at the vectors of errors. What the pixels alone tell is
// the decoder's to notice, and the size of the segment is Load's.
func TestBadFilesAreRefusedByTheirHeadersOrLeftToTheDecoder(t *testing.T) {
	codes := map[string]abi.Code{"E_DECODE": abi.EDecode, "E_UNSUPPORTED": abi.EUnsupported, "E_LIMIT": abi.ELimit}
	for _, row := range vectors(t, "error") {
		want, ok := codes[row[3]]
		if !ok {
			continue
		}
		file := content(t, row[0])
		if len(file) == 0 { // Load itself refuses an empty file.
			continue
		}
		_, err := PlanFor(file, everyFlag[row[1]].Options())
		if err == nil {
			err = whole(file)
		}
		if errors.Is(err, ErrShort) {
			err = abi.Errorf(abi.EDecode, "%w", err)
		}
		if got := abi.CodeOf(err); err != nil && got != want {
			t.Errorf("%s, %s: %v (code %d), want %s", row[0], row[1], err, got, row[3])
		}
		if want != abi.EDecode && err == nil {
			t.Errorf("%s, %s: no error, want %s", row[0], row[1], row[3])
		}
	}
}

func TestStructureIsCheckedToTheLastByte(t *testing.T) {
	for name, file := range wholeFiles(t) {
		if name == "unusual/no-end.jpg" {
			continue
		}
		if err := whole(file); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if isBMP(file) || isPNM(file) || isPFM(file) || name == "small-trailing-bytes.jpg" { // OpenCV notices; the bytes do not matter
			continue
		}
		for length := pixelsEnd(t, file) - 1; length > 40; length-- {
			if whole(file[:length]) == nil {
				t.Errorf("%s: %d of %d bytes pass for whole", name, length, len(file))
				break
			}
		}
	}
	for _, name := range []string{"truncated.tif", "header-only.tif"} { // the directory is there, its strips are not
		if whole(content(t, name)) == nil {
			t.Errorf("%s passes for whole", name)
		}
	}
	file := content(t, "small-bgr.png")
	pixels := bytes.Index(file, []byte("IDAT"))
	for _, part := range [][2]int{{len(pngSignature) + 8, len(pngSignature) + 25}, {pixels + 4, len(file) - 12}} {
		for at := part[0]; at < part[1]; at++ {
			damaged := bytes.Clone(file)
			damaged[at] ^= 1
			if whole(damaged) == nil {
				t.Fatalf("a wrong bit in byte %d of a PNG passes", at)
			}
		}
	}
}

// pixelsEnd is the number of bytes that a file cannot do without: a TIFF may have odds and ends after its last strip.
func pixelsEnd(t *testing.T, whole []byte) int {
	t.Helper()
	if !isTIFF(whole) {
		return len(whole)
	}
	directory, err := readTIFF(whole)
	if err != nil {
		t.Fatal(err)
	}
	end := uint64(0)
	for _, tags := range [][2]uint64{{tiffStripOffsets, tiffStripBytes}, {tiffTileOffsets, tiffTileBytes}} {
		offsets, sizes := directory.fields[tags[0]], directory.fields[tags[1]]
		for i := range offsets.count {
			end = max(end, directory.element(offsets, i)+directory.element(sizes, i))
		}
	}
	if end == 0 {
		t.Fatal("the TIFF has no strips")
	}
	return int(end)
}

func TestUnknownFlagsAreInvalid(t *testing.T) {
	file := content(t, "small.jpg")
	for _, flag := range []abi.LoadFlag{-2, -3, 4, 5, 7, 8, 16, 128, 256, abi.LoadBGRA | abi.LoadAnyDepth, 1 << 30} {
		if _, err := PlanFor(file, flag.Options()); abi.CodeOf(err) != abi.EInvalid {
			t.Errorf("flags %d: %v", flag, err)
		}
	}
}
