package shm

import (
	"bytes"
	"fmt"
	"testing"

	"shmcv/internal/abi"
)

// numbered is a segment with an image of another byte for each sample, whose rows are gap bytes apart.
func numbered(t *testing.T, width, height uint32, gap uint64) (*Segment, abi.ImageInfo) {
	t.Helper()
	image := abi.NewImageInfo(width, height, abi.DepthU8, abi.OrderBGR)
	image.Stride += gap
	s := newSegmentFor(t, image.Bytes())
	must(t, s.Store(func(memory []byte) (abi.ImageInfo, error) {
		for i := range memory {
			memory[i] = byte(i)
		}
		return image, nil
	}), abi.OK)
	return s, image
}

func mustView(t *testing.T, p Pixels, region Region) *View {
	t.Helper()
	part, err := PartOf(p, region)
	must(t, err, abi.OK)
	if v, ok := p.(*View); ok {
		p = v.Pixels
	}
	return part.In(p)
}

// rowsOf is what a read gives, without the gaps between rows.
func rowsOf(t *testing.T, p Pixels) (image abi.ImageInfo, rows []byte) {
	t.Helper()
	must(t, p.Read(func(i abi.ImageInfo, pixels []byte) error {
		image, rows = i, nil
		for y := range i.Height {
			rows = append(rows, pixels[uint64(y)*i.Stride:][:i.RowBytes()]...)
		}
		return nil
	}), abi.OK)
	return image, rows
}

// slice is a region of rows without gaps.
func slice(rows []byte, width uint32, pixel uint64, r Region) (part []byte) {
	for y := r.Y; y < r.Y+r.Height; y++ {
		start := (uint64(y)*uint64(width) + uint64(r.X)) * pixel
		part = append(part, rows[start:start+uint64(r.Width)*pixel]...)
	}
	return part
}

// TestViewIsASliceOfTheWhole goes through all regions of a small image, and all regions of a view of it.
func TestViewIsASliceOfTheWhole(t *testing.T) {
	const width, height = 4, 3
	s, _ := numbered(t, width, height, 2)
	_, whole := rowsOf(t, s)
	checkSlices(t, s, whole, width, height)
	outer := Region{1, 1, 3, 2}
	checkSlices(t, mustView(t, s, outer), slice(whole, width, 3, outer), outer.Width, outer.Height)
}

func checkSlices(t *testing.T, of Pixels, whole []byte, width, height uint32) {
	t.Helper()
	for x := range width + 2 {
		for y := range height + 2 {
			for w := range width + 2 {
				for h := range height + 2 {
					r := Region{x, y, w, h}
					part, err := PartOf(of, r)
					if inside := w > 0 && h > 0 && x+w <= width && y+h <= height; !inside {
						must(t, err, abi.EInvalid)
						continue
					}
					must(t, err, abi.OK)
					v := mustView(t, of, r)
					image, rows := rowsOf(t, v)
					bytesOf, err := v.Bytes()
					must(t, err, abi.OK)
					if part != v.part || image.Width != w || image.Height != h || !bytes.Equal(rows, slice(whole, width, 3, r)) ||
						uint64(len(bytesOf)) != image.Bytes() {
						t.Fatalf("%v of %d x %d: %v, % x", r, width, height, image, rows)
					}
				}
			}
		}
	}
}

func FuzzRegion(f *testing.F) {
	f.Add(uint32(67), uint32(43), uint32(1), uint32(2), uint32(31), uint32(17))
	f.Add(uint32(67), uint32(43), uint32(1), ^uint32(0), ^uint32(0), uint32(1))
	f.Fuzz(func(t *testing.T, width, height, x, y, w, h uint32) {
		image := abi.NewImageInfo(width, height, abi.DepthU8, abi.OrderGray)
		if _, err := image.Checked(); err != nil || image.Bytes() > 1<<20 {
			return
		}
		r := Region{x, y, w, h}
		err := r.checkWithin(image, "fuzz")
		inside := w > 0 && h > 0 && uint64(x)+uint64(w) <= uint64(width) && uint64(y)+uint64(h) <= uint64(height)
		if (err == nil) != inside {
			t.Fatalf("%v in %d x %d: %v", r, width, height, err)
		}
		if err == nil {
			memory := make([]byte, image.Bytes())
			part := Part{r, image}
			if got := part.in(memory); uint64(len(got)) != part.image().Bytes() {
				t.Fatalf("%v in %d x %d: %d bytes", r, width, height, len(got))
			}
		}
	})
}

