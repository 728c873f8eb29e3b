package probe

// Transposes returns true if an EXIF orientation exchanges width and height.
func Transposes(orientation int) bool { return orientation >= 5 && orientation <= 8 }

// exifOrientation returns the orientation that an EXIF block states, 1 to 8. It returns 1, upright, for a block that
// states none or makes no sense. It reads the block's first directory only, as OpenCV does.
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
