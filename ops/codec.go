package ops

// #include <stdlib.h>
// #include "codec.h"
import "C"

import (
	"encoding/binary"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unsafe"

	"gocv.io/x/gocv"

	"shmcv/internal/abi"
	"shmcv/ops/internal/probe"
)

func init() { C.ops_silence() }

// Load decodes an image file into memory, rows without gaps from its first byte, and gives its description. It decodes
// straight into memory unless the image has to be turned by 90 degrees (EXIF) or given an alpha channel.
//
// keep says that memory holds an image which must still be there, whole, should the file prove damaged; it is then
// decoded elsewhere first. Whatever keep is, errors found before decoding (all but damage to the pixels) leave memory
// untouched.
//
// Errors: ETooSmall with the number of bytes that are needed; ENotFound; EPermission; EDecode when the file is corrupt,
// truncated or empty; EUnsupported when it is no image of a known format, or not to be had with these flags; ELimit,
// before anything is allocated; EInvalid for unknown flags, or a path to something that is no file; EIO.
func Load(path string, flags abi.LoadFlag, memory []byte, keep bool) (abi.ImageInfo, error) {
	if err := probe.CheckFlags(flags); err != nil {
		return abi.ImageInfo{}, loadError(path, err)
	}
	content, err := readFile(path)
	if err != nil {
		return abi.ImageInfo{}, err
	}
	defer release(content)
	p, err := probe.PlanFor(content, flags)
	if err == nil {
		err = probe.CheckWhole(content)
	}
	if err != nil {
		return abi.ImageInfo{}, loadError(path, err)
	}
	if need := p.Result.Bytes(); need > uint64(len(memory)) {
		return abi.ImageInfo{}, abi.Errorf(abi.ETooSmall, "load %q: %d bytes wanted for %s, %d bytes there", path, need, describe(p.Result), len(memory))
	}
	if err := load(p, content, memory, keep); err != nil {
		return abi.ImageInfo{}, loadError(path, err)
	}
	return p.Result, nil
}

// load decodes content and brings it into the form that was asked for, in memory.
func load(p probe.Plan, content, memory []byte, keep bool) error {
	result := Pixels{ImageInfo: p.Result, Data: memory[:p.Result.Bytes()]}
	decoded := Pixels{ImageInfo: p.Decoded, Data: result.Data}
	converted := p.Decoded.Order != p.Result.Order || p.Decoded.Depth != p.Result.Depth
	if keep || converted || probe.Transposes(p.Orientation) {
		decoded.Data = scratch(p.Decoded.Bytes())
		defer release(decoded.Data)
	}
	if _, err := decode(p, content, decoded, togetherFrom); err != nil {
		return err
	}
	if !converted {
		return orient(decoded, result, p.Orientation)
	}
	if decoded.Depth == abi.DepthU16 {
		decoded = halveDepth(decoded)
	}
	if p.Orientation == 1 {
		return Convert(decoded, result)
	}
	// A file with alpha, or BGRA wanted, and turned as well: rare enough for one more copy.
	upright := Pixels{ImageInfo: abi.NewImageInfo(p.Result.Width, p.Result.Height, decoded.Depth, decoded.Order)}
	upright.Data = scratch(upright.Bytes())
	defer release(upright.Data)
	if err := orient(decoded, upright, p.Orientation); err != nil {
		return err
	}
	return Convert(upright, result)
}

// togetherFrom is how many pixels an image must have for two threads to work on its file.
const togetherFrom = 1 << 18

// byTwo is 1 for images that are large enough, 0 for others, as C wants it.
func byTwo(image abi.ImageInfo, from uint64) C.int {
	if uint64(image.Width)*uint64(image.Height) >= from {
		return 1
	}
	return 0
}

// decode lets OpenCV write the file's pixels to target, and makes sure that it did. It tells how many threads did it.
func decode(p probe.Plan, content []byte, target Pixels, togetherFrom uint64) (threads int, err error) {
	var out C.struct_ops_decoded
	// One call into C: what the codecs leave behind for us to find, they leave in the thread.
	code := C.ops_decode(unsafe.Pointer(unsafe.SliceData(content)), C.size_t(len(content)), C.int(p.Read),
		C.int(p.Canvas[1]), C.int(p.Canvas[0]), C.int(matType(p.Decoded)),
		unsafe.Pointer(unsafe.SliceData(target.Data)), C.size_t(len(target.Data)),
		byTwo(target.ImageInfo, togetherFrom), &out)
	runtime.KeepAlive(content)
	runtime.KeepAlive(target.Data)
	threads = int(out.threads)
	got := C.GoString(&out.reason[0])
	switch {
	case code == C.OPS_NO_MEMORY:
		return threads, abi.Errorf(abi.ENoSpace, "the decoder finds no memory for %s", describe(p.Decoded))
	case code != C.OPS_OK && got != "":
		return threads, abi.Errorf(abi.EDecode, "the %s is corrupt: %s", p.Format, got)
	case code != C.OPS_OK:
		return threads, abi.Errorf(abi.EDecode, "the %s is corrupt: its pixels cannot be decoded", p.Format)
	}
	if uint32(out.rows) != target.Height || uint32(out.cols) != target.Width || gocv.MatType(out._type) != matType(target.ImageInfo) {
		return threads, abi.Errorf(abi.EDecode, "the %s header says %s, its pixels are %d x %d of OpenCV's type %d",
			p.Format, describe(p.Decoded), out.cols, out.rows, out._type)
	}
	return threads, nil
}

