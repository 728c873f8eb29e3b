package probe

import (
	"math"

	"shmcv/internal/abi"
)

// Rectangle is a part of an image: its upper left pixel, and its size.
type Rectangle struct{ X, Y, Width, Height uint32 }

// all is the whole of an image.
func all(of abi.ImageInfo) Rectangle { return Rectangle{Width: of.Width, Height: of.Height} }

// planWith decides what is decoded and done to satisfy the options. They have been checked.
func (h header) planWith(options abi.LoadOptions) (Plan, error) {
	p, err := h.plan(flagsFor(options))
	if err != nil {
		return p, err
	}
	whole := p.Result
	p.Part = all(whole)
	if options.HasRegion() {
		p.Part = Rectangle{options.X, options.Y, options.RegionWidth, options.RegionHeight}
	}
	if err := p.Part.checkWithin(whole); err != nil {
		return p, err
	}
	order := whole.Order
	if options.Order != 0 {
		order = options.Order
	}
	width, height := p.Part.wanted(options)
	if p.Result, err = abi.NewImageInfo(width, height, whole.Depth, order).Checked(); err != nil {
		return p, err
	}
	p.Resizing = options.InterpolationFor(abi.ImageInfo{Width: p.Part.Width, Height: p.Part.Height}, p.Result)
	if h.scales {
		if scale := p.decodersScale(options, whole); scale > 1 {
			p.scale(scale)
		}
		p.decodeRGB()
	}
	return p, nil
}

// flagsFor returns the flags that give the channels of the order that is wanted.
func flagsFor(options abi.LoadOptions) abi.LoadFlag {
	anyDepth := options.Flags & abi.LoadAnyDepth
	switch {
	case options.Flags == abi.LoadUnchanged:
		return options.Flags
	case options.Order.Channels() == 1:
		return abi.LoadGray | anyDepth
	case options.Order.Channels() == 3:
		return abi.LoadColor | anyDepth
	case options.Order.Channels() == 4:
		return abi.LoadBGRA
	}
	return options.Flags
}

// checkWithin returns an EInvalid error that names the fields, if the part is not within the image.
func (r Rectangle) checkWithin(image abi.ImageInfo) error {
	switch {
	case uint64(r.X)+uint64(r.Width) > uint64(image.Width):
		return abi.Errorf(abi.EInvalid, "options: x %d and region_width %d reach beyond the image, which has %d pixels in a row", r.X, r.Width, image.Width)
	case uint64(r.Y)+uint64(r.Height) > uint64(image.Height):
		return abi.Errorf(abi.EInvalid, "options: y %d and region_height %d reach beyond the image, which has %d rows", r.Y, r.Height, image.Height)
	}
	return nil
}

// wanted returns the size that the options give the part.
func (r Rectangle) wanted(options abi.LoadOptions) (width, height uint32) {
	switch {
	case options.Scale > 1:
		return up(r.Width, options.Scale), up(r.Height, options.Scale)
	case !options.HasSize():
		return r.Width, r.Height
	case options.Width == 0:
		return inProportion(options.Height, r.Width, r.Height), options.Height
	case options.Height == 0:
		return options.Width, inProportion(options.Width, r.Height, r.Width)
	}
	return options.Width, options.Height
}

// up divides, and rounds up.
func up(size, by uint32) uint32 { return (size + by - 1) / by }

// inProportion returns the side that belongs to another one, as side belongs to other, rounded to the nearest, at least 1.
func inProportion(another, side, other uint32) uint32 {
	product := uint64(another) * uint64(side)
	return uint32(min(max(1, (2*product/uint64(other)+1)/2), math.MaxUint32))
}

// decodersScale returns the scale that the decoder of an image uses, of which p.Part becomes the result.
func (p *Plan) decodersScale(options abi.LoadOptions, whole abi.ImageInfo) uint32 {
	for scale := uint32(8); scale > 1; scale /= 2 {
		fits := scale == options.Scale
		if options.Scale <= 1 {
			fits = p.Resizing == abi.InterpolationArea && covers(p.Part.Width, p.Result.Width, scale) && covers(p.Part.Height, p.Result.Height, scale)
		}
		if fits && (p.Part == all(whole) || p.Part.divides(scale, whole)) {
			return scale
		}
	}
	return 1
}

// divides returns true if the pixels of an image that is so much smaller begin and end where the part does, in whatever
// direction the image is turned.
func (r Rectangle) divides(scale uint32, image abi.ImageInfo) bool {
	return (r.X|r.Y|r.Width|r.Height|image.Width|image.Height)%scale == 0
}

// covers returns true if a side that is decoded in that scale has all pixels that are wanted, and none of them moves by
// more than an eighth. If the scale does not divide the side, the last pixel that is decoded reaches beyond the image; what
// is made of all of them then is too small by that much.
func covers(side, wanted, scale uint32) bool {
	beyond := up(side, scale)*scale - side
	return up(side, scale) >= wanted && uint64(beyond)*uint64(wanted)*8 <= uint64(side)
}

// scale lets the decoder give every scale-th pixel in a row and in a column.
func (p *Plan) scale(scale uint32) {
	p.tellColours()
	p.Read |= ReadHalf * ReadFlag(scale/2)
	p.Canvas = [2]uint32{up(p.Canvas[0], scale), up(p.Canvas[1], scale)}
	p.Decoded = abi.NewImageInfo(up(p.Decoded.Width, scale), up(p.Decoded.Height, scale), p.Decoded.Depth, p.Decoded.Order)
	p.Part = Rectangle{p.Part.X / scale, p.Part.Y / scale, up(p.Part.Width, scale), up(p.Part.Height, scale)}
}

// tellColours puts the flag for the channels that are decoded in the place of ReadUnchanged, beside which OpenCV takes no
// other flag.
func (p *Plan) tellColours() {
	switch {
	case p.Read != ReadUnchanged:
	case p.Decoded.Order == abi.OrderGray:
		p.Read = ReadGray | ReadIgnoreOrientation
	default:
		p.Read = ReadColor | ReadIgnoreOrientation
	}
}

// decodeRGB lets the decoder give red first, if the result has it first.
func (p *Plan) decodeRGB() {
	if p.Result.Order == abi.OrderRGB && p.Decoded.Order == abi.OrderBGR {
		p.tellColours()
		p.Read = p.Read&^ReadColor | ReadRGB
		p.Decoded.Order = abi.OrderRGB
	}
}
