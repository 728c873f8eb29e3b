package ops

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"shmcv/internal/abi"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

func isPNG(b []byte) bool { return bytes.HasPrefix(b, []byte(pngSignature)) }

// parsePNG goes through all chunks, as the one with the EXIF block may be the last.
func parsePNG(b []byte) (header, error) {
	const gray, colour, indexed, grayAlpha, colourAlpha = 0, 2, 3, 4, 6
	h := header{orientation: 1}
	colourType, transparent, pixels := byte(0), false, false
	err := pngChunks(b, func(chunk pngChunk) error {
		kind, body := chunk.kind, chunk.body
		switch {
		case h.depth == 0 && (kind != "IHDR" || len(body) != 13):
			return malformed("the PNG does not begin with its header")
		case h.depth == 0:
			h.width, h.height = uint64(binary.BigEndian.Uint32(body)), uint64(binary.BigEndian.Uint32(body[4:]))
			h.depth, colourType = abi.DepthU8, body[9]
			if body[8] == 16 {
				h.depth = abi.DepthU16
			}
		case kind == "IDAT":
			pixels = true
		case kind == "tRNS" && !pixels:
			transparent = true
		case kind == "eXIf":
			h.orientation = exifOrientation(body)
		}
		return nil
	})
	switch {
	case err != nil:
		return h, err
	case !pixels:
		return h, malformed("the PNG has no pixels")
	}
	switch colourType {
	case gray: // transparency of a gray PNG is dropped, as OpenCV does
		h.channels = 1
	case colour, indexed:
		h.channels = 3
		if transparent {
			h.channels = 4
		}
	case grayAlpha, colourAlpha:
		h.channels = 4
	default:
		return h, malformed("the PNG has the colour type %d, which does not exist", colourType)
	}
	return h, nil
}

// wholePNG checks every chunk against its checksum.
func wholePNG(b []byte) error {
	return pngChunks(b, func(chunk pngChunk) error {
		if crc32.ChecksumIEEE(chunk.summed) != chunk.sum {
			return malformed("the PNG is corrupt: the checksum of its chunk %q is wrong", chunk.kind)
		}
		return nil
	})
}

type pngChunk struct {
	kind         string
	body, summed []byte // the checksum covers the kind and the body
	sum          uint32
}

// pngChunks calls visit for each chunk up to and with the end chunk. errShort when the file ends before that.
func pngChunks(b []byte, visit func(pngChunk) error) error {
	for rest := b[len(pngSignature):]; ; {
		if len(rest) < 12 {
			return fmt.Errorf("%w: a PNG without its end", errShort)
		}
		length, kind := uint64(binary.BigEndian.Uint32(rest)), string(rest[4:8])
		if length > uint64(len(rest)-12) {
			return fmt.Errorf("%w of the PNG's chunk %q", errShort, kind)
		}
		end := 8 + length
		err := visit(pngChunk{kind: kind, body: rest[8:end], summed: rest[4:end], sum: binary.BigEndian.Uint32(rest[end:])})
		if err != nil || kind == "IEND" {
			return err
		}
		rest = rest[end+4:]
	}
}
