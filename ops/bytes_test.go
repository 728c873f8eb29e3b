package ops

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"shmcv/internal/abi"
)

func TestBytesAreWhatTheirFileIs(t *testing.T) {
	for _, row := range vectors(t, "load") {
		t.Run(row[0]+","+row[1], func(t *testing.T) {
			flag, file := flagNamed(t, row[1]), content(t, row[0])
			fromFile := loaded(t, filepath.Join(testdata, row[0]), flag)
			before := bytes.Clone(file)
			image, err := ProbeBytes(file, flag.Options())
			if err != nil || image != fromFile.ImageInfo {
				t.Fatalf("probe: %v, %v; want %v", image, err, fromFile.ImageInfo)
			}
			for _, shared := range []bool{false, true} {
				memory := make([]byte, image.Bytes())
				if image, err = Decode(file, shared, flag.Options(), memory, false); err != nil || image != fromFile.ImageInfo {
					t.Fatalf("decode: %v, %v; want %v", image, err, fromFile.ImageInfo)
				}
				if !bytes.Equal(memory, fromFile.Data) {
					t.Errorf("shared %v: other pixels than the file's", shared)
				}
			}
			if !bytes.Equal(file, before) {
				t.Error("the bytes were written to")
			}
		})
	}
}

func TestBytesThatOverlapTheTargetAreDecodedWhenShared(t *testing.T) {
	const name = "patches.png"
	want := loaded(t, filepath.Join(testdata, name), abi.LoadColor)
	file := content(t, name)
	memory := make([]byte, max(len(want.Data), len(file)))
	copy(memory, file)
	if _, err := Decode(memory[:len(file)], true, abi.LoadColor.Options(), memory, false); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(memory[:len(want.Data)], want.Data) {
		t.Error("the pixels are not the file's")
	}
}

func TestBytesGiveTheErrorsOfTheirFile(t *testing.T) {
	for _, row := range vectors(t, "error") {
		file, err := os.ReadFile(filepath.Join(testdata, row[0]))
		if err != nil || len(file) == 0 {
			continue // A folder, or no file at all: a matter of paths.
		}
		t.Run(strings.Join(row[:3], ","), func(t *testing.T) {
			var room int
			if _, err := fmt.Sscan(row[2], &room); err != nil {
				t.Fatal(err)
			}
			memory := bytes.Repeat([]byte{7}, room)
			before := bytes.Clone(memory)
			_, fromFile := Load(filepath.Join(testdata, row[0]), flagNamed(t, row[1]).Options(), memory, true)
			_, err := Decode(file, false, flagNamed(t, row[1]).Options(), memory, true)
			if abi.CodeOf(err) != abi.CodeOf(fromFile) {
				t.Fatalf("%v; the file: %v", err, fromFile)
			}
			if err == nil {
				return
			}
			where := fmt.Sprintf("decode %d bytes: ", len(file))
			if _, reason, _ := strings.Cut(fromFile.Error(), "\": "); err.Error() != where+reason {
				t.Errorf("%q, want %q", err, where+reason)
			}
			if !bytes.Equal(memory, before) {
				t.Error("the old image was written to")
			}
		})
	}
}

func TestNoBytesAreNoImage(t *testing.T) {
	for _, none := range [][]byte{nil, {}} {
		if _, err := ProbeBytes(none, abi.LoadColor.Options()); abi.CodeOf(err) != abi.EDecode {
			t.Errorf("probe: %v", err)
		}
		if _, err := Decode(none, false, abi.LoadColor.Options(), nil, false); abi.CodeOf(err) != abi.EDecode {
			t.Errorf("decode: %v", err)
		}
	}
}

