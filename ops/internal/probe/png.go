package probe

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"iter"

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
// PlanFor has seen that the file begins with a header chunk of 13 bytes, that the colour type exists, that there is a
// chunk IDAT, and that all chunks up to and with IEND are there. It has NOT judged the other fields of the header, nor
// a chunk's content or place; CheckWhole checks the checksums.
type PNG struct {
	Width, Height uint32
	BitDepth      uint8 // Of a sample, or of an index into the palette: 1, 2, 4, 8 or 16 in a valid file.
	ColourType    uint8 // One of the five above.
	Compression   uint8 // 0 in a valid file.
	Filter        uint8 // 0 in a valid file.
	Interlace     uint8 // 0: rows in order; 1: Adam7. Nothing else in a valid file.

	Palette      []byte // The body of the first PLTE chunk before the pixels, 3 bytes a colour; nil if there is none.
	Transparency []byte // The body of the first tRNS chunk before the pixels, not nil even if empty; nil if there is none.

	DataBytes  uint64 // Length of the zlib stream: the bodies of all IDAT chunks together.
	DataChunks int    // Number of IDAT chunks, at least 1.

	chunks []byte // From the chunk IHDR on.
	data   []byte // From the first IDAT on.
}

// Chunk is a chunk of a PNG file.
type Chunk struct {
	Kind [4]byte // "IDAT", for example.
	Body []byte
}

// Data yields the pieces of the zlib stream: the bodies of all IDAT chunks, in their order, empty ones too, and
// whatever stands between them left out. Where DataChunks is 1, the one piece is the whole stream, and no copy is
// needed to have it in one place. Data keeps no list, since a file of 1 GiB can have 90 million chunks; finding the
// next chunk costs a few nanoseconds.
func (p *PNG) Data() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for chunk := range chunksFrom(p.data) {
			if chunk.is("IDAT") && !yield(chunk.body) {
				return
			}
		}
	}
}

// Chunks yields all chunks, IHDR first and IEND last, for a decoder that judges their order and their content.
func (p *PNG) Chunks() iter.Seq[Chunk] {
	return func(yield func(Chunk) bool) {
		for chunk := range chunksFrom(p.chunks) {
			if !yield(Chunk{chunk.kind, chunk.body}) {
				return
			}
		}
	}
}

func chunksFrom(rest []byte) iter.Seq[pngChunk] {
	return func(yield func(pngChunk) bool) {
		for {
			chunk, err := firstChunk(rest)
			if err != nil || !yield(chunk) || chunk.is("IEND") {
				return
			}
			rest = chunk.rest
		}
	}
}

func isPNG(b []byte) bool { return bytes.HasPrefix(b, []byte(pngSignature)) }

// parsePNG goes through all chunks, as the chunk with the EXIF block may be the last.
func parsePNG(b []byte) (header, error) {
	h := header{orientation: 1}
	err := pngChunks(b, func(chunk pngChunk) error {
		body := chunk.body
		switch {
		case h.png == nil && (!chunk.is("IHDR") || len(body) != 13):
			return malformed("the PNG does not begin with its header")
		case h.png == nil:
			h.png = &PNG{
				Width: binary.BigEndian.Uint32(body), Height: binary.BigEndian.Uint32(body[4:]),
				BitDepth: body[8], ColourType: body[9], Compression: body[10], Filter: body[11], Interlace: body[12],
				chunks: b[len(pngSignature):],
			}
		case chunk.is("IDAT"):
			if h.png.DataChunks == 0 {
				h.png.data = chunk.all
			}
			h.png.DataBytes += uint64(len(body))
			h.png.DataChunks++
		case chunk.is("PLTE") && h.png.DataChunks == 0 && h.png.Palette == nil:
			h.png.Palette = body
		case chunk.is("tRNS") && h.png.DataChunks == 0 && h.png.Transparency == nil:
			h.png.Transparency = body
		case chunk.is("eXIf"):
			h.orientation = exifOrientation(body)
		}
		return nil
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
	default:
		return h, malformed("the PNG has the colour type %d, which does not exist", h.png.ColourType)
	}
	return h, nil
}

// wholePNG checks every chunk against its checksum.
func wholePNG(b []byte) error {
	return pngChunks(b, func(chunk pngChunk) error {
		if crc32.ChecksumIEEE(chunk.summed) != chunk.sum {
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
