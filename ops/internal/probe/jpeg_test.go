package probe

import (
	"bytes"
	"image/color"
	"image/jpeg"
	"sort"
	"testing"

	"shmcv/internal/abi"
)

func FuzzJPEG(f *testing.F) {
	for i, file := range seeds(f, isJPEG) {
		f.Add(file, uint32(len(file)-i), uint16(67), uint16(43))
	}
	f.Fuzz(func(t *testing.T, file []byte, cut uint32, width, height uint16) {
		file = beginning("\xFF\xD8\xFF", file)
		p, err := checkSound(t, file, abi.LoadUnchanged, cut)
		checkSound(t, file, abi.LoadColor, cut)

		// Go's own decoder reads fewer kinds of JPEG; of those that both read, they say the same.
		if theirs, theirErr := jpeg.DecodeConfig(bytes.NewReader(file)); err == nil && theirErr == nil {
			gray := theirs.ColorModel == color.GrayModel
			if int(p.Result.Width) != theirs.Width || int(p.Result.Height) != theirs.Height || (p.Result.Channels == 1) != gray {
				t.Fatalf("%+v, where image/jpeg has %d x %d, gray: %t", p.Result, theirs.Width, theirs.Height, gray)
			}
		}

		// A file that is whole ends with its end marker; what follows is not needed.
		if whole(file) == nil {
			const signature = 3
			end := signature + sort.Search(len(file)-signature, func(n int) bool { return whole(file[:signature+n]) == nil })
			if !bytes.HasSuffix(file[:end], []byte{0xFF, jpegEOI}) {
				t.Fatalf("whole with its first %d bytes, which end in % x", end, file[max(0, end-8):end])
			}
		}

		// Whatever stands in a segment ahead of the frame header does not matter, nor does a marker that looks like one.
		comment := file[:min(len(file), 65533)]
		built := append([]byte{0xFF, 0xD8, 0xFF, 0xFE, byte((len(comment) + 2) >> 8), byte(len(comment) + 2)}, comment...)
		built = append(built, 0xFF, 0xC4, 0, 2, 0xFF, 0xC8, 0, 2, 0xFF, 0xCC, 0, 2)
		built = append(built, 0xFF, 0xFF, 0xC2, 0, 9, 8, byte(height>>8), byte(height), byte(width>>8), byte(width), 3, 0, 0, 0xFF, jpegSOS, 0, 2)
		wantSize(t, built, uint32(width), uint32(height), 3, abi.DepthU8)
	})
}
