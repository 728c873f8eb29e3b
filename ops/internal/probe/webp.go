package probe

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"shmcv/internal/abi"
)

// webpHeader is how many bytes OpenCV's decoder wants to see of a file. It takes a smaller file for none of its own.
const webpHeader = 32

func isWebP(b []byte) bool {
	return len(b) >= 12 && bytes.HasPrefix(b, []byte("RIFF")) && string(b[8:12]) == "WEBP"
}

func parseWebP(b []byte) (header, error) {
	if len(b) < webpHeader {
		return header{}, fmt.Errorf("%w of the WebP's header", ErrShort)
	}
	h := header{depth: abi.DepthU8, channels: 3, orientation: 1}
	alpha := false
	switch chunk := b[20:]; string(b[12:16]) {
	case "VP8 ":
		if string(chunk[3:6]) != "\x9d\x01\x2a" {
			return h, malformed("the WebP has no key frame")
		}
		h.width, h.height = uint64(binary.LittleEndian.Uint16(chunk[6:])&0x3FFF), uint64(binary.LittleEndian.Uint16(chunk[8:])&0x3FFF)
	case "VP8L":
		if chunk[0] != 0x2F {
			return h, malformed("the WebP's lossless header is wrong")
		}
		bits := uint64(binary.LittleEndian.Uint32(chunk[1:]))
		h.width, h.height, alpha = bits&0x3FFF+1, bits>>14&0x3FFF+1, bits>>28&1 == 1
	case "VP8X":
		const alphaFlag, exifFlag = 0x10, 0x08
		u24 := func(p []byte) uint64 { return uint64(p[0]) | uint64(p[1])<<8 | uint64(p[2])<<16 }
		h.width, h.height, alpha = u24(chunk[4:])+1, u24(chunk[7:])+1, chunk[0]&alphaFlag != 0
		if chunk[0]&exifFlag != 0 {
			var err error
			if h.orientation, err = webpOrientation(b); err != nil {
				return h, err
			}
		}
	default:
		return h, malformed("the WebP begins with a chunk %q", b[12:16])
	}
	if alpha {
		h.channels = 4
	}
	return h, nil
}

// webpOrientation returns the orientation that the file's EXIF block states, 1 if there is no block. The block comes after
// the pixels. As libwebp does, webpOrientation looks no further than the end that the file's header states.
func webpOrientation(b []byte) (int, error) {
	end := webpBytes(b)
	for rest := b[12:max(12, min(end, uint64(len(b))))]; len(rest) >= 8; {
		size := uint64(binary.LittleEndian.Uint32(rest[4:]))
		if size > uint64(len(rest)-8) {
			return 1, fmt.Errorf("%w of the WebP's chunk %q", ErrShort, rest[:4])
		}
		if string(rest[:4]) == "EXIF" {
			return exifOrientation(rest[8 : 8+size]), nil
		}
		rest = rest[min(uint64(len(rest)), 8+size+size&1):]
	}
	_, err := wholeWebP(b)
	return 1, err
}

// webpBytes returns the length of the file that its header states.
func webpBytes(b []byte) uint64 { return 8 + uint64(binary.LittleEndian.Uint32(b[4:])) }

// wholeWebP compares the length in the header with the content.
func wholeWebP(b []byte) (addEnd bool, err error) {
	if size := webpBytes(b); size > uint64(len(b)) {
		return false, fmt.Errorf("%w: the WebP has %d bytes of %d", ErrShort, len(b), size)
	}
	return false, nil
}
