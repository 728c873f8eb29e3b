package probe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"shmcv/internal/abi"
)

const (
	jpegSOS  = 0xDA
	jpegEOI  = 0xD9
	jpegAPP1 = 0xE1
)

func isJPEG(b []byte) bool { return bytes.HasPrefix(b, []byte("\xFF\xD8\xFF")) }

func parseJPEG(b []byte) (header, error) {
	h := header{depth: abi.DepthU8, orientation: 1}
	exif := false
	err := jpegSegments(b, 2, func(marker byte, body []byte) (bool, error) {
		switch {
		case marker == jpegEOI:
			return false, malformed("the JPEG ends before its pixels begin")
		case marker == jpegSOS && h.channels == 0:
			return false, malformed("the JPEG has no frame header")
		case marker == jpegSOS:
			return false, nil
		case marker == jpegAPP1 && !exif && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
			exif = true
			h.orientation = exifOrientation(body[6:])
		case isFrameMarker(marker) && h.channels != 0: // libjpeg refuses it too.
			return false, malformed("the JPEG has two frame headers")
		case isFrameMarker(marker):
			return true, h.jpegFrame(marker, body)
		}
		return true, nil
	})
	return h, err
}

// The kinds of frames that libjpeg-turbo decodes: sequential (two), progressive and lossless ones with Huffman codes,
// and sequential and progressive ones with arithmetic codes.
const (
	jpegFrames   = "\xC0\xC1\xC2\xC3\xC9\xCA"
	jpegLossless = 0xC3
)

// jpegFrame reads a start-of-frame segment.
func (h *header) jpegFrame(marker byte, body []byte) error {
	if len(body) < 6 {
		return malformed("the JPEG's frame header is too short")
	}
	if strings.IndexByte(jpegFrames, marker) < 0 {
		return unsupported("the JPEG is of a kind (SOF%d) that libjpeg-turbo does not decode", marker&15)
	}
	if precision := body[0]; precision != 8 {
		return unsupported("the JPEG has samples of %d bits; 8 are supported", precision)
	}
	h.height = uint64(binary.BigEndian.Uint16(body[1:]))
	h.width = uint64(binary.BigEndian.Uint16(body[3:]))
	h.channels = 3 // OpenCV gives YCbCr, RGB and CMYK as BGR.
	if body[5] == 1 {
		h.channels = 1
	}
	h.grayOnly = marker == jpegLossless
	h.scales = marker != jpegLossless
	if h.grayOnly && h.channels != 1 {
		return unsupported("the JPEG is lossless and in colour, which libjpeg-turbo does not convert; save it as .png")
	}
	return nil
}

// isFrameMarker returns true for the markers of all kinds of frames: baseline, progressive, lossless and so on.
func isFrameMarker(marker byte) bool {
	switch marker {
	case 0xC4, 0xC8, 0xCC: // Huffman tables, a reserved marker, arithmetic conditioning.
		return false
	}
	return marker >= 0xC0 && marker <= 0xCF
}

// JPEGEnd is the end marker.
const JPEGEnd = "\xFF\xD9"

// wholeJPEG looks for the end marker behind the last scan. It returns true if b ends in a scan.
func wholeJPEG(b []byte) (addEnd bool, err error) {
	scans := 0
	err = jpegSegments(b, 2, func(marker byte, _ []byte) (bool, error) {
		if marker == jpegSOS {
			scans++
		}
		return marker != jpegEOI, nil
	})
	if errors.Is(err, errNoMarker) && scans > 0 {
		return true, nil
	}
	return false, err
}

// errNoMarker says that no further marker begins before the end of the content.
var errNoMarker = fmt.Errorf("%w of a JPEG, before its end marker", ErrShort)

// jpegSegments calls visit for each marker segment from position on, until visit returns false or an error. It skips
// entropy-coded data. The end marker has no body; visit gets nil. jpegSegments returns ErrShort if b ends before visit
// has had enough.
func jpegSegments(b []byte, position int, visit func(marker byte, body []byte) (more bool, err error)) error {
	for {
		skip := bytes.IndexByte(b[position:], 0xFF)
		if skip < 0 || position+skip+1 >= len(b) {
			return errNoMarker
		}
		position += skip + 1
		marker := b[position]
		switch {
		case marker == 0xFF: // A fill byte: the marker follows.
			continue
		case marker == 0x00, marker == 0x01, marker >= 0xD0 && marker <= 0xD8: // Stuffing, TEM, restarts, SOI: no body.
			position++
			continue
		case marker == jpegEOI:
			more, err := visit(marker, nil)
			if err != nil || !more {
				return err
			}
			position++
			continue
		}
		position++
		if position+2 > len(b) {
			return ErrShort
		}
		length := int(binary.BigEndian.Uint16(b[position:]))
		if length < 2 {
			return malformed("the JPEG has a segment %02X of %d bytes", marker, length)
		}
		if position+length > len(b) {
			return ErrShort
		}
		more, err := visit(marker, b[position+2:position+length])
		if err != nil || !more {
			return err
		}
		position += length
	}
}
