package shm

import (
	"errors"
	"sync/atomic"
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm/internal/ring"
)

// Frame is a slot of a stream that this process may use: the writer's slot, to be filled, or one that a reader holds, to
// be read. The frame of a stream that was opened read-only is not held: the writer may write over it, and Check tells. A
// caller that is given a frame holds a reference. Release gives the slot back with the last one. Nobody ever sees a frame
// that was begun and released without being published.
type Frame struct {
	stream     *Stream // The frame holds a reference to it.
	slot       *ring.Frame
	references atomic.Int64
	done       func() // Called with the last reference, if the slot is in a caller's memory.
}

// newFrame makes a frame of a slot that was begun or taken, and whose memory is the frame's. It has one reference.
func newFrame(stream *Stream, slot *ring.Frame) *Frame {
	stream.Retain()
	f := &Frame{stream: stream, slot: slot}
	f.references.Store(1)
	return f
}

// FrameIn gives a view, with one reference, of a frame that is in the caller's memory: a shmcv_ring_frame of this stream.
// The caller keeps the frame and the stream until done is called.
func (s *Stream) FrameIn(frame unsafe.Pointer, done func()) *Frame {
	f := &Frame{stream: s, slot: (*ring.Frame)(frame), done: done}
	f.references.Store(1)
	return f
}

// Retain adds a reference. The caller holds one.
func (f *Frame) Retain() { f.references.Add(1) }

// Release gives a reference back.
func (f *Frame) Release() {
	if f.references.Add(-1) > 0 {
		return
	}
	if f.done != nil {
		f.done()
		return
	}
	f.slot.GiveBack()
	f.slot.Free()
	f.stream.Release()
}

// SameSlot returns true if two frames are one.
func (f *Frame) SameSlot(other *Frame) bool { return f.slot == other.slot }

// IsHeld returns true if nobody writes to the frame as long as it is not given back.
func (f *Frame) IsHeld() bool { return f.slot.IsHeld() }

// Publish makes the frame the stream's newest, wakes all who wait for it, and gives its sequence, which is 1 more than
// that of the frame before. The frame has no pixels any more then. If Publish fails, the frame is as it was.
//
// Errors: ENoImage when no image has been stored or set; EBusy when another goroutine is storing pixels; EPermission for
// a frame to be read; EClosed when the frame has been published; ETruncated; ECorrupt.
func (f *Frame) Publish() (uint64, error) {
	if err := f.stream.checkTrailer(); err != nil {
		return 0, err
	}
	sequence, status := f.slot.Publish()
	switch status {
	case ring.OK:
		return sequence, nil
	case ring.Storing:
		return 0, f.publishing()
	case ring.NoImage:
		return 0, abi.Errorf(abi.ENoImage, "shm: publish a frame of %q: it holds no image; load or set one first", f.stream.name)
	case ring.NotBegun:
		return 0, f.checkWritable()
	}
	return 0, f.stream.problem(status)
}

// publishing is the error when one thread stores pixels in a frame that another one publishes.
func (f *Frame) publishing() error {
	return abi.Errorf(abi.EBusy, "shm: publish a frame of %q: another thread is still storing pixels in it", f.stream.name)
}

// Check returns nil if all that was read of the frame before is of this frame. A frame that is held is always whole.
//
// Errors: EOvertaken when the writer has begun to write over it; ETruncated.
func (f *Frame) Check() error {
	switch status := f.slot.Check(); status {
	case ring.OK:
		return nil
	case ring.Overtaken:
		return abi.Errorf(abi.EOvertaken, "shm: frame %d of %q: its writer has begun to write over it, and this process, which has "+
			"opened the stream read-only, cannot hold it; what was read of it may be of two frames: take the next one, or create "+
			"the stream with more slots", f.slot.Sequence(), f.stream.name)
	default:
		return f.stream.problem(status)
	}
}

// Details tells what is known of a frame to be read.
func (f *Frame) Details() abi.FrameInfo {
	image, _ := f.slot.Image()
	held := uint32(0)
	if f.slot.IsHeld() {
		held = 1
	}
	pixels := f.slot.Bytes()
	return abi.FrameInfo{
		Sequence:      f.slot.Sequence(),
		TimeNs:        f.slot.Time(),
		Missed:        f.slot.Missed(),
		CaptureTimeNs: f.slot.Captured(),
		MetadataSize:  uint64(len(f.slot.Metadata())),
		Image:         imageOf(image),
		Held:          held,
		Data:          uintptr(unsafe.Pointer(&pixels[0])),
		Size:          uint64(len(pixels)),
	}
}

// Describe gives a frame to be filled its time of capture, on the clock of CLOCK_MONOTONIC, and metadata. Each call
// replaces what the one before has given.
//
// Errors: ELimit for more than abi.MaxMetadata bytes; EPermission for a frame to be read; EClosed when the frame has been
// published; EBusy when it is just being published; ETruncated.
func (f *Frame) Describe(captureTime uint64, metadata []byte) error {
	if len(metadata) > abi.MaxMetadata {
		return abi.Errorf(abi.ELimit, "shm: %d bytes of metadata for a frame of %q; a frame has room for %d", len(metadata), f.stream.name, abi.MaxMetadata)
	}
	if !f.slot.BeginStoring() {
		return f.publishing()
	}
	defer f.slot.EndStoring()
	if err := f.checkWritable(); err != nil {
		return err
	}
	if err := f.stream.checkSize(); err != nil {
		return err
	}
	f.slot.Describe(captureTime, metadata)
	return nil
}

