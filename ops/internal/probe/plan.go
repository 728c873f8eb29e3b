// Package probe reads the headers of image files: it says which image a file will give, how OpenCV's decoder has to be
// told, and whether the file is there to its end. It decodes no pixel.
//
// The package is pure Go, so that it builds, is tested and is fuzzed in seconds, without OpenCV. Its input is whatever
// bytes somebody has called an image: every function returns for every input, and reads nothing beyond it.
//
// Functions keep no state: any number of threads may call them at once. Errors are *abi.Error with one of the codes
// that a function names, or wrap ErrShort. Messages name the format and the fault; the caller adds the path.
package probe

import (
	"errors"

	"shmcv/internal/abi"
)

// Plan is how to get from a file's content to the image that the options ask for: it is decoded, turned, cut to the part,
// resized and converted.
type Plan struct {
	Format      string            // The format's name, as messages have it: "JPEG", "PNG", "WebP", "TIFF", "BMP", "PNM", "PFM" or "JPEG 2000".
	Result      abi.ImageInfo     // What the caller of Load gets; rows without gaps.
	Decoded     abi.ImageInfo     // What the decoder gives, before everything else is done; rows without gaps.
	Canvas      [2]uint32         // Width and height that OpenCV's decoder writes into, before it turns a TIFF itself.
	Read        ReadFlag          // What OpenCV's decoder is told.
	Orientation int               // EXIF's, 1 to 8, that is still to be applied to what is decoded; 1 means none.
	Part        Rectangle         // Of what is decoded and turned.
	Resizing    abi.Interpolation // How the part gets the result's size, if it has another one.
	FilePixels  uint64            // How many the file has, which the decoder may give fewer of.
	PNG         *PNG              // What a PNG file says of its pixels; nil for other formats.
	Faxed       bool              // The decoder goes on after damage, and says so in its log alone.
	Opaque      bool              // What the decoder gives as alpha is none; all pixels are opaque.
	EndAdded    bool              // The caller has put JPEGEnd behind the content. PlanFor leaves it false.
}

// ReadFlag is OpenCV's ImreadModes. The numbers are OpenCV's.
type ReadFlag int32

const (
	ReadUnchanged         ReadFlag = -1  // The file's own channels and depth.
	ReadGray              ReadFlag = 0   // 1 channel.
	ReadColor             ReadFlag = 1   // 3 channels.
	ReadAnyDepth          ReadFlag = 2   // Keep 16-bit and float samples.
	ReadHalf              ReadFlag = 16  // JPEG: a half of each side. Twice as much is a quarter, four times as much an eighth.
	ReadIgnoreOrientation ReadFlag = 128 // Leave the EXIF orientation to the caller.
	ReadRGB               ReadFlag = 256 // In place of ReadColor: 3 channels, red first.
)

// ErrShort says that the content ends before what was looked for. PlanFor may succeed with more of the file.
var ErrShort = errors.New("the file ends in the middle")

// format is a kind of file that OpenCV's decoders read in every build.
type format struct {
	name      string
	signature func(content []byte) bool
	parse     func(content []byte) (header, error) // Called where signature returns true.
	whole     func(content []byte) (bool, error)   // The same; see CheckWhole; nil where OpenCV's decoder notices a missing end.
}

var formats = []format{
	{"JPEG", isJPEG, parseJPEG, wholeJPEG},
	{"PNG", isPNG, parsePNG, wholePNG},
	{"WebP", isWebP, parseWebP, wholeWebP},
	{"TIFF", isTIFF, parseTIFF, wholeTIFF},
	{"BMP", isBMP, parseBMP, nil},
	{"PNM", isPNM, parsePNM, nil},
	{"PFM", isPFM, parsePFM, nil},
	{"JPEG 2000", isJPEG2000, parseJPEG2000, wholeJPEG2000},
}

// formatOf returns the format whose signature content begins with, or nil.
func formatOf(content []byte) *format {
	for i := range formats {
		if formats[i].signature(content) {
			return &formats[i]
		}
	}
	return nil
}

