package shm

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"shmcv/internal/abi"
)

func TestCreatedSegmentIsZeroAndOfTheSizeAskedFor(t *testing.T) {
	for _, size := range []uint64{1, 4095, 4096, 61440, 61441, 65536, 3840 * 2160 * 3} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			s := newSegmentFor(t, size)
			pixels, err := s.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if uint64(len(pixels)) != size || cap(pixels) != len(pixels) {
				t.Errorf("length %d, capacity %d", len(pixels), cap(pixels))
			}
			if uintptr(unsafe.Pointer(&pixels[0]))%4096 != 0 {
				t.Error("the pixels do not start on a page")
			}
			if bytes.Count(pixels, []byte{0}) != len(pixels) {
				t.Error("the pixels are not zero")
			}
			pixels[0], pixels[size-1] = 1, 2
			file, err := os.ReadFile(pathOf(s.Name()))
			if err != nil {
				t.Fatal(err)
			}
			if file[size-1] != 2 || size > 1 && file[0] != 1 {
				t.Error("the file does not start with the pixels")
			}
			if len(file)%65536 != 0 || string(file[len(file)-4096:][:8]) != "SHMCVSEG" {
				t.Error("the file does not end in a trailer")
			}
		})
	}
}

func TestCreatedSegmentTellsAboutItself(t *testing.T) {
	before := uint64(time.Now().UnixNano())
	s, other := newSegmentFor(t, 100), newSegmentFor(t, 100)
	info := mustInfo(t, s)
	want := abi.SegmentInfo{
		Size: 100, FileSize: 65536, Owner: uint32(os.Getpid()), OwnerAlive: 1,
		UUID: info.UUID, CreatedAt: info.CreatedAt,
	}
	copy(want.Name[:], s.Name())
	if info != want {
		t.Errorf("got  %+v\nwant %+v", info, want)
	}
	if info.CreatedAt < before || info.CreatedAt > uint64(time.Now().UnixNano()) {
		t.Errorf("created at %d, it is %d", info.CreatedAt, before)
	}
	if info.UUID == mustInfo(t, other).UUID {
		t.Error("another segment has the same UUID")
	}
	if s.identity.OwnerStart == 0 || s.identity.OwnerStart != processStart() {
		t.Errorf("owner's start %d", s.identity.OwnerStart)
	}
}

func TestUUIDsSayThatTheyAreRandom(t *testing.T) {
	for range 100 {
		if uuid := newUUID(); uuid[6]>>4 != 4 || uuid[8]>>6 != 2 {
			t.Fatalf("%x is not of version 4", uuid)
		}
	}
}

func TestSizesThatMakeNoSenseAreRefused(t *testing.T) {
	for _, size := range []uint64{0, maxSize + 1, 1 << 63, math.MaxInt64, math.MaxUint64, math.MaxUint64 - 4095} {
		_, err := Create(newName(t), size)
		must(t, err, abi.EInvalid, fmt.Sprint(size))
	}
}

func TestSizeLargerThanSharedMemoryIsRefusedAtOnce(t *testing.T) {
	name := newName(t)
	_, err := Create(name, maxSize)
	must(t, err, abi.ENoSpace, name, fmt.Sprint(uint64(maxSize+65536), " with metadata"))
	_, err = Open(name)
	must(t, err, abi.ENotFound)
}

func TestTakenNameIsRefused(t *testing.T) {
	s := newSegmentFor(t, 100)
	_, err := Create(s.Name(), 100)
	must(t, err, abi.EExists, s.Name())
	_, err = Create(s.Name(), maxSize) // It would not fit either, but that is not what has to be mended.
	must(t, err, abi.EExists, s.Name())
}

func TestAnythingOfThatNameIsTaken(t *testing.T) {
	name := newName(t)
	if err := os.Symlink("nowhere", pathOf(name)); err != nil {
		t.Fatal(err)
	}
	_, err := Create(name, 100)
	must(t, err, abi.EExists, name)
}

