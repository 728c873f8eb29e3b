package probe

import (
	"bytes"
	"fmt"
	"strings"

	"shmcv/internal/abi"
)

// The tags that decide what OpenCV's decoder makes of a TIFF, and those that say where the pixels are.
const (
	tiffWidth        = 256
	tiffHeight       = 257
	tiffBits         = 258
	tiffCompression  = 259
	tiffPhotometric  = 262
	tiffStripOffsets = 273
	tiffOrientation  = 274
	tiffSamples      = 277
	tiffStripRows    = 278
	tiffStripBytes   = 279
	tiffPlanar       = 284
	tiffTileWidth    = 322
	tiffTileHeight   = 323
	tiffTileOffsets  = 324
	tiffTileBytes    = 325
	tiffInkSet       = 332
	tiffExtraSamples = 338
	tiffSampleFormat = 339
	tiffSubsampling  = 530
)

// What samples mean: the values of tiffPhotometric.
const (
	tiffWhiteIsZero = 0
	tiffBlackIsZero = 1
	tiffRGB         = 2
	tiffPalette     = 3
	tiffSeparated   = 5
	tiffYCbCr       = 6
	tiffCIELab      = 8
	tiffLogL        = 32844
	tiffLogLuv      = 32845
)

// The values of tiffSampleFormat.
const (
	tiffUnsigned = 1
	tiffSigned   = 2
	tiffFloat    = 3
)

// The values of tiffCompression that rules ask for.
const (
	tiffJPEG     = 7
	tiffSGILog   = 34676
	tiffSGILog24 = 34677
)

// tiffCompressions are the ways of compression that the bundled libtiff is built with.
var tiffCompressions = map[uint64]bool{
	1: true, 2: true, 3: true, 4: true, 5: true, tiffJPEG: true, 8: true, 32766: true, 32771: true, 32773: true,
	32809: true, 32946: true, tiffSGILog: true, tiffSGILog24: true,
}

// tiffCompressionNames names ways of compression that libtiff knows and is built without.
var tiffCompressionNames = map[uint64]string{
	6: "the JPEG of TIFF 5", 32909: "PixarLog", 34661: "JBIG", 34712: "JPEG 2000", 34887: "LERC", 34925: "LZMA",
	50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL",
}

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

// tiffLayout is what the first directory says of the samples and of the parts, strips or tiles, that they come in.
type tiffLayout struct {
	photometric, bits, samples, format, compression uint64
	extra                                           uint64 // Samples of a pixel that are no colour.
	extraKind                                       uint64 // Of the first one.
	separate                                        bool   // Each sample of a pixel lies in a plane of its own.
	tiled                                           bool
	partWidth, partHeight                           uint64
	sameBits                                        bool // All samples of a pixel have as many bits.
	inkSet, subsampling                             uint64
}

func (t *tiff) layout(h header) tiffLayout {
	var l tiffLayout
	l.photometric, _ = t.number(tiffPhotometric, 0)
	l.bits, _ = t.number(tiffBits, 1)
	l.samples, _ = t.number(tiffSamples, 1)
	l.format, _ = t.number(tiffSampleFormat, tiffUnsigned)
	l.compression, _ = t.number(tiffCompression, 1)
	l.extra = t.fields[tiffExtraSamples].count
	l.extraKind, _ = t.number(tiffExtraSamples, 0)
	planar, _ := t.number(tiffPlanar, 1)
	l.separate = planar == 2 && l.samples > 1
	l.partWidth, l.tiled = t.number(tiffTileWidth, h.width)
	if l.tiled {
		l.partHeight, _ = t.number(tiffTileHeight, 0)
	} else {
		rows, _ := t.number(tiffStripRows, h.height)
		l.partHeight = min(rows, h.height)
	}
	l.sameBits = true
	for i := range min(t.fields[tiffBits].count, l.samples, maxTIFFSamples) {
		l.sameBits = l.sameBits && t.element(t.fields[tiffBits], i) == l.bits
	}
	l.inkSet, _ = t.number(tiffInkSet, 1)
	l.subsampling = 2<<4 | 2
	if field := t.fields[tiffSubsampling]; field.count >= 2 {
		l.subsampling = t.element(field, 0)<<4 | t.element(field, 1)
	}
	return l
}

