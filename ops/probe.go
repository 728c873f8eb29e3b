package ops

import (
	"encoding/binary"
	"errors"
	"fmt"

	"gocv.io/x/gocv"

	"shmcv/internal/abi"
)

// header is what a file's first bytes say of the image in it: what OpenCV's decoder of that format will find there.
type header struct {
	format        string
	width, height uint64
	channels      uint32    // as the decoder counts them: 1, 3 or 4; 2 occurs in TIFF and is not supported
	depth         abi.Depth // 0 for a sample type that abi does not have
	orientation   int       // EXIF's, 1 to 8; LoadUnchanged ignores it
	turned        int       // TIFF's own orientation, which the decoder itself applies whatever the flags
	deepOnly      bool      // the decoder cannot reduce the samples to 8 bits
}

// plan is how to get from a file to the image that the flags ask for.
type plan struct {
	format      string
	result      abi.ImageInfo   // what the caller gets
	decoded     abi.ImageInfo   // what OpenCV's decoder gives, before turning and converting
	canvas      [2]uint32       // width and height that the decoder writes into, before it turns a TIFF itself
	read        gocv.IMReadFlag // what OpenCV is told
	orientation int             // to be applied by us
}

// errShort is a parser's answer when the header goes on beyond the bytes that it was given.
var errShort = errors.New("the file ends in the middle")

// Parsers say what is wrong with one of these; the caller adds the path.
func malformed(format string, args ...any) error { return abi.Errorf(abi.EDecode, format, args...) }
func unsupported(format string, args ...any) error {
	return abi.Errorf(abi.EUnsupported, format, args...)
}

// formats are the decoders that every build has, each with its parser and with the check that the file is whole.
var formats = []struct {
	name      string
	signature func([]byte) bool
	parse     func([]byte) (header, error)
	whole     func([]byte) error // nil where OpenCV's decoder notices for itself
}{
	{"JPEG", isJPEG, parseJPEG, wholeJPEG},
	{"PNG", isPNG, parsePNG, wholePNG},
	{"WebP", isWebP, parseWebP, wholeWebP},
	{"TIFF", isTIFF, parseTIFF, wholeTIFF},
	{"BMP", isBMP, parseBMP, nil},
	{"PNM", isPNM, parsePNM, nil},
}

// Probe gives the image that Load would produce with the same flags, rows without gaps. It reads the file's header, or
// as much of the file as the format needs for that, and decodes nothing.
//
// Errors: those of Load, but damage to the pixels is not seen.
func Probe(path string, flags abi.LoadFlag) (abi.ImageInfo, error) {
	const first = 256 << 10
	content, size, err := readStart(path, first)
	if err != nil {
		return abi.ImageInfo{}, err
	}
	p, err := planFor(content, flags)
	if errors.Is(err, errShort) && size > int64(len(content)) {
		release(content)
		if content, err = readFile(path); err != nil {
			return abi.ImageInfo{}, err
		}
		p, err = planFor(content, flags)
	}
	release(content)
	if err != nil {
		return abi.ImageInfo{}, loadError(path, err)
	}
	return p.result, nil
}

// planFor reads the header in content. errShort when there is not enough of it.
func planFor(content []byte, flags abi.LoadFlag) (plan, error) {
	if err := checkFlags(flags); err != nil {
		return plan{}, err
	}
	for _, f := range formats {
		if !f.signature(content) {
			continue
		}
		h, err := f.parse(content)
		if err != nil {
			return plan{}, err
		}
		h.format = f.name
		return h.plan(flags)
	}
	return plan{}, unsupported("it is no JPEG, PNG, WebP, TIFF, BMP or PNM file (it begins with % x)", content[:min(8, len(content))])
}

// checkWhole finds out whether the file is there to its end, where OpenCV's decoder would fill in for what is missing.
func checkWhole(content []byte) error {
	for _, f := range formats {
		if f.signature(content) && f.whole != nil {
			return f.whole(content)
		}
	}
	return nil
}

func checkFlags(flags abi.LoadFlag) error {
	switch flags {
	case abi.LoadColor, abi.LoadGray, abi.LoadUnchanged, abi.LoadBGRA,
		abi.LoadColor | abi.LoadAnyDepth, abi.LoadGray | abi.LoadAnyDepth:
		return nil
	}
	return abi.Errorf(abi.EInvalid, "flags %d; they are 0 (colour), 1 (gray), 2 (unchanged), 3 (BGRA), or 8 (any depth) added to 0 or 1", flags)
}

