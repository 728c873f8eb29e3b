package abi

import "fmt"

// LoadFlag says which channels and depth a loaded file should have. One of the first four, to which
// LoadAnyDepth may be added; any other value is EInvalid. The numbers are those of OpenCV's ImreadModes.
// OpenCV has no LoadBGRA.
type LoadFlag int32

const (
	LoadUnchanged LoadFlag = -1  // The file's own channels (gray, BGR or BGRA) and depth, EXIF orientation ignored; as cv2.
	LoadGray      LoadFlag = 0   // 8-bit gray, EXIF orientation applied.
	LoadColor     LoadFlag = 1   // 8-bit BGR whatever the file has, alpha dropped, EXIF orientation applied; as cv2.imread.
	LoadBGRA      LoadFlag = 512 // 8-bit BGRA, opaque where the file has no alpha, EXIF orientation applied.
	LoadAnyDepth  LoadFlag = 2   // Added to LoadColor or LoadGray: keep 16-bit and float samples.
)

// QualityDefault asks shmcv_save for the format's own default.
const QualityDefault = -1

// LoadOptions says what of an image file is loaded, and how large. It is 64 bytes long. The fields act in the order Flags,
// region, Scale or size, Order. A region, Scale, size and Order of 0 change nothing. Flags is
// always given, because 0 is SHMCV_LOAD_GRAY.
//
// The region (X, Y, RegionWidth, RegionHeight) is a part of the image that Flags alone would give, upright. It is the whole
// image if all four are 0.
//
// The size (Width, Height) is that of the result. If one of them is 0, the image keeps its proportion: that side is rounded
// to the nearest pixel, and is at least 1. Interpolation is one of SHMCV_INTERPOLATION_ besides SHMCV_INTERPOLATION_NEAREST,
// whose number 0 leaves the choice to the library; the nearest pixels are had by SHMCV_INTERPOLATION_NEAREST_EXACT. Scale is
// another way to make the image smaller, and excludes Width and Height.
//
// Order goes with SHMCV_LOAD_COLOR and SHMCV_LOAD_UNCHANGED, whatever it is. The other flags contradict every order that has
// another number of channels, and SHMCV_LOAD_ANY_DEPTH contradicts the orders with alpha.
//
// A JPEG's decoder can itself make the image smaller, in less than half of the time. It does so for Scale, and for a size if
// the interpolation is by area: by the largest scale that still covers the size and moves no pixel by more than an eighth
// of one, before an exact resize. Of a region it does so if the scale divides the region's four numbers and the sides of the
// image. All other images are decoded whole first; Scale then resizes them by area.
type LoadOptions struct {
	Flags         LoadFlag      // Channels and depth: one of the SHMCV_LOAD_ constants.
	Order         Order         // Order of the channels; 0 for that of Flags. BGRA and RGBA keep the file's alpha, where Flags are SHMCV_LOAD_COLOR too.
	Scale         uint32        // 2, 4 or 8: the result has that part of the width and height, rounded up; 0 or 1: all of it.
	Width         uint32        // Pixels in a row of the result; 0: as Height has it, in proportion.
	Height        uint32        // Rows of the result; 0: as Width has it, in proportion.
	Interpolation Interpolation // How the image is resized to Width and Height; 0: by area where neither side grows, else linear.
	X             uint32        // Of the region: its first column.
	Y             uint32        // Of the region: its first row.
	RegionWidth   uint32        // Of the region: pixels in a row.
	RegionHeight  uint32        // Of the region: rows.
	Reserved      [3]uint64     // Must be 0.
}

// Options are those of a load that has only flags.
func (f LoadFlag) Options() LoadOptions { return LoadOptions{Flags: f} }

