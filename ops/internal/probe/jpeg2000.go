package probe

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"shmcv/internal/abi"
)

// A JPEG 2000 is a codestream (ISO/IEC 15444-1, annex A), or a file of boxes with a codestream among them (annex I).
const (
	j2kCodestream = "\xFF\x4F\xFF\x51"
	jp2Signature  = "\x00\x00\x00\x0CjP  \r\n\x87\n"
)

func isJPEG2000(b []byte) bool {
	return bytes.HasPrefix(b, []byte(j2kCodestream)) || bytes.HasPrefix(b, []byte(jp2Signature))
}

// The colour spaces that OpenCV converts, as the box colr numbers them.
const (
	jp2SRGB = 16
	jp2Gray = 17
	jp2YCC  = 18
)

// jp2Boxes is what the boxes before the codestream say.
type jp2Boxes struct {
	codestream uint64 // Where it begins.
	end        uint64 // Where the box that has it ends; 0 if the file does not say.
	space      uint64 // 0 if the file does not say, or says it with a profile: OpenCV takes it for sRGB.
	palette    bool
}

func parseJPEG2000(b []byte) (header, error) {
	h, _, err := readJPEG2000(b)
	return h, err
}

func readJPEG2000(b []byte) (h header, boxes jp2Boxes, err error) {
	h.orientation = 1
	c := cursor{data: b, order: binary.BigEndian}
	if !bytes.HasPrefix(b, []byte(j2kCodestream)) {
		if err := boxes.read(&c, uint64(len(jp2Signature)), 1<<62, true); err != nil {
			return h, boxes, err
		}
	}
	if boxes.palette {
		return h, boxes, unsupported("the JPEG 2000 has a palette")
	}
	return h, boxes, h.jpeg2000(&c, boxes)
}

// read goes through the boxes from a position to an end, up to the codestream: those of the file, or those in the box
// jp2h of a file.
func (boxes *jp2Boxes) read(c *cursor, position, end uint64, ofFile bool) error {
	for boxes.codestream == 0 && position < end {
		size, kind, head := c.u32(position), string(c.at(position+4, 4)), uint64(8)
		if size == 1 {
			size, head = c.u64(position+8), 16
		}
		if size == 0 { // The last box, up to the end of the file.
			size = end - position
		}
		if err := c.err("the JPEG 2000's boxes"); err != nil {
			return err
		}
		if size < head || size > end-position {
			return malformed("the JPEG 2000 has a box %q of %d bytes", kind, size)
		}
		switch {
		case ofFile && kind == "jp2c":
			boxes.codestream = position + head
			if c.u32(position) != 0 {
				boxes.end = position + size
			}
		case ofFile && kind == "jp2h":
			if err := boxes.read(c, position+head, position+size, false); err != nil {
				return err
			}
		case !ofFile && kind == "colr" && boxes.space == 0 && c.u8(position+head) == 1: // OpenJPEG uses the first one.
			boxes.space = c.u32(position + head + 3)
		case !ofFile && kind == "pclr":
			boxes.palette = true
		}
		position += size
	}
	return c.err("the JPEG 2000's boxes")
}

// jpeg2000 reads the codestream's first segment, SIZ.
func (h *header) jpeg2000(c *cursor, boxes jp2Boxes) error {
	at := boxes.codestream
	if marker := c.u32(at); !c.short && marker != 0xFF4FFF51 {
		return malformed("the JPEG 2000 has no codestream")
	}
	right, bottom, left, top := c.u32(at+8), c.u32(at+12), c.u32(at+16), c.u32(at+20)
	components := c.u16(at + 40)
	precision := uint64(0)
	plain := left == 0 && top == 0
	for i := range min(components, 4) {
		depth, x, y := c.u8(at+42+3*i), c.u8(at+43+3*i), c.u8(at+44+3*i)
		precision = max(precision, depth&0x7F+1)
		plain = plain && depth < 0x80 && x == 1 && y == 1
	}
	if err := c.err("the JPEG 2000's header"); err != nil {
		return err
	}
	switch {
	case components == 0:
		return malformed("the JPEG 2000 has no components")
	case components != 1 && components != 3 && components != 4:
		return unsupported("the JPEG 2000 has %d components; 1, 3 or 4 are supported", components)
	case !plain:
		return unsupported("the JPEG 2000 has an offset, or components that are signed or of different sizes")
	case precision < 8 || precision > 16 || components == 4 && precision > 8 && precision < 16:
		return unsupported("the JPEG 2000 has samples of %d bits; 8 to 16 are supported", precision)
	case boxes.space != 0 && boxes.space != jp2SRGB && boxes.space != jp2Gray && boxes.space != jp2YCC,
		components == 4 && (boxes.space == jp2Gray || boxes.space == jp2YCC),
		components == 1 && boxes.space == jp2YCC:
		return unsupported("the JPEG 2000 has %d components of the colour space %d", components, boxes.space)
	}
	h.width, h.height, h.channels, h.depth = right, bottom, uint32(components), abi.DepthU8
	if precision > 8 {
		h.depth = abi.DepthU16
	}
	h.grayOnly = components == 1 // OpenCV gives a gray codestream in gray alone.
	return nil
}

// jpeg2000PixelsPerByte is how many pixels a byte of a file is believed to stand for. A white picture has about ten
// thousand.
const jpeg2000PixelsPerByte = 1 << 16

// wholeJPEG2000 refuses a file that is far too short for its pixels: OpenJPEG finds memory for all of them before it looks
// for them. A codestream without boxes does not say how long it is; OpenJPEG notices that its end is missing.
func wholeJPEG2000(b []byte) (addEnd bool, err error) {
	h, boxes, err := readJPEG2000(b)
	switch {
	case abi.CodeOf(err) == abi.EUnsupported: // PlanFor says so.
		err = nil
	case err != nil:
	case boxes.end > uint64(len(b)):
		err = fmt.Errorf("%w of the JPEG 2000's codestream", ErrShort)
	case h.width*h.height/jpeg2000PixelsPerByte > uint64(len(b)):
		err = fmt.Errorf("%w: the JPEG 2000 has %d bytes for %d x %d pixels", ErrShort, len(b), h.width, h.height)
	}
	return false, err
}
