package probe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/color"
	stdpng "image/png"
	"slices"
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
		p, err := PlanFor(file, abi.LoadColor)
		if err != nil {
			t.Fatal(err)
		}
		got := p.PNG
		if got.Width != 67 || got.Height != 43 || got.BitDepth != want.BitDepth || got.ColourType != want.ColourType ||
			got.Interlace != want.Interlace || got.Compression != 0 || got.Filter != 0 ||
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
	// Chunks between the pixels, and a palette behind them, are not the decoder's; an empty piece is one.
	file := png("IHDR", "\x00\x00\x00\x01\x00\x00\x00\x02\x08\x03\x00\x00\x00", "PLTE", "abc", "PLTE", "def", "tRNS", "", "IDAT", "1",
		"tEXt", "between", "IDAT", "", "IDAT", "23", "PLTE", "ghi", "tRNS", "jkl", "IEND", "") + "trailing bytes"
	p, err := PlanFor([]byte(file), abi.LoadUnchanged)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%q", pieces(p.PNG)); got != `["1" "" "23"]` || p.PNG.DataBytes != 3 || p.PNG.DataChunks != 3 {
		t.Errorf("%s, %d bytes in %d", got, p.PNG.DataBytes, p.PNG.DataChunks)
	}
	if string(p.PNG.Palette) != "abc" || p.PNG.Transparency == nil || len(p.PNG.Transparency) != 0 {
		t.Errorf("palette %q, transparency %q", p.PNG.Palette, p.PNG.Transparency)
	}
	kinds := ""
	for chunk := range p.PNG.Chunks() {
		kinds += string(chunk.Kind[:]) + " "
	}
	if want := "IHDR PLTE PLTE tRNS IDAT tEXt IDAT IDAT PLTE tRNS IEND "; kinds != want {
		t.Errorf("%s, want %s", kinds, want)
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

		// A wrong bit anywhere between the signature and the end of IEND is noticed.
		if end := len(file) - trailing(file); CheckWhole(file) == nil {
			at := len(pngSignature) + int(damage%uint32(end-len(pngSignature)))
			file[at] ^= 1 << (damage % 8)
			if CheckWhole(file) == nil {
				t.Fatalf("a wrong bit in byte %d of %d passes", at, end)
			}
		}

		// The zlib stream comes out as it went in, in pieces of any size.
		stream, chunks := file[:min(len(file), 4000)], []string{"IHDR", "\x00\x00\x00\x43\x00\x00\x00\x2B\x10\x02\x00\x00\x00"}
		for piece := range slices.Chunk(stream, max(1, 16*int(size))) {
			chunks = append(chunks, "IDAT", string(piece))
		}
		built := []byte(png(append(chunks, "IEND", "")...))
		wantSize(t, built, 67, 43, 3, abi.DepthU16)
		if p, _ := PlanFor(built, abi.LoadColor); p.PNG == nil || !bytes.Equal(bytes.Join(pieces(p.PNG), nil), stream) {
			t.Fatal("the pieces are not the stream")
		}
	})
}

// trailing returns how many bytes follow the end of a PNG that is whole.
func trailing(file []byte) int {
	n := 0
	pngChunks(file, func(chunk pngChunk) error { n = len(chunk.rest); return nil })
	return n
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
	first, last, data := "", "", 0
	for chunk := range p.Chunks() {
		if last = string(chunk.Kind[:]); first == "" {
			first = last
		}
		if last == "IDAT" {
			data++
		}
	}
	if first != "IHDR" || last != "IEND" || data != chunks {
		t.Fatalf("chunks from %q to %q, %d of pixels, where %d are told", first, last, data, chunks)
	}
	for piece := range p.Data() { // Stopping early is allowed.
		_ = piece
		break
	}
}
