package ops

// #include "codec.h"
// #include "mat.h"
import "C"

import (
	"encoding/binary"
	"fmt"
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

func init() { C.ops_start() }

// Load decodes an image file into memory, rows without gaps from the first byte on, and returns the image's
// description. It decodes straight into memory, unless the image has to be turned by 90 degrees (EXIF) or to be given
// an alpha channel.
//
// keep says that memory holds an image that must stay whole if the file proves damaged. Then the file is decoded
// elsewhere first. With or without keep, an error that is found before decoding (all but damage to the pixels) leaves
// memory untouched.
//
// Errors: ETooSmall, with the number of bytes that are needed; ENotFound; EPermission; EDecode for a corrupt, truncated
// or empty file; EUnsupported for a file that is no image of a known format, or that does not give what the flags ask
// for; ELimit, before anything is allocated; EInvalid for unknown flags, and for a path to something that is no file;
// EIO; ENoSpace if there is no memory for the decoder.
func Load(path string, flags abi.LoadFlag, memory []byte, keep bool) (abi.ImageInfo, error) {
	from := "load " + abi.Quote(path)
	if err := probe.CheckFlags(flags); err != nil {
		return abi.ImageInfo{}, decodeError(from, err)
	}
	content, err := readFile(path, func(start []byte) error { _, err := planWithin(start, flags, memory); return err })
	if err != nil {
		return abi.ImageInfo{}, err
	}
	defer release(content)
	return decodeInto(from, content, flags, memory, keep)
}

// Decode is Load for the content of a file, which is in memory already. shared says that another process may write to
// content meanwhile, or that content overlaps memory. Then each byte is copied first, once, so that what is judged is
// what is decoded; content that overlaps memory stays whole too if it proves damaged. Other content must not change during
// the call.
//
// Errors: those of Load that are not about a path.
func Decode(content []byte, shared bool, flags abi.LoadFlag, memory []byte, keep bool) (abi.ImageInfo, error) {
	from := nameOf(content)
	if err := checkContent(content); err != nil {
		return abi.ImageInfo{}, err
	}
	if !shared {
		return decodeInto(from, content, flags, memory, keep)
	}
	private, err := scratch(uint64(len(content)))
	if err != nil {
		return abi.ImageInfo{}, decodeError(from, err)
	}
	defer release(private)
	copy(private, content)
	return decodeInto(from, private, flags, memory, keep || Overlap(content, memory))
}

// planWithin is probe.PlanFor for an image that has to fit into memory.
func planWithin(content []byte, flags abi.LoadFlag, memory []byte) (probe.Plan, error) {
	p, err := probe.PlanFor(content, flags)
	if need := p.Result.Bytes(); err == nil && need > uint64(len(memory)) {
		err = abi.Errorf(abi.ETooSmall, "%d bytes wanted for %s, %d bytes there", need, describe(p.Result), len(memory))
	}
	return p, err
}

// decodeInto decodes a file's whole content into memory. from begins the errors.
func decodeInto(from string, content []byte, flags abi.LoadFlag, memory []byte, keep bool) (abi.ImageInfo, error) {
	p, err := planWithin(content, flags, memory)
	if err == nil {
		p.EndAdded, err = probe.CheckWhole(content)
	}
	if err == nil && p.EndAdded {
		var ended []byte
		if ended, err = scratch(uint64(len(content) + len(probe.JPEGEnd))); err == nil {
			defer release(ended)
			copy(ended[copy(ended, content):], probe.JPEGEnd)
			content = ended
		}
	}
	if err == nil {
		err = load(p, content, memory, keep)
	}
	if err != nil {
		return abi.ImageInfo{}, decodeError(from, err)
	}
	return p.Result, nil
}

// load decodes content into memory, in the form that the plan's result has.
func load(p probe.Plan, content, memory []byte, keep bool) error {
	result := Pixels{ImageInfo: p.Result, Data: memory[:p.Result.Bytes()]}
	decoded := Pixels{ImageInfo: p.Decoded, Data: result.Data}
	converted := p.Decoded.Order != p.Result.Order || p.Decoded.Depth != p.Result.Depth
	if keep || converted || probe.Transposes(p.Orientation) {
		aside, err := scratch(p.Decoded.Bytes())
		if err != nil {
			return err
		}
		defer release(aside)
		decoded.Data = aside
	}
	if _, err := decode(p, content, decoded, togetherFrom); err != nil {
		return err
	}
	if p.Opaque && decoded.Order == abi.OrderBGRA {
		for i := 3; i < len(decoded.Data); i += 4 {
			decoded.Data[i] = 255
		}
	}
	if !converted {
		return orient(decoded, result, p.Orientation)
	}
	if decoded.Depth == abi.DepthU16 && p.Result.Depth == abi.DepthU8 {
		decoded = halveDepth(decoded)
	}
	if p.Orientation == 1 {
		return Convert(decoded, result)
	}
	// An image that is converted and turned is rare enough for one more copy.
	return withScratch(abi.NewImageInfo(p.Result.Width, p.Result.Height, decoded.Depth, decoded.Order), func(upright Pixels) error {
		if err := orient(decoded, upright, p.Orientation); err != nil {
			return err
		}
		return Convert(upright, result)
	})
}

// togetherFrom is how many pixels an image needs for two threads to work on its file.
const togetherFrom = 1 << 18

// byTwo returns true if an image has at least that many pixels.
func byTwo(image abi.ImageInfo, from uint64) C.bool {
	return uint64(image.Width)*uint64(image.Height) >= from
}

// decode writes the file's pixels to target. It returns the number of threads that worked on it.
func decode(p probe.Plan, content []byte, target Pixels, togetherFrom uint64) (threads int, err error) {
	if p.PNG != nil {
		return 1, readPNG(p.PNG, target)
	}
	return decodeByOpenCV(p, content, target, togetherFrom)
}

// decodeByOpenCV lets OpenCV write the file's pixels to target, and returns an error if it did not.
func decodeByOpenCV(p probe.Plan, content []byte, target Pixels, togetherFrom uint64) (threads int, err error) {
	var out C.struct_ops_decoded
	// All of it is one call into C, since the codecs' warnings belong to the thread.
	way := C.struct_ops_way{
		flags: C.int(p.Read), together: byTwo(target.ImageInfo, togetherFrom),
		log_is_damage: C.bool(p.Faxed), end_added: C.bool(p.EndAdded),
		may_leave_gaps: p.Format != "JPEG", // OpenCV and our hooks count the lines of a JPEG.
	}
	code := C.ops_decode(unsafe.Pointer(unsafe.SliceData(content)), C.size_t(len(content)), way,
		C.int(p.Canvas[1]), C.int(p.Canvas[0]), C.int(matType(p.Decoded)),
		unsafe.Pointer(unsafe.SliceData(target.Data)), C.size_t(len(target.Data)), &out)
	runtime.KeepAlive(content)
	runtime.KeepAlive(target.Data)
	threads = int(out.threads)
	switch {
	case code == C.OPS_NO_MEMORY:
		return threads, abi.Errorf(abi.ENoSpace, "the decoder finds no memory for %s", describe(p.Decoded))
	case code != C.OPS_OK && out.damage != nil:
		return threads, abi.Errorf(abi.EDecode, "the %s is corrupt: %s", p.Format, C.GoString(out.damage))
	case code != C.OPS_OK:
		return threads, abi.Errorf(abi.EDecode, "the %s is corrupt: its pixels cannot be decoded", p.Format)
	}
	if uint32(out.rows) != target.Height || uint32(out.cols) != target.Width || gocv.MatType(out._type) != matType(target.ImageInfo) {
		return threads, abi.Errorf(abi.EDecode, "the %s header says %s, its pixels are %d x %d of OpenCV's type %d",
			p.Format, describe(p.Decoded), out.cols, out.rows, out._type)
	}
	return threads, nil
}

// orient turns an image as EXIF's orientation says. src and dst start at the same byte, or do not overlap.
func orient(src, dst Pixels, orientation int) error {
	// An orientation above 4 exchanges rows and columns first. One of these flips then remains, or nothing.
	flips := map[int]abi.FlipCode{2: abi.FlipHorizontal, 3: abi.FlipBoth, 4: abi.FlipVertical,
		6: abi.FlipHorizontal, 7: abi.FlipBoth, 8: abi.FlipVertical}
	if probe.Transposes(orientation) {
		if err := into("turn", src, dst, C.OPS_TRANSPOSE, 0); err != nil {
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

// halveDepth reduces 16-bit samples to their high bytes, in place, as OpenCV's decoders do. It returns the smaller
// image.
func halveDepth(p Pixels) Pixels {
	half := Pixels{ImageInfo: abi.NewImageInfo(p.Width, p.Height, abi.DepthU8, p.Order)}
	half.Data = p.Data[:half.Bytes()]
	for i := range half.Data {
		half.Data[i] = byte(binary.NativeEndian.Uint16(p.Data[2*i:]) >> 8)
	}
	return half
}

// encoder is a format that Save writes.
type encoder struct {
	name            string
	channels        string // the numbers of channels that the format has, a digit each
	depths          []abi.Depth
	maxSide         uint32
	quality         int // OpenCV's parameter for the quality, 0 if there is none
	lowest, highest int32
	meaning         string                           // of the quality, for errors
	bound           func(image abi.ImageInfo) uint64 // bytes that no file of such an image exceeds
}

var (
	onlyU8     = []abi.Depth{abi.DepthU8}
	u8AndU16   = []abi.Depth{abi.DepthU8, abi.DepthU16}
	everyDepth = []abi.Depth{abi.DepthU8, abi.DepthU16, abi.DepthF32}

	jpegEncoder = encoder{"JPEG", "134", onlyU8, 65500, gocv.IMWriteJpegQuality, 0, 100, "the quality, 0 to 100", jpegBound}
	pngEncoder  = encoder{"PNG", "134", u8AndU16, abi.MaxDimension, gocv.IMWritePngCompression, 0, 9, "the compression level, 0 to 9", pngBound}
	webpEncoder = encoder{"WebP", "134", onlyU8, 16383, gocv.IMWriteWebpQuality, 1, math.MaxInt32, "the quality, 1 to 100, or more for lossless", webpBound}
	tiffEncoder = encoder{name: "TIFF", channels: "134", depths: everyDepth, maxSide: abi.MaxDimension, bound: tiffBound}
	bmpEncoder  = encoder{name: "BMP", channels: "134", depths: onlyU8, maxSide: abi.MaxDimension, bound: bmpBound}
	pbmEncoder  = encoder{name: "PBM", channels: "1", depths: onlyU8, maxSide: abi.MaxDimension, bound: pnmBound}
	pgmEncoder  = encoder{name: "PGM", channels: "1", depths: u8AndU16, maxSide: abi.MaxDimension, bound: pnmBound}
	ppmEncoder  = encoder{name: "PPM", channels: "3", depths: u8AndU16, maxSide: abi.MaxDimension, bound: pnmBound}
	pnmEncoder  = encoder{name: "PNM", channels: "13", depths: u8AndU16, maxSide: abi.MaxDimension, bound: pnmBound}
)

const knownExtensions = ".jpg .jpeg .png .webp .tif .tiff .bmp .pbm .pgm .ppm .pnm"

var encoders = map[string]*encoder{
	".jpg": &jpegEncoder, ".jpeg": &jpegEncoder, ".png": &pngEncoder, ".webp": &webpEncoder, ".tif": &tiffEncoder,
	".tiff": &tiffEncoder, ".bmp": &bmpEncoder, ".pbm": &pbmEncoder, ".pgm": &pgmEncoder, ".ppm": &ppmEncoder, ".pnm": &pnmEncoder,
}

// Save writes an image to a file, in the format that the path's extension names, in upper or lower case. quality is 0
// to 100 for JPEG (default 95). For WebP it is 1 to 100, or more for lossless (the default). For PNG it is the
// compression level, 0 to 9 (default: level 1 with OpenCV's fast strategy). Other formats have none. -1 is the default.
// JPEG drops alpha, as cv2.imwrite does. A depth that the format lacks is an error; cv2 would convert silently.
//
// The file appears under its name when it is whole. An old file of that name is replaced then, and hands its mode on;
// it stays if saving fails. A symbolic link stays a link: the file that it points to is replaced.
//
// Errors: EUnsupported for an unknown extension, and for channels or a depth that the format lacks; EInvalid for a
// quality out of range, bad geometry, and a path to a folder; ENotFound if the folder is missing; EPermission;
// ENoSpace; EEncode; EIO.
func Save(path string, src Pixels, quality int32) error {
	encoded, err := EncodeFor(path, src, quality)
	if err != nil {
		return err
	}
	defer encoded.Free()
	return encoded.Write(path)
}

// Encoded is the content of a file, in memory of the encoder's. The caller frees it.
type Encoded struct {
	content []byte
	threads int // that encoded the image
	owner   unsafe.Pointer
}

// Bytes is the content. It goes with Free.
func (e Encoded) Bytes() []byte { return e.content }

// Write writes the file.
//
// Errors: those of Save that are about the file.
func (e Encoded) Write(path string) error { return writeFile(path, e.content) }

// Free gives the memory back.
func (e Encoded) Free() { C.ops_encoded_free(e.owner) }

// EncodeFor does all of Save but the writing.
func EncodeFor(path string, src Pixels, quality int32) (Encoded, error) {
	// A path to a folder, or to nowhere, is found before the work of encoding.
	return encode("save "+abi.Quote(path), filepath.Ext(path), src, quality, func() error {
		_, _, err := targetFile(path)
		return err
	})
}

// Encode returns what Save would write to a file with that extension, ".png" for example.
//
// Errors: those of Save that are not about a path.
func Encode(extension string, src Pixels, quality int32) (Encoded, error) {
	return encode(fmt.Sprintf("encode as %q", extension), extension, src, quality, func() error { return nil })
}

// encode calls before when all arguments are right. what begins the errors.
func encode(what, extension string, src Pixels, quality int32, before func() error) (Encoded, error) {
	format, extension, err := encoderFor(what, extension)
	if err != nil {
		return Encoded{}, err
	}
	if src, err = src.checked(what); err != nil {
		return Encoded{}, err
	}
	if err := format.check(src.ImageInfo, quality); err != nil {
		return Encoded{}, abi.Errorf(abi.CodeOf(err), "%s: %w", what, err)
	}
	if err := before(); err != nil {
		return Encoded{}, err
	}
	encoded, err := format.encode(extension, src, quality)
	if err != nil {
		return Encoded{}, abi.Errorf(abi.CodeOf(err), "%s: %w", what, err)
	}
	return encoded, nil
}

// encoderFor returns the format that an extension names, and the extension in lower case. what begins the error.
func encoderFor(what, extension string) (*encoder, string, error) {
	lower := strings.ToLower(extension)
	if format := encoders[lower]; format != nil {
		return format, lower, nil
	}
	return nil, "", abi.Errorf(abi.EUnsupported, "%s: the extension %q names no known format; they are %s", what, extension, knownExtensions)
}

// check returns an error if the format cannot hold the image, or has no such quality.
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

func (f *encoder) encode(extension string, src Pixels, quality int32) (file Encoded, err error) {
	var parameters []int32
	if f.quality != 0 && quality != abi.QualityDefault {
		parameters = []int32{int32(f.quality), quality}
	}
	err = withOrder(src, blueFirst(src.Order), func(bgr Pixels) (err error) {
		file, err = f.encodeWith(parameters, extension, bgr, togetherFrom)
		return err
	})
	return file, err
}

// encodeWith takes pairs of OpenCV's parameters and their values, and pixels in OpenCV's order.
func (f *encoder) encodeWith(parameters []int32, extension string, bgr Pixels, togetherFrom uint64) (Encoded, error) {
	var out C.struct_ops_encoded
	code := C.ops_encode(cString(extension), C.int(bgr.Height), C.int(bgr.Width), C.int(matType(bgr.ImageInfo)),
		unsafe.Pointer(unsafe.SliceData(bgr.Data)), C.size_t(bgr.Stride),
		(*C.int)(unsafe.SliceData(parameters)), C.int(len(parameters)), byTwo(bgr.ImageInfo, togetherFrom), &out)
	runtime.KeepAlive(bgr.Data)
	switch {
	case code == C.OPS_NO_MEMORY:
		return Encoded{}, abi.Errorf(abi.ENoSpace, "the %s encoder finds no memory for %s", f.name, describe(bgr.ImageInfo))
	case code != C.OPS_OK:
		return Encoded{}, abi.Errorf(abi.EEncode, "the %s encoder fails for %s", f.name, describe(bgr.ImageInfo))
	}
	return Encoded{unsafe.Slice((*byte)(out.data), out.size), int(out.threads), out.owner}, nil
}