// plan decides what is decoded and done to satisfy the flags. The rules are those of OpenCV's calcType.
func (h header) plan(flags abi.LoadFlag) (plan, error) {
	if h.width > abi.MaxDimension || h.height > abi.MaxDimension || h.width*h.height > abi.MaxPixels {
		return plan{}, abi.Errorf(abi.ELimit, "the %s header says %d x %d pixels; at most %d a side and %d in all are handled",
			h.format, h.width, h.height, abi.MaxDimension, abi.MaxPixels)
	}
	p := plan{format: h.format, orientation: h.orientation}
	channels, depth := uint32(3), abi.DepthU8
	if flags&abi.LoadAnyDepth != 0 {
		p.read, depth = gocv.IMReadAnyDepth, h.depth
	}
	switch flags &^ abi.LoadAnyDepth {
	case abi.LoadColor:
		p.read |= gocv.IMReadColor
	case abi.LoadGray:
		channels = 1
	case abi.LoadUnchanged:
		p.read, channels, depth, p.orientation = gocv.IMReadUnchanged, h.channels, h.depth, 1
	case abi.LoadBGRA:
		p.read = gocv.IMReadColor
		if h.channels == 4 {
			// The one way to alpha is the file's own depth; Load reduces it.
			p.read, channels, depth = gocv.IMReadUnchanged, 4, h.depth
		}
	}
	if p.read != gocv.IMReadUnchanged {
		p.read |= gocv.IMReadIgnoreOrientation // Load turns the image, and knows so beforehand how large it will be
	}
	order := map[uint32]abi.Order{1: abi.OrderGray, 3: abi.OrderBGR, 4: abi.OrderBGRA}[channels]
	switch {
	case h.deepOnly && h.depth == 0:
		return plan{}, unsupported("%s with samples of 32-bit integers or 64 bits; convert the file to 32-bit float", h.format)
	case h.deepOnly && depth == abi.DepthU8:
		return plan{}, unsupported("%s with samples of 32 bits or more cannot be read as 8-bit; load it unchanged, or with any depth", h.format)
	case depth == 0:
		return plan{}, unsupported("%s with samples that are neither 8-bit nor 16-bit unsigned nor 32-bit float; load it as 8-bit colour or gray", h.format)
	case order == 0:
		return plan{}, unsupported("%s with %d channels; load it as colour or gray", h.format, h.channels)
	case h.deepOnly && channels != h.channels:
		return plan{}, unsupported("%s with %d channels of 32 bits is not converted to %d channels; load it unchanged", h.format, h.channels, channels)
	case depth == abi.DepthF32 && flags == abi.LoadBGRA:
		return plan{}, unsupported("%s with float samples is not converted to 8-bit BGRA; load it unchanged", h.format)
	}

	width, height := uint32(h.width), uint32(h.height)
	p.canvas = [2]uint32{width, height}
	if transposes(h.turned) {
		width, height = height, width
	}
	p.decoded = abi.NewImageInfo(width, height, depth, order)
	if transposes(p.orientation) {
		width, height = height, width
	}
	p.result = abi.NewImageInfo(width, height, depth, order)
	if flags == abi.LoadBGRA {
		p.result = abi.NewImageInfo(width, height, abi.DepthU8, abi.OrderBGRA)
	}
	_, err := p.result.Checked()
	if abi.CodeOf(err) == abi.EInvalid {
		return p, malformed("the %s header says %d x %d pixels", h.format, h.width, h.height)
	}
	return p, err
}

// loadError adds the path to what is wrong with a file.
func loadError(path string, err error) error {
	if errors.Is(err, errShort) {
		return abi.Errorf(abi.EDecode, "load %q: the file is truncated: %w", path, err)
	}
	return abi.Errorf(abi.CodeOf(err), "load %q: %w", path, err)
}

// cursor reads numbers from a header. Reading beyond its end gives 0 and sets short.
type cursor struct {
	data  []byte
	order binary.ByteOrder
	short bool
}

func (c *cursor) at(offset, size uint64) []byte {
	if offset > uint64(len(c.data)) || size > uint64(len(c.data))-offset {
		c.short = true
		return make([]byte, size)
	}
	return c.data[offset : offset+size]
}

func (c *cursor) u8(offset uint64) uint64  { return uint64(c.at(offset, 1)[0]) }
func (c *cursor) u16(offset uint64) uint64 { return uint64(c.order.Uint16(c.at(offset, 2))) }
func (c *cursor) u32(offset uint64) uint64 { return uint64(c.order.Uint32(c.at(offset, 4))) }
func (c *cursor) u64(offset uint64) uint64 { return c.order.Uint64(c.at(offset, 8)) }

// err is errShort, with where, when something beyond the end has been asked for.
func (c *cursor) err(where string) error {
	if c.short {
		return fmt.Errorf("%w of %s", errShort, where)
	}
	return nil
}
