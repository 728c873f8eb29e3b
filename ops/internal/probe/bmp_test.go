package probe

import (
	"bytes"
	"encoding/binary"
	"testing"

	"shmcv/internal/abi"
)

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
		channels := uint32(3)
		switch {
		case bits <= 8: // A palette of grays, and one whose last colour is none.
			channels = 1
			grays := bytes.Repeat([]byte{7, 7, 7, 0}, 1<<bits)
			built, colour = append(bytes.Clone(built), grays...), append(bytes.Clone(built), grays...)
			colour[len(colour)-2] = 8
		case bits == 32 && compression != 0:
			channels = 4
		}
		if width < 0 {
			width = 0
		}
		rows := uint32(max(int64(height), -int64(height)))
		wantSize(t, built, uint32(width), rows, channels, abi.DepthU8)
		wantSize(t, colour, uint32(width), rows, max(3, channels), abi.DepthU8)
	})
}
