// Files: JPEG, PNG, WebP, TIFF, BMP and PNM, read into segments and written from them; PFM and JPEG 2000, read.

package main

// #include "native.h"
import "C"

import (
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/ops"
)

// shmcv_probe reads the header of an image file and gives the image that shmcv_load would store with the same flags.
// shmcv_image_size tells the size that a segment needs for it.
//
// Errors: those of shmcv_load. The file is not decoded, so damage beyond its header is not seen.
//
//export goProbe
func goProbe(path *C.in_char, flags C.int32_t, out *C.shmcv_image_info) C.int32_t {
	return guard(func() error {
		if err := required("out", unsafe.Pointer(out)); err != nil {
			return err
		}
		str, err := text("path", path)
		if err != nil {
			return err
		}
		image, err := ops.Probe(str, abi.LoadFlag(flags))
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
	return withPixels(seg, func(p pixels) error {
		str, err := text("path", path)
		if err != nil {
			return err
		}
		var image abi.ImageInfo
		err = p.Store(func(bytes []byte) (abi.ImageInfo, error) {
			_, none := p.Image()
			image, err = ops.Load(str, abi.LoadFlag(flags), bytes, none == nil)
			return image, err
		})
		if err == nil && out != nil {
			*(*abi.ImageInfo)(unsafe.Pointer(out)) = image
		}
		return err
	})
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
		var encoded ops.Encoded
		defer func() { encoded.Free() }()
		err = p.Read(func(image abi.ImageInfo, bytes []byte) (err error) {
			encoded.Free() // Of an image that another process has stored over.
			encoded, err = ops.Encode(str, ops.Pixels{ImageInfo: image, Data: bytes}, int32(quality))
			return err
		})
		if err != nil {
			return err
		}
		return encoded.Write()
	})
}
