package probe

import (
	"encoding/binary"
	"testing"

	"shmcv/internal/abi"
)

// exifBlock returns an EXIF block whose first directory states the orientation behind the other entries, of 12 bytes each.
func exifBlock(order tiffOrder, others []byte, orientation uint16) []byte {
	mark := "II"
	if order == tiffOrder(binary.BigEndian) {
		mark = "MM"
	}
	block := order.AppendUint32(order.AppendUint16([]byte(mark), 42), 8)
	block = append(order.AppendUint16(block, uint16(len(others)/12+1)), others[:len(others)/12*12]...)
	block = order.AppendUint32(order.AppendUint16(order.AppendUint16(block, 0x0112), 3), 1)
	return order.AppendUint32(order.AppendUint16(block, orientation), 0)
}

func FuzzEXIF(f *testing.F) {
	for _, file := range seeds(f, isJPEG) {
		jpegSegments(file, 2, func(marker byte, body []byte) (bool, error) {
			if marker == jpegAPP1 && len(body) > 6 {
				f.Add(body[6:], uint16(len(body)), uint16(6), true)
			}
			return marker != jpegSOS, nil
		})
	}
	f.Add(exifBlock(binary.LittleEndian, nil, 3), uint16(11), uint16(9), false)
	f.Fuzz(func(t *testing.T, block []byte, cut, orientation uint16, big bool) {
		got := exifOrientation(block)
		if got < 1 || got > 8 {
			t.Fatalf("orientation %d", got)
		}
		// What a part of the block says does not become something else with the rest of it.
		if part := exifOrientation(block[:int(cut)%(len(block)+1)]); part != 1 && part != got {
			t.Fatalf("a part says %d, the block %d", part, got)
		}

		// All files that hold the block are turned by it, and none is when loaded unchanged.
		files := map[string][]byte{
			"PNG":  []byte(png("IHDR", "\x00\x00\x00\x43\x00\x00\x00\x2B\x08\x02\x00\x00\x00", "IDAT", "", "eXIf", string(block), "IEND", "")),
			"WebP": webp("VP8X", "\x08\x00\x00\x00"+u24(66)+u24(42), "VP8 ", "pixel", "EXIF", string(block)),
		}
		if n := len(block) + 8; n < 1<<16 {
			files["JPEG"] = append(append([]byte{0xFF, 0xD8, 0xFF, jpegAPP1, byte(n >> 8), byte(n)}, "Exif\x00\x00"...), block...)
			files["JPEG"] = append(files["JPEG"], 0xFF, 0xC0, 0, 9, 8, 0, 43, 0, 67, 3, 0, 0, 0xFF, jpegSOS, 0, 2)
		}
		for format, file := range files {
			p, err := PlanFor(file, abi.LoadColor.Options())
			if err != nil || p.Format != format || p.Orientation != got || p.Canvas != [2]uint32{67, 43} {
				t.Fatalf("%s: %+v, %v; the block's orientation is %d", format, p, err, got)
			}
			checkSound(t, file, abi.LoadUnchanged, uint32(cut))
			checkSound(t, file, abi.LoadColor, uint32(cut))
		}

		// An orientation is found behind other entries; one that does not exist is upright.
		order := tiffOrder(binary.LittleEndian)
		if big {
			order = binary.BigEndian
		}
		others := block[:min(len(block), 12*60000)]
		for i := 0; i+12 <= len(others); i += 12 {
			if order.Uint16(others[i:]) == 0x0112 {
				others = others[:i]
			}
		}
		want := int(orientation)
		if want < 1 || want > 8 {
			want = 1
		}
		if got := exifOrientation(exifBlock(order, others, orientation)); got != want {
			t.Fatalf("orientation %d is read as %d", orientation, got)
		}
	})
}
