package shm

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"runtime/debug"
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
		"a later version":   {func(id *identity) { id.Version = 2 }, abi.EUnsupported},
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

// A file can be cut between the look at its size and the touch of its memory. Whoever calls this package catches the
// panic; what must not happen is that a lock stays held.
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
	if !s.image.TryLock() {
		t.Fatal("a goroutine's lock is still held")
	}
	s.image.Unlock()
	other, err := sys.Open(s.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if held, err := other.HeldByOther(lockImage); held || err != nil {
		t.Fatalf("the lock between processes is still held: %v, %v", held, err)
	}
}

func FuzzTrailer(f *testing.F) {
	f.Add([]byte{}, true)
	f.Add(bytes.Repeat([]byte{0xff}, trailerSize), false)
	f.Add(bytes.Repeat([]byte{0xff}, trailerSize), true)
	f.Add(sealed(newIdentity(shape{size: 100}, 65536)), true)
	withImage := append(sealed(newIdentity(shape{size: 100}, 65536)), make([]byte, 128)...)
	withImage[128] = 2
	*(*abi.ImageInfo)(unsafe.Pointer(&withImage[192])) = small
	f.Add(withImage, false)
	withImage = bytes.Clone(withImage)
	withImage[128] = 3
	f.Add(withImage, true)
	f.Fuzz(func(t *testing.T, content []byte, seal bool) {
		name := newName(t)
		create(t, name, 100).Release()
		if len(content) > trailerSize {
			content = content[:trailerSize]
		}
		content = bytes.Clone(content)
		if seal && len(content) >= 128 { // Past the checksum, to what comes after it
			binary.LittleEndian.PutUint64(content, magic)
			id := *(*identity)(unsafe.Pointer(&content[0]))
			copy(content, sealed(id))
		}
		overwrite(t, rawFile(t, name), 65536, content)
		s, err := Open(name)
		if err != nil {
			return
		}
		defer s.Release()
		pixels, err := s.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		pixels[0], pixels[len(pixels)-1] = 1, 1
		if image, err := s.Image(); err == nil && image.Bytes() > uint64(len(pixels)) {
			t.Fatalf("%+v in %d bytes", image, len(pixels))
		}
		_, _ = s.Info()
		_ = s.SetImage(small)
	})
}

func TestNeighbourThatScribblesOnAStreamMakesCallsFailAndNoMore(t *testing.T) {
	s := newStreamFor(t, 4)
	reader := reopened(t, s)
	file := rawFile(t, s.Name())
	identity := sealed(s.identity)
	stop := make(chan struct{})
	var scribbler sync.WaitGroup
	scribbler.Go(func() {
		garbage := make([]byte, trailerSize-128)
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
	overwrite(t, file, s.fileLength(), append(identity, make([]byte, trailerSize-128)...))
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
	_, err = s.Begin()
	must(t, err, abi.ETruncated)
	_, err = f.Bytes()
	must(t, err, abi.ETruncated)
	truncate(t, s.Name(), s.fileLength())
	f.Release()
}