func TestOneOfManyCreatorsGetsTheName(t *testing.T) {
	for range 100 {
		name := newName(t)
		var group sync.WaitGroup
		results := make([]error, 8)
		for i := range results {
			group.Go(func() {
				s, err := Create(name, 100)
				if results[i] = err; err == nil {
					s.Release()
				}
			})
		}
		group.Wait()
		got := 0
		for _, err := range results {
			if err == nil {
				got++
			} else {
				must(t, err, abi.EExists)
			}
		}
		if got != 1 {
			t.Fatalf("%d creators got the name", got)
		}
	}
}

func TestUnknownNameIsNotFound(t *testing.T) {
	name := newName(t)
	_, err := Open(name)
	must(t, err, abi.ENotFound, name)
	must(t, Clear(name), abi.ENotFound, name)
}

func TestOnlyTheOwnerMayOpenTheFile(t *testing.T) {
	for _, mask := range []int{0, 0o777} {
		old := syscall.Umask(mask)
		s := newSegmentFor(t, 100)
		syscall.Umask(old)
		stat, err := os.Stat(pathOf(s.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if stat.Mode() != 0o600 {
			t.Errorf("with a umask of %o the mode is %v", mask, stat.Mode())
		}
	}
}

func TestWhatIsNoRegularFileIsRefused(t *testing.T) {
	target := newSegmentFor(t, 100)
	for what, make := range map[string]func(path string) error{
		"a symbolic link": func(path string) error { return os.Symlink(pathOf(target.Name()), path) },
		"a folder":        func(path string) error { return os.Mkdir(path, 0o700) },
		"a named pipe":    func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a socket":        func(path string) error { return syscall.Mknod(path, syscall.S_IFSOCK|0o600, 0) },
	} {
		name := newName(t)
		if err := make(pathOf(name)); err != nil {
			t.Fatal(what, err)
		}
		_, err := Open(name)
		must(t, err, abi.EPermission, name, what)
		must(t, Clear(name), abi.EPermission, name, what)
	}
}

func TestFileOfAnotherUserIsRefused(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	s := newSegmentFor(t, 100)
	if err := os.Chown(pathOf(s.Name()), 65534, 65534); err != nil {
		t.Fatal(err)
	}
	_, err := Open(s.Name())
	must(t, err, abi.EPermission, s.Name(), "65534")
	must(t, Clear(s.Name()), abi.EPermission, s.Name(), "65534")
	for _, name := range listed(t) {
		if name == s.Name() {
			t.Error("another user's segment is listed")
		}
	}
}

func TestEmptyFileIsRefused(t *testing.T) {
	name := newName(t)
	writeFile(t, name, nil)
	_, err := Open(name)
	must(t, err, abi.EInvalid, name, "empty")
}

func TestTwoOpensShareOneMapping(t *testing.T) {
	before := mappings(t)
	first := create(t, newName(t), 100)
	second := open(t, first.Name())
	if first != second {
		t.Error("two segments for one file")
	}
	if n := mappings(t) - before; n != 1 {
		t.Errorf("%d mappings", n)
	}
	first.Release()
	if _, err := second.Bytes(); err != nil {
		t.Error("after one of two releases:", err)
	}
	second.Release()
	if n := mappings(t) - before; n != 0 {
		t.Errorf("%d mappings after the last release", n)
	}
	third := open(t, first.Name())
	defer third.Release()
	if third == first {
		t.Error("a released segment came back")
	}
}

// mappings counts what this process has mapped of shared memory.
func mappings(t testing.TB) int {
	t.Helper()
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(maps), directory+"/")
}

// One goroutine opens a file while another is about to unmap it, having released its last use.
func TestOpenDuringTheLastReleaseMapsAnew(t *testing.T) {
	dying := create(t, newName(t), 100)
	dying.references.Store(0)
	next := open(t, dying.Name())
	defer next.Release()
	if next == dying {
		t.Fatal("a segment without users was given out")
	}
	dying.references.Store(1)
	dying.Release()
	if again := open(t, dying.Name()); again != next {
		t.Error("the release made the process forget the other mapping")
	} else {
		again.Release()
	}
}

func TestForeignFileCanBeUsed(t *testing.T) {
	for _, size := range []int{1, 100, 4096, 5000, 65536} {
		name := newName(t)
		writeFile(t, name, bytes.Repeat([]byte{7}, size))
		s := open(t, name)
		defer s.Release()
		pixels, err := s.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if len(pixels) != size || pixels[0] != 7 || pixels[size-1] != 7 {
			t.Errorf("%d bytes", len(pixels))
		}
		pixels[size-1] = 8
		file, err := os.ReadFile(pathOf(name))
		if err != nil {
			t.Fatal(err)
		}
		if file[size-1] != 8 {
			t.Error("what is written is not in the file")
		}
		want := abi.SegmentInfo{Size: uint64(size), FileSize: uint64(size), Foreign: 1}
		copy(want.Name[:], name)
		if info := mustInfo(t, s); info != want {
			t.Errorf("info %+v", info)
		}
	}
}

func TestForeignImageIsKnownToThisProcessOnly(t *testing.T) {
	name := newName(t)
	writeFile(t, name, make([]byte, roomForBoth))
	s := open(t, name)
	defer s.Release()
	_, err := s.Image()
	must(t, err, abi.ENoImage, name)
	if err := s.SetImage(large); err != nil {
		t.Fatal(err)
	}
	mustImage(t, s, large)
	again := open(t, name)
	defer again.Release()
	mustImage(t, again, large)
	if info := mustInfo(t, s); info.HasImage != 1 || info.Image != large {
		t.Errorf("info %+v", info)
	}
	startChild(t, "image", []string{name}).expect(fmt.Sprint(int(abi.ENoImage)))
}

func TestSegmentAppearsOnlyWhenComplete(t *testing.T) {
	name := newName(t)
	watcher := startChild(t, "watch", []string{name})
	watcher.expect("ready")
	done := make(chan struct{})
	go func() {
		defer close(done)
		watcher.from.Scan()
	}()
	for {
		select {
		case <-done:
			if watcher.from.Text() != "complete" {
				t.Error(watcher.from.Text())
			}
			return
		default:
			create(t, name, 1<<20).Release()
			must(t, Clear(name), abi.OK)
		}
	}
}

func TestTruncatedSegmentIsAnErrorEverywhere(t *testing.T) {
	foreign := newName(t)
	writeFile(t, foreign, make([]byte, roomForBoth))
	opened := open(t, foreign)
	defer opened.Release()
	for _, s := range []*Segment{newSegmentFor(t, roomForBoth), opened} {
		must(t, s.SetImage(small), abi.OK)
		for _, size := range []int64{s.fileLength() - 1, 4096, 0} {
			if err := os.Truncate(pathOf(s.Name()), size); err != nil {
				t.Fatal(err)
			}
			_, err := s.Bytes()
			must(t, err, abi.ETruncated, s.Name(), fmt.Sprint(size))
			_, err = s.Room(small)
			must(t, err, abi.ETruncated)
			_, err = s.Image()
			must(t, err, abi.ETruncated)
			_, err = s.Info()
			must(t, err, abi.ETruncated)
			must(t, s.SetImage(large), abi.ETruncated)
		}
	}
}

func (s *Segment) fileLength() int64 { return int64(len(s.memory)) }

func TestSegmentThatGrewKeepsItsPixels(t *testing.T) {
	s := newSegmentFor(t, 100)
	must(t, s.SetImage(small), abi.OK)
	if err := os.Truncate(pathOf(s.Name()), 1<<20); err != nil {
		t.Fatal(err)
	}
	mustImage(t, s, small)
}