func TestTheFirstBytesOfAFileAreEnoughToProbeIt(t *testing.T) {
	whole := content(t, "photograph.jpg")
	want, err := ProbeBytes(whole, abi.LoadColor.Options())
	if err != nil {
		t.Fatal(err)
	}
	for length := 1; ; length *= 2 {
		got, err := ProbeBytes(whole[:length], abi.LoadColor.Options())
		if err == nil && got == want {
			return
		}
		if length*2 > len(whole) || err == nil || abi.CodeOf(err) != abi.EDecode && abi.CodeOf(err) != abi.EUnsupported {
			t.Fatalf("%d of %d bytes: %v, %v", length, len(whole), got, err)
		}
	}
}

func TestEncodeGivesTheBytesThatSaveWrites(t *testing.T) {
	for extension, format := range encoders {
		for _, channels := range format.channels {
			for _, depth := range format.depths {
				order := map[rune]abi.Order{'1': abi.OrderGray, '3': abi.OrderRGB, '4': abi.OrderBGRA}[channels]
				image := noise(33, 17, depth, order, 8)
				name := filepath.Join(t.TempDir(), "saved"+extension)
				if err := Save(name, image, abi.QualityDefault); err != nil {
					t.Fatal(err)
				}
				saved, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				encoded, err := Encode(strings.ToUpper(extension), image, abi.QualityDefault)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(encoded.Bytes(), saved) {
					t.Errorf("%s of %s: other bytes than the file's", extension, describe(image.ImageInfo))
				}
				encoded.Free()
			}
		}
	}
}

func TestEncodeSaysWhatItCannotDo(t *testing.T) {
	image := noise(4, 4, abi.DepthU16, abi.OrderBGR, 0)
	for _, c := range []struct {
		extension string
		quality   int32
		want      abi.Code
	}{
		{"", -1, abi.EUnsupported}, {"png", -1, abi.EUnsupported}, {".gif", -1, abi.EUnsupported}, {"/tmp/x.png", -1, abi.EUnsupported},
		{".jpg", -1, abi.EUnsupported}, {".png", 10, abi.EInvalid}, {".tif", 1, abi.EInvalid},
	} {
		if _, err := Encode(c.extension, image, c.quality); abi.CodeOf(err) != c.want {
			t.Errorf("%q, quality %d: %v, want %v", c.extension, c.quality, err, c.want)
		}
	}
	if _, err := EncodeBound(".jpg", image.ImageInfo); abi.CodeOf(err) != abi.EUnsupported {
		t.Errorf("the bound of a JPEG of 16 bits: %v", err)
	}
	if _, err := EncodeBound("jpg", image.ImageInfo); abi.CodeOf(err) != abi.EUnsupported {
		t.Errorf("the bound without a dot: %v", err)
	}
}

// The encoders find nothing to save in noise, which is what a bound is for.
func TestNoFileIsLargerThanItsBound(t *testing.T) {
	qualities := map[*encoder][]int32{&jpegEncoder: {0, 95, 100}, &pngEncoder: {0, 1, 9}, &webpEncoder: {1, 100, 101}}
	for extension, format := range encoders {
		for _, channels := range format.channels {
			for _, depth := range format.depths {
				for _, side := range [][2]uint32{{1, 1}, {1, 300}, {300, 1}, {17, 33}, {640, 200}} {
					order := map[rune]abi.Order{'1': abi.OrderGray, '3': abi.OrderBGR, '4': abi.OrderBGRA}[channels]
					image := noise(side[0], side[1], depth, order, 0)
					bound, err := EncodeBound(extension, image.ImageInfo)
					if err != nil {
						t.Fatal(err)
					}
					for _, quality := range append(qualities[format], abi.QualityDefault) {
						encoded, err := Encode(extension, image, quality)
						if err != nil {
							t.Fatal(err)
						}
						if size := uint64(len(encoded.Bytes())); size > bound {
							t.Errorf("%s of %s, quality %d: %d bytes, the bound is %d", extension, describe(image.ImageInfo), quality, size, bound)
						}
						encoded.Free()
					}
				}
			}
		}
	}
}