func TestStoreInAViewChangesItsPixelsAlone(t *testing.T) {
	s, image := numbered(t, 5, 4, 1)
	before, err := s.Bytes()
	must(t, err, abi.OK)
	want := bytes.Clone(before)
	stored, err := s.Sequence()
	must(t, err, abi.OK)
	v := mustView(t, s, Region{1, 1, 3, 2})
	must(t, v.Store(func(memory []byte) (abi.ImageInfo, error) {
		for y := range uint64(2) {
			for i := range uint64(9) {
				memory[y*image.Stride+i] = 0
				want[(y+1)*image.Stride+3+i] = 0
			}
		}
		return abi.ImageInfo{}, nil
	}), abi.OK)
	if !bytes.Equal(before, want) {
		t.Error("other pixels have changed, or the view's have not")
	}
	mustImage(t, s, image)
	if now, err := s.Sequence(); err != nil || now != stored+1 {
		t.Errorf("sequence %d after %d, %v", now, stored, err)
	}
}

// The images that the other process stores are of two widths, so that the view is of every second one.
func TestViewIsWholeWhileAnotherProcessStores(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	must(t, storeMark(s, 1), abi.OK)
	v := mustView(t, s, Region{7, 3, 200, tall.Height - 3})
	writer := startChild(t, "store pixels", []string{s.Name()})
	writer.expect("ready")
	seen := map[byte]bool{}
	for len(seen) < 50 {
		var rows []byte
		err := v.Read(func(image abi.ImageInfo, pixels []byte) error {
			rows = rows[:0]
			for y := range image.Height {
				rows = append(rows, pixels[uint64(y)*image.Stride:][:image.RowBytes()]...)
			}
			return nil
		})
		if abi.CodeOf(err) == abi.EInvalid {
			continue
		}
		must(t, err, abi.OK)
		if bytes.Count(rows, rows[:1]) != len(rows) {
			t.Fatal("the copy is torn")
		}
		seen[rows[0]] = true
	}
}

func TestViewOfAnotherImageIsRefused(t *testing.T) {
	s, image := numbered(t, 5, 4, 0)
	v := mustView(t, s, Region{1, 1, 3, 2})
	other := abi.NewImageInfo(4, 5, abi.DepthU8, abi.OrderBGR)
	must(t, s.SetImage(other), abi.OK)
	never := func([]byte) (abi.ImageInfo, error) { t.Error("called"); return image, nil }
	_, readErr := v.ReadNow(func(abi.ImageInfo, []byte) error { t.Error("called"); return nil })
	_, bytesErr := v.Bytes()
	_, imageErr := v.Image()
	_, roomErr := v.Room(v.part.image())
	for _, err := range []error{v.Store(never), v.SetImage(v.part.image()), readErr, bytesErr, imageErr, roomErr} {
		must(t, err, abi.EInvalid, "5 x 4", "4 x 5", s.Name())
	}
	if info, err := v.Info(); err != nil || info.HasImage != 0 {
		t.Errorf("%v, %v", info, err)
	}
	must(t, s.SetImage(image), abi.OK)
	rowsOf(t, v)
}

func TestViewTakesItsOwnDescriptionAlone(t *testing.T) {
	s, image := numbered(t, 5, 4, 0)
	v := mustView(t, s, Region{1, 1, 3, 2})
	own, err := v.Image()
	must(t, err, abi.OK)
	must(t, v.SetImage(own), abi.OK)
	for name, change := range map[string]func(*abi.ImageInfo){
		"width": func(i *abi.ImageInfo) { i.Width-- }, "height": func(i *abi.ImageInfo) { i.Height++ },
		"stride": func(i *abi.ImageInfo) { i.Stride = 0 }, "order": func(i *abi.ImageInfo) { i.Order = abi.OrderRGB },
		"depth": func(i *abi.ImageInfo) { i.Depth, i.Stride = abi.DepthU16, 30 },
	} {
		t.Run(name, func(t *testing.T) {
			other := own
			change(&other)
			must(t, v.SetImage(other), abi.EInvalid, s.Name(), fmt.Sprint("a view of ", ""))
			mustImage(t, s, image)
		})
	}
}