// orient turns an image as EXIF's orientation says. src and dst are one image in place, or do not overlap.
func orient(src, dst Pixels, orientation int) error {
	// An orientation above 4 exchanges rows and columns first; what is left to do is then one of these.
	flips := map[int]abi.FlipCode{2: abi.FlipHorizontal, 3: abi.FlipBoth, 4: abi.FlipVertical,
		6: abi.FlipHorizontal, 7: abi.FlipBoth, 8: abi.FlipVertical}
	if probe.Transposes(orientation) {
		err := into("turn", src, dst, func(src gocv.Mat, dst *gocv.Mat) error { return gocv.Transpose(src, dst) })
		if err != nil {
			return err
		}
		src = dst
	}
	if code, ok := flips[orientation]; ok {
		return Flip(src, dst, code)
	}
	if !src.sameStart(dst) {
		copy(dst.Data, src.Data)
	}
	return nil
}

// halveDepth reduces 16-bit samples to their high bytes, in place, as OpenCV's decoders do.
func halveDepth(p Pixels) Pixels {
	half := Pixels{ImageInfo: abi.NewImageInfo(p.Width, p.Height, abi.DepthU8, p.Order)}
	half.Data = p.Data[:half.Bytes()]
	for i := range half.Data {
		half.Data[i] = byte(binary.NativeEndian.Uint16(p.Data[2*i:]) >> 8)
	}
	return half
}

// encoder is a format that Save knows.
type encoder struct {
	name            string
	channels        string // the numbers of channels that it has, a digit each
	depths          []abi.Depth
	maxSide         uint32
	quality         int // OpenCV's parameter for the quality, 0 when there is none
	lowest, highest int32
	meaning         string // of the quality, for errors
}

var (
	onlyU8     = []abi.Depth{abi.DepthU8}
	u8AndU16   = []abi.Depth{abi.DepthU8, abi.DepthU16}
	everyDepth = []abi.Depth{abi.DepthU8, abi.DepthU16, abi.DepthF32}

	jpegEncoder = encoder{"JPEG", "134", onlyU8, 65500, gocv.IMWriteJpegQuality, 0, 100, "the quality, 0 to 100"}
	pngEncoder  = encoder{"PNG", "134", u8AndU16, abi.MaxDimension, gocv.IMWritePngCompression, 0, 9, "the compression level, 0 to 9"}
	webpEncoder = encoder{"WebP", "134", onlyU8, 16383, gocv.IMWriteWebpQuality, 1, math.MaxInt32, "the quality, 1 to 100, or more for lossless"}
	tiffEncoder = encoder{name: "TIFF", channels: "134", depths: everyDepth, maxSide: abi.MaxDimension}
	bmpEncoder  = encoder{name: "BMP", channels: "134", depths: onlyU8, maxSide: abi.MaxDimension}
	pbmEncoder  = encoder{name: "PBM", channels: "1", depths: onlyU8, maxSide: abi.MaxDimension}
	pgmEncoder  = encoder{name: "PGM", channels: "1", depths: u8AndU16, maxSide: abi.MaxDimension}
	ppmEncoder  = encoder{name: "PPM", channels: "3", depths: u8AndU16, maxSide: abi.MaxDimension}
	pnmEncoder  = encoder{name: "PNM", channels: "13", depths: u8AndU16, maxSide: abi.MaxDimension}
)

const knownExtensions = ".jpg .jpeg .png .webp .tif .tiff .bmp .pbm .pgm .ppm .pnm"

var encoders = map[string]*encoder{
	".jpg": &jpegEncoder, ".jpeg": &jpegEncoder, ".png": &pngEncoder, ".webp": &webpEncoder, ".tif": &tiffEncoder,
	".tiff": &tiffEncoder, ".bmp": &bmpEncoder, ".pbm": &pbmEncoder, ".pgm": &pgmEncoder, ".ppm": &ppmEncoder, ".pnm": &pnmEncoder,
}

