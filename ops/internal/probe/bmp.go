package probe

import (
	"bytes"
	"encoding/binary"

	"shmcv/internal/abi"
)

func isBMP(b []byte) bool { return bytes.HasPrefix(b, []byte("BM")) }

// The ways in which a BMP's pixels are kept.
const (
	bmpRGB       = 0
	bmpRLE8      = 1
	bmpRLE4      = 2
	bmpBitFields = 3
)

// bmpMasks is where the masks of bmpBitFields stand: at the end of the header that all programs write, whether they
// belong to a longer header or follow this one.
const bmpMasks = 54

// bmpMask is a bit mask of red, green, blue and alpha.
type bmpMask [4]uint64

var (
	bmpMask555  = bmpMask{0x7C00, 0x03E0, 0x001F}
	bmpMask565  = bmpMask{0xF800, 0x07E0, 0x001F}
	bmpMask8888 = bmpMask{0xFF0000, 0xFF00, 0xFF}
)

func parseBMP(b []byte) (header, error) {
	const coreHeader = 12
	h := header{depth: abi.DepthU8, channels: 3, orientation: 1}
	c := cursor{data: b, order: binary.LittleEndian}
	size := c.u32(14)
	var err error
	switch {
	case c.short: // What has not been read is not judged.
	case size == coreHeader:
		h.width, h.height = c.u16(18), c.u16(20)
		h.channels = 1 // OpenCV reads this oldest kind of header so, whatever the palette has.
		if bits := c.u16(24); bits == 16 || bmpWay(bits, bmpRGB) != nil {
			err = unsupported("the BMP has %d bits a pixel", bits)
		}
	case size >= 36:
		// The height is negative if the top row comes first.
		width, height := int32(c.u32(18)), int32(c.u32(22))
		if width <= 0 && !c.short {
			return h, malformed("the BMP header says a width of %d", width)
		}
		h.width, h.height = uint64(width), uint64(max(int64(height), -int64(height)))
		err = h.bmpSamples(&c, size)
	default:
		return h, unsupported("the BMP has a header of %d bytes, which OpenCV does not read", size)
	}
	if short := c.err("the BMP's header"); short != nil {
		return h, short
	}
	return h, err
}

// bmpWay returns an error for bits of a pixel and a way to keep them that OpenCV does not read.
func bmpWay(bits, way uint64) error {
	switch {
	case way == bmpRGB && (bits == 1 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32),
		way == bmpBitFields && (bits == 16 || bits == 32), way == bmpRLE4 && bits == 4, way == bmpRLE8 && bits == 8:
		return nil
	}
	return unsupported("the BMP has %d bits a pixel, kept in the way %d, which OpenCV does not read", bits, way)
}

// bmpSamples reads what a header of size bytes says of the samples.
func (h *header) bmpSamples(c *cursor, size uint64) error {
	bits, way := c.u16(28), c.u32(30)
	if err := bmpWay(bits, way); err != nil {
		return err
	}
	masks := func(at uint64) bmpMask { return bmpMask{c.u32(at), c.u32(at + 4), c.u32(at + 8)} }
	switch {
	case bits <= 8:
		if !bmpColourPalette(c, 14+size, bits) {
			h.channels = 1
		}
	case bits == 16 && way == bmpBitFields:
		// OpenCV looks for the masks behind the header, even behind one that has them.
		found := masks(14 + size)
		if size >= 52 && masks(bmpMasks) != found || found != bmpMask555 && found != bmpMask565 {
			return unsupported("the BMP has 16 bits a pixel in a layout that OpenCV does not read")
		}
	case bits == 32 && way == bmpBitFields:
		h.channels = 4
		found := masks(bmpMasks)
		if h.opaque = size < 56; h.opaque {
			if found != bmpMask8888 {
				return unsupported("the BMP has 32 bits a pixel in a layout that OpenCV does not read")
			}
			break
		}
		found[3] = c.u32(bmpMasks + 12)
		h.opaque = found[3] == 0
		return found.check()
	}
	return nil
}

// check returns an error if a colour has no bits, or bits that do not follow each other.
func (m bmpMask) check() error {
	for i, mask := range m {
		low := mask & -mask
		if mask == 0 && i < 3 || mask != 0 && (mask/low+1)&(mask/low) != 0 {
			return unsupported("the BMP has the bit masks %#x, which OpenCV does not read", m)
		}
	}
	return nil
}

// bmpColourPalette returns true if any entry of the palette, which begins at offset, is not gray.
func bmpColourPalette(c *cursor, offset, bits uint64) bool {
	used := c.u32(46)
	if used == 0 || used > 256 {
		used = 1 << bits
	}
	for i := range min(used, 1<<bits) {
		if entry := c.at(offset+4*i, 3); entry[0] != entry[1] || entry[0] != entry[2] {
			return true
		}
	}
	return false
}
