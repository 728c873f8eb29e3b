package probe

import (
	"bytes"
	"encoding/binary"
	"testing"

	"shmcv/internal/abi"
)

func TestBMPMasksAreObeyedOrRefused(t *testing.T) {
	for name, c := range map[string]struct {
		size, bits uint32 // Of the header, of a pixel.
		masks      []uint32
		code       abi.Code
		opaque     bool
	}{
		"behind the header":          {40, 32, []uint32{0xFF0000, 0xFF00, 0xFF}, abi.OK, true},
		"behind it, swapped":         {40, 32, []uint32{0xFF, 0xFF00, 0xFF0000}, abi.EUnsupported, false},
		"in a header of 52":          {52, 32, []uint32{0xFF0000, 0xFF00, 0xFF}, abi.OK, true},
		"in a header of 52, swapped": {52, 32, []uint32{0xFF, 0xFF00, 0xFF0000}, abi.EUnsupported, false},
		"in a header of 56":          {56, 32, []uint32{0xFF, 0xFF00, 0xFF0000, 0}, abi.OK, true},
		"with alpha":                 {56, 32, []uint32{0xFF, 0xFF00, 0xFF0000, 0xFF000000}, abi.OK, false},
		"of ten bits":                {124, 32, []uint32{0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000}, abi.OK, false},
		"with gaps":                  {124, 32, []uint32{0xF0F000, 0xF0F, 0xFF000000, 0}, abi.EUnsupported, false},
		"without green":              {124, 32, []uint32{0xFF0000, 0, 0xFF, 0}, abi.EUnsupported, false},
		"of 5, 6 and 5 bits":         {40, 16, []uint32{0xF800, 0x7E0, 0x1F}, abi.OK, false},
		"of 5 bits each":             {40, 16, []uint32{0x7C00, 0x3E0, 0x1F}, abi.OK, false},
		"of 4 bits each":             {40, 16, []uint32{0xF00, 0xF0, 0xF}, abi.EUnsupported, false},
		"of 5, 6 and 5 bits, inside": {56, 16, []uint32{0xF800, 0x7E0, 0x1F, 0}, abi.EUnsupported, false},
	} {
		file := append([]byte("BM"), make([]byte, 12)...)
		for _, number := range []uint32{c.size, 67, 43, 1 | c.bits<<16, bmpBitFields, 0, 0, 0, 0, 0} {
			file = binary.LittleEndian.AppendUint32(file, number)
		}
		for _, mask := range c.masks {
			file = binary.LittleEndian.AppendUint32(file, mask)
		}
		file = append(file, make([]byte, 200)...)
		p, err := PlanFor(file, abi.LoadUnchanged.Options())
		if abi.CodeOf(err) != c.code || p.Opaque != c.opaque {
			t.Errorf("%s: opaque %t, %v", name, p.Opaque, err)
		}
	}
}

func FuzzBMP(f *testing.F) {
	for i, file := range seeds(f, isBMP) {
		f.Add(file, uint32(len(file)-i), int32(67), int32(43), uint8(i))
	}
	f.Fuzz(func(t *testing.T, file []byte, cut uint32, width, height int32, layout uint8) {
		file = beginning("BM", file)
		checkSound(t, file, abi.LoadUnchanged, cut)
		checkSound(t, file, abi.LoadColor, cut)

		// The header that all programs write, with the rows from the top or from the bottom.
		bits := []uint16{1, 4, 8, 16, 24, 32}[layout%6]
		compression := uint32(layout / 6 % 4)
		built := append([]byte("BM"), make([]byte, 12)...)
		built = binary.LittleEndian.AppendUint32(built, 40)
		built = binary.LittleEndian.AppendUint32(built, uint32(width))
		built = binary.LittleEndian.AppendUint32(built, uint32(height))
		built = binary.LittleEndian.AppendUint16(built, 1)
		built = binary.LittleEndian.AppendUint16(built, bits)
		built = binary.LittleEndian.AppendUint32(built, compression)
		built = append(built, make([]byte, 20)...)
		colour := built
		if bmpWay(uint64(bits), uint64(compression)) != nil {
			if _, err := PlanFor(built, abi.LoadColor.Options()); width > 0 && abi.CodeOf(err) != abi.EUnsupported {
				t.Fatalf("%d bits, kept in the way %d: %v", bits, compression, err)
			}
			return
		}
		channels := uint32(3)
		switch {
		case bits <= 8: // A palette of grays, and one whose last colour is none.
			channels = 1
			grays := bytes.Repeat([]byte{7, 7, 7, 0}, 1<<bits)
			built, colour = append(bytes.Clone(built), grays...), append(bytes.Clone(built), grays...)
			colour[len(colour)-2] = 8
		case compression != bmpRGB:
			masks := bmpMask565
			if bits == 32 {
				masks, channels = bmpMask8888, 4
			}
			for _, mask := range masks[:3] {
				built = binary.LittleEndian.AppendUint32(built, uint32(mask))
			}
			colour = built
		}
		if width < 0 {
			width = 0
		}
		rows := uint32(max(int64(height), -int64(height)))
		wantSize(t, built, uint32(width), rows, channels, abi.DepthU8)
		wantSize(t, colour, uint32(width), rows, max(3, channels), abi.DepthU8)
	})
}