// Save writes an image to a file, in the format that the path's extension names, in upper or lower case. quality is 0
// to 100 for JPEG (default 95); 1 to 100 for WebP, above 100 lossless (the default); the compression level 0 to 9 for PNG
// (default: as OpenCV, level 1 with its fast strategy); other formats have none. -1 is the default. JPEG drops alpha,
// as cv2.imwrite does; a depth that the format lacks is an error, where cv2 would silently convert.
//
// The file appears under its name only when it is whole; one that was there is replaced then, keeps its mode, and stays
// when saving fails. A symbolic link stays one: the file that it points to is replaced.
//
// Errors: EUnsupported for an unknown extension, or channels or a depth that the format lacks; EInvalid for a quality
// out of range, bad geometry, or a path to a folder; ENotFound when the folder is not there; EPermission; ENoSpace;
// EEncode; EIO.
func Save(path string, src Pixels, quality int32) error {
	extension := strings.ToLower(filepath.Ext(path))
	format := encoders[extension]
	if format == nil {
		return abi.Errorf(abi.EUnsupported, "save %q: the extension %q names no known format; they are %s", path, filepath.Ext(path), knownExtensions)
	}
	src, err := src.checked("save " + path)
	if err != nil {
		return err
	}
	if err := format.check(src.ImageInfo, quality); err != nil {
		return abi.Errorf(abi.CodeOf(err), "save %q: %w", path, err)
	}
	// Before the work of encoding, find out what can be found out: a folder, a path that leads nowhere.
	if _, _, err := targetFile(path); err != nil {
		return err
	}
	file, err := format.encode(extension, src, quality)
	if err != nil {
		return abi.Errorf(abi.CodeOf(err), "save %q: %w", path, err)
	}
	defer file.free()
	return writeFile(path, file.content)
}

// check finds out whether the format can hold the image.
func (f *encoder) check(image abi.ImageInfo, quality int32) error {
	channels := string(rune('0' + image.Channels))
	switch {
	case !strings.Contains(f.channels, channels):
		return abi.Errorf(abi.EUnsupported, "%s does not hold %s; convert it, or save it as .png or .tiff", f.name, describe(image))
	case !slices.Contains(f.depths, image.Depth):
		return abi.Errorf(abi.EUnsupported, "%s does not hold %s; load it as 8-bit, or save it as %s",
			f.name, describe(image), map[abi.Depth]string{abi.DepthU16: ".png or .tiff", abi.DepthF32: ".tiff"}[image.Depth])
	case image.Width > f.maxSide || image.Height > f.maxSide:
		return abi.Errorf(abi.EUnsupported, "%s holds at most %d pixels a side, not %d x %d; save it as .png or .tiff",
			f.name, f.maxSide, image.Width, image.Height)
	case quality == abi.QualityDefault:
		return nil
	case f.quality == 0:
		return abi.Errorf(abi.EInvalid, "quality %d; %s has none, pass %d", quality, f.name, abi.QualityDefault)
	case quality < f.lowest || quality > f.highest:
		return abi.Errorf(abi.EInvalid, "quality %d; for %s it is %s, or %d for the default", quality, f.name, f.meaning, abi.QualityDefault)
	}
	return nil
}

// encodedFile is a file's content, in memory of C's.
type encodedFile struct {
	content []byte
	threads int // that encoded it
	owner   unsafe.Pointer
}

func (f encodedFile) free() { C.ops_encoded_free(f.owner) }

// encode gives the file's content.
func (f *encoder) encode(extension string, src Pixels, quality int32) (encodedFile, error) {
	bgr, done, err := withOrder(src, blueFirst(src.Order))
	if err != nil {
		return encodedFile{}, err
	}
	defer done()
	if f.quality == 0 || quality == abi.QualityDefault {
		return f.encodeWith(nil, extension, bgr, togetherFrom)
	}
	return f.encodeWith([]int32{int32(f.quality), quality}, extension, bgr, togetherFrom)
}

// encodeWith takes pairs of OpenCV's parameters and their values, and pixels in its order.
func (f *encoder) encodeWith(parameters []int32, extension string, bgr Pixels, togetherFrom uint64) (encodedFile, error) {
	var out C.struct_ops_encoded
	cExtension := C.CString(extension)
	defer C.free(unsafe.Pointer(cExtension))
	code := C.ops_encode(cExtension, C.int(bgr.Height), C.int(bgr.Width), C.int(matType(bgr.ImageInfo)),
		unsafe.Pointer(unsafe.SliceData(bgr.Data)), C.size_t(bgr.Stride),
		(*C.int)(unsafe.SliceData(parameters)), C.int(len(parameters)), byTwo(bgr.ImageInfo, togetherFrom), &out)
	runtime.KeepAlive(bgr.Data)
	switch {
	case code == C.OPS_NO_MEMORY:
		return encodedFile{}, abi.Errorf(abi.ENoSpace, "the %s encoder finds no memory for %s", f.name, describe(bgr.ImageInfo))
	case code != C.OPS_OK:
		return encodedFile{}, abi.Errorf(abi.EEncode, "the %s encoder fails for %s: %s", f.name, describe(bgr.ImageInfo), C.GoString(&out.reason[0]))
	}
	return encodedFile{unsafe.Slice((*byte)(out.data), out.size), int(out.threads), out.owner}, nil
}