// Check returns an EInvalid error that names the wrong fields, if the options make no sense, whatever the file is.
func (o LoadOptions) Check() error {
	if err := o.Flags.check(); err != nil {
		return err
	}
	switch {
	case o.Order != 0 && o.Order.Channels() == 0:
		return Errorf(EInvalid, "options: order %d; it is 1 (gray), 2 (BGR), 3 (BGRA), 4 (RGB), 5 (RGBA), or 0 for that of flags", o.Order)
	case o.Order != 0 && !o.Flags.allows(o.Order):
		return Errorf(EInvalid, "options: flags %d and order %d contradict each other; with an order, flags are %d (colour), or %d (unchanged) for "+
			"the file's depth", o.Flags, o.Order, LoadColor, LoadUnchanged)
	case o.Scale > 2 && o.Scale != 4 && o.Scale != 8:
		return Errorf(EInvalid, "options: scale %d; it is 2, 4 or 8 for a half, a quarter or an eighth of each side, or 1 or 0 for all of it", o.Scale)
	case o.Scale > 1 && o.HasSize():
		return Errorf(EInvalid, "options: scale %d and %s contradict each other; one of them says how large the result is", o.Scale, o.sizeGiven())
	case !o.Interpolation.Exists():
		return Errorf(EInvalid, "options: interpolation %d; it is 1 (linear), 2 (cubic), 3 (area), 4 (Lanczos), 6 (nearest, exact), or 0 for area or linear", o.Interpolation)
	case o.Interpolation != 0 && !o.HasSize():
		return Errorf(EInvalid, "options: interpolation %d without width or height; it says how the image is resized to them", o.Interpolation)
	case o.HasRegion() && o.RegionWidth == 0:
		return Errorf(EInvalid, "options: region_width 0 of a region; it is at least 1, or x, y, region_width and region_height are all 0")
	case o.HasRegion() && o.RegionHeight == 0:
		return Errorf(EInvalid, "options: region_height 0 of a region; it is at least 1, or x, y, region_width and region_height are all 0")
	case o.Reserved != [3]uint64{}:
		return Errorf(EInvalid, "options: a reserved field is not 0; zero the structure before filling it")
	}
	return nil
}

// InterpolationFor returns the interpolation from one size to another: the one that is given, or by area where neither side
// grows, else linear.
func (o LoadOptions) InterpolationFor(from, to ImageInfo) Interpolation {
	switch {
	case o.Interpolation != 0:
		return o.Interpolation
	case to.Width <= from.Width && to.Height <= from.Height:
		return InterpolationArea
	}
	return InterpolationLinear
}

// HasSize returns true if the options give the size of the result.
func (o LoadOptions) HasSize() bool { return o.Width != 0 || o.Height != 0 }

// HasRegion returns true if the options give a region.
func (o LoadOptions) HasRegion() bool { return o.X|o.Y|o.RegionWidth|o.RegionHeight != 0 }

// sizeGiven names a field that gives the size.
func (o LoadOptions) sizeGiven() string {
	if o.Width != 0 {
		return fmt.Sprintf("width %d", o.Width)
	}
	return fmt.Sprintf("height %d", o.Height)
}

// check returns an EInvalid error for flags that do not exist.
func (f LoadFlag) check() error {
	switch f {
	case LoadColor, LoadGray, LoadUnchanged, LoadBGRA, LoadColor | LoadAnyDepth, LoadGray | LoadAnyDepth:
		return nil
	}
	return Errorf(EInvalid, "flags %d; they are %d (gray), %d (colour), %d (unchanged), %d (BGRA), or %d (any depth) added to the first two",
		f, LoadGray, LoadColor, LoadUnchanged, LoadBGRA, LoadAnyDepth)
}

// allows returns true if an image of these flags can be had in the order.
func (f LoadFlag) allows(order Order) bool {
	switch f {
	case LoadGray, LoadGray | LoadAnyDepth:
		return order == OrderGray
	case LoadBGRA:
		return order.Channels() == 4
	case LoadColor | LoadAnyDepth: // Alpha is had with 8 bits, or unchanged.
		return order.Channels() != 4
	}
	return true
}