// PlanFor reads the header in content, which is a file or the beginning of one. The plan refers to content: a Plan of
// a PNG is of use only as long as content is unchanged.
//
// Errors: an error that wraps ErrShort when the header goes on beyond content; EDecode when the header makes no sense;
// EUnsupported when content is no image of a known format, or not to be had with these flags; ELimit; EInvalid for
// options that make no sense, and for a region beyond the image.
func PlanFor(content []byte, options abi.LoadOptions) (Plan, error) {
	if err := options.Check(); err != nil {
		return Plan{}, err
	}
	f := formatOf(content)
	if f == nil {
		return Plan{}, unsupported("it is no JPEG, PNG, WebP, TIFF, BMP, PNM, PFM or JPEG 2000 file (it begins with % x)", content[:min(8, len(content))])
	}
	h, err := f.parse(content)
	if err != nil {
		return Plan{}, err
	}
	h.format = f.name
	return h.planWith(options)
}

// CheckWhole returns nil if the file is there to its end, as far as its structure tells; of a PNG it checks every
// chunk's checksum. OpenCV's decoders fill in pixels for what is missing. CheckWhole returns nil for formats whose
// decoder notices a missing end, and for content of no known format.
//
// addEnd says that the file is a JPEG that ends among its pixels. Whether all pixels are there is seen by decoding it
// with JPEGEnd behind it: libjpeg then warns of every pixel that it makes up, and does not wait for more of the file.
//
// Errors: an error that wraps ErrShort when the end is missing; EDecode when the structure is damaged.
func CheckWhole(content []byte) (addEnd bool, err error) {
	if f := formatOf(content); f != nil && f.whole != nil {
		return f.whole(content)
	}
	return false, nil
}

// header is what a file's first bytes say of the image in it: what OpenCV's decoder of that format will find there.
type header struct {
	format        string
	width, height uint64
	channels      uint32    // As the decoder counts them: 1, 3 or 4; 2 occurs in TIFF and is not supported.
	depth         abi.Depth // 0 for a sample type that abi does not have.
	orientation   int       // EXIF's, 1 to 8; LoadUnchanged ignores it.
	turned        int       // TIFF's own orientation, which the decoder itself applies whatever the flags.
	deepOnly      bool      // The decoder cannot reduce the samples to 8 bits.
	shallow       bool      // TIFF: the decoder can give the image in 8 bits.
	separate      bool      // TIFF: the samples lie in planes, which the decoder reads in 8 bits alone.
	faxed         bool      // TIFF: compressed as a fax is.
	grayOnly      bool      // The decoder cannot give a gray image in colour.
	opaque        bool      // The decoder gives an alpha that the file does not have.
	scales        bool      // The decoder can give a half, a quarter or an eighth of each side.
	png           *PNG      // nil for other formats.
}

