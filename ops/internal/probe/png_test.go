package probe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/color"
	stdpng "image/png"
	"slices"
	"strings"
	"testing"

	"shmcv/internal/abi"
)

// png returns a PNG file of chunks: kinds and bodies in turn. Its checksums are right.
func png(kindsAndBodies ...string) string {
	file := []byte(pngSignature)
	for i := 0; i < len(kindsAndBodies); i += 2 {
		kind, body := kindsAndBodies[i], kindsAndBodies[i+1]
		file = binary.BigEndian.AppendUint32(file, uint32(len(body)))
		file = append(append(file, kind...), body...)
		file = binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE([]byte(kind+body)))
	}
	return string(file)
}

func TestPNGsTellTheDecoderWhatItNeeds(t *testing.T) {
	for name, want := range map[string]PNG{
		"small-bgr.png":          {BitDepth: 8, ColourType: PNGColour},
		"small-bgra16.png":       {BitDepth: 16, ColourType: PNGColourAlpha},
		"small-gray-alpha.png":   {BitDepth: 8, ColourType: PNGGrayAlpha},
		"small-1bit.png":         {BitDepth: 1, ColourType: PNGGray},
		"small-interlaced.png":   {BitDepth: 8, ColourType: PNGColour, Interlace: 1},
		"small-palette.png":      {BitDepth: 8, ColourType: PNGPalette, Palette: make([]byte, 3*64)},
		"small-palette-trns.png": {BitDepth: 8, ColourType: PNGPalette, Palette: make([]byte, 3*64), Transparency: make([]byte, 64)},
	} {
		file := content(t, name)
		p, err := PlanFor(file, abi.LoadColor.Options())
		if err != nil {
			t.Fatal(err)
		}
		got := p.PNG
		if got.Width != 67 || got.Height != 43 || got.BitDepth != want.BitDepth || got.ColourType != want.ColourType ||
			got.Interlace != want.Interlace ||
			len(got.Palette) != len(want.Palette) || len(got.Transparency) != len(want.Transparency) {
			t.Errorf("%s: %+v", name, *got)
		}
		stream := bytes.Join(pieces(got), nil)
		if len(stream) < 2 || uint64(len(stream)) != got.DataBytes || stream[0]&0x0F != 8 {
			t.Errorf("%s: %d bytes, %d told, that begin with % x are no zlib stream", name, len(stream), got.DataBytes, stream[:min(2, len(stream))])
		}
	}
}

func pieces(p *PNG) (all [][]byte) {
	for piece := range p.Data() {
		all = append(all, piece)
	}
	return all
}

func TestPNGsOfManyPiecesGiveThemInOrder(t *testing.T) {
	// A palette behind the pixels is not the decoder's; an empty piece is one.
	file := png("IHDR", "\x00\x00\x00\x01\x00\x00\x00\x02\x08\x03\x00\x00\x00", "PLTE", "abcdef", "tRNS", "", "tRNS", "xyz", "tRNS", "a",
		"tRNS", "b", "IDAT", "1", "IDAT", "", "IDAT", "23", "PLTE", "ghi", "tRNS", "jk", "IEND", "") + "trailing bytes"
	p, err := PlanFor([]byte(file), abi.LoadUnchanged.Options())
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%q", pieces(p.PNG)); got != `["1" "" "23"]` || p.PNG.DataBytes != 3 || p.PNG.DataChunks != 3 {
		t.Errorf("%s, %d bytes in %d", got, p.PNG.DataBytes, p.PNG.DataChunks)
	}
	if string(p.PNG.Palette) != "abcdef" || string(p.PNG.Transparency) != "a" {
		t.Errorf("palette %q, transparency %q", p.PNG.Palette, p.PNG.Transparency)
	}
}

