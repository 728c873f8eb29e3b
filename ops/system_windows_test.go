package ops

import (
	"os"
	"path/filepath"
	"testing"
	"time"
	"unsafe"

	win "golang.org/x/sys/windows"
)

// silently runs body. That nothing is written meanwhile is looked at on Linux: here the C library has its output's handles
// from the start of the process, and Go cannot change them.
func silently(t *testing.T, body func()) {
	t.Helper()
	body()
}

func withoutMemory(t *testing.T, _ func()) {
	t.Skip("Windows has no limit for what a process takes from now on")
}

// threadsOfProcess returns the number of threads that this process has.
func threadsOfProcess(t *testing.T) int {
	t.Helper()
	snapshot, err := win.CreateToolhelp32Snapshot(win.TH32CS_SNAPTHREAD, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer win.CloseHandle(snapshot)
	entry := win.ThreadEntry32{}
	entry.Size = uint32(unsafe.Sizeof(entry))
	n := 0
	for err = win.Thread32First(snapshot, &entry); err == nil; err = win.Thread32Next(snapshot, &entry) {
		if entry.OwnerProcessID == win.GetCurrentProcessId() {
			n++
		}
	}
	return n
}

// cpuTime reports the processor's time of an operation, which other programs disturb less than the clock's.
func cpuTime(b *testing.B) (report func()) {
	used := func() time.Duration {
		var start, end, kernel, user win.Filetime
		if err := win.GetProcessTimes(win.CurrentProcess(), &start, &end, &kernel, &user); err != nil {
			b.Fatal(err)
		}
		ticks := func(f win.Filetime) int64 { return int64(f.HighDateTime)<<32 | int64(f.LowDateTime) }
		return time.Duration(100 * (ticks(kernel) + ticks(user)))
	}
	before := used()
	return func() { b.ReportMetric(float64((used()-before).Microseconds())/1000/float64(b.N), "cpu-ms/op") }
}

func faults(t *testing.T) int64 {
	t.Skip("counting faults tells of Linux's pages, not of Windows'")
	return 0
}

func memoryOfProcess(t *testing.T, _ string) int64 {
	t.Skip("/proc/self/status is Linux's")
	return 0
}

func cutMemory(t *testing.T, _ int) []byte {
	t.Skip("a file that is mapped cannot be cut on Windows")
	return nil
}

// meetings returns how many loaders meet how many saves. Wine replaces no file that is open, so that each save has to find a
// moment when it is not.
func meetings(t *testing.T) (loaders, rounds int) {
	if !isWine() {
		return 2, 200
	}
	waitLong(t)
	return 1, 5
}

// waitLong has a test wait long for files that others have open.
func waitLong(t *testing.T) {
	before := holdPatience
	t.Cleanup(func() { holdPatience = before })
	holdPatience = time.Minute
}

// makePipe returns false: no folder of Windows can hold a pipe.
func makePipe(*testing.T, string) bool { return false }

// makeLink makes a symbolic link, or skips the test where the user may not.
func makeLink(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(filepath.FromSlash(target), path); err != nil {
		t.Skip("making a link: ", err, " (Windows lets administrators, and everybody in its developer mode)")
	}
	if _, err := os.Lstat(path); err != nil {
		t.Skip("Wine makes no links")
	}
}

// isWine returns true if the tests run under Wine.
func isWine() bool {
	return win.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}
