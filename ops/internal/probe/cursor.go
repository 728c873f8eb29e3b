package probe

import (
	"encoding/binary"
	"fmt"
)

// cursor reads numbers from data at any offset. Reading beyond the end of data gives 0 and sets short, so that a parser
// asks once, at its end, whether everything was there.
type cursor struct {
	data  []byte
	order binary.ByteOrder
	short bool
}

// at returns size bytes; size is small, and a parser's own constant.
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

// err returns an error that wraps ErrShort if something beyond the end of data has been read. part is what the message
// names: "the file ends in the middle of PART".
func (c *cursor) err(part string) error {
	if c.short {
		return fmt.Errorf("%w of %s", ErrShort, part)
	}
	return nil
}

// byteOrder reads the mark that TIFF files and EXIF blocks begin with. It returns false for any other beginning.
func byteOrder(block []byte) (binary.ByteOrder, bool) {
	switch {
	case len(block) < 2 || block[0] != block[1]:
		return nil, false
	case block[0] == 'I':
		return binary.LittleEndian, true
	case block[0] == 'M':
		return binary.BigEndian, true
	}
	return nil, false
}
