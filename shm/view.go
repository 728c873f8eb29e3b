package shm

import "shmcv/internal/abi"

// Pixels is what has an image: a segment, a frame, or a view of one of these.
type Pixels interface {
	Name() string
	Retain()
	Release()
	Keep()
	Info() (abi.SegmentInfo, error)
	Bytes() ([]byte, error)
	Room(image abi.ImageInfo) (abi.ImageInfo, error)
	Image() (abi.ImageInfo, error)
	SetImage(image abi.ImageInfo) error
	Store(write StoreFunc) error
	StoreNow(write StoreFunc) (now bool, err error)
	Read(read ReadFunc) error
	ReadNow(read ReadFunc) (now bool, err error)
	ReadInTurn(read ReadFunc) error
}

// Region is a rectangle of an image, in pixels.
type Region struct{ X, Y, Width, Height uint32 }

// Part is a region of an image of one description.
type Part struct {
	region Region
	whole  abi.ImageInfo
}

// PartOf gives the part of p's image that a region is. If p is a view, the region is one of the view's, and the part one of
// the whole image.
//
// Errors: EInvalid for a region that is empty, or not within the image; those of Image.
func PartOf(p Pixels, region Region) (Part, error) {
	image, err := p.Image()
	if err != nil {
		return Part{}, err
	}
	if err := region.checkWithin(image, p.Name()); err != nil {
		return Part{}, err
	}
	if v, ok := p.(*View); ok {
		region.X += v.part.region.X
		region.Y += v.part.region.Y
		image = v.part.whole
	}
	return Part{region, image}, nil
}

// checkWithin returns EInvalid if the region has no pixel, or one outside of the image. name is for the message.
func (r Region) checkWithin(image abi.ImageInfo, name string) error {
	if r.Width == 0 || r.Height == 0 {
		return abi.Errorf(abi.EInvalid, "shm: a view of %q of %d x %d pixels; width and height are at least 1", name, r.Width, r.Height)
	}
	if right := uint64(r.X) + uint64(r.Width); right > uint64(image.Width) {
		return abi.Errorf(abi.EInvalid, "shm: a view of %q from x %d on, of width %d, ends at column %d; the image has %d, so that x + width is at most that",
			name, r.X, r.Width, right, image.Width)
	}
	if bottom := uint64(r.Y) + uint64(r.Height); bottom > uint64(image.Height) {
		return abi.Errorf(abi.EInvalid, "shm: a view of %q from y %d on, of height %d, ends at row %d; the image has %d, so that y + height is at most that",
			name, r.Y, r.Height, bottom, image.Height)
	}
	return nil
}

// image describes the part's pixels: the region's size, and all else of the whole image.
func (p Part) image() abi.ImageInfo {
	image := p.whole
	image.Width, image.Height = p.region.Width, p.region.Height
	return image
}

// in gives the part's bytes of memory that holds the whole image.
func (p Part) in(memory []byte) []byte {
	start := uint64(p.region.Y)*p.whole.Stride + uint64(p.region.X)*p.whole.PixelBytes()
	end := start + p.image().Bytes()
	return memory[start:end:end]
}

// View is a part of the image of a segment or frame, for as long as that has an image of the part's description. Whoever
// stores in a view changes the part's pixels alone. A view has no reference of its own: it uses that of its segment or frame.
type View struct {
	Pixels // The segment or frame.
	part   Part
}

// In gives the view of this part of a segment or frame.
func (p Part) In(whole Pixels) *View { return &View{whole, p} }

// Of gives the view's part of an image that its segment or frame has, with its pixels.
//
// Errors: EInvalid for an image of another description.
func (v *View) Of(image abi.ImageInfo, pixels []byte) (abi.ImageInfo, []byte, error) {
	if err := v.checkStill(image); err != nil {
		return image, nil, err
	}
	return v.part.image(), v.part.in(pixels), nil
}

// checkStill returns EInvalid unless image has the description of the one that the view is a part of.
func (v *View) checkStill(image abi.ImageInfo) error {
	if was := v.part.whole; image != was {
		return abi.Errorf(abi.EInvalid, "shm: this view is of an image of %s, stride %d, and %q holds one of %s, stride %d, by now; "+
			"make another view", was, was.Stride, v.Name(), image, image.Stride)
	}
	return nil
}