// Metadata gives read the frame's metadata.
//
// Errors: those of read; EClosed when the frame has been published; EOvertaken; ETruncated.
func (f *Frame) Metadata(read func(metadata []byte) error) error {
	if err := f.checkOpen(); err != nil {
		return err
	}
	if err := f.stream.checkSize(); err != nil {
		return err
	}
	return f.unlessOvertaken(read(f.slot.Metadata()))
}

// unlessOvertaken returns the error of who has read of the frame. An overtaken frame may be why there is an error.
func (f *Frame) unlessOvertaken(err error) error {
	if overtaken := f.Check(); overtaken != nil {
		return overtaken
	}
	return err
}

// Keep keeps the memory of all of the stream's frames mapped until this process ends. The frame is given back as ever.
func (f *Frame) Keep() { f.stream.Keep() }

// Name gives the stream's name.
func (f *Frame) Name() string { return f.stream.name }

// Bytes gives the slot's memory, which is valid until the reference is released. The memory of a frame to be read faults
// when it is written to. Who reads the memory of a frame that is not held calls Check afterwards.
//
// Errors: EClosed when the frame has been published; EOvertaken; ETruncated.
func (f *Frame) Bytes() ([]byte, error) {
	if err := f.checkOpen(); err != nil {
		return nil, err
	}
	if err := f.stream.checkSize(); err != nil {
		return nil, err
	}
	return f.slot.Bytes(), f.Check()
}

// Room describes an image as it would be stored in a frame to be filled: just as it is. The image has been checked.
//
// Errors: those of Bytes; ETooSmall when the image does not fit; EPermission for a frame to be read.
func (f *Frame) Room(image abi.ImageInfo) (abi.ImageInfo, error) {
	if err := f.checkWritable(); err != nil {
		return image, err
	}
	bytes, err := f.Bytes()
	if err != nil {
		return image, err
	}
	return roomFor(image, bytes, f.stream.name)
}

// Image gives the description of the frame's image.
//
// Errors: ENoImage in a frame to be filled, before an image is stored or set; EClosed when the frame has been
// published; EOvertaken.
func (f *Frame) Image() (abi.ImageInfo, error) {
	if err := f.checkOpen(); err != nil {
		return abi.ImageInfo{}, err
	}
	image, there := f.slot.Image()
	if !there {
		return abi.ImageInfo{}, abi.Errorf(abi.ENoImage, "shm: the frame of %q holds no image yet; load or set one", f.stream.name)
	}
	return imageOf(image), f.Check()
}

// SetImage says what the pixels mean, to those who get the frame when it is published. A stride of 0 means rows without
// gaps.
//
// Errors: EInvalid or ELimit when the image makes no sense; otherwise those of Room.
func (f *Frame) SetImage(image abi.ImageInfo) error {
	image, err := image.Checked()
	if err != nil {
		return err
	}
	if _, err := f.Room(image); err != nil {
		return err
	}
	f.stream.accept(image)
	f.slot.SetImage(wordsOf(image))
	return nil
}

// Store lets write store an image in a frame to be filled.
//
// Errors: those of write and of SetImage.
func (f *Frame) Store(write StoreFunc) error {
	if !f.slot.BeginStoring() {
		return f.publishing()
	}
	defer f.slot.EndStoring()
	if err := f.checkWritable(); err != nil {
		return err
	}
	bytes, err := f.Bytes()
	if err != nil {
		return err
	}
	image, err := write(bytes)
	if errors.As(err, new(*spoiled)) {
		f.slot.ForgetImage()
	}
	if err != nil {
		return err
	}
	return f.SetImage(image)
}

// Read gives read the image with its pixels. If the result is EOvertaken, they may have been those of two frames.
//
// Errors: those of read and of Image; ETruncated.
func (f *Frame) Read(read ReadFunc) error {
	image, err := f.Image()
	if err != nil {
		return err
	}
	bytes, err := f.Bytes()
	if err != nil {
		return err
	}
	return f.unlessOvertaken(read(image, bytes[:image.Bytes()]))
}

// No other process stores in a frame. So the following need not wait for a turn.

// ReadNow does as Read, and returns true.
func (f *Frame) ReadNow(read ReadFunc) (now bool, err error) { return true, f.Read(read) }

// ReadInTurn does as Read.
func (f *Frame) ReadInTurn(read ReadFunc) error { return f.Read(read) }

// StoreNow does as Store, and returns true.
func (f *Frame) StoreNow(write StoreFunc) (now bool, err error) { return true, f.Store(write) }

// Info tells what is known of the stream, with the size and the image of this frame.
//
// Errors: those of Stream.Info.
func (f *Frame) Info() (abi.SegmentInfo, error) {
	info, err := f.stream.Info()
	if err != nil {
		return info, err
	}
	info.Size, info.Image, info.HasImage = f.stream.identity.SlotSize, abi.ImageInfo{}, 0
	if image, there := f.slot.Image(); there {
		info.Image, info.HasImage = imageOf(image), 1
	}
	return info, nil
}

// checkOpen returns EClosed if the frame has been published.
func (f *Frame) checkOpen() error {
	if f.slot.State() == ring.Published {
		return abi.Errorf(abi.EClosed, "shm: the frame of %q has been published; begin another", f.stream.name)
	}
	return nil
}

// checkWritable returns an error unless the frame is to be filled.
func (f *Frame) checkWritable() error {
	if f.slot.State() == ring.Reading {
		return abi.Errorf(abi.EPermission, "shm: frame %d of %q is there to be read, by others too; copy it to change it",
			f.slot.Sequence(), f.stream.name)
	}
	return f.checkOpen()
}
