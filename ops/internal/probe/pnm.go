package probe

import (
	"math"

	"shmcv/internal/abi"
)

// isPNM returns false for PAM (P7): OpenCV takes its red for blue.
func isPNM(b []byte) bool {
	return len(b) >= 3 && b[0] == 'P' && b[1] >= '1' && b[1] <= '6' && isSpace(b[2])
}

func isSpace(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' }

func parsePNM(b []byte) (header, error) {
	h := header{depth: abi.DepthU8, channels: 1, orientation: 1}
	kind := b[1]
	if kind == '3' || kind == '6' {
		h.channels = 3
	}
	rest := b[2:]
	var err error
	if h.width, rest, err = pnmNumber(rest); err != nil {
		return h, err
	}
	if h.height, rest, err = pnmNumber(rest); err != nil || kind == '1' || kind == '4' {
		return h, err
	}
	greatest, _, err := pnmNumber(rest)
	switch {
	case err != nil:
		return h, err
	case greatest == 0 || greatest > math.MaxUint16:
		return h, malformed("the PNM header says a greatest sample of %d", greatest)
	case greatest > math.MaxUint8:
		h.depth = abi.DepthU16
	}
	return h, nil
}

// pnmNumber reads a number and the white space and comments before it. It returns the number and the bytes behind it.
func pnmNumber(b []byte) (uint64, []byte, error) {
	comment := false
	for ; len(b) > 0; b = b[1:] {
		switch {
		case b[0] == '\n' || b[0] == '\r':
			comment = false
		case b[0] == '#':
			comment = true
		case !comment && !isSpace(b[0]):
			return pnmDigits(b)
		}
	}
	return 0, nil, ErrShort
}

// pnmDigits is pnmNumber for bytes that begin with the number. A number that b ends with is ErrShort: more digits may
// follow.
func pnmDigits(b []byte) (uint64, []byte, error) {
	value := uint64(0)
	for i, digit := range b {
		if digit < '0' || digit > '9' {
			if i == 0 {
				return 0, nil, malformed("the PNM header has %q where a number should be", digit)
			}
			return value, b[i:], nil
		}
		if value = 10*value + uint64(digit-'0'); value > math.MaxInt32 {
			return 0, nil, malformed("the PNM header has a number that is too large")
		}
	}
	return 0, nil, ErrShort
}
