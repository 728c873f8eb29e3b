package shm

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// faultsWhenWritten returns true if a byte of memory can be read, and faults when it is written to.
func faultsWhenWritten(memory []byte, at int) (faulted bool) {
	was := memory[at]
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { faulted = recover() != nil && memory[at] == was }()
	write(&memory[at])
	return
}

// write is a call, because the compiler may put what cannot panic, as far as it knows, before a defer.
//
//go:noinline
func write(to *byte) { *to++ }

func readOnly(t testing.TB, name string) *Segment {
	t.Helper()
	s, err := OpenReadOnly(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Release)
	return s
}

// asOther runs body as another user, who has no rights to files of mode 0600.
func asOther(t testing.TB, body func()) {
	t.Helper()
	asUser(t, 65534, os.Getegid(), body)
}

// asUser runs body as a user who is in one group. Credentials belong to a thread on Linux.
func asUser(t testing.TB, user, group int, body func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	unchanged := ^uintptr(0)
	set := func(call, one, two, three uintptr) {
		t.Helper()
		if _, _, errno := syscall.RawSyscall(call, one, two, three); errno != 0 {
			t.Fatal(errno)
		}
	}
	groups, err := os.Getgroups()
	if err != nil {
		t.Fatal(err)
	}
	before := make([]uint32, len(groups)+1)
	for i := range groups {
		before[i] = uint32(groups[i])
	}
	mine, own := uint32(group), os.Getegid()
	set(unix.SYS_SETGROUPS, 1, uintptr(unsafe.Pointer(&mine)), 0)
	set(unix.SYS_SETRESGID, unchanged, uintptr(group), unchanged)
	set(unix.SYS_SETRESUID, unchanged, uintptr(user), unchanged)
	defer func() {
		set(unix.SYS_SETRESUID, unchanged, 0, unchanged)
		set(unix.SYS_SETRESGID, unchanged, uintptr(own), unchanged)
		set(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(unsafe.Pointer(&before[0])), 0)
	}()
	body()
}

func TestFrameOfAReaderFaultsWhenItIsWrittenTo(t *testing.T) {
	writer := newStreamFor(t, 0)
	reader := reopened(t, writer)
	mustPut(t, writer, 7, 1)
	f := mustGet(t, reader, 0, 1, 7) // This process writes to the stream too, through another mapping.
	defer f.Release()
	memory, err := f.Bytes()
	must(t, err, abi.OK)
	for _, at := range []int{0, len(memory) / 2, len(memory) - 1} {
		if !faultsWhenWritten(memory, at) {
			t.Errorf("byte %d can be written to", at)
		}
	}
	mustPut(t, writer, 8, 2)
	mustGet(t, reader, 1, 2, 8).Release()
}

func TestReadOnlySegmentIsReadAndNotWritten(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	must(t, storeMark(s, 1), abi.OK)
	r := readOnly(t, s.Name())
	if again := readOnly(t, s.Name()); again != r || r == s {
		t.Error("a file is mapped once to write and once to read")
	}
	if mark, err := readMark(r); mark != 1 || err != nil {
		t.Errorf("%d, %v", mark, err)
	}
	must(t, storeMark(s, 2), abi.OK)
	if mark, err := readMark(r); mark != 2 || err != nil {
		t.Errorf("%d, %v", mark, err)
	}
	if sequence, err := awaitImage(r, 1, -1); sequence != 2 || err != nil {
		t.Errorf("%d, %v", sequence, err)
	}
	if got, want := mustInfo(t, r), mustInfo(t, s); got != want {
		t.Errorf("%+v, %+v", got, want)
	}
	must(t, r.SetImage(tall), abi.EPermission, s.Name(), "read-only")
	must(t, storeMark(r, 3), abi.EPermission, s.Name(), "read-only")
	_, err := r.Room(tall)
	must(t, err, abi.EPermission)
	memory, err := r.Bytes()
	must(t, err, abi.OK)
	for _, at := range []int{0, len(memory) - 1} {
		if !faultsWhenWritten(memory, at) {
			t.Errorf("byte %d can be written to", at)
		}
	}
	stream := newStreamFor(t, 0)
	_, err = OpenReadOnly(stream.Name())
	must(t, err, abi.EInvalid, "is a stream")
}

