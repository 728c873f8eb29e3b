package ops

// #include "png.h"
import "C"

import (
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/cpu"

	"shmcv/internal/abi"
	"shmcv/ops/internal/probe"
)

// A PNG's pixels are read here and not by OpenCV's decoder, which inflates half as fast, and row by row. OpenCV's
// decoder remains the judge of what is wrong: a file that is not plain goes there, so that what it refuses is refused
// with its words, and what it tolerates is tolerated. A file is plain if isPlain finds nothing odd in its chunks, and
// if its pixels inflate to exactly the rows that its header promises, with filters that exist and with the right
// checksum.

// readPNG decodes a plain PNG into target. It returns false if the file is not plain; target's content is undefined
// then. CheckWhole has seen the file's checksums.
func readPNG(png *probe.PNG, target Pixels) (plain bool, err error) {
	if !isPlain(png) {
		return false, nil
	}
	header := pngHeader(png, target.ImageInfo)
	rawSize := uint64(C.ops_png_raw_size(&header))
	// Deflate makes at most 1032 bytes of one: where more are missing, there is no need to find memory for them.
	if rawSize > 1032*png.DataBytes {
		return false, nil
	}
	stream, done := pngStream(png)
	defer done()
	raw := scratch(rawSize)
	defer release(raw)
	code := C.ops_png_read(&header, unsafe.Pointer(unsafe.SliceData(stream)), C.size_t(len(stream)),
		unsafe.Pointer(unsafe.SliceData(raw)), unsafe.Pointer(unsafe.SliceData(target.Data)))
	runtime.KeepAlive(stream)
	runtime.KeepAlive(raw)
	runtime.KeepAlive(target.Data)
	if code == C.OPS_PNG_NO_MEMORY {
		return false, abi.Errorf(abi.ENoSpace, "the decoder finds no memory for %s", describe(target.ImageInfo))
	}
	return code == C.OPS_PNG_READ, nil
}

// pngWithVectors says whether the processor has the vector instructions of png_unfilter.c.
var pngWithVectors = cpu.X86.HasSSE41 || runtime.GOARCH == "arm64"

// pngStream returns the zlib stream in one piece: a part of the file, or a copy, which lasts until done is called.
func pngStream(png *probe.PNG) (stream []byte, done func()) {
	if png.DataChunks == 1 {
		for piece := range png.Data() {
			return piece, func() {}
		}
	}
	joined := scratch(png.DataBytes)
	stream = joined[:0]
	for piece := range png.Data() {
		stream = append(stream, piece...)
	}
	return stream, func() { release(joined) }
}

// pngHeader describes a plain PNG, and the image that is wanted of it.
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

// pngKeptAtMost is the number of chunks with texts, palettes and EXIF blocks from which OpenCV's decoder refuses a
// file.
const pngKeptAtMost = 1000

// pngDepths has the bit depths of each colour type.
var pngDepths = map[uint8]string{
	probe.PNGGray: "\x01\x02\x04\x08\x10", probe.PNGColour: "\x08\x10", probe.PNGPalette: "\x01\x02\x04\x08",
	probe.PNGGrayAlpha: "\x08\x10", probe.PNGColourAlpha: "\x08\x10",
}

// isPlain returns true if there is nothing in the file's chunks that OpenCV's decoder would refuse, or read in another
// way than the probe does. It returns false when in doubt.
func isPlain(png *probe.PNG) bool {
	if strings.IndexByte(pngDepths[png.ColourType], png.BitDepth) < 0 || png.Compression != 0 || png.Filter != 0 ||
		png.Interlace > 1 {
		return false
	}
	const beforeData, inData, afterData = 0, 1, 2
	place := beforeData
	var headers, palettes, transparencies, blocks, kept int
	for chunk := range png.Chunks() {
		kind := string(chunk.Kind[:])
		if kind != "IDAT" && place == inData {
			place = afterData
		}
		plain := true
		switch kind {
		case "IHDR":
			headers++
			plain = headers == 1
		case "PLTE":
			palettes++
			plain = place == beforeData && palettes == 1 && transparencies == 0 && isPalette(png)
		case "tRNS":
			if place == beforeData {
				transparencies++
				plain = transparencies == 1 && isTransparency(png)
			}
		case "IDAT":
			plain = place != afterData
			place = inData
		case "IEND":
			plain = len(chunk.Body) == 0
		case "eXIf":
			kept++
			blocks++
			plain = blocks == 1 && isReadableEXIF(chunk.Body)
		case "tEXt", "zTXt", "iTXt", "sPLT":
			kept++
		default:
			plain = chunk.Kind[0]&0x20 != 0 // not critical
		}
		if !plain || kept > pngKeptAtMost {
			return false
		}
	}
	return png.ColourType != probe.PNGPalette || palettes == 1
}

func isPalette(png *probe.PNG) bool {
	most := 256
	if png.ColourType == probe.PNGPalette {
		most = 1 << png.BitDepth
	}
	size := len(png.Palette)
	return size > 0 && size%3 == 0 && size/3 <= most
}

// isTransparency returns true if the chunk tRNS is as its colour type wants it, or has no meaning with it.
func isTransparency(png *probe.PNG) bool {
	size := len(png.Transparency)
	switch png.ColourType {
	case probe.PNGColour:
		return size == 6
	case probe.PNGPalette:
		return size > 0 && size <= len(png.Palette)/3
	}
	return true
}

// The tags of EXIF that OpenCV reads from elsewhere in the block: resolutions, and then texts and more.
var (
	exifResolutions = []uint16{0x011A, 0x011B}
	exifOthers      = []uint16{0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013E, 0x013F, 0x0211, 0x0214, 0x8298}
)

// isReadableEXIF returns true if OpenCV certainly reads the block without an error; after an error it refuses the
// image. exifOthers are left to OpenCV, which looks for a short text in a place of its own.
func isReadableEXIF(block []byte) bool {
	var order binary.ByteOrder
	switch {
	case len(block) < 8:
		return false
	case string(block[:4]) == "II*\x00":
		order = binary.LittleEndian
	case string(block[:4]) == "MM\x00*":
		order = binary.BigEndian
	default:
		return false
	}
	has := func(offset, size uint64) bool { return offset+size <= uint64(len(block)) }
	directory := uint64(order.Uint32(block[4:]))
	if !has(directory, 2) {
		return false
	}
	count := uint64(order.Uint16(block[directory:]))
	if count == 0 || !has(directory+2, 12*count) {
		return false
	}
	for i := range count {
		entry := block[directory+2+12*i:]
		switch tag := order.Uint16(entry); {
		case slices.Contains(exifResolutions, tag) && !has(uint64(order.Uint32(entry[8:])), 8):
			return false
		case slices.Contains(exifOthers, tag):
			return false
		}
	}
	return true
}