// plan decides what is decoded and done to satisfy the flags. The rules are those of OpenCV's calcType.
func (h header) plan(flags abi.LoadFlag) (Plan, error) {
	if h.width > abi.MaxDimension || h.height > abi.MaxDimension || h.width*h.height > abi.MaxPixels {
		return Plan{}, abi.Errorf(abi.ELimit, "the %s header says %d x %d pixels; at most %d a side and %d in all are handled",
			h.format, h.width, h.height, abi.MaxDimension, abi.MaxPixels)
	}
	p := Plan{Format: h.format, Orientation: h.orientation, PNG: h.png, Faxed: h.faxed, Opaque: h.opaque, FilePixels: h.width * h.height}
	channels, depth := uint32(3), abi.DepthU8
	channelsAs := flags
	if flags != abi.LoadUnchanged && flags&abi.LoadAnyDepth != 0 {
		p.Read, depth = ReadAnyDepth, h.depth
		channelsAs &^= abi.LoadAnyDepth
	}
	switch channelsAs {
	case abi.LoadColor:
		p.Read |= ReadColor
	case abi.LoadGray:
		channels = 1
	case abi.LoadUnchanged:
		p.Read, channels, depth, p.Orientation = ReadUnchanged, h.channels, h.depth, 1
	case abi.LoadBGRA:
		p.Read = ReadColor
		if h.channels == 4 {
			// OpenCV gives alpha in the file's own depth only; Load reduces the samples.
			p.Read, channels, depth = ReadUnchanged, 4, h.depth
		}
	}
	if p.Read != ReadUnchanged {
		p.Read |= ReadIgnoreOrientation // Load turns the image: so the plan knows its size before decoding.
	}
	order := orderOf(channels)
	decodedOrder := order
	if h.grayOnly && order != abi.OrderGray { // Load repeats the samples.
		p.Read, decodedOrder = ReadGray|p.Read&(ReadAnyDepth|ReadIgnoreOrientation), abi.OrderGray
	}
	switch {
	case h.deepOnly && h.depth == 0:
		return Plan{}, unsupported("%s with samples of 32-bit integers or 64 bits; convert the file to 32-bit float", h.format)
	case h.deepOnly && depth == abi.DepthU8:
		return Plan{}, unsupported("%s with samples of 32 bits or more cannot be read as 8-bit; load it unchanged, or with any depth", h.format)
	case h.format == "TIFF" && depth == abi.DepthU8 && !h.shallow && h.depth == abi.DepthU16:
		return Plan{}, unsupported("%s whose samples are not converted to 8 bits; load it unchanged, or with any depth", h.format)
	case h.format == "TIFF" && depth == abi.DepthU8 && !h.shallow:
		return Plan{}, unsupported("%s whose samples mean colours in a way that libtiff does not convert; save it as RGB", h.format)
	case h.separate && depth != abi.DepthU8:
		return Plan{}, unsupported("%s with samples of more than 8 bits in separate planes; load it as 8-bit, or save it with interleaved samples", h.format)
	case depth == 0:
		return Plan{}, unsupported("%s with samples that are neither 8-bit nor 16-bit unsigned nor 32-bit float; load it as 8-bit colour or gray", h.format)
	case order == 0:
		return Plan{}, unsupported("%s with %d channels; load it as colour or gray", h.format, h.channels)
	case h.deepOnly && channels != h.channels:
		return Plan{}, unsupported("%s with %d channels of 32 bits is not converted to %d channels; load it unchanged", h.format, h.channels, channels)
	case depth == abi.DepthF32 && flags == abi.LoadBGRA:
		return Plan{}, unsupported("%s with float samples is not converted to 8-bit BGRA; load it unchanged", h.format)
	}

	width, height := uint32(h.width), uint32(h.height)
	p.Canvas = [2]uint32{width, height}
	if Transposes(h.turned) {
		width, height = height, width
	}
	p.Decoded = abi.NewImageInfo(width, height, depth, decodedOrder)
	if Transposes(p.Orientation) {
		width, height = height, width
	}
	p.Result = abi.NewImageInfo(width, height, depth, order)
	if flags == abi.LoadBGRA {
		p.Result = abi.NewImageInfo(width, height, abi.DepthU8, abi.OrderBGRA)
	}
	_, err := p.Result.Checked()
	if abi.CodeOf(err) == abi.EInvalid {
		return p, malformed("the %s header says %d x %d pixels", h.format, h.width, h.height)
	}
	return p, err
}

// orderOf returns the order in which OpenCV gives so many channels, or 0.
func orderOf(channels uint32) abi.Order {
	switch channels {
	case 1:
		return abi.OrderGray
	case 3:
		return abi.OrderBGR
	case 4:
		return abi.OrderBGRA
	}
	return 0
}

func malformed(format string, args ...any) error { return abi.Errorf(abi.EDecode, format, args...) }
func unsupported(format string, args ...any) error {
	return abi.Errorf(abi.EUnsupported, format, args...)
}
