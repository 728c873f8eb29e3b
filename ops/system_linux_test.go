package ops

// What the tests need of Linux, and the tests that are Linux's alone.

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// silently runs body and fails if anything is written to standard output or error meanwhile, by C code too.
func silently(t *testing.T, body func()) {
	t.Helper()
	sink, err := os.CreateTemp(t.TempDir(), "printed")
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	for _, fd := range []int{1, 2} {
		saved, err := unix.Dup(fd)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Dup2(int(sink.Fd()), fd); err != nil {
			t.Fatal(err)
		}
		defer func() { unix.Dup2(saved, fd); unix.Close(saved) }()
	}
	body()
	if printed, err := os.ReadFile(sink.Name()); err != nil || len(printed) != 0 {
		t.Errorf("the library printed %q (%v)", printed[:min(len(printed), 1000)], err)
	}
}

// asNobody runs body with the file permissions of an ordinary user, which a superuser's tests would not meet.
func asNobody(t *testing.T, body func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		body()
		return
	}
	// The file system's user id belongs to the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	unix.Setfsuid(65534)
	defer unix.Setfsuid(0)
	body()
}

// withoutMemory runs body while the process can have 16 MiB more, and not more.
func withoutMemory(t *testing.T, body func()) {
	t.Helper()
	// Go's collector ends the process if it finds no memory. None runs meanwhile, and the one that may run now ends first.
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	runtime.GC()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		t.Fatal(err)
	}
	scarce := syscall.Rlimit{Cur: uint64(memoryOfProcess(t, "VmSize")) + 16<<20, Max: limit.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &scarce); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
			t.Fatal(err)
		}
	}()
	var set syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &set); err != nil {
		t.Fatal(err)
	}
	if set != scarce {
		t.Skip("QEMU's emulation of processes says yes to a limit of the address space, and sets none")
	}
	body()
}

// threadsOfProcess returns the number of threads that this process has.
func threadsOfProcess(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}

