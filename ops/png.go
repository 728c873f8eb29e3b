package ops

// #include "png.h"
import "C"

import (
	"encoding/binary"
	"runtime"
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/ops/internal/probe"
)

// A PNG's pixels are read here and not by OpenCV's decoder, which inflates half as fast, and row by row. The probe has
// judged the file's chunks, and its checksums.

// pngDamage says what is wrong with the pixels.
var pngDamage = map[C.int]string{
	C.OPS_PNG_SHORT:    "its pixels end early",
	C.OPS_PNG_STREAM:   "its pixels cannot be inflated",
	C.OPS_PNG_FILTER:   "a row has a filter that does not exist",
	C.OPS_PNG_CHECKSUM: "the checksum of its pixels is wrong",
}

// readPNG decodes a PNG into target. After an error, target's content is undefined.
func readPNG(png *probe.PNG, target Pixels) error {
	header := pngHeader(png, target.ImageInfo)
	rawSize := uint64(C.ops_png_raw_size(&header))
	// Deflate makes at most 1032 bytes of one: where more are missing, there is no need to find memory for them.
	if rawSize > 1032*png.DataBytes {
		return pngError(C.OPS_PNG_SHORT)
	}
	stream, done, err := pngStream(png)
	if err != nil {
		return err
	}
	defer done()
	raw, err := scratch(rawSize + C.OPS_PNG_SPARE)
	if err != nil {
		return err
	}
	defer release(raw)
	code := C.ops_png_read(&header, unsafe.Pointer(unsafe.SliceData(stream)), C.size_t(len(stream)),
		unsafe.Pointer(unsafe.SliceData(raw)), unsafe.Pointer(unsafe.SliceData(target.Data)))
	runtime.KeepAlive(stream)
	runtime.KeepAlive(raw)
	runtime.KeepAlive(target.Data)
	switch code {
	case C.OPS_PNG_READ:
		return nil
	case C.OPS_PNG_NO_MEMORY:
		return abi.Errorf(abi.ENoSpace, "the decoder finds no memory for %s", describe(target.ImageInfo))
	}
	return pngError(code)
}

func pngError(code C.int) error {
	return abi.Errorf(abi.EDecode, "the PNG is corrupt: %s", pngDamage[code])
}

// pngStream returns the zlib stream in one piece: a part of the file, or a copy, which lasts until done is called.
func pngStream(png *probe.PNG) (stream []byte, done func(), err error) {
	if png.DataChunks == 1 {
		for piece := range png.Data() {
			return piece, func() {}, nil
		}
	}
	joined, err := scratch(png.DataBytes)
	if err != nil {
		return nil, nil, err
	}
	stream = joined[:0]
	for piece := range png.Data() {
		stream = append(stream, piece...)
	}
	return stream, func() { release(joined) }, nil
}

// pngHeader describes a PNG, and the image that is wanted of it.
func pngHeader(png *probe.PNG, wanted abi.ImageInfo) C.struct_ops_png {
	header := C.struct_ops_png{
		width: C.uint32_t(png.Width), height: C.uint32_t(png.Height),
		bit_depth: C.uint8_t(png.BitDepth), colour_type: C.uint8_t(png.ColourType), interlaced: png.Interlace == 1,
		channels: C.uint8_t(wanted.Channels), sample_bytes: 1, vectors: C.OPS_PNG_SCALAR,
	}
	if wanted.Depth == abi.DepthU16 {
		header.sample_bytes = 2
	}
	if pngWithVectors {
		header.vectors = C.OPS_PNG_VECTORS
	}
	switch {
	case png.ColourType == probe.PNGPalette:
		for i := range header.colours { // an index beyond the palette is opaque black
			header.colours[i] = [4]C.uint8_t{3: 255}
		}
		for i := range len(png.Palette) / 3 {
			rgb := png.Palette[3*i : 3*i+3]
			header.colours[i] = [4]C.uint8_t{C.uint8_t(rgb[2]), C.uint8_t(rgb[1]), C.uint8_t(rgb[0]), 255}
		}
		for i, alpha := range png.Transparency {
			header.colours[i][3] = C.uint8_t(alpha)
		}
	case png.ColourType == probe.PNGGray && png.BitDepth < 8:
		white := 1<<png.BitDepth - 1
		for i := range white + 1 {
			gray := C.uint8_t(i * 255 / white)
			header.colours[i] = [4]C.uint8_t{gray, gray, gray, 255}
		}
	case png.ColourType == probe.PNGColour && png.Transparency != nil:
		header.has_key = true
		for i := range header.key {
			header.key[i] = C.uint16_t(binary.BigEndian.Uint16(png.Transparency[2*i:]))
			if png.BitDepth == 8 {
				header.key[i] &= 0xFF // OpenCV's decoder ignores the high byte
			}
		}
	}
	return header
}
