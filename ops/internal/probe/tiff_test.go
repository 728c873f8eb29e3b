package probe

import (
	"encoding/binary"
	"errors"
	"testing"

	"shmcv/internal/abi"
)

type tiffOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// entry is an entry of a directory. Its value is in it, or is the offset of count values.
type entry struct {
	tag, kind uint16
	value     uint32
	count     uint64
}

// tiffFile returns a TIFF, or a BigTIFF, whose directory has these entries and stands behind the data. The offsets of
// parts count from the beginning of the data.
func tiffFile(order tiffOrder, big bool, entries []entry, data []byte) []byte {
	file := []byte("II")
	if order == tiffOrder(binary.BigEndian) {
		file = []byte("MM")
	}
	word := func(n uint64) {
		if big {
			file = order.AppendUint64(file, n)
		} else {
			file = order.AppendUint32(file, uint32(n))
		}
	}
	start, wordSize := uint64(8), 4
	if big {
		file = order.AppendUint16(file, 43)
		file = order.AppendUint16(file, 8)
		file = order.AppendUint16(file, 0)
		start, wordSize = 16, 8
	} else {
		file = order.AppendUint16(file, 42)
	}
	word(start + uint64(len(data)))
	file = append(file, data...)
	if big {
		file = order.AppendUint64(file, uint64(len(entries)))
	} else {
		file = order.AppendUint16(file, uint16(len(entries)))
	}
	for _, e := range entries {
		file = order.AppendUint16(order.AppendUint16(file, e.tag), e.kind)
		word(e.count)
		end := len(file) + wordSize
		if e.tag == tiffStripOffsets {
			e.value += uint32(start)
		}
		if e.kind == 3 {
			file = order.AppendUint16(file, uint16(e.value))
		} else {
			file = order.AppendUint32(file, e.value)
		}
		file = append(file, make([]byte, end-len(file))...)
	}
	word(0)
	return file
}

func TestABeginningOfATIFFDoesNotMisjudgeLongEntries(t *testing.T) {
	const short, long = 3, 4
	file := tiffFile(binary.LittleEndian, false, []entry{
		{tiffWidth, long, 67, 1}, {tiffHeight, long, 43, 1}, {tiffPhotometric, short, 1, 1}, {tiffBits, short, 8, 1000},
	}, []byte{16, 0})
	directory := len(file)
	file = append(file, make([]byte, 2000)...)
	if _, err := checkSound(t, file, abi.LoadUnchanged, uint32(directory)); err != nil {
		t.Error(err)
	}
	wantSize(t, file, 67, 43, 1, abi.DepthU16)
}

func FuzzTIFF(f *testing.F) {
	for i, file := range seeds(f, isTIFF) {
		f.Add(file, uint32(len(file)-i), uint32(67), uint32(43), uint8(i))
	}
	f.Fuzz(func(t *testing.T, file []byte, cut, width, height uint32, layout uint8) {
		file = beginning([]string{"II*\x00", "MM\x00*", "II+\x00", "MM\x00+"}[layout%4], file)
		checkSound(t, file, abi.LoadUnchanged, cut)
		checkSound(t, file, abi.LoadColor, cut)

		// Directories of both byte orders and sizes, whose entries begin anywhere in their order, among unknown ones.
		const short, long = 3, 4
		kinds := []struct {
			bits, samples, photometric, format uint32
			channels                           uint32
			depth                              abi.Depth
		}{
			{8, 3, 2, 1, 3, abi.DepthU8}, {16, 3, 2, 1, 3, abi.DepthU16}, {32, 3, 2, 3, 3, abi.DepthF32}, {8, 4, 2, 1, 4, abi.DepthU8},
			{1, 1, 0, 1, 1, abi.DepthU8}, {8, 1, 1, 1, 1, abi.DepthU8}, {16, 1, 1, 1, 1, abi.DepthU16}, {8, 1, 3, 1, 3, abi.DepthU8},
		}
		kind := kinds[layout/4%8]
		entries := []entry{
			{tiffWidth, long, width, 1}, {tiffHeight, long, height, 1}, {tiffBits, short, kind.bits, 1}, {tiffPhotometric, short, kind.photometric, 1},
			{tiffSamples, short, kind.samples, 1}, {tiffSampleFormat, short, kind.format, 1}, {50000, short, 1, 1}, {50001, 99, 7, 1},
			{tiffStripOffsets, long, 0, 1}, {tiffStripBytes, long, uint32(len(file)), 1},
		}
		first := int(cut % uint32(len(entries)))
		entries = append(entries[first:len(entries):len(entries)], entries[:first]...)
		order := []tiffOrder{binary.LittleEndian, binary.BigEndian}[layout%2]
		built := tiffFile(order, layout&2 != 0, entries, file)
		wantSize(t, built, width, height, kind.channels, kind.depth)

		// The strip ends where the directory begins: one byte more than the file has is noticed, wherever the strip is.
		if err := CheckWhole(built); err != nil {
			t.Fatal(err)
		}
		for i := range entries {
			if entries[i].tag == tiffStripBytes {
				entries[i].value = uint32(len(built)) - 8*uint32(1+layout&2/2) + 1
			}
		}
		if err := CheckWhole(tiffFile(order, layout&2 != 0, entries, file)); !errors.Is(err, ErrShort) {
			t.Fatalf("a strip beyond the end: %v", err)
		}
	})
}
