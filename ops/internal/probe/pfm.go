package probe

import (
	"bytes"
	"strconv"

	"shmcv/internal/abi"
)

// A PFM has three lines, "PF" (or "Pf" for gray), width and height, and a scale, and then floats, from the bottom row up.
func isPFM(b []byte) bool {
	return len(b) >= 3 && b[0] == 'P' && (b[1] == 'F' || b[1] == 'f') && isSpace(b[2])
}

func parsePFM(b []byte) (header, error) {
	h := header{depth: abi.DepthF32, deepOnly: true, channels: 1, orientation: 1}
	if b[1] == 'F' {
		h.channels = 3
	}
	if b[2] != '\n' {
		return h, malformed("the PFM's first line has more than two letters")
	}
	rest := b[3:]
	for _, side := range []*uint64{&h.width, &h.height} {
		var err error
		if *side, rest, err = pnmDigits(rest); err != nil {
			return h, err
		}
		if !isSpace(rest[0]) {
			return h, malformed("the PFM header has %q behind a number", rest[0])
		}
		rest = rest[1:]
	}
	const longest = 64
	end := bytes.IndexFunc(rest[:min(len(rest), longest)], func(r rune) bool { return r < 0x80 && isSpace(byte(r)) })
	if end < 0 && len(rest) < longest {
		return h, ErrShort
	}
	if end < 0 {
		end = longest
	}
	scale, err := strconv.ParseFloat(string(rest[:end]), 32)
	if err != nil || scale == 0 || scale != scale {
		return h, malformed("the PFM header has the scale %q", rest[:end])
	}
	return h, nil
}
