// Files, and their bytes in memory: JPEG, PNG, WebP, TIFF, BMP and PNM, read into segments and written from them; PFM and
// JPEG 2000, read.

package main

// #include "native.h"
import "C"

import (
	"math"
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/ops"
	"shmcv/shm"
)

// shmcv_probe reads the header of an image file and gives the image that shmcv_load would store with the same flags.
// shmcv_image_size tells the size that a segment needs for it.
//
// Errors: those of shmcv_load. The file is not decoded, so damage beyond its header is not seen.
//
//export goProbe
func goProbe(path *C.in_char, flags C.int32_t, out *C.shmcv_image_info) C.int32_t {
	return probeFile(path, byFlags(flags), out)
}

// shmcv_probe_with does as shmcv_probe for the image that shmcv_load_with would store with the same options.
//
// Errors: those of shmcv_load_with. The file is not decoded, so damage beyond its header is not seen.
//
//export goProbeWith
func goProbeWith(path *C.in_char, options *C.in_load_options, out *C.shmcv_image_info) C.int32_t {
	return probeFile(path, byOptions(options), out)
}

func probeFile(path *C.in_char, options func() abi.LoadOptions, out *C.shmcv_image_info) C.int32_t {
	return probe(out, func() (abi.ImageInfo, error) {
		str, err := text("path", path)
		if err != nil {
			return abi.ImageInfo{}, err
		}
		return ops.Probe(str, options())
	})
}

// byFlags and byOptions return what a caller has given: flags alone, or options, whose memory is not touched before the
// call is guarded.
func byFlags(flags C.int32_t) func() abi.LoadOptions { return abi.LoadFlag(flags).Options }

func byOptions(options *C.in_load_options) func() abi.LoadOptions {
	return func() abi.LoadOptions {
		if options == nil {
			return abi.LoadColor.Options()
		}
		return *(*abi.LoadOptions)(unsafe.Pointer(options))
	}
}

// probe gives in out the image that look finds.
func probe(out *C.shmcv_image_info, look func() (abi.ImageInfo, error)) C.int32_t {
	return guard(func() error {
		if err := required("out", unsafe.Pointer(out)); err != nil {
			return err
		}
		image, err := look()
		if err != nil {
			return err
		}
		*(*abi.ImageInfo)(unsafe.Pointer(out)) = image
		return nil
	})
}

// shmcv_load decodes an image file straight into a segment, rows without gaps, and stores its description. It also gives
// the description in out unless out is NULL. flags is one of the SHMCV_LOAD_ constants. When the function fails, an image
// that the segment held is still there, whole.
//
// Errors: SHMCV_E_TOO_SMALL with the number of bytes that are needed; SHMCV_E_NOT_FOUND; SHMCV_E_PERMISSION, also if seg
// was opened read-only or is a frame to read; SHMCV_E_DECODE if the file is corrupt, truncated or empty;
// SHMCV_E_UNSUPPORTED if it is no image of a known format, or one of a kind that is not read, or not read with these
// flags; SHMCV_E_LIMIT, before anything is allocated; SHMCV_E_NO_SPACE if the process gets no more memory for the work;
// SHMCV_E_INVALID for unknown flags or a folder; SHMCV_E_IO; SHMCV_E_BUSY if another process has been storing an image for
// 10 seconds; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goLoad
func goLoad(seg C.shmcv_segment, path *C.in_char, flags C.int32_t, out *C.shmcv_image_info) C.int32_t {
	return load(seg, path, byFlags(flags), out)
}

// shmcv_load_with does as shmcv_load for the part of the image, the size and the order that options say; see
// shmcv_load_options. They may be NULL: the whole image then, as SHMCV_LOAD_COLOR gives it. An image that is cut, resized or
// given another order is decoded elsewhere first, in memory that the library has for that; a smaller one that a JPEG's
// decoder itself makes is decoded straight into the segment.
//
//	shmcv_load_options options = {.flags = SHMCV_LOAD_COLOR, .order = SHMCV_ORDER_BGRA, .width = 320};
//	shmcv_load_with(seg, "photograph.jpg", &options, &image);
//
// What a JPEG's decoder makes smaller differs from what is decoded whole and resized by area then: in photographs by 0.3 to 1 of 255 on average, and 45 at the
// most; in drawings, letters and noise by up to 4 on average, and 120 at the most. All other results are the same.
//
// Errors: those of shmcv_load; SHMCV_E_INVALID also for options that contradict each other, and for a region beyond the
// image, with the fields named; SHMCV_E_LIMIT also if the result is too large.
//
//export goLoadWith
func goLoadWith(seg C.shmcv_segment, path *C.in_char, options *C.in_load_options, out *C.shmcv_image_info) C.int32_t {
	return load(seg, path, byOptions(options), out)
}

func load(seg C.shmcv_segment, path *C.in_char, options func() abi.LoadOptions, out *C.shmcv_image_info) C.int32_t {
	return withPixels(seg, func(p pixels) error {
		str, err := text("path", path)
		if err != nil {
			return err
		}
		wanted := options()
		look := func() (abi.ImageInfo, error) { return ops.Probe(str, wanted) }
		return decodeInto(p, out, look, func(memory []byte, keep bool) (abi.ImageInfo, error) {
			return ops.Load(str, wanted, memory, keep)
		})
	})
}