func TestWaitOnAReadOnlySegmentSeesTheNextImage(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	must(t, os.Chmod(pathOf(s.Name()), 0o444), abi.OK)
	for what, r := range map[string]*Segment{"who may write": readOnly(t, s.Name()), "who may not": unwritable(t, s.Name())} {
		before, err := r.Sequence()
		must(t, err, abi.OK)
		waited := make(chan error)
		go func() {
			_, err := awaitImage(r, before, 20*time.Second)
			waited <- err
		}()
		must(t, storeMark(s, 1), abi.OK)
		if err := <-waited; err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// unwritable opens a segment as a process does that may not write to its file.
func unwritable(t testing.TB, name string) *Segment {
	t.Helper()
	var s *Segment
	mappings.Lock() // Not the mapping that this process may have.
	kept := mappings.byFile
	mappings.byFile = map[mappingKey]*mapping{}
	mappings.Unlock()
	asOther(t, func() {
		var err error
		if s, err = OpenReadOnly(name); err != nil {
			t.Error(err)
		}
	})
	mappings.Lock()
	mappings.byFile = kept
	mappings.Unlock()
	if s == nil {
		t.FailNow()
	}
	t.Cleanup(s.Release)
	if s.file.Writable() {
		t.Fatal("the file was opened for writing")
	}
	return s
}

func TestReadableFileOfAnotherUserCanBeOpenedReadOnly(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	must(t, storeMark(s, 5), abi.OK)
	asOther(t, func() {
		_, err := OpenReadOnly(s.Name())
		must(t, err, abi.EPermission, s.Name())
	})
	must(t, os.Chmod(pathOf(s.Name()), 0o644), abi.OK)
	asOther(t, func() {
		_, err := Open(s.Name())
		must(t, err, abi.EPermission, s.Name(), "read-only")
	})
	r := unwritable(t, s.Name())
	if mark, err := readMark(r); mark != 5 || err != nil {
		t.Errorf("%d, %v", mark, err)
	}
	mustImage(t, r, func() abi.ImageInfo { i := tall; i.Width--; return i }())
	must(t, r.SetImage(tall), abi.EPermission)
	memory, err := r.Bytes()
	must(t, err, abi.OK)
	if !faultsWhenWritten(memory, 0) {
		t.Error("it can be written to")
	}
	if info := mustInfo(t, r); info.OwnerAlive != 1 {
		t.Errorf("%+v", info)
	}
}

// A reader sees no mixture of two images, also without a right to the file.
func TestReadOnlyCopyIsWholeWhileAnotherProcessStores(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	must(t, storeMark(s, 1), abi.OK)
	must(t, os.Chmod(pathOf(s.Name()), 0o644), abi.OK)
	readers := []*Segment{readOnly(t, s.Name()), unwritable(t, s.Name())}
	writer := startChild(t, "store pixels", []string{s.Name()})
	writer.expect("ready")
	for _, r := range readers {
		seen := map[byte]bool{}
		for len(seen) < 50 {
			mark, err := readMark(r)
			if err != nil {
				t.Fatal(err)
			}
			seen[mark] = true
		}
	}
}

func TestReadOnlySegmentRepairsNothing(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	must(t, storeMark(s, 1), abi.OK)
	must(t, os.Chmod(pathOf(s.Name()), 0o644), abi.OK)
	for _, r := range []*Segment{readOnly(t, s.Name()), unwritable(t, s.Name())} {
		writer := startChild(t, "store half the pixels", []string{s.Name()})
		writer.expect("ready")
		writer.kill()
		_, err := readMark(r)
		must(t, err, abi.ENoImage)
		s.trailer.ImageSequence.Add(1)
		_, err = r.Image()
		must(t, err, abi.ENoImage)
		if image, pixels := s.trailer.ImageSequence.Load(), s.trailer.PixelSequence.Load(); image%2 == 0 || pixels%2 == 0 {
			t.Errorf("repaired: %d, %d", image, pixels)
		}
		must(t, storeMark(s, 2), abi.OK)
		if mark, err := readMark(r); mark != 2 || err != nil {
			t.Errorf("%d, %v", mark, err)
		}
	}
}

func TestForeignFileCanBeOpenedReadOnly(t *testing.T) {
	name := newName(t)
	writeFile(t, name, []byte(strings.Repeat("pixels", 1000)))
	must(t, os.Chmod(pathOf(name), 0o444), abi.OK)
	for _, r := range []*Segment{readOnly(t, name), unwritable(t, name)} {
		memory, err := r.Bytes()
		must(t, err, abi.OK)
		if len(memory) != 6000 || string(memory[:6]) != "pixels" || !faultsWhenWritten(memory, 5999) {
			t.Errorf("%d bytes", len(memory))
		}
		_, err = r.Image()
		must(t, err, abi.ENoImage)
		must(t, r.SetImage(small), abi.EPermission)
	}
}

// Python's SharedMemory and most other programs make sparse files.
func TestSparseFileIsReservedWhenItIsOpened(t *testing.T) {
	if !alone(t, "size=4m") {
		return
	}
	const most = 3 << 20
	for what, openIt := range map[string]func(name string) (*Segment, error){
		"to write": Open, "read-only": OpenReadOnly,
		"without a right to write": func(name string) (s *Segment, err error) {
			asOther(t, func() { s, err = OpenReadOnly(name) })
			return s, err
		},
	} {
		name := newName(t)
		writeFile(t, name, []byte("begins"))
		must(t, os.Chmod(pathOf(name), 0o644), abi.OK)
		truncate(t, name, most)
		s, err := openIt(name)
		if err != nil {
			t.Fatal(what, err)
		}
		if free := freeRoom(t); free > 1<<20 {
			t.Errorf("%s: %d bytes are free beside %d", what, free, most)
		}
		fill := newSegmentFor(t, freeRoom(t)-trailerSize) // From here on there is no page for anybody.
		pixels, err := s.Bytes()
		must(t, err, abi.OK)
		sum := 0
		for _, b := range pixels { // A page that is not there ends the process.
			sum += int(b)
		}
		if string(pixels[:6]) != "begins" || len(pixels) != most {
			t.Errorf("%s: %d bytes, %q", what, len(pixels), pixels[:6])
		}
		s.Release()
		must(t, os.Remove(pathOf(name)), abi.OK)
		_ = fill
		must(t, Clear(fill.Name()), abi.OK)
		fill.Release()
	}
}

func TestSparseFileThatCannotBeReservedIsNoSpace(t *testing.T) {
	if !alone(t, "size=4m") {
		return
	}
	name := newName(t)
	writeFile(t, name, []byte("begins"))
	must(t, os.Chmod(pathOf(name), 0o644), abi.OK)
	truncate(t, name, 6<<20)
	_, err := Open(name)
	must(t, err, abi.ENoSpace, name, fmt.Sprint(6<<20), fmt.Sprint(6<<20-4096), sys.Folder())
	_, err = OpenReadOnly(name)
	must(t, err, abi.ENoSpace, name)
	asOther(t, func() {
		_, err = OpenReadOnly(name)
		must(t, err, abi.ENoSpace, name)
	})
	if free := freeRoom(t); free < 3<<20 {
		t.Errorf("%d bytes are free: what failed has taken memory", free)
	}
	if names := listed(t); len(names) != 0 {
		t.Error(names)
	}
}