// Image describes the view's image.
//
// Errors: EInvalid if another image has been stored; those of Segment.Image and Frame.Image.
func (v *View) Image() (abi.ImageInfo, error) {
	image, err := v.Pixels.Image()
	if err == nil {
		err = v.checkStill(image)
	}
	return v.part.image(), err
}

// Bytes gives the memory from the view's first pixel to the end of its last row.
//
// Errors: those of Image and of Segment.Bytes and Frame.Bytes.
func (v *View) Bytes() ([]byte, error) {
	if _, err := v.Image(); err != nil {
		return nil, err
	}
	bytes, err := v.Pixels.Bytes()
	if err != nil {
		return nil, err
	}
	return v.part.in(bytes), nil
}

// Room describes an image as it would be stored in the view, which is the view's own. The image has been checked.
//
// Errors: EInvalid if it differs from the view's in anything but the stride; EPermission; those of Image.
func (v *View) Room(image abi.ImageInfo) (abi.ImageInfo, error) {
	own, err := v.Image()
	if err != nil {
		return own, err
	}
	if _, err := v.Pixels.Room(v.part.whole); err != nil {
		return own, err
	}
	if image.Width != own.Width || image.Height != own.Height || image.Depth != own.Depth || image.Order != own.Order {
		return own, abi.Errorf(abi.EInvalid, "shm: an image of %s for a view of %q, which has %s; size, depth and order must agree", image, v.Name(), own)
	}
	return own, nil
}

// SetImage tells, after the view's pixels have been written, that they have. The description stays what it is.
//
// Errors: EInvalid for another description; those of Room.
func (v *View) SetImage(image abi.ImageInfo) error {
	image, err := image.Checked()
	if err != nil {
		return err
	}
	own, err := v.Room(image)
	if err != nil {
		return err
	}
	if image != own {
		return abi.Errorf(abi.EInvalid, "shm: stride %d for a view of %q, whose rows are %d bytes apart", image.Stride, v.Name(), own.Stride)
	}
	return v.Pixels.SetImage(v.part.whole)
}

// Store lets write store the view's pixels.
//
// Errors: those of write, of Image, and of Segment.Store and Frame.Store.
func (v *View) Store(write StoreFunc) error { return v.Pixels.Store(v.storing(write)) }

// StoreNow does as Store, if nobody else has the turn at the moment.
func (v *View) StoreNow(write StoreFunc) (now bool, err error) {
	return v.Pixels.StoreNow(v.storing(write))
}

func (v *View) storing(write StoreFunc) StoreFunc {
	return func(memory []byte) (abi.ImageInfo, error) {
		if _, err := v.Image(); err != nil {
			return v.part.whole, err
		}
		_, err := write(v.part.in(memory))
		return v.part.whole, err
	}
}

// Read gives read the view's pixels as one Store has stored them.
//
// Errors: those of read, of Image, and of Segment.Read and Frame.Read.
func (v *View) Read(read ReadFunc) error { return v.Pixels.Read(v.reading(read)) }

// ReadInTurn does as Read, and nobody stores meanwhile.
func (v *View) ReadInTurn(read ReadFunc) error { return v.Pixels.ReadInTurn(v.reading(read)) }

// ReadNow does as Read, if nobody is storing at the moment.
func (v *View) ReadNow(read ReadFunc) (now bool, err error) { return v.Pixels.ReadNow(v.reading(read)) }

func (v *View) reading(read ReadFunc) ReadFunc {
	return func(whole abi.ImageInfo, pixels []byte) error {
		image, bytes, err := v.Of(whole, pixels)
		if err != nil {
			return err
		}
		return read(image, bytes)
	}
}

// Info tells what is known of the segment or stream, with the size and the image of the view.
func (v *View) Info() (abi.SegmentInfo, error) {
	info, err := v.Pixels.Info()
	if err != nil {
		return info, err
	}
	info.Size, info.Image, info.HasImage = v.part.image().Bytes(), abi.ImageInfo{}, 0
	if image, err := v.Image(); err == nil {
		info.Image, info.HasImage = image, 1
	}
	return info, nil
}
