package probe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"iter"
	"strings"

	"shmcv/internal/abi"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// PNG's colour types, as its header has them.
const (
	PNGGray        = 0
	PNGColour      = 2
	PNGPalette     = 3
	PNGGrayAlpha   = 4
	PNGColourAlpha = 6
)

// PNG is what a PNG file says of its pixels: what a decoder needs beside the plan. Slices are parts of the content that
// PlanFor was given; nobody may write to them.
//
// PlanFor has seen that the header is valid, that no chunk is missing or in a wrong place, and that none is unknown that
// a decoder must know. CheckWhole checks the checksums.
type PNG struct {
	Width, Height uint32
	BitDepth      uint8 // Of a sample, or of an index into the palette: 1, 2, 4, 8 or 16, as the colour type allows.
	ColourType    uint8 // One of the five above.
	Interlace     uint8 // 0: rows in order; 1: Adam7.

	Palette      []byte // 3 bytes a colour, at least one colour, for PNGPalette; nil for others.
	Transparency []byte // The body of tRNS: for PNGPalette 1 to as many bytes as there are colours; for PNGColour 6; else nil.

	DataBytes  uint64 // Length of the zlib stream: the bodies of all IDAT chunks together.
	DataChunks int    // Number of IDAT chunks, at least 1.

	data []byte // From the first IDAT on.
}

// Data yields the pieces of the zlib stream: the bodies of all IDAT chunks, in their order, empty ones too. Where
// DataChunks is 1, the one piece is the whole stream, and no copy is needed to have it in one place. Data keeps no list,
// since a file of 1 GiB can have 90 million chunks; finding the next chunk costs a few nanoseconds.
func (p *PNG) Data() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for rest := p.data; ; {
			chunk, err := firstChunk(rest)
			if err != nil || !chunk.is("IDAT") || !yield(chunk.body) {
				return
			}
			rest = chunk.rest
		}
	}
}

func isPNG(b []byte) bool { return bytes.HasPrefix(b, []byte(pngSignature)) }

// pngDepths has the bit depths of each colour type.
var pngDepths = map[uint8]string{
	PNGGray: "\x01\x02\x04\x08\x10", PNGColour: "\x08\x10", PNGPalette: "\x01\x02\x04\x08",
	PNGGrayAlpha: "\x08\x10", PNGColourAlpha: "\x08\x10",
}

// newPNG reads the header chunk.
func newPNG(chunk pngChunk) (*PNG, error) {
	body := chunk.body
	if !chunk.is("IHDR") || len(body) != 13 {
		return nil, malformed("the PNG does not begin with its header")
	}
	p := &PNG{
		Width: binary.BigEndian.Uint32(body), Height: binary.BigEndian.Uint32(body[4:]),
		BitDepth: body[8], ColourType: body[9], Interlace: body[12],
	}
	switch depths := pngDepths[p.ColourType]; {
	case strings.IndexByte(depths, p.BitDepth) < 0:
		return nil, malformed("the PNG has the colour type %d with %d bits, which does not exist", p.ColourType, p.BitDepth)
	case body[10] != 0 || body[11] != 0 || p.Interlace > 1:
		return nil, malformed("the PNG has the compression %d, the filter method %d and the interlacing %d, which do not exist",
			body[10], body[11], p.Interlace)
	}
	return p, nil
}

// parsePNG goes through all chunks, as the chunk with the EXIF block may be the last. What is wrong is judged as cv2
// judges it: an ancillary chunk that is damaged, or has a wrong size, counts as missing.
func parsePNG(b []byte) (header, error) {
	h := header{orientation: 1}
	exif, inData := false, false
	err := pngChunks(b, func(chunk pngChunk) (err error) {
		switch p := h.png; {
		case p == nil:
			h.png, err = newPNG(chunk)
		case chunk.is("IDAT") && p.DataChunks > 0 && !inData:
			err = malformed("the PNG has pixels in two places")
		case chunk.is("IDAT") && p.ColourType == PNGPalette && p.Palette == nil:
			err = malformed("the PNG has no palette before its pixels")
		case chunk.is("IDAT"):
			if p.DataChunks == 0 {
				p.data = chunk.all
			}
			p.DataBytes += uint64(len(chunk.body))
			p.DataChunks++
		case chunk.is("PLTE"):
			err = p.palette(chunk)
		case chunk.is("tRNS"):
			p.transparency(chunk)
		case chunk.is("eXIf") && !exif && chunk.sound():
			exif = true
			h.orientation = exifOrientation(chunk.body)
		case chunk.is("IHDR"):
			err = malformed("the PNG has two headers")
		case chunk.critical() && !chunk.is("IEND"):
			err = unsupported("the PNG has a chunk %q, without which its pixels cannot be understood", string(chunk.kind[:]))
		}
		inData = chunk.is("IDAT")
		return err
	})
	switch {
	case err != nil:
		return h, err
	case h.png.DataChunks == 0:
		return h, malformed("the PNG has no pixels")
	}
	h.width, h.height, h.depth = uint64(h.png.Width), uint64(h.png.Height), abi.DepthU8
	if h.png.BitDepth == 16 {
		h.depth = abi.DepthU16
	}
	switch h.png.ColourType {
	case PNGGray: // OpenCV drops the transparency of a gray PNG.
		h.channels = 1
	case PNGColour, PNGPalette:
		h.channels = 3
		if h.png.Transparency != nil {
			h.channels = 4
		}
	case PNGGrayAlpha, PNGColourAlpha:
		h.channels = 4
	}
	return h, nil
}

