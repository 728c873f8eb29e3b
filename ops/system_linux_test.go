package ops

// What the tests need of Linux, and the tests that are Linux's alone.

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
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

// makePipe makes a named pipe.
func makePipe(t *testing.T, path string) {
	t.Helper()
	if err := unix.Mkfifo(path, 0o600); err != nil {
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
		if _, err := Load(path, abi.LoadColor, make([]byte, 1<<16), false); abi.CodeOf(err) != abi.EPermission {
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
