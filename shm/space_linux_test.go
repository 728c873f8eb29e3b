package shm

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// alone runs the test again in a process of its own, and returns true in that process. If options are given, that
// process has a /dev/shm of its own, mounted with them.
func alone(t *testing.T, options string) bool {
	t.Helper()
	const variable = "SHMCV_TEST_ALONE"
	if os.Getenv(variable) == t.Name() {
		mount(t, options)
		return true
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(executable, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), variable+"="+t.Name())
	if options != "" {
		cmd.SysProcAttr = ownMounts()
	}
	output, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, os.ErrPermission), errors.Is(err, unix.ENOSPC): // ENOSPC: no namespaces left.
		t.Skipf("this system does not let a test mount a /dev/shm of its own: %v", err)
	case strings.Contains(string(output), "--- SKIP: "+t.Name()):
		t.Skipf("%s", output)
	case err != nil || !strings.Contains(string(output), "--- PASS: "+t.Name()):
		t.Fatalf("%v\n%s", err, output)
	}
	return false
}

// ownMounts lets a process mount file systems that no other process sees. A user other than root does so as the root of
// a namespace.
func ownMounts() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		attributes.Cloneflags = syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return attributes
}

func mount(t *testing.T, options string) {
	t.Helper()
	if options == "" {
		return
	}
	// If the code under test takes all memory, the system ends this process first, and its /dev/shm goes with it.
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0); err != nil {
		t.Fatal(err)
	}
	err := unix.Mount("tmpfs", sys.Folder(), "tmpfs", 0, options)
	if errors.Is(err, os.ErrPermission) {
		t.Skip("this system does not let a test mount a /dev/shm of its own")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// freeRoom gives the number of bytes that are free in /dev/shm.
func freeRoom(t testing.TB) uint64 {
	t.Helper()
	var stat unix.Statfs_t
	if err := unix.Statfs(sys.Folder(), &stat); err != nil {
		t.Fatal(err)
	}
	return stat.Bavail * uint64(stat.Bsize)
}

func TestFullSharedMemoryIsAnError(t *testing.T) {
	if !alone(t, "size=1m") {
		return
	}
	first := newSegmentFor(t, 600000)
	_, err := Create("second", 600000)
	must(t, err, abi.ENoSpace, `"second"`, "600000 bytes wanted", "655360 with metadata", "393216 free", sys.Folder())
	pixels, err := first.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for i := range pixels { // A page that is not there ends the process.
		pixels[i] = 1
	}
	newSegmentFor(t, 300000)
}

func TestCreatorsThatRaceForTheLastMemoryLoseNone(t *testing.T) {
	if !alone(t, "size=64m") {
		return
	}
	for range 20 {
		var group sync.WaitGroup
		for i := range 4 {
			group.Go(func() {
				s, err := Create(fmt.Sprint("racer", i), 40<<20)
				if err != nil {
					if abi.CodeOf(err) != abi.ENoSpace || !strings.Contains(err.Error(), "free in") {
						t.Error(err)
					}
					return
				}
				s.Release()
			})
		}
		group.Wait()
		must(t, ClearAll(), abi.OK)
		if free := freeRoom(t); free != 64<<20 {
			t.Fatalf("%d bytes free after all is cleared", free)
		}
	}
}

func TestNoMoreFilesIsAnError(t *testing.T) {
	if !alone(t, "nr_inodes=2") { // One of them is the folder.
		return
	}
	newSegmentFor(t, 1)
	_, err := Create("second", 1)
	must(t, err, abi.ENoSpace, `"second"`)
}

func TestReadOnlySharedMemoryIsAnError(t *testing.T) {
	if !alone(t, "ro") {
		return
	}
	_, err := Create("first", 1)
	must(t, err, abi.EPermission, `"first"`)
}

// If /dev/shm is larger than memory, memory ends first, and the system ends some process.
func TestSizeLargerThanMemoryIsRefusedAtOnce(t *testing.T) {
	if !alone(t, "size=1p") {
		return
	}
	var machine unix.Sysinfo_t
	if err := unix.Sysinfo(&machine); err != nil {
		t.Fatal(err)
	}
	_, err := Create("whole", (machine.Totalram+machine.Totalswap)*uint64(machine.Unit))
	must(t, err, abi.ENoSpace, `"whole"`, "of memory")
	if free := freeRoom(t); free != 1<<50 {
		t.Errorf("%d bytes are taken", 1<<50-free)
	}
}

func TestLimitForFilesIsAnErrorAndNotASignal(t *testing.T) {
	if !alone(t, "") {
		return
	}
	limit := syscall.Rlimit{Cur: 1 << 20, Max: 1 << 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	_, err := Create("large", 1<<20)
	must(t, err, abi.ENoSpace, `"large"`, "1048576 bytes wanted", "1114112 with metadata", "is 1048576", "ulimit")
	newSegmentFor(t, 1<<20-trailerSize)
}
