package probe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
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
