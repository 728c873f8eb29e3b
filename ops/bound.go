package ops

import (
	"fmt"

	"shmcv/internal/abi"
)

// EncodeBound returns a number of bytes that no result of Encode exceeds for an image of these dimensions, channels and
// depth, whatever its pixels and the quality are.
//
// Errors: those of Encode that are not about the pixels or the quality.
func EncodeBound(extension string, image abi.ImageInfo) (uint64, error) {
	what := fmt.Sprintf("encode as %q", extension)
	format, _, err := encoderFor(what, extension)
	if err != nil {
		return 0, err
	}
	if err := format.check(image, abi.QualityDefault); err != nil {
		return 0, abi.Errorf(abi.CodeOf(err), "%s: %w", what, err)
	}
	return format.bound(image), nil
}

// forHeaders is more than any encoder writes before and after the pixels.
const forHeaders = 4096

func pixelsOf(image abi.ImageInfo) uint64 { return uint64(image.Width) * uint64(image.Height) }

// packedBytes is the size of the samples alone.
func packedBytes(image abi.ImageInfo) uint64 { return image.RowBytes() * uint64(image.Height) }

// jpegBound is the bound of libjpeg-turbo's tjBufSize: twice the samples of all whole blocks, without a look at how chroma
// is reduced.
func jpegBound(image abi.ImageInfo) uint64 {
	const block = 16
	padded := func(side uint32) uint64 { return (uint64(side) + block - 1) / block * block }
	return padded(image.Width)*padded(image.Height)*2*uint64(image.Channels) + forHeaders
}

// pngBound is that of deflate's least dense way, nine bits for each byte that it stores (zlib-ng's deflateBound), and 12
// bytes for each chunk of at most 8192. Each row has a byte for its filter.
func pngBound(image abi.ImageInfo) uint64 {
	filtered := packedBytes(image) + uint64(image.Height)
	deflated := filtered + filtered/8
	return deflated + deflated/8192*12 + forHeaders
}

// webpBound is twice the size of pixels with alpha, in which either of the format's ways has room for its longest codes.
func webpBound(image abi.ImageInfo) uint64 { return pixelsOf(image)*8 + forHeaders }

// tiffBound is that of LZW, whose codes have at most 12 bits and stand for a byte or more, with 16 bytes in the directory
// for each strip, which is a row or more.
func tiffBound(image abi.ImageInfo) uint64 {
	return packedBytes(image)*3/2 + uint64(image.Height)*16 + forHeaders
}

// bmpBound counts rows of whole groups of 4 bytes.
func bmpBound(image abi.ImageInfo) uint64 {
	return (image.RowBytes()+3)/4*4*uint64(image.Height) + forHeaders
}

// pnmBound is that of the binary forms, which have no compression.
func pnmBound(image abi.ImageInfo) uint64 { return packedBytes(image) + forHeaders }
