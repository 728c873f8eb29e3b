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

// TestTIFFSamplesAreReadAsOpenCVReadsThem is the table of TiffDecoder::readHeader: what becomes of samples, by their
// number, their bits, their meaning and their type.
func TestTIFFSamplesAreReadAsOpenCVReadsThem(t *testing.T) {
	const short, long = 3, 4
	const whiteIsZero, blackIsZero, rgb, palette, cmyk, logLuv = 0, 1, 2, 3, 5, 32845
	const unsigned, signed, float, undefined = 1, 2, 3, 4
	for _, c := range []struct {
		samples, bits, photometric, format uint32
		flags                              abi.LoadFlag
		want                               string // The image, or the error's code.
	}{
		{1, 1, whiteIsZero, unsigned, abi.LoadUnchanged, "gray u8"},
		{1, 8, blackIsZero, undefined, abi.LoadUnchanged, "unsupported"},
		{1, 12, blackIsZero, unsigned, abi.LoadUnchanged, "gray u16"},
		{1, 12, blackIsZero, unsigned, abi.LoadColor, "unsupported"},
		{1, 4, blackIsZero, unsigned, abi.LoadColor, "unsupported"},
		{1, 4, palette, unsigned, abi.LoadUnchanged, "bgr u8"},
		{1, 8, palette, unsigned, abi.LoadUnchanged, "bgr u8"},
		{2, 8, blackIsZero, unsigned, abi.LoadUnchanged, "gray u8"},
		{2, 16, blackIsZero, unsigned, abi.LoadUnchanged, "gray u8"},
		{2, 8, rgb, unsigned, abi.LoadUnchanged, "unsupported"},
		{2, 8, rgb, unsigned, abi.LoadColor, "unsupported"},
		{3, 8, blackIsZero, unsigned, abi.LoadUnchanged, "gray u8"},
		{3, 16, rgb, unsigned, abi.LoadColor | abi.LoadAnyDepth, "bgr u16"},
		{3, 8, rgb, signed, abi.LoadUnchanged, "unsupported"},
		{3, 8, rgb, signed, abi.LoadColor, "bgr u8"},
		{3, 8, rgb, float, abi.LoadColor, "unsupported"},
		{4, 16, rgb, unsigned, abi.LoadBGRA, "bgra u8"},
		{4, 8, cmyk, unsigned, abi.LoadUnchanged, "bgra u8"},
		{4, 16, cmyk, unsigned, abi.LoadUnchanged, "unsupported"},
		{5, 8, rgb, unsigned, abi.LoadColor, "unsupported"},
		{0, 8, rgb, unsigned, abi.LoadColor, "unsupported"},
		{1, 32, blackIsZero, float, abi.LoadUnchanged, "gray f32"},
		{1, 32, blackIsZero, float, abi.LoadColor, "unsupported"},
		{1, 32, blackIsZero, float, abi.LoadColor | abi.LoadAnyDepth, "unsupported"},
		{3, 32, blackIsZero, float, abi.LoadUnchanged, "bgr f32"},
		{3, 32, rgb, float, abi.LoadColor | abi.LoadAnyDepth, "bgr f32"},
		{4, 32, rgb, float, abi.LoadUnchanged, "bgra f32"},
		{4, 32, rgb, float, abi.LoadBGRA, "unsupported"},
		{3, 32, rgb, signed, abi.LoadUnchanged, "unsupported"},
		{3, 32, rgb, unsigned, abi.LoadUnchanged, "unsupported"},
		{1, 64, blackIsZero, float, abi.LoadUnchanged, "unsupported"},
		{3, 16, logLuv, signed, abi.LoadUnchanged, "bgr f32"},
		{3, 16, logLuv, signed, abi.LoadColor, "bgr u8"},
		{1, 16, logLuv, signed, abi.LoadUnchanged, "unsupported"},
	} {
		file := tiffFile(binary.BigEndian, false, []entry{
			{tiffWidth, long, 67, 1}, {tiffHeight, long, 43, 1}, {tiffPhotometric, short, c.photometric, 1},
			{tiffBits, short, c.bits, 1}, {tiffSamples, short, c.samples, 1}, {tiffSampleFormat, short, c.format, 1},
			{tiffCompression, short, map[bool]uint32{false: 1, true: tiffSGILog}[c.photometric == logLuv], 1},
		}, nil)
		p, err := PlanFor(file, c.flags.Options())
		got := "unsupported"
		switch {
		case err == nil:
			got = map[abi.Order]string{abi.OrderGray: "gray", abi.OrderBGR: "bgr", abi.OrderBGRA: "bgra"}[p.Result.Order] + " " +
				map[abi.Depth]string{abi.DepthU8: "u8", abi.DepthU16: "u16", abi.DepthF32: "f32"}[p.Result.Depth]
		case abi.CodeOf(err) != abi.EUnsupported:
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
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
		if err := whole(built); err != nil {
			t.Fatal(err)
		}
		for i := range entries {
			if entries[i].tag == tiffStripBytes {
				entries[i].value = uint32(len(built)) - 8*uint32(1+layout&2/2) + 1
			}
		}
		if err := whole(tiffFile(order, layout&2 != 0, entries, file)); !errors.Is(err, ErrShort) {
			t.Fatalf("a strip beyond the end: %v", err)
		}
	})
}
