package shm

import (
	"sync"
	"sync/atomic"
	"time"

	"shmcv/internal/abi"
)

// Frame is a slot of a stream that this process may use: the writer's, to fill it, or one that a reader has leased.
// Whoever has been given one holds a reference. Releasing the last one gives the slot back; of a frame that is being
// filled and was not published, nobody ever sees anything.
type Frame struct {
	stream     *Stream // Which it has a reference to.
	slot       int
	references atomic.Int64
	state      atomic.Int32 // frameWriting, frameReading or framePublished
	storing    sync.RWMutex // Shared by those who store pixels; publishing waits for nobody and is refused meanwhile.
	image      atomic.Pointer[abi.ImageInfo]

	// Of a leased frame:
	lease    int
	sequence uint64
	time     uint64
}

const (
	frameWriting int32 = iota
	frameReading
	framePublished
)

// newFrame takes what has been done to a slot over into a frame with one reference.
func newFrame(stream *Stream, slot int, state int32) *Frame {
	stream.Retain()
	f := &Frame{stream: stream, slot: slot}
	f.state.Store(state)
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
	defer f.stream.Release()
	switch f.state.Load() {
	case frameReading:
		f.stream.giveLease(f.lease)
	case frameWriting:
		f.stream.parties.mu.Lock()
		defer f.stream.parties.mu.Unlock()
		f.stream.parties.filling = false
		f.stream.trailer.WriterSlot.Store(0)
	}
}

// Publish makes what is in the frame the stream's newest, and gives its sequence, which is 1 more than the one before.
// The frame is closed then.
//
// It is ENoImage when nothing has said what the pixels mean; EBusy when another goroutine is storing some; EInvalid for
// a frame that is read; EClosed when it has been published.
func (f *Frame) Publish() (uint64, error) {
	if !f.storing.TryLock() {
		return 0, abi.Errorf(abi.EBusy, "shm: publish a frame of %q: another thread is still storing pixels in it", f.stream.name)
	}
	defer f.storing.Unlock()
	if err := f.checkWritable(); err != nil {
		return 0, err
	}
	image := f.image.Load()
	if image == nil {
		return 0, abi.Errorf(abi.ENoImage, "shm: publish a frame of %q: it holds no image; load or set one first", f.stream.name)
	}
	if err := f.stream.checkTrailer(); err != nil {
		return 0, err
	}
	p := &f.stream.parties
	p.mu.Lock()
	defer p.mu.Unlock()
	f.state.Store(framePublished)
	p.filling = false
	f.stream.trailer.WriterSlot.Store(0)
	return f.stream.announce(f.slot, *image), nil
}

// Details tell of a leased frame, to a reader whose last one had the sequence newerThan.
func (f *Frame) Details(newerThan uint64) abi.FrameInfo {
	return abi.FrameInfo{Sequence: f.sequence, TimeNs: f.time, Missed: f.sequence - newerThan - 1, Image: *f.image.Load()}
}

// Name is the stream's.
func (f *Frame) Name() string { return f.stream.name }

// Bytes gives the slot's memory, which is valid until the reference is released. A frame that is read must not be
// written to.
func (f *Frame) Bytes() ([]byte, error) {
	if err := f.checkOpen(); err != nil {
		return nil, err
	}
	if err := f.stream.checkSize(); err != nil {
		return nil, err
	}
	return f.stream.slotBytes(f.slot), nil
}

// Room gives the part of Bytes that image, which is checked, takes in a frame to be filled; as Segment.Room.
func (f *Frame) Room(image abi.ImageInfo) ([]byte, error) {
	if err := f.checkWritable(); err != nil {
		return nil, err
	}
	bytes, err := f.Bytes()
	if err != nil {
		return nil, err
	}
	return roomFor(image, bytes, f.stream.name)
}

// Image tells what the pixels mean: ENoImage in a frame to be filled, before that has been said.
func (f *Frame) Image() (abi.ImageInfo, error) {
	if err := f.checkOpen(); err != nil {
		return abi.ImageInfo{}, err
	}
	image := f.image.Load()
	if image == nil {
		return abi.ImageInfo{}, abi.Errorf(abi.ENoImage, "shm: the frame of %q holds no image yet; load or set one", f.stream.name)
	}
	return *image, nil
}

// SetImage says what the pixels mean, to those who get the frame when it is published.
func (f *Frame) SetImage(image abi.ImageInfo) error {
	image, err := image.Checked()
	if err != nil {
		return err
	}
	if _, err := f.Room(image); err != nil {
		return err
	}
	f.image.Store(&image)
	return nil
}

// ImageSequence is the frame's: 0 before it is published.
func (f *Frame) ImageSequence() (uint64, error) { return f.sequence, f.checkOpen() }

// AwaitImage is not for frames, which do not change.
func (f *Frame) AwaitImage(uint64, time.Duration, *Nap) (uint64, error) {
	return 0, abi.Errorf(abi.EInvalid, "shm: a frame of %q does not change; wait on the stream", f.stream.name)
}

// Store lets write store an image, as Segment.Store.
func (f *Frame) Store(write StoreFunc) error {
	f.storing.RLock()
	defer f.storing.RUnlock()
	if err := f.checkWritable(); err != nil {
		return err
	}
	bytes, err := f.Bytes()
	if err != nil {
		return err
	}
	image, err := write(bytes)
	if err != nil {
		return err
	}
	return f.SetImage(image)
}

// Read gives read the image with its pixels, as Segment.Read.
func (f *Frame) Read(read ReadFunc) error {
	image, err := f.Image()
	if err != nil {
		return err
	}
	bytes, err := f.Bytes()
	if err != nil {
		return err
	}
	return read(image, bytes[:image.Bytes()])
}

// Info tells of the stream, with the size and image of this frame.
func (f *Frame) Info() (abi.SegmentInfo, error) {
	info, err := f.stream.Info()
	if err != nil {
		return info, err
	}
	info.Size, info.Image, info.HasImage = f.stream.identity.SlotSize, abi.ImageInfo{}, 0
	if image := f.image.Load(); image != nil {
		info.Image, info.HasImage = *image, 1
	}
	return info, nil
}

func (f *Frame) checkOpen() error {
	if f.state.Load() == framePublished {
		return abi.Errorf(abi.EClosed, "shm: the frame of %q has been published; begin another", f.stream.name)
	}
	return nil
}

func (f *Frame) checkWritable() error {
	if f.state.Load() == frameReading {
		return abi.Errorf(abi.EInvalid, "shm: frame %d of %q is there to be read, by others too; copy it to change it", f.sequence, f.stream.name)
	}
	return f.checkOpen()
}
