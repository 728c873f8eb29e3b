package shm

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// Tests reach shared memory here by Windows' own means, as other programs do.

// foreignSection makes a section without this library's metadata, and gives its memory. The end of the test gives it back.
func foreignSection(t testing.TB, name string, size int) []byte {
	t.Helper()
	text, err := windows.UTF16PtrFromString(name)
	must(t, err, abi.OK)
	section, err := windows.CreateFileMapping(windows.InvalidHandle, nil, windows.PAGE_READWRITE, 0, uint32(size), text)
	if err != nil && !errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = windows.CloseHandle(section) })
	address, err := windows.MapViewOfFile(section, windows.FILE_MAP_WRITE, 0, 0, 0)
	must(t, err, abi.OK)
	t.Cleanup(func() { _ = windows.UnmapViewOfFile(address) })
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&address)), size)
}

const wholePages = 4096

func TestForeignSectionCanBeUsed(t *testing.T) {
	for _, size := range []int{1, 100, 4096, 5000, 65536} {
		name := newName(t)
		memory := foreignSection(t, name, size)
		memory[0], memory[size-1] = 7, 7
		s := open(t, name)
		defer s.Release()
		again := open(t, name)
		defer again.Release()
		if again != s {
			t.Error("another segment")
		}
		pixels, err := s.Bytes()
		must(t, err, abi.OK)
		want := (size + wholePages - 1) / wholePages * wholePages
		if len(pixels) != want || pixels[0] != 7 || pixels[size-1] != 7 {
			t.Errorf("%d bytes", len(pixels))
		}
		if pixels[size-1] = 8; memory[size-1] != 8 {
			t.Error("what is written is not in the section")
		}
		info := abi.SegmentInfo{Size: uint64(want), FileSize: uint64(want), Foreign: 1}
		copy(info.Name[:], name)
		if got := mustInfo(t, s); got != info {
			t.Errorf("info %+v", got)
		}
		r, err := OpenReadOnly(name)
		must(t, err, abi.OK)
		if pixels, err := r.Bytes(); err != nil || pixels[size-1] != 8 {
			t.Error(pixels[size-1], err)
		}
		r.Release()
	}
}

func TestForeignSectionHasItsImageInThisProcess(t *testing.T) {
	name := newName(t)
	foreignSection(t, name, max(roomForBoth, frameBytes))
	s := open(t, name)
	defer s.Release()
	_, err := s.Image()
	must(t, err, abi.ENoImage, name)
	must(t, s.SetImage(large), abi.OK)
	mustImage(t, s, large)
	must(t, storeMark(s, 5), abi.OK)
	if mark, err := readMark(s); mark != 5 || err != nil {
		t.Errorf("%d, %v", mark, err)
	}
	_, err = awaitImage(s, 1, 0)
	must(t, err, abi.EUnsupported)
}

func TestNameOfAForeignSectionIsTakenAndStays(t *testing.T) {
	name := newName(t)
	foreignSection(t, name, roomForBoth)
	_, err := Create(name, 100)
	must(t, err, abi.EExists, name, "another program")
	_, err = CreateStream(name, 100, 2, abi.WhenBehindDrop)
	must(t, err, abi.EExists, name)
	s, made, err := OpenOrCreate(name, 100)
	must(t, err, abi.OK)
	if s.Release(); made {
		t.Error("made")
	}
	_, _, err = OpenOrCreate(name, 1<<20)
	must(t, err, abi.ETooSmall, name)
	_, err = OpenStream(name)
	must(t, err, abi.EInvalid, name)
	must(t, Clear(name), abi.EUnsupported, name, "another program")
	s = open(t, name)
	defer s.Release()
	must(t, s.ClearName(), abi.EUnsupported, name)
	must(t, ClearAll(), abi.OK)
	mustSweep(t)
	mustExist(t, name, true)
	for _, listed := range listed(t) {
		if listed == name {
			t.Error("listed")
		}
	}
}

func TestObjectOfAnotherKindIsToldOf(t *testing.T) {
	name := newName(t)
	text, err := windows.UTF16PtrFromString(name)
	must(t, err, abi.OK)
	mutex, err := windows.CreateMutex(nil, false, text)
	must(t, err, abi.OK)
	defer windows.CloseHandle(mutex)
	_, err = Open(name)
	must(t, err, abi.EUnsupported, name, "mutex")
	_, err = Create(name, 100)
	must(t, err, abi.EExists, name)
}

