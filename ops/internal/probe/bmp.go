package probe

import (
	"bytes"
	"encoding/binary"

	"shmcv/internal/abi"
)

func isBMP(b []byte) bool { return bytes.HasPrefix(b, []byte("BM")) }

func parseBMP(b []byte) (header, error) {
	const coreHeader, rgb = 12, 0
	h := header{depth: abi.DepthU8, channels: 3, orientation: 1}
	c := cursor{data: b, order: binary.LittleEndian}
	size := c.u32(14)
	switch {
	case c.short: // What has not been read is not judged.
	case size == coreHeader:
		h.width, h.height = c.u16(18), c.u16(20)
		h.channels = 1 // OpenCV reads this oldest kind of header so, whatever the palette has.
	case size >= 36:
		// The height is negative if the top row comes first.
		width, height := int32(c.u32(18)), int32(c.u32(22))
		bits, compression := c.u16(28), c.u32(30)
		if width <= 0 && !c.short {
			return h, malformed("the BMP header says a width of %d", width)
		}
		h.width, h.height = uint64(width), uint64(max(int64(height), -int64(height)))
		switch {
		case bits <= 8 && !bmpColourPalette(&c, 14+size, min(bits, 8)):
			h.channels = 1
		case bits == 32 && compression != rgb:
			h.channels = 4
		}
	default:
		return h, malformed("the BMP has a header of %d bytes", size)
	}
	return h, c.err("the BMP's header")
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