// cpuTime reports the processor's time of an operation, which other programs disturb less than the clock's.
func cpuTime(b *testing.B) (report func()) {
	used := func() (total time.Duration) {
		var usage syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
			b.Fatal(err)
		}
		return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	before := used()
	return func() { b.ReportMetric(float64((used()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op") }
}

// faults returns how many pages the system has given to this process without reading from a disk.
func faults(t *testing.T) int64 {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return usage.Minflt
}

// memoryOfProcess reads a figure from /proc/self/status, in bytes.
func memoryOfProcess(t *testing.T, name string) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), name+":")
	var kib int64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// cutMemory is the mapping of a file that has been cut: to touch it is a fault.
func cutMemory(t *testing.T, size int) []byte {
	t.Helper()
	file, err := os.CreateTemp(t.TempDir(), "cut")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := file.Truncate(int64(size)); err != nil {
		t.Fatal(err)
	}
	memory, err := unix.Mmap(int(file.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Munmap(memory) })
	if err := file.Truncate(0); err != nil {
		t.Fatal(err)
	}
	return memory
}

// meetings returns how many loaders meet how many saves.
func meetings(*testing.T) (loaders, rounds int) { return 2, 200 }

// makePipe makes a named pipe, and returns true: on Linux a folder can hold one.
func makePipe(t *testing.T, path string) bool {
	t.Helper()
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	return true
}

// makeLink makes a symbolic link.
func makeLink(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func TestForbiddenFilesAreAPermissionError(t *testing.T) {
	path := written(t, "secret.jpg", content(t, "small.jpg"))
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o555); err != nil {
		t.Fatal(err)
	}
	for folder := filepath.Dir(path); folder != os.TempDir() && folder != "/"; folder = filepath.Dir(folder) {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	asNobody(t, func() {
		if _, err := Load(path, abi.LoadColor.Options(), make([]byte, 1<<16), false); abi.CodeOf(err) != abi.EPermission {
			t.Errorf("Load: %v", err)
		}
		err := Save(filepath.Join(closed, "out.png"), noise(4, 4, abi.DepthU8, abi.OrderBGR, 0), abi.QualityDefault)
		if abi.CodeOf(err) != abi.EPermission {
			t.Errorf("Save: %v", err)
		}
	})
	checkFiles(t, closed)
}

func TestSaveOnAFullDiskKeepsTheOldFile(t *testing.T) {
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("mounting a small disk: %v (the superuser may)", err)
	}
	defer unix.Unmount(disk, 0)
	path := filepath.Join(disk, "photo.png")
	small := noise(20, 20, abi.DepthU8, abi.OrderBGR, 0)
	if err := Save(path, small, abi.QualityDefault); err != nil {
		t.Fatal(err)
	}
	err := Save(path, noise(400, 400, abi.DepthU8, abi.OrderBGR, 0), abi.QualityDefault)
	if abi.CodeOf(err) != abi.ENoSpace || !strings.Contains(err.Error(), "bytes wanted") {
		t.Errorf("%v", err)
	}
	checkFiles(t, disk, "photo.png")
	if back := loaded(t, path, abi.LoadColor); !bytes.Equal(back.Data, small.Data) {
		t.Error("the old file has changed")
	}
}

func TestSaveFollowsTheUmask(t *testing.T) {
	old := syscall.Umask(0o027)
	defer syscall.Umask(old)
	path := filepath.Join(t.TempDir(), "photo.png")
	if err := Save(path, noise(4, 4, abi.DepthU8, abi.OrderBGR, 0), abi.QualityDefault); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestSaveKeepsOtherNamesAndAttributesOfAFile(t *testing.T) {
	folder, image := t.TempDir(), noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	path := filepath.Join(folder, "one.png")
	if err := os.WriteFile(path, bytes.Repeat([]byte("old"), 10000), 0o600); err != nil {
		t.Fatal(err)
	}
	note := unix.Setxattr(path, "user.note", []byte("mine"), 0)
	if err := Save(path, image, abi.QualityDefault); err != nil {
		t.Fatal(err)
	}
	value := make([]byte, 100)
	if n, err := unix.Getxattr(path, "user.note", value); note == nil && (err != nil || string(value[:n]) != "mine") {
		t.Errorf("the attribute is %q, %v", value[:max(n, 0)], err)
	}
	if err := os.Link(path, filepath.Join(folder, "two.png")); err != nil {
		t.Fatal(err)
	}
	other := noise(90, 70, abi.DepthU8, abi.OrderBGR, 0)
	for _, now := range []Pixels{other, image} { // A longer file, and a shorter one.
		if err := Save(path, now, abi.QualityDefault); err != nil {
			t.Fatal(err)
		}
		saved(t, filepath.Join(folder, "two.png"), now)
	}
	checkFiles(t, folder, "one.png", "two.png")
}

func TestSaveKeepsTheOwner(t *testing.T) {
	const nobody = 65534
	path, image := written(t, "photo.png", []byte("old")), noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	if err := os.Chown(path, nobody, nobody); err != nil {
		t.Skip("giving a file away: ", err, " (the superuser may)")
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := Save(path, image, abi.QualityDefault); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if stat := info.Sys().(*syscall.Stat_t); stat.Uid != nobody || stat.Gid != nobody || info.Mode().Perm() != 0o640 {
		t.Errorf("owner %d:%d, mode %v", stat.Uid, stat.Gid, info.Mode())
	}
	saved(t, path, image)
}

func TestSaveNeedsTheFilesPermissionAndNotTheFolders(t *testing.T) {
	closed := t.TempDir()
	readOnly, writable := filepath.Join(closed, "read-only.png"), filepath.Join(closed, "writable.png")
	for path, mode := range map[string]os.FileMode{readOnly: 0o444, writable: 0o666} {
		if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	for folder := closed; folder != os.TempDir() && folder != "/"; folder = filepath.Dir(folder) {
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	image := noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	asNobody(t, func() {
		if err := Save(readOnly, image, abi.QualityDefault); abi.CodeOf(err) != abi.EPermission || !strings.Contains(err.Error(), "0444") {
			t.Errorf("%v", err)
		}
		if err := Save(writable, image, abi.QualityDefault); err != nil {
			t.Error(err)
		}
	})
	if content, err := os.ReadFile(readOnly); err != nil || string(content) != "precious" {
		t.Errorf("%q, %v", content, err)
	}
	saved(t, writable, image)
	checkFiles(t, closed, "read-only.png", "writable.png")
}

func TestSaveWritesToAFileThatIsAMount(t *testing.T) {
	folder, image := t.TempDir(), noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	source, path := filepath.Join(folder, "source.png"), filepath.Join(folder, "photo.png")
	for _, name := range []string{source, path} {
		if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mount(source, path, "", unix.MS_BIND, ""); err != nil {
		t.Skipf("mounting a file: %v (the superuser may)", err)
	}
	defer unix.Unmount(path, 0)
	if err := Save(path, image, abi.QualityDefault); err != nil {
		t.Fatal(err)
	}
	saved(t, source, image)
	checkFiles(t, folder, "photo.png", "source.png")
}

func TestProbeOfALargeFileReadsTheHeaderAlone(t *testing.T) {
	// The directory of a TIFF at its end, and a PNG whose EXIF block follows the pixels: nearly 1 GiB of holes.
	const large = maxFile - 4096
	tif, png := content(t, "unusual/planes.tif"), content(t, "small-bgr.png")
	directory := binary.LittleEndian.Uint32(tif[4:])
	moved := binary.LittleEndian.AppendUint32([]byte("II*\x00"), large-uint32(len(tif))+directory)
	end := bytes.Index(png, []byte("IEND")) - 4
	hole := binary.BigEndian.AppendUint32(nil, large-uint32(len(png))-12)
	for name, parts := range map[string][2][]byte{
		"large.tif": {moved, tif},
		"large.png": {append(bytes.Clone(png[:end]), append(hole, "quIx"...)...), png[end-4:]},
	} {
		path := written(t, name, parts[0])
		if err := os.Truncate(path, large); err != nil {
			t.Fatal(err)
		}
		file, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if _, err := file.WriteAt(parts[1], large-int64(len(parts[1]))); err != nil {
			t.Fatal(err)
		}
		before := faults(t)
		if _, err := Probe(path, abi.LoadColor.Options()); name == "large.png" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := faults(t) - before; got > 2000 {
			t.Errorf("%s: %d pages were touched", name, got)
		}
	}
}

// TestResizeWithoutMemoryIsAnError asks for tables, and for a copy of a source, that the process cannot have.
func TestResizeWithoutMemoryIsAnError(t *testing.T) {
	src := noise(1<<20, 1, abi.DepthF32, abi.OrderBGRA, 0)
	dst := noise(1<<20-1, 3, abi.DepthF32, abi.OrderBGRA, 0)
	turned := noise(1, 1<<20, abi.DepthF32, abi.OrderBGRA, 0)
	forget()
	before := clone(dst)
	withoutMemory(t, func() {
		for _, interpolation := range []abi.Interpolation{abi.InterpolationCubic, abi.InterpolationLanczos4} {
			if err := Resize(src, dst, interpolation); abi.CodeOf(err) != abi.ENoSpace {
				t.Errorf("interpolation %d: %v", interpolation, err)
			}
		}
		overlapping := Pixels{ImageInfo: turned.ImageInfo, Data: src.Data}
		if err := Rotate(src, overlapping, abi.Rotate90Clockwise); err != nil && abi.CodeOf(err) != abi.ENoSpace {
			t.Error(err)
		}
	})
	if !bytes.Equal(dst.Data, before.Data) {
		t.Error("the destination was written to")
	}
}