// decodeInto lets decode store an image in the memory of p, and gives its description in out, which may be nil. keep says
// that there is an image which has to stay whole if decode fails. look gives the image that decode will store.
func decodeInto(p pixels, out *C.shmcv_image_info, look func() (abi.ImageInfo, error), decode decoder) error {
	if isView(p) {
		if image, err := look(); err != nil {
			return err
		} else if _, err = p.Room(image); err != nil {
			return err
		}
		decode = aside(p, decode)
	}
	var image abi.ImageInfo
	err := p.Store(func(memory []byte) (abi.ImageInfo, error) {
		_, none := p.Image()
		var err error
		image, err = decode(memory, none == nil)
		return image, err
	})
	if err == nil && out != nil {
		*(*abi.ImageInfo)(unsafe.Pointer(out)) = image
	}
	return err
}

// decoder decodes a file into memory, rows without gaps.
type decoder func(memory []byte, keep bool) (abi.ImageInfo, error)

// aside returns a decoder for a view, whose rows have gaps that belong to others.
func aside(view pixels, decode decoder) decoder {
	return func(memory []byte, _ bool) (image abi.ImageInfo, err error) {
		err = ops.WithMemory(uint64(len(memory)), func(packed []byte) error {
			decoded, err := decode(packed, false)
			if err == nil {
				image, err = view.Room(decoded)
			}
			if err != nil {
				return err
			}
			return ops.Convert(ops.Pixels{ImageInfo: decoded, Data: packed}, ops.Pixels{ImageInfo: image, Data: memory})
		})
		return image, err
	}
}

// shmcv_probe_bytes does as shmcv_probe for the size bytes of an image file that are in memory. The file's first bytes are
// enough if they hold its header.
//
// Errors: those of shmcv_probe that are not about a path. SHMCV_E_DECODE says so if the header goes on behind the bytes.
//
//export goProbeBytes
func goProbeBytes(bytes *C.in_byte, size C.uint64_t, flags C.int32_t, out *C.shmcv_image_info) C.int32_t {
	return probeBytes(bytes, size, byFlags(flags), out)
}

// shmcv_probe_bytes_with does as shmcv_probe_with for the size bytes of an image file that are in memory; see
// shmcv_probe_bytes.
//
// Errors: those of shmcv_probe_with that are not about a path. SHMCV_E_DECODE says so if the header goes on behind the bytes.
//
//export goProbeBytesWith
func goProbeBytesWith(bytes *C.in_byte, size C.uint64_t, options *C.in_load_options, out *C.shmcv_image_info) C.int32_t {
	return probeBytes(bytes, size, byOptions(options), out)
}

func probeBytes(bytes *C.in_byte, size C.uint64_t, options func() abi.LoadOptions, out *C.shmcv_image_info) C.int32_t {
	return probe(out, func() (abi.ImageInfo, error) {
		content, err := callersBytes(bytes, size)
		if err != nil {
			return abi.ImageInfo{}, err
		}
		return ops.ProbeBytes(content, options())
	})
}

// shmcv_decode does as shmcv_load for the size bytes of an image file that are in memory: what a socket, an archive or
// shmcv_encode has given. The bytes must not change during the call, unless they are in a segment or a frame that this
// process has open: then they are copied first. They may be in seg itself, which then holds the image instead.
//
// Errors: those of shmcv_load that are not about a path.
//
//export goDecode
func goDecode(seg C.shmcv_segment, bytes *C.in_byte, size C.uint64_t, flags C.int32_t, out *C.shmcv_image_info) C.int32_t {
	return decode(seg, bytes, size, byFlags(flags), out)
}

// shmcv_decode_with does as shmcv_load_with for the size bytes of an image file that are in memory; see shmcv_decode.
//
// Errors: those of shmcv_load_with that are not about a path.
//
//export goDecodeWith
func goDecodeWith(seg C.shmcv_segment, bytes *C.in_byte, size C.uint64_t, options *C.in_load_options, out *C.shmcv_image_info) C.int32_t {
	return decode(seg, bytes, size, byOptions(options), out)
}

func decode(seg C.shmcv_segment, bytes *C.in_byte, size C.uint64_t, options func() abi.LoadOptions, out *C.shmcv_image_info) C.int32_t {
	return withPixels(seg, func(p pixels) error {
		content, err := callersBytes(bytes, size)
		if err != nil {
			return err
		}
		shared := shm.AnyMapped(func(memory []byte) bool { return ops.Overlap(content, memory) })
		wanted := options()
		look := func() (abi.ImageInfo, error) { return ops.ProbeBytes(content, wanted) }
		return decodeInto(p, out, look, func(memory []byte, keep bool) (abi.ImageInfo, error) {
			return ops.Decode(content, shared, wanted, memory, keep)
		})
	})
}

