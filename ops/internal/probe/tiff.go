package probe

import (
	"bytes"
	"fmt"

	"shmcv/internal/abi"
)

// The tags that decide what OpenCV's decoder makes of a TIFF, and those that say where the pixels are.
const (
	tiffWidth        = 256
	tiffHeight       = 257
	tiffBits         = 258
	tiffPhotometric  = 262
	tiffStripOffsets = 273
	tiffOrientation  = 274
	tiffSamples      = 277
	tiffStripBytes   = 279
	tiffTileOffsets  = 324
	tiffTileBytes    = 325
	tiffSampleFormat = 339
)

func isTIFF(b []byte) bool {
	for _, signature := range []string{"II*\x00", "MM\x00*", "II+\x00", "MM\x00+"} {
		if bytes.HasPrefix(b, []byte(signature)) {
			return true
		}
	}
	return false
}

// maxCount is the largest count of numbers in an entry that is looked at: more than a file of the largest size that is
// read can have. A parser must not compare with the length of the content, which may be a beginning of the file.
const maxCount = 1 << 32

// tiffField is an entry of a directory: count numbers of so many bytes each, from offset on.
type tiffField struct{ offset, count, bytes uint64 }

// tiff is the first directory of a file.
type tiff struct {
	cursor
	fields map[uint64]tiffField
}

func parseTIFF(b []byte) (header, error) {
	t, err := readTIFF(b)
	if err != nil {
		return header{}, err
	}
	const whiteIsZero, blackIsZero, palette, logLuv = 0, 1, 3, 32845
	const unsigned, signed, float = 1, 2, 3
	photometric, ok := t.number(tiffPhotometric, 0)
	if !ok {
		return header{}, malformed("the TIFF does not say what its samples mean")
	}
	gray := photometric == whiteIsZero || photometric == blackIsZero
	bits, _ := t.number(tiffBits, 1)
	samples, _ := t.number(tiffSamples, 1)
	format, _ := t.number(tiffSampleFormat, unsigned)
	orientation, _ := t.number(tiffOrientation, 1)
	h := header{orientation: 1, turned: int(orientation), channels: uint32(samples)}
	h.width, _ = t.number(tiffWidth, 0)
	h.height, _ = t.number(tiffHeight, 0)
	if err := t.err("the TIFF's header"); err != nil {
		return h, err
	}
	if samples == 3 && photometric == logLuv {
		h.depth = abi.DepthF32
		return h, nil
	}
	if samples < 1 || samples > 4 {
		return h, unsupported("the TIFF has %d channels; 1 to 4 are supported", samples)
	}
	if bits > 8 && (photometric > 2 || samples == 2) {
		bits = 8 // OpenCV uses libtiff's conversion to 8 bits.
	}
	if gray && bits <= 16 {
		h.channels = 1
	}
	switch {
	case bits == 1 && format != float, bits == 8 && format != float:
		h.depth = abi.DepthU8
		if bits == 8 && photometric == palette {
			h.channels = 3
		}
	case bits == 4 && photometric == palette:
		h.depth, h.channels = abi.DepthU8, 3
	case (bits == 10 || bits == 12 || bits == 14 || bits == 16) && format != float:
		h.depth = abi.DepthU16
	case bits == 32 && format == float:
		h.depth, h.deepOnly = abi.DepthF32, true
	case bits == 32 && format == signed, bits == 64 && format == float:
		h.deepOnly = true
	default:
		return h, unsupported("the TIFF has samples of %d bits in the format %d, which OpenCV does not read", bits, format)
	}
	if format == signed {
		h.depth = 0
	}
	return h, nil
}

// wholeTIFF checks that all strips or tiles lie in the file. libtiff leaves the missing ones black.
func wholeTIFF(b []byte) error {
	t, err := readTIFF(b)
	if err != nil {
		return err
	}
	for _, tags := range [][2]uint64{{tiffStripOffsets, tiffStripBytes}, {tiffTileOffsets, tiffTileBytes}} {
		offsets, sizes := t.fields[tags[0]], t.fields[tags[1]]
		for i := range min(offsets.count, sizes.count) {
			start, size := t.element(offsets, i), t.element(sizes, i)
			if err := t.err("the TIFF's directory"); err != nil {
				return err
			}
			if start > uint64(len(b)) || size > uint64(len(b))-start {
				return fmt.Errorf("%w of the TIFF's part %d of %d", ErrShort, i+1, offsets.count)
			}
		}
	}
	return nil
}

// readTIFF reads the first directory. Its errors are those of PlanFor.
func readTIFF(b []byte) (*tiff, error) {
	order, _ := byteOrder(b)
	t := &tiff{cursor: cursor{data: b, order: order}, fields: map[uint64]tiffField{}}
	// BigTIFF has 8-byte offsets and counts where TIFF has 4.
	big := t.u16(2) == 43
	word, countBytes, number := uint64(4), uint64(2), t.u32
	directory := t.u32(4)
	if big {
		word, countBytes, number = 8, 8, t.u64
		directory = t.u64(8)
	}
	entries := t.u16(directory)
	if big {
		entries = t.u64(directory)
	}
	if err := t.err("the TIFF's directory"); err != nil {
		return nil, err
	}
	if entries > 65535 {
		return nil, malformed("the TIFF's directory says %d entries", entries)
	}
	sizes := map[uint64]uint64{1: 1, 2: 1, 3: 2, 4: 4, 6: 1, 7: 1, 8: 2, 9: 4, 13: 4, 16: 8, 17: 8, 18: 8}
	for i := range entries {
		entry := directory + countBytes + i*(4+2*word)
		field := tiffField{offset: entry + 4 + word, count: number(entry + 4), bytes: sizes[t.u16(entry+2)]}
		if err := t.err("the TIFF's directory"); err != nil {
			return nil, err
		}
		if field.bytes == 0 || field.count > maxCount {
			continue // A type or a tag that is none of ours; libtiff judges it.
		}
		if field.count*field.bytes > word {
			field.offset = number(field.offset)
		}
		t.fields[t.u16(entry)] = field
	}
	return t, t.err("the TIFF's directory")
}

// number returns a tag's first value, or fallback and false if the file does not have the tag.
func (t *tiff) number(tag, fallback uint64) (uint64, bool) {
	field, ok := t.fields[tag]
	if !ok || field.count == 0 {
		return fallback, false
	}
	return t.element(field, 0), true
}

// element returns the field's number i, which the caller knows to be less than its count.
func (t *tiff) element(field tiffField, i uint64) uint64 {
	offset := field.offset + i*field.bytes
	switch field.bytes {
	case 1:
		return t.u8(offset)
	case 2:
		return t.u16(offset)
	case 4:
		return t.u32(offset)
	}
	return t.u64(offset)
}