// TestOddPNGsAreJudgedAsCV2Judges has the answers of cv2 4.14.0, which reads PNGs with libpng.
func TestOddPNGsAreJudgedAsCV2Judges(t *testing.T) {
	const colour, indexed = "\x00\x00\x00\x01\x00\x00\x00\x02\x08\x02\x00\x00\x00", "\x00\x00\x00\x01\x00\x00\x00\x02\x08\x03\x00\x00\x00"
	const turned = "MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
	damaged := func(file, chunk string) string {
		at := strings.Index(file, chunk) + 4
		return file[:at] + string(file[at]^1) + file[at+1:]
	}
	for name, c := range map[string]struct {
		file string
		code abi.Code  // Of PlanFor, or else of CheckWhole.
		want [3]uint32 // Width, height and channels, as a colour image but for the channels.
	}{
		"a damaged text":                    {damaged(png("IHDR", colour, "tEXt", "a\x00b", "IDAT", "x", "IEND", ""), "tEXt"), abi.OK, [3]uint32{1, 2, 3}},
		"a damaged time behind the pixels":  {damaged(png("IHDR", colour, "IDAT", "x", "tIME", "1234567", "IEND", ""), "tIME"), abi.OK, [3]uint32{1, 2, 3}},
		"a damaged transparency":            {damaged(png("IHDR", colour, "tRNS", "abcdef", "IDAT", "x", "IEND", ""), "tRNS"), abi.OK, [3]uint32{1, 2, 3}},
		"a short transparency":              {png("IHDR", colour, "tRNS", "abcd", "IDAT", "x", "IEND", ""), abi.OK, [3]uint32{1, 2, 3}},
		"a transparency":                    {png("IHDR", colour, "tRNS", "abcdef", "IDAT", "x", "IEND", ""), abi.OK, [3]uint32{1, 2, 4}},
		"a damaged orientation":             {damaged(png("IHDR", colour, "eXIf", turned, "IDAT", "x", "IEND", ""), "eXIf"), abi.OK, [3]uint32{1, 2, 3}},
		"an orientation":                    {png("IHDR", colour, "eXIf", turned, "IDAT", "x", "IEND", ""), abi.OK, [3]uint32{2, 1, 3}},
		"an EXIF block that cannot be read": {png("IHDR", colour, "eXIf", "II*\x00\x08\x00\x00\x00\x01\x00", "IDAT", "x", "IEND", ""), abi.OK, [3]uint32{1, 2, 3}},
		"a suggested palette, damaged":      {damaged(png("IHDR", colour, "PLTE", "abc", "IDAT", "x", "IEND", ""), "PLTE"), abi.OK, [3]uint32{1, 2, 3}},
		"a suggested palette of 4 bytes":    {png("IHDR", colour, "PLTE", "abcd", "IDAT", "x", "IEND", ""), abi.OK, [3]uint32{1, 2, 3}},
		"an end with content":               {png("IHDR", colour, "IDAT", "x", "IEND", "x"), abi.OK, [3]uint32{1, 2, 3}},
		"a damaged end":                     {png("IHDR", colour, "IDAT", "x") + "\x00\x00\x00\x00IENDabcd", abi.OK, [3]uint32{1, 2, 3}},
		"1200 texts":                        {png(append(append([]string{"IHDR", colour}, slices.Repeat([]string{"tEXt", "a\x00b"}, 1200)...), "IDAT", "x", "IEND", "")...), abi.OK, [3]uint32{1, 2, 3}},
		"damaged pixels":                    {damaged(png("IHDR", colour, "IDAT", "x", "IEND", ""), "IDAT"), abi.EDecode, [3]uint32{}},
		"a damaged palette":                 {damaged(png("IHDR", indexed, "PLTE", "abc", "IDAT", "x", "IEND", ""), "PLTE"), abi.EDecode, [3]uint32{}},
		"a palette of 4 bytes":              {png("IHDR", indexed, "PLTE", "abcd", "IDAT", "x", "IEND", ""), abi.EDecode, [3]uint32{}},
		"no palette":                        {png("IHDR", indexed, "IDAT", "x", "IEND", ""), abi.EDecode, [3]uint32{}},
		"two palettes":                      {png("IHDR", indexed, "PLTE", "abc", "PLTE", "def", "IDAT", "x", "IEND", ""), abi.EDecode, [3]uint32{}},
		"two headers":                       {png("IHDR", colour, "IHDR", colour, "IDAT", "x", "IEND", ""), abi.EDecode, [3]uint32{}},
		"pixels in two places":              {png("IHDR", colour, "IDAT", "x", "tEXt", "a\x00b", "IDAT", "x", "IEND", ""), abi.EDecode, [3]uint32{}},
		"a colour type that does not exist": {png("IHDR", "\x00\x00\x00\x01\x00\x00\x00\x02\x08\x05\x00\x00\x00", "IDAT", "x", "IEND", ""), abi.EDecode, [3]uint32{}},
		"an unknown critical chunk":         {png("IHDR", colour, "ABCD", "", "IDAT", "x", "IEND", ""), abi.EUnsupported, [3]uint32{}},
	} {
		p, err := PlanFor([]byte(c.file), abi.LoadColor.Options())
		unchanged, _ := PlanFor([]byte(c.file), abi.LoadUnchanged.Options())
		if err == nil {
			err = whole([]byte(c.file))
		}
		got := [3]uint32{p.Result.Width, p.Result.Height, unchanged.Result.Channels}
		if abi.CodeOf(err) != c.code || err == nil && got != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func FuzzPNG(f *testing.F) {
	for i, file := range seeds(f, isPNG) {
		f.Add(file, uint32(len(file)-i), uint32(len(file)/2), uint8(3))
	}
	f.Fuzz(func(t *testing.T, file []byte, cut, damage uint32, size uint8) {
		file = beginning(pngSignature, file)
		p, err := checkSound(t, file, abi.LoadUnchanged, cut)
		checkSound(t, file, abi.LoadBGRA, cut)
		if err == nil {
			checkPNG(t, p.PNG)
		}

		// Go's own decoder is stricter; of what both read, they say the same.
		if theirs, theirErr := stdpng.DecodeConfig(bytes.NewReader(file)); err == nil && theirErr == nil {
			deep := theirs.ColorModel == color.Gray16Model || theirs.ColorModel == color.RGBA64Model || theirs.ColorModel == color.NRGBA64Model
			if int(p.Result.Width) != theirs.Width || int(p.Result.Height) != theirs.Height || (p.Result.Depth == abi.DepthU16) != deep {
				t.Fatalf("%+v, where image/png has %d x %d, of 16 bits: %t", p.Result, theirs.Width, theirs.Height, deep)
			}
		}

		// A wrong bit anywhere in the pixels is noticed.
		if err == nil && p.PNG.DataBytes > 0 {
			if whole(file) == nil {
				piece := slices.MaxFunc(pieces(p.PNG), func(a, b []byte) int { return len(a) - len(b) })
				piece[damage%uint32(len(piece))] ^= 1 << (damage % 8)
				if whole(file) == nil {
					t.Fatalf("a wrong bit in a piece of %d bytes passes", len(piece))
				}
			}
		}

		// The zlib stream comes out as it went in, in pieces of any size.
		stream, chunks := file[:min(len(file), 4000)], []string{"IHDR", "\x00\x00\x00\x43\x00\x00\x00\x2B\x10\x02\x00\x00\x00"}
		for piece := range slices.Chunk(stream, max(1, 16*int(size))) {
			chunks = append(chunks, "IDAT", string(piece))
		}
		built := []byte(png(append(chunks, "IEND", "")...))
		wantSize(t, built, 67, 43, 3, abi.DepthU16)
		if p, _ := PlanFor(built, abi.LoadColor.Options()); p.PNG == nil || !bytes.Equal(bytes.Join(pieces(p.PNG), nil), stream) {
			t.Fatal("the pieces are not the stream")
		}
	})
}

// checkPNG fails unless what a decoder is given agrees with itself.
func checkPNG(t *testing.T, p *PNG) {
	t.Helper()
	bytes, chunks := uint64(0), 0
	for piece := range p.Data() {
		bytes += uint64(len(piece))
		chunks++
	}
	if bytes != p.DataBytes || chunks != p.DataChunks || chunks == 0 {
		t.Fatalf("%d bytes in %d pieces, and told are %d in %d", bytes, chunks, p.DataBytes, p.DataChunks)
	}
	for piece := range p.Data() { // Stopping early is allowed.
		_ = piece
		break
	}
}