// maxTIFFSamples is the largest number of samples a pixel that OpenCV's decoder reads.
const maxTIFFSamples = 4

func parseTIFF(b []byte) (header, error) {
	t, err := readTIFF(b)
	if err != nil {
		return header{}, err
	}
	if _, ok := t.number(tiffPhotometric, 0); !ok {
		return header{}, malformed("the TIFF does not say what its samples mean")
	}
	orientation, _ := t.number(tiffOrientation, 1)
	h := header{orientation: 1, turned: int(orientation)}
	h.width, _ = t.number(tiffWidth, 0)
	h.height, _ = t.number(tiffHeight, 0)
	l := t.layout(h)
	if err := t.err("the TIFF's header"); err != nil {
		return h, err
	}
	if err := l.check(h); err != nil {
		return h, err
	}
	h.faxed = l.compression >= 2 && l.compression <= 4 || l.compression == 32771
	h.shallow = l.eightBits()
	h.channels = uint32(l.samples)
	if l.samples == 3 && l.photometric == tiffLogLuv {
		h.depth = abi.DepthF32
		return h, nil
	}
	bits := l.bits
	if bits > 8 && (l.photometric > tiffRGB || l.samples == 2) {
		bits = 8 // OpenCV uses libtiff's conversion to 8 bits.
	}
	if l.isGray() && bits <= 16 {
		h.channels = 1
	}
	switch {
	case l.format != tiffUnsigned && l.format != tiffSigned && l.format != tiffFloat:
		return h, unsupported("the TIFF has samples of the format %d; 1 (unsigned), 2 (signed) and 3 (float) exist", l.format)
	case bits == 1 && l.format != tiffFloat, bits == 8 && l.format != tiffFloat:
		h.depth = abi.DepthU8
		if bits == 8 && l.photometric == tiffPalette {
			h.channels = 3
		}
	case bits == 4 && l.photometric == tiffPalette:
		h.depth, h.channels = abi.DepthU8, 3
	case (bits == 10 || bits == 12 || bits == 14 || bits == 16) && l.format != tiffFloat:
		h.depth, h.separate = abi.DepthU16, l.separate
	case bits == 32 && l.format == tiffFloat:
		h.depth, h.deepOnly, h.separate = abi.DepthF32, true, l.separate
	case bits == 32 && l.format == tiffSigned, bits == 64 && l.format == tiffFloat:
		h.deepOnly = true
	default:
		return h, unsupported("the TIFF has samples of %d bits in the format %d, which OpenCV does not read", l.bits, l.format)
	}
	if l.format == tiffSigned {
		h.depth = 0
	}
	return h, nil
}

func (l *tiffLayout) isGray() bool {
	return l.photometric == tiffWhiteIsZero || l.photometric == tiffBlackIsZero
}

// check refuses what OpenCV's decoder does not read in any depth. The decoder would assume something else of such a
// file than libtiff does.
func (l *tiffLayout) check(h header) error {
	name, known := tiffCompressionNames[l.compression]
	switch {
	case !tiffCompressions[l.compression] && known:
		return unsupported("the TIFF is compressed by %s, which is not built in; save it with LZW or Deflate", name)
	case !tiffCompressions[l.compression]:
		return unsupported("the TIFF is compressed in the way %d, which is not known; save it with LZW or Deflate", l.compression)
	case l.samples < 1 || l.samples > maxTIFFSamples:
		return unsupported("the TIFF has %d channels; 1 to %d are supported", l.samples, maxTIFFSamples)
	case !l.sameBits:
		return unsupported("the TIFF has samples of different numbers of bits in a pixel")
	case l.photometric == tiffRGB && l.samples < 3+l.extra:
		return unsupported("the TIFF says that its pixels are RGB, and that they have %d samples of which %d are no colour",
			l.samples, l.extra)
	case l.photometric == tiffLogLuv && (l.compression != tiffSGILog && l.compression != tiffSGILog24 || l.samples != 3 ||
		l.extra != 0 || l.separate):
		return unsupported("the TIFF has LogLuv samples in a form that OpenCV does not read")
	}
	return l.checkParts(h)
}

