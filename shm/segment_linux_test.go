package shm

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
	"testing"
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

func TestAnythingOfThatNameIsTaken(t *testing.T) {
	name := newName(t)
	if err := os.Symlink("nowhere", pathOf(name)); err != nil {
		t.Fatal(err)
	}
	_, err := Create(name, 100)
	must(t, err, abi.EExists, name)
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
		t.Cleanup(func() { os.Remove(pathOf(name)) })
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
	created.remove(s.Name(), s.file.ID()) // As if another process had created it.
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
	before := mapped(t)
	first := create(t, newName(t), 100)
	second := open(t, first.Name())
	if first != second {
		t.Error("two segments for one file")
	}
	if n := mapped(t) - before; n != 1 {
		t.Errorf("%d mappings", n)
	}
	first.Release()
	if _, err := second.Bytes(); err != nil {
		t.Error("after one of two releases:", err)
	}
	second.Release()
	if n := mapped(t) - before; n != 0 {
		t.Errorf("%d mappings after the last release", n)
	}
	third := open(t, first.Name())
	defer third.Release()
	if third == first {
		t.Error("a released segment came back")
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
			truncate(t, s.Name(), size)
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

func TestSegmentThatGrewKeepsItsPixels(t *testing.T) {
	s := newSegmentFor(t, 100)
	must(t, s.SetImage(small), abi.OK)
	truncate(t, s.Name(), 1<<20)
	mustImage(t, s, small)
}
