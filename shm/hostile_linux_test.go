package shm

import (
	"bytes"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// sealed gives the bytes of an identity with the checksum that fits them.
func sealed(id identity) []byte {
	id.Checksum = id.checksum()
	return bytes.Clone((*[unsafe.Sizeof(id)]byte)(unsafe.Pointer(&id))[:])
}

func TestOverwrittenTrailerIsCorruptToWhoHasItOpen(t *testing.T) {
	s := newSegmentFor(t, roomForBoth)
	must(t, s.SetImage(small), abi.OK)
	overwrite(t, rawFile(t, s.Name()), s.fileLength(), bytes.Repeat([]byte{200}, trailerSize))
	_, err := s.Image()
	must(t, err, abi.ECorrupt, s.Name())
	_, err = s.Info()
	must(t, err, abi.ECorrupt, s.Name())
	must(t, s.SetImage(small), abi.ECorrupt, s.Name())
	if pixels, err := s.Bytes(); err != nil || len(pixels) != roomForBoth {
		t.Errorf("%d bytes, %v", len(pixels), err)
	}
}

func TestIdentityThatMakesNoSenseIsCorrupt(t *testing.T) {
	sound := newIdentity(shape{size: 100}, 65536)
	for what, test := range map[string]struct {
		change func(id *identity)
		code   abi.Code
	}{
		"sound":             {func(*identity) {}, abi.OK},
		"version 0":         {func(id *identity) { id.Version = 0 }, abi.ECorrupt},
		"a later version":   {func(id *identity) { id.Version = layoutVersion + 1 }, abi.EUnsupported},
		"trailer size":      {func(id *identity) { id.TrailerSize = 8192 }, abi.ECorrupt},
		"file size":         {func(id *identity) { id.FileSize = 131072 }, abi.ECorrupt},
		"no size":           {func(id *identity) { id.Size = 0 }, abi.ECorrupt},
		"size too large":    {func(id *identity) { id.Size = 61441 }, abi.ECorrupt},
		"size huge":         {func(id *identity) { id.Size = 1<<64 - 1 }, abi.ECorrupt},
		"capacity":          {func(id *identity) { id.Capacity = 65536 }, abi.ECorrupt},
		"not ours: foreign": {func(id *identity) { id.Magic++ }, abi.OK},
	} {
		t.Run(what, func(t *testing.T) {
			name := newName(t)
			id := sound
			test.change(&id)
			writeFile(t, name, append(append(make([]byte, 61440), sealed(id)...), make([]byte, trailerSize-128)...))
			s, err := Open(name)
			must(t, err, test.code)
			if err == nil {
				s.Release()
			}
		})
	}
	t.Run("checksum", func(t *testing.T) {
		name := newName(t)
		id := sealed(sound)
		id[60]++
		writeFile(t, name, append(append(make([]byte, 61440), id...), make([]byte, trailerSize-128)...))
		_, err := Open(name)
		must(t, err, abi.ECorrupt, name)
	})
	t.Run("a file that is no multiple of 64 KiB", func(t *testing.T) {
		name := newName(t)
		id := newIdentity(shape{size: 100}, 5000)
		writeFile(t, name, append(append(make([]byte, 5000-trailerSize), sealed(id)...), make([]byte, trailerSize-128)...))
		_, err := Open(name)
		must(t, err, abi.ECorrupt, name)
	})
}

func TestImageThatDoesNotFitTheSegmentIsCorrupt(t *testing.T) {
	s := newSegmentFor(t, 100)
	for _, image := range []abi.ImageInfo{
		large,
		{Width: 1},
		{Width: 1 << 31, Height: 1 << 31, Channels: 4, Depth: abi.DepthF32, Order: abi.OrderBGRA},
		{Width: 1, Height: 1 << 20, Channels: 1, Depth: abi.DepthU8, Order: abi.OrderGray, Stride: 1 << 63},
		{Width: 1, Height: 2, Channels: 1, Depth: abi.DepthU8, Order: abi.OrderGray, Stride: 1<<64 - 1},
	} {
		s.storeImage(image)
		_, err := s.Image()
		must(t, err, abi.ECorrupt, s.Name())
	}
	must(t, s.SetImage(small), abi.OK)
	mustImage(t, s, small)
}

func TestNeighbourThatScribblesMakesCallsFailAndNoMore(t *testing.T) {
	s := newSegmentFor(t, roomForBoth)
	file := rawFile(t, s.Name())
	image := sealed(s.identity)
	stop := make(chan struct{})
	var scribbler sync.WaitGroup
	scribbler.Go(func() {
		garbage := make([]byte, trailerSize)
		copy(garbage, image)
		for seed := uint64(0); ; seed++ {
			select {
			case <-stop:
				return
			default:
			}
			random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
			random.Read(garbage[128:])
			if seed%8 == 0 {
				random.Read(garbage[:128])
			} else {
				copy(garbage, image)
			}
			if _, err := file.WriteAt(garbage, s.fileLength()-trailerSize); err != nil {
				t.Error(err)
			}
		}
	})
	allowed := func(err error) {
		switch abi.CodeOf(err) {
		case abi.OK, abi.ECorrupt, abi.ENoImage:
		default:
			t.Error(err)
		}
	}
	for range 5000 {
		image, err := s.Image()
		allowed(err)
		if err == nil && image.Bytes() > roomForBoth {
			t.Fatalf("%+v is given out", image)
		}
		allowed(s.SetImage(large))
		_, err = s.Info()
		allowed(err)
	}
	close(stop)
	scribbler.Wait()
	overwrite(t, file, s.fileLength(), append(image, make([]byte, trailerSize-128)...))
	must(t, s.SetImage(large), abi.OK)
	mustImage(t, s, large)
}

// A neighbour can cut a file between the look at its size and the touch of its memory. The caller of this package
// catches the panic. No lock may stay held then.
func TestFaultLeavesNoLockHeld(t *testing.T) {
	s := newSegmentFor(t, roomForBoth)
	truncate(t, s.Name(), 0)
	faults := func(call func()) (faulted bool) {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() { faulted = recover() != nil }()
		call()
		return
	}
	if !faults(func() { _, _ = s.takeImageTurn() }) {
		t.Fatal("touching memory that is gone did not fault")
	}
	truncate(t, s.Name(), s.fileLength())
	if !s.image.begin(time.Now()) {
		t.Fatal("a goroutine's lock is still held")
	}
	s.image.end()
	other, err := sys.Open(s.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if held, err := other.HeldByOther(lockImage); held || err != nil {
		t.Fatalf("the lock between processes is still held: %v, %v", held, err)
	}
}

// FuzzTrailer lets a neighbour write anything at the end of a file of any size, and then calls all functions that read
// it. Each call must fail or give a sane result: images fit their memory, and no call waits or runs without end.
func FuzzTrailer(f *testing.F) {
	// Files are small, because each run writes one.
	const largest = 4 * granularity
	endOf := func(id identity) []byte { return append(make([]byte, endSize-trailerSize), sealed(id)...) }
	single, stream := newIdentity(shape{size: 100}, granularity), newIdentity(shape{size: 16384, slots: 4, slotSize: 4096, whenBehind: uint32(abi.WhenBehindDrop)}, granularity)
	f.Add([]byte{}, uint32(granularity), true)
	f.Add([]byte{}, uint32(1), false)
	f.Add(bytes.Repeat([]byte{0xff}, endSize), uint32(granularity), false)
	f.Add(bytes.Repeat([]byte{0xff}, endSize), uint32(2*granularity), true)
	f.Add(endOf(single), uint32(granularity), true)
	f.Add(endOf(single), uint32(5000), true)
	f.Add(endOf(stream), uint32(granularity), true)
	for _, used := range usedTrailers(f) {
		f.Add(used, uint32(granularity), false)
	}
	large := usedTrailers(f)
	large[0][endSize-trailerSize+192+24], large[1][64+24+1] = 200, 255 // Strides by which the images do not fit their memory.
	f.Add(large[0], uint32(granularity), false)
	f.Add(large[1], uint32(granularity), false)
	odd := usedTrailers(f)[0]
	for _, at := range []int{128, 144} { // As a process leaves them that dies storing.
		odd[endSize-trailerSize+at] |= 1
	}
	f.Add(odd, uint32(granularity), false)

	f.Fuzz(func(t *testing.T, content []byte, size uint32, seal bool) {
		size = 1 + size%largest
		file := make([]byte, size)
		end := file[max(0, int(size)-endSize):]
		copy(end, content)
		if seal && size >= trailerSize { // So that the identity passes its checks.
			trailer := end[len(end)-trailerSize:]
			id := *(*identity)(unsafe.Pointer(&trailer[0]))
			id.Magic, id.Version, id.TrailerSize, id.FileSize = magic, layoutVersion, trailerSize, uint64(size)
			if id.checkSlots() {
				id.Capacity = id.recordsAt()
			}
			copy(trailer, sealed(id))
		}
		name := newName(t)
		writeFile(t, name, file)
		useAll(t, name)
	})
}

// endSize is that of all that follows the pixels in the file of a stream of 4 slots: records, holders and places, trailer.
var endSize = int(recordsSize(4) + sharedSize(4) + trailerSize)

// usedTrailers gives the ends of the files of a segment with an image, and of a stream with frames, one of which is being
// read.
func usedTrailers(t testing.TB) [][]byte {
	t.Helper()
	segment := create(t, newName(t), 100)
	defer segment.Release()
	must(t, segment.Store(func([]byte) (abi.ImageInfo, error) { return small, nil }), abi.OK)
	stream, err := CreateStream(newName(t), 4096, 4, abi.WhenBehindDrop)
	must(t, err, abi.OK)
	defer stream.Release()
	for range 6 {
		frame, err := stream.Begin(0, &Nap{})
		must(t, err, abi.OK)
		must(t, frame.SetImage(small), abi.OK)
		_, err = frame.Publish()
		must(t, err, abi.OK)
		frame.Release()
	}
	frame, err := waitFor(stream, 0, 0)
	must(t, err, abi.OK)
	defer frame.Release()
	var trailers [][]byte
	for _, name := range []string{segment.Name(), stream.Name()} {
		content, err := os.ReadFile(pathOf(name))
		must(t, err, abi.OK)
		trailers = append(trailers, content[len(content)-endSize:])
	}
	return trailers
}

// useAll calls all functions that read the file of that name. Of List and Sweep it calls the part that is for one name,
// because other fuzzing processes have names too.
func useAll(t *testing.T, name string) {
	info, err := glimpse(name, time.Now())
	expected(t, err, abi.EInvalid, abi.ECorrupt, abi.EUnsupported)
	if err == nil {
		checkInfo(t, info)
	}
	segment, err := Open(name)
	if err == nil {
		useSegment(t, segment)
	} else {
		expected(t, err, abi.EInvalid, abi.ECorrupt, abi.EUnsupported)
	}
	stream, streamErr := OpenStream(name)
	if streamErr == nil {
		useStream(t, stream)
	} else {
		expected(t, streamErr, abi.EInvalid, abi.ECorrupt, abi.EUnsupported)
	}
	if err == nil && streamErr == nil {
		t.Fatal("it is a segment and a stream")
	}
	_, err = sweepName(name)
	expected(t, err, abi.EInvalid, abi.ECorrupt, abi.EUnsupported)
	expected(t, Clear(name), abi.ENotFound)
}

// expected fails the test unless err is nil or has one of the codes.
func expected(t *testing.T, err error, codes ...abi.Code) {
	t.Helper()
	if err != nil && !slices.Contains(codes, abi.CodeOf(err)) {
		t.Fatalf("code %d: %v", abi.CodeOf(err), err)
	}
}

func checkInfo(t *testing.T, info abi.SegmentInfo) {
	t.Helper()
	room := info.Size
	if info.Slots != 0 {
		room = info.SlotSize
	}
	if info.Size > info.FileSize || uint64(info.Slots)*info.SlotSize > info.Size || info.HasImage != 0 && info.Image.Bytes() > room {
		t.Fatalf("%+v", info)
	}
}

func useSegment(t *testing.T, s *Segment) {
	defer s.Release()
	memory, err := s.Bytes()
	expected(t, err)
	memory[0], memory[len(memory)-1] = 1, 1
	if info, err := s.Info(); err == nil {
		checkInfo(t, info)
	} else {
		expected(t, err, abi.ECorrupt)
	}
	if image, err := s.Image(); err == nil && image.Bytes() > uint64(len(memory)) {
		t.Fatalf("%+v in %d bytes", image, len(memory))
	} else {
		expected(t, err, abi.ENoImage, abi.ECorrupt)
	}
	sequence, err := s.Sequence()
	expected(t, err)
	_, err = awaitImage(s, sequence, time.Microsecond)
	expected(t, err, abi.ETimeout, abi.EUnsupported)
	err = s.Read(func(image abi.ImageInfo, pixels []byte) error {
		_ = bytes.Clone(pixels)
		return nil
	})
	expected(t, err, abi.ENoImage, abi.ECorrupt)
	// A proper image can be stored in spite of all that.
	expected(t, s.Store(func([]byte) (abi.ImageInfo, error) { return small, nil }), abi.ETooSmall)
	if len(memory) >= int(small.Bytes()) {
		mustImage(t, s, small)
	}
}

func useStream(t *testing.T, s *Stream) {
	defer s.Release()
	if info, err := s.Info(); err == nil {
		checkInfo(t, info)
	} else {
		expected(t, err, abi.ECorrupt)
	}
	read := func(newerThan uint64) {
		frame, err := waitFor(s, newerThan, time.Microsecond)
		if err != nil {
			expected(t, err, abi.ETimeout, abi.ECorrupt, abi.EBusy)
			return
		}
		defer frame.Release()
		if err := frame.Read(func(_ abi.ImageInfo, pixels []byte) error { _ = bytes.Clone(pixels); return nil }); err != nil {
			t.Fatal(err)
		}
		memory, err := frame.Bytes()
		if image, none := frame.Image(); err != nil || none != nil || image.Bytes() > uint64(len(memory)) {
			t.Fatalf("%+v in %d bytes, %v, %v", image, len(memory), err, none)
		}
	}
	read(0)
	for range 32 {
		frame, err := s.Begin(0, &Nap{})
		if err != nil {
			expected(t, err, abi.ECorrupt, abi.EBusy)
			break
		}
		memory, err := frame.Bytes()
		expected(t, err)
		memory[0], memory[len(memory)-1] = 1, 1
		expected(t, frame.SetImage(small))
		sequence, err := frame.Publish()
		expected(t, err)
		frame.Release()
		read(sequence - 1)
	}
	read(1 << 63)
}

func TestNeighbourThatScribblesOnAStreamMakesCallsFailAndNoMore(t *testing.T) {
	s := newStreamFor(t, 4)
	reader := reopened(t, s)
	file := rawFile(t, s.Name())
	identity := sealed(s.identity)
	stop := make(chan struct{})
	var scribbler sync.WaitGroup
	scribbler.Go(func() {
		garbage := make([]byte, endSize-128)
		for seed := uint64(0); ; seed++ {
			select {
			case <-stop:
				return
			default:
			}
			random := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
			random.Read(garbage)
			part := garbage[:8+seed%uint64(len(garbage)-8)]
			if _, err := file.WriteAt(part, s.fileLength()-int64(len(part))); err != nil {
				t.Error(err)
			}
		}
	})
	allowed := func(err error) {
		switch abi.CodeOf(err) {
		case abi.OK, abi.ECorrupt, abi.ETimeout, abi.EBusy, abi.ENoImage:
		default:
			t.Error(err)
		}
	}
	for i := range uint64(1000) {
		_, err := put(s, i)
		allowed(err)
		f, err := waitFor(reader, i, time.Millisecond)
		allowed(err)
		if err == nil {
			if image, err := f.Image(); err != nil || image.Bytes() > frameBytes {
				t.Fatalf("%+v, %v", image, err)
			}
			if bytes, err := f.Bytes(); err != nil || len(bytes) != frameBytes {
				t.Fatalf("%d bytes, %v", len(bytes), err)
			}
			f.Release()
		}
		_, err = reader.Info()
		allowed(err)
	}
	close(stop)
	scribbler.Wait()
	if _, err := file.WriteAt(make([]byte, endSize), s.fileLength()-int64(endSize)); err != nil {
		t.Fatal(err)
	}
	overwrite(t, file, s.fileLength(), identity)
	s.resign()
	mustPut(t, s, 3, 1)
	mustGet(t, reader, 0, 1, 3).Release()
}

func TestTruncatedStreamIsReportedToWhoeverWaits(t *testing.T) {
	s := newStreamFor(t, 0)
	mustPut(t, s, 1, 1)
	f := mustGet(t, s, 0, 1, 1)
	truncate(t, s.Name(), 4096)
	_, err := waitFor(s, 1, -1)
	must(t, err, abi.ETruncated)
	_, err = s.Begin(0, &Nap{})
	must(t, err, abi.ETruncated)
	_, err = f.Bytes()
	must(t, err, abi.ETruncated)
	truncate(t, s.Name(), s.fileLength())
	f.Release()
}