// palette reads the chunk PLTE. Other colour types only suggest a palette with it.
func (p *PNG) palette(chunk pngChunk) error {
	size := len(chunk.body)
	switch {
	case p.ColourType != PNGPalette || p.DataChunks > 0:
		return nil
	case p.Palette != nil:
		return malformed("the PNG has two palettes")
	case size == 0 || size%3 != 0:
		return malformed("the PNG has a palette of %d bytes", size)
	}
	p.Palette = chunk.body[:min(size, 3<<p.BitDepth)]
	return nil
}

// transparency reads the chunk tRNS, if it is as the colour type wants it.
func (p *PNG) transparency(chunk pngChunk) {
	size, fits := len(chunk.body), false
	switch p.ColourType {
	case PNGColour:
		fits = size == 6
	case PNGPalette:
		fits = size > 0 && size <= len(p.Palette)/3
	}
	if fits && p.Transparency == nil && p.DataChunks == 0 && chunk.sound() {
		p.Transparency = chunk.body
	}
}

// wholePNG checks the chunks that make the pixels against their checksums.
func wholePNG(b []byte) (addEnd bool, err error) {
	indexed := false
	return false, pngChunks(b, func(chunk pngChunk) error {
		if chunk.is("IHDR") {
			indexed = len(chunk.body) > 9 && chunk.body[9] == PNGPalette
		}
		if (chunk.is("IHDR") || chunk.is("IDAT") || chunk.is("PLTE") && indexed) && !chunk.sound() {
			return malformed("the PNG is corrupt: the checksum of its chunk %q is wrong", string(chunk.kind[:]))
		}
		return nil
	})
}

type pngChunk struct {
	kind   [4]byte
	body   []byte
	summed []byte // What the checksum covers: the kind and the body.
	sum    uint32 // The checksum, as the file has it.
	all    []byte // The content from the chunk's first byte on.
	rest   []byte // The content behind the chunk.
}

func (c *pngChunk) is(kind string) bool { return string(c.kind[:]) == kind }

// critical returns true if a decoder must know the chunk.
func (c *pngChunk) critical() bool { return c.kind[0]&0x20 == 0 }

// sound returns true if the checksum is right.
func (c *pngChunk) sound() bool { return crc32.ChecksumIEEE(c.summed) == c.sum }

// pngChunks calls visit for each chunk, up to and with IEND. It returns the first error of visit, or an error that wraps
// ErrShort when b ends before IEND does.
func pngChunks(b []byte, visit func(pngChunk) error) error {
	for rest := b[len(pngSignature):]; ; {
		chunk, err := firstChunk(rest)
		if err != nil {
			return err
		}
		if err := visit(chunk); err != nil || chunk.is("IEND") {
			return err
		}
		rest = chunk.rest
	}
}

// firstChunk returns the chunk that b begins with.
func firstChunk(b []byte) (pngChunk, error) {
	if len(b) < 12 {
		return pngChunk{}, fmt.Errorf("%w: a PNG without its end", ErrShort)
	}
	length, kind := uint64(binary.BigEndian.Uint32(b)), [4]byte(b[4:8])
	if length > uint64(len(b)-12) {
		return pngChunk{}, fmt.Errorf("%w of the PNG's chunk %q", ErrShort, string(kind[:]))
	}
	end := 8 + length
	return pngChunk{kind, b[8:end], b[4:end], binary.BigEndian.Uint32(b[end:]), b, b[end+4:]}, nil
}
