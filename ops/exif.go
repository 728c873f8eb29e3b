package ops

import "encoding/binary"

// transposes tells whether an EXIF orientation exchanges width and height.
func transposes(orientation int) bool { return orientation >= 5 && orientation <= 8 }

// exifOrientation gives the orientation that an EXIF block states, 1 (as it is) when it states none that makes sense.
// As OpenCV, it looks at the first directory alone.
func exifOrientation(block []byte) int {
	order, ok := byteOrder(block)
	if !ok {
		return 1
	}
	const orientationTag = 0x0112
	c := cursor{data: block, order: order}
	if c.u16(2) != 42 {
		return 1
	}
	directory := c.u32(4)
	for i := range c.u16(directory) {
		entry := directory + 2 + 12*i
		tag, value := c.u16(entry), c.u16(entry+8)
		if c.short {
			return 1
		}
		if tag == orientationTag && value >= 1 && value <= 8 {
			return int(value)
		}
	}
	return 1
}

// byteOrder reads the mark that TIFF and EXIF begin with.
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