// callersBytes returns the size bytes of a file that a caller has.
func callersBytes(bytes *C.in_byte, size C.uint64_t) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	if err := required("bytes", unsafe.Pointer(bytes)); err != nil {
		return nil, err
	}
	if size > math.MaxInt64 {
		return nil, abi.Errorf(abi.EInvalid, "shmcv: a size of %d bytes, which no memory has", uint64(size))
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(bytes)), size), nil
}

// shmcv_save writes the image of a segment to a file, in the format that the path's extension names: .jpg .jpeg
// .png .webp .tif .tiff .bmp .pbm .pgm .ppm .pnm. quality is 0 to 100 for JPEG, 1 to 100 for WebP (above 100:
// lossless), the compression level 0 to 9 for PNG, or SHMCV_QUALITY_DEFAULT. The file appears under its name when it is
// whole. A file that was there is replaced at that moment, and stays when saving fails; the new file takes over its
// owner, mode and extended attributes. A symbolic link stays one. A file that has further hard links, that is a mount, or
// whose folder or owner does not let it be replaced, is written in place: a process that is killed then leaves it damaged.
// The file is of one image, also while another process stores the next one.
//
// Errors: SHMCV_E_NO_IMAGE; SHMCV_E_UNSUPPORTED for an unknown extension, or a depth that the format does not have;
// SHMCV_E_INVALID for a quality out of range or a folder; SHMCV_E_NOT_FOUND if the folder is not there;
// SHMCV_E_PERMISSION, also for a file that may not be written; SHMCV_E_NO_SPACE; SHMCV_E_ENCODE; SHMCV_E_IO;
// SHMCV_E_BUSY if another process has been storing an image for 10 seconds; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goSave
func goSave(seg C.shmcv_segment, path *C.in_char, quality C.int32_t) C.int32_t {
	return withPixels(seg, func(p pixels) error {
		str, err := text("path", path)
		if err != nil {
			return err
		}
		encoded, err := encode(p, func(image ops.Pixels) (ops.Encoded, error) { return ops.EncodeFor(str, image, int32(quality)) })
		defer encoded.Free()
		if err != nil {
			return err
		}
		return encoded.Write(str)
	})
}

// encode returns what encoder makes of the image of p. The caller frees it, also after an error.
func encode(p pixels, encoder func(ops.Pixels) (ops.Encoded, error)) (encoded ops.Encoded, err error) {
	err = p.Read(func(image abi.ImageInfo, bytes []byte) (err error) {
		encoded.Free() // Of an image that another process has stored over.
		encoded, err = encoder(ops.Pixels{ImageInfo: image, Data: bytes})
		return err
	})
	return encoded, err
}

// shmcv_encode gives in buffer, which has capacity bytes, what shmcv_save would write to a file with that extension, ".jpg"
// for example, and in size how many bytes that are. If they do not fit, size is given all the same. buffer may be NULL if
// capacity is 0, and it may be the memory of another segment, or of this one, whose image it replaces then. A capacity of
// shmcv_encode_bound always suffices.
//
// Errors: SHMCV_E_TOO_SMALL; otherwise those of shmcv_save that are not about a path.
//
//export goEncode
func goEncode(seg C.shmcv_segment, extension *C.in_char, quality C.int32_t, buffer unsafe.Pointer, capacity C.uint64_t, size *C.uint64_t) C.int32_t {
	return withPixels(seg, func(p pixels) error {
		if err := required("size", unsafe.Pointer(size)); err != nil {
			return err
		}
		str, err := text("extension", extension)
		if err != nil {
			return err
		}
		encoded, err := encode(p, func(image ops.Pixels) (ops.Encoded, error) { return ops.Encode(str, image, int32(quality)) })
		defer encoded.Free()
		if err != nil {
			return err
		}
		bytes := encoded.Bytes()
		*size = C.uint64_t(len(bytes))
		if uint64(len(bytes)) > uint64(capacity) {
			return abi.Errorf(abi.ETooSmall, "shmcv: %d bytes wanted in the buffer for the encoded image, and it has %d", len(bytes), uint64(capacity))
		}
		if err := required("buffer", buffer); err != nil {
			return err
		}
		copy(unsafe.Slice((*byte)(buffer), len(bytes)), bytes)
		return nil
	})
}

// shmcv_encode_bound gives a number of bytes that no result of shmcv_encode exceeds for an image of that width, height,
// depth and number of channels, whatever its pixels and the quality are.
//
// Errors: SHMCV_E_UNSUPPORTED for an unknown extension, and for an image that the format does not hold; SHMCV_E_INVALID for
// impossible geometry, with the field named; SHMCV_E_LIMIT.
//
//export goEncodeBound
func goEncodeBound(image *C.in_image_info, extension *C.in_char, size *C.uint64_t) C.int32_t {
	return guard(func() error {
		if err := required("size", unsafe.Pointer(size)); err != nil {
			return err
		}
		wanted, err := imageArgument("image", image)
		if err != nil {
			return err
		}
		str, err := text("extension", extension)
		if err != nil {
			return err
		}
		bound, err := ops.EncodeBound(str, wanted)
		if err != nil {
			return err
		}
		*size = C.uint64_t(bound)
		return nil
	})
}