// A program without this library finds a segment by its name, in whole pages, with the pixels at byte 0.
func TestOtherProgramsFindASegmentByItsName(t *testing.T) {
	s := newSegmentFor(t, 100)
	pixels, err := s.Bytes()
	must(t, err, abi.OK)
	memory := foreignSection(t, s.Name(), 65536) // Opens what is there.
	if pixels[99] = 5; memory[99] != 5 {
		t.Error("another memory")
	}
}

func TestGroupOfASegmentIsGivenByNameOrIdentifier(t *testing.T) {
	group, err := GroupID("S-1-5-32-545")
	must(t, err, abi.OK)
	s, err := CreateFor(newName(t), frameBytes, abi.Access{Owner: -1, Group: group, Mode: 0o640})
	must(t, err, abi.OK)
	defer s.Release()
	if !s.file.ReadByOthers() {
		t.Error("nobody else may read it")
	}
	_, err = CreateFor(newName(t), 1, abi.Access{Owner: -1, Group: 7, Mode: 0o640})
	must(t, err, abi.EInvalid, "group 7", "shmcv_group_id")
	_, err = CreateFor(newName(t), 1, abi.Access{Owner: -1, Group: group, Mode: 0o666})
	must(t, err, abi.EInvalid, "every user")
}

func TestNamesThatNoWindowsProgramCanHave(t *testing.T) {
	for name, words := range map[string]string{
		`Local\x`: `Local`, `\\server\share\x`: "another machine", `\x`: "slash", `C:x`: "character", "a/b": "character", `C:\cams\`: "empty", `Global\`: "empty",
		`Global\a b`: "character", `Global\..`: "dot", `Session\1\x`: "character", `C:\x`: "drive", `global\a b`: "character",
	} {
		_, err := Create(name, 1)
		if code := abi.CodeOf(err); code != abi.EInvalid && code != abi.EUnsupported {
			t.Errorf("%q: %v", name, err)
			continue
		}
		must(t, err, abi.CodeOf(err), words)
	}
	if _, err := Open(`C:\no-such-folder\` + rand.Text()); abi.CodeOf(err) != abi.ENotFound {
		t.Error(err)
	}
}

func TestSegmentInANamedFolderHasItsPathAsName(t *testing.T) {
	folder := t.TempDir() // With backslashes.
	s := create(t, folder+`\Cam0`, 100)
	defer s.Release()
	again := open(t, s.Name())
	defer again.Release()
	if info := mustInfo(t, s); again != s || cString(info.Name[:]) != s.Name() || s.Name()[1] != ':' {
		t.Error(s.Name())
	}
	_, err := Open("Cam0")
	must(t, err, abi.ENotFound)
	must(t, Clear(folder+"/Cam0"), abi.OK)
}

// A reader that may not write cannot say that it sleeps. The writer of a stream that others may read wakes always.
func TestReaderWithoutTheRightToWriteIsWoken(t *testing.T) {
	group, err := GroupID("S-1-5-32-545")
	must(t, err, abi.OK)
	s, err := CreateStreamFor(newName(t), frameBytes, 4, abi.WhenBehindDrop, abi.Access{Owner: -1, Group: group, Mode: 0o640})
	must(t, err, abi.OK)
	defer s.Release()
	m, err := openMapping(s.Name(), sys.ToLook)
	r, err := streamIn(m, s.Name(), err)
	must(t, err, abi.OK)
	defer r.Release()
	if r.file.Writable() {
		t.Fatal("it may write")
	}
	mustPut(t, s, 1, 1)
	mustGet(t, r, 0, 1, 1).Release()
	for sequence := uint64(2); sequence < 100; sequence++ {
		nap := Nap{}
		if f, err := r.Wait(sequence-1, -1, &nap); f != nil || err != nil || nap.Count == 0 {
			t.Fatal(f, err, nap.Count)
		}
		nap.Until = sys.Monotonic() + uint64(time.Minute)
		woken := make(chan bool)
		go func() { nap.Sleep(); close(woken) }()
		mustPut(t, s, sequence, sequence)
		select {
		case <-woken:
		case <-time.After(30 * time.Second):
			t.Fatal("nobody woke it")
		}
		mustGet(t, r, sequence-1, sequence, sequence).Release()
	}
	_, err = put(r, 1)
	must(t, err, abi.EPermission, s.Name())
}
