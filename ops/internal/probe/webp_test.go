package probe

import (
	"encoding/binary"
	"errors"
	"testing"

	"shmcv/internal/abi"
)

// webp returns a WebP file of chunks: kinds and bodies in turn. Its sizes are right.
func webp(kindsAndBodies ...string) []byte {
	file := []byte("RIFF....WEBP")
	for i := 0; i < len(kindsAndBodies); i += 2 {
		kind, body := kindsAndBodies[i], kindsAndBodies[i+1]
		file = binary.LittleEndian.AppendUint32(append(file, kind...), uint32(len(body)))
		file = append(file, body...)
		file = append(file, make([]byte, len(body)&1)...)
	}
	binary.LittleEndian.PutUint32(file[4:], uint32(len(file)-8))
	return file
}

func u24(n uint32) string { return string([]byte{byte(n), byte(n >> 8), byte(n >> 16)}) }

func TestAWebPEndsWhereItsHeaderSays(t *testing.T) {
	header, turned := "\x08\x00\x00\x00"+u24(66)+u24(42), string(exifBlock(binary.LittleEndian, nil, 6))
	inside := webp("VP8X", header, "VP8 ", "pixels", "EXIF", turned)
	behind := append(webp("VP8X", header, "VP8 ", "pixels"), webp("EXIF", turned)[12:]...)
	for want, file := range map[int][]byte{6: inside, 1: behind} {
		if p, err := PlanFor(file, abi.LoadColor.Options()); err != nil || p.Orientation != want {
			t.Errorf("%+v, %v; want the orientation %d", p, err, want)
		}
	}
	// The block would follow the pixels: without it, the orientation is not known.
	if _, err := PlanFor(inside[:len(inside)-len(turned)-8], abi.LoadColor.Options()); !errors.Is(err, ErrShort) {
		t.Errorf("%v, want ErrShort", err)
	}
}

func FuzzWebP(f *testing.F) {
	for i, file := range seeds(f, isWebP) {
		f.Add(file, uint32(len(file)-i), uint32(67), uint32(43))
	}
	f.Add([]byte{}, uint32(0), uint32(0x3FFF), uint32(0x3FFF))
	f.Add([]byte{}, uint32(0), uint32(0xFFFFFF), uint32(63))
	f.Fuzz(func(t *testing.T, file []byte, cut, width, height uint32) {
		if file = beginning("RIFF", file); len(file) >= longestSignature {
			copy(file[8:], "WEBP")
		}
		checkSound(t, file, abi.LoadUnchanged, cut)
		checkSound(t, file, abi.LoadColor, cut)

		// The three kinds of header, with sides within what each can say, and anything behind them.
		pixels := string(file) + "................................"
		w, h := width&0x3FFF, height&0x3FFF
		key := "\x00\x00\x00\x9d\x01\x2a" + string([]byte{byte(w), byte(w >> 8), byte(h), byte(h >> 8)})
		wantSize(t, webp("VP8 ", key+pixels), w, h, 3, abi.DepthU8)
		for alpha := range uint32(2) {
			packed := binary.LittleEndian.AppendUint32(nil, w|h<<14|alpha<<28)
			wantSize(t, webp("VP8L", "\x2F"+string(packed)+pixels), w+1, h+1, 3+alpha, abi.DepthU8)
			w, h := width&0xFFFFFF, height&0xFFFFFF
			extended := string([]byte{byte(alpha << 4), 0, 0, 0}) + u24(w) + u24(h)
			wantSize(t, webp("VP8X", extended, "VP8 ", pixels), w+1, h+1, 3+alpha, abi.DepthU8)
		}
	})
}