const (
	// tiffPartRoom is how large a part of a TIFF may be in any case, in bytes of pixels.
	tiffPartRoom = 16 << 20

	// tiffPartLimit is where OpenCV's decoder ends: its memory for one part.
	tiffPartLimit = 1 << 30
)

// checkParts refuses tiles that are much larger than the image: the decoder needs memory for a whole one.
func (l *tiffLayout) checkParts(h header) error {
	if l.tiled && (l.partWidth == 0 || l.partHeight == 0) {
		return malformed("the TIFF has tiles of %d x %d pixels", l.partWidth, l.partHeight)
	}
	pixel := max(4, l.samples*l.bits/8) // At least libtiff's RGBA.
	if l.partWidth > abi.MaxDimension || l.partHeight > abi.MaxDimension ||
		l.tiled && l.partWidth*l.partHeight*pixel > max(tiffPartRoom, 4*h.width*h.height*pixel) {
		return abi.Errorf(abi.ELimit, "the TIFF has tiles of %d x %d pixels for an image of %d x %d", l.partWidth, l.partHeight, h.width, h.height)
	}
	// OpenCV reads a large image row by row if the image is one strip.
	byRow := !l.tiled && !l.separate && l.photometric <= tiffRGB && (l.bits == 8 || l.bits == 16) && l.partHeight == h.height &&
		(l.samples == 1 || l.samples == 3 || l.samples == 4 && l.extra == 1 && l.extraKind == 1)
	if !byRow && l.partWidth*l.partHeight*pixel >= tiffPartLimit*95/100 {
		return abi.Errorf(abi.ELimit, "the TIFF has parts of %d x %d pixels, for which the decoder needs more than 1 GiB; "+
			"save it in smaller strips or tiles", l.partWidth, l.partHeight)
	}
	return nil
}

// eightBits returns true if libtiff's conversion to RGBA of 8 bits reads the file. The rules are those of libtiff's
// TIFFRGBAImageOK, PickContigCase and PickSeparateCase.
func (l *tiffLayout) eightBits() bool {
	deep := l.bits == 8 || l.bits == 16
	if l.format == tiffFloat || l.bits == 0 || l.bits > 16 || l.bits&(l.bits-1) != 0 {
		return false
	}
	switch l.photometric {
	case tiffWhiteIsZero, tiffBlackIsZero:
		return !l.separate && (l.samples == 1 || l.bits >= 8) || l.separate && deep
	case tiffPalette:
		return !l.separate && l.bits <= 8 && (l.samples == 1 || l.bits == 8)
	case tiffRGB:
		return deep
	case tiffSeparated:
		return l.bits == 8 && l.inkSet == 1 && l.samples == 4
	case tiffYCbCr:
		known := l.subsampling == 0x11
		if !l.separate {
			known = known || strings.IndexByte("\x44\x42\x41\x22\x21\x12", byte(l.subsampling)) >= 0
		}
		return l.bits == 8 && l.samples == 3 && (known || l.compression == tiffJPEG)
	case tiffCIELab:
		return deep && l.samples == 3 && l.extra == 0 && !l.separate
	case tiffLogL:
		return l.compression == tiffSGILog
	case tiffLogLuv:
		return true // check has seen to it.
	}
	return false
}

// wholeTIFF checks that all strips or tiles lie in the file. libtiff leaves the missing ones black.
func wholeTIFF(b []byte) (addEnd bool, err error) {
	t, err := readTIFF(b)
	if err != nil {
		return false, err
	}
	for _, tags := range [][2]uint64{{tiffStripOffsets, tiffStripBytes}, {tiffTileOffsets, tiffTileBytes}} {
		offsets, sizes := t.fields[tags[0]], t.fields[tags[1]]
		for i := range min(offsets.count, sizes.count) {
			start, size := t.element(offsets, i), t.element(sizes, i)
			if err := t.err("the TIFF's directory"); err != nil {
				return false, err
			}
			if start > uint64(len(b)) || size > uint64(len(b))-start {
				return false, fmt.Errorf("%w of the TIFF's part %d of %d", ErrShort, i+1, offsets.count)
			}
		}
	}
	return false, nil
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
