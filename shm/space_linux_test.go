package shm

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// alone runs the rest of the test in a process of its own, and tells whether this is that process. If options are
// given, it sees a /dev/shm of its own, mounted with them.
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
	case errors.Is(err, os.ErrPermission), errors.Is(err, unix.ENOSPC): // the latter: no namespaces left
		t.Skipf("this system does not let a test mount a /dev/shm of its own: %v", err)
	case strings.Contains(string(output), "--- SKIP: "+t.Name()):
		t.Skipf("%s", output)
	case err != nil || !strings.Contains(string(output), "--- PASS: "+t.Name()):
		t.Fatalf("%v\n%s", err, output)
	}
	return false
}

// ownMounts lets a process mount what nobody else sees; who is not root may do so as the root of a namespace.
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
	// Should the code under test take all memory, this process goes first, and its /dev/shm with it.
	if err := os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0); err != nil {
		t.Fatal(err)
	}
	err := unix.Mount("tmpfs", directory, "tmpfs", 0, options)
	if errors.Is(err, os.ErrPermission) {
		t.Skip("this system does not let a test mount a /dev/shm of its own")
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestFullSharedMemoryIsAnError(t *testing.T) {
	if !alone(t, "size=1m") {
		return
	}
	first := newSegmentFor(t, 600000)
	_, err := Create("second", 600000)
	must(t, err, abi.ENoSpace, `"second"`, "600000 bytes wanted", "655360 with metadata", "393216 free", directory)
	pixels, err := first.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for i := range pixels { // All of it is there: a page that is not ends the process.
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
		if free := freeSpace(); free != 64<<20 {
			t.Fatalf("%d bytes free after all is cleared", free)
		}
	}
}

func TestNoMoreFilesIsAnError(t *testing.T) {
	if !alone(t, "nr_inodes=2") { // one is the folder
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

// Where /dev/shm promises more than there is, memory ends first, and with it some process.
func TestSizeLargerThanMemoryIsRefusedAtOnce(t *testing.T) {
	if !alone(t, "size=1p") {
		return
	}
	meminfo := numbers(os.DirFS("/"), "proc/meminfo")
	size := (meminfo["MemTotal"] + meminfo["SwapTotal"]) * 1024
	_, err := Create("whole", size)
	must(t, err, abi.ENoSpace, `"whole"`, "of memory")
	if free := freeSpace(); free != 1<<50 {
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

func TestMemoryLeft(t *testing.T) {
	const meminfo = "MemTotal: 9000 kB\nMemFree: 1 kB\nMemAvailable:    1600 kB\nSwapTotal: 32 kB\nSwapFree: 16 kB\n"
	files := func(pairs ...string) fstest.MapFS {
		root := fstest.MapFS{}
		for i := 0; i < len(pairs); i += 2 {
			root[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
		}
		return root
	}
	for name, test := range map[string]struct {
		root fstest.MapFS
		left uint64
	}{
		"nothing is known": {files(), math.MaxUint64},
		"the machine's":    {files("proc/meminfo", meminfo), 1616 * 1024},
		"no limit": {files("proc/meminfo", meminfo, "proc/self/cgroup", "0::/\n",
			"sys/fs/cgroup/memory.max", "max\n", "sys/fs/cgroup/memory.current", "5\n"), 1616 * 1024},
		"a group's": {files("proc/meminfo", meminfo, "proc/self/cgroup", "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max", "3200\n", "sys/fs/cgroup/a/b/memory.current", "1000\n",
			"sys/fs/cgroup/a/b/memory.stat", "anon 7\ninactive_file 400\n"), 2600},
		"a group's above": {files("proc/meminfo", meminfo, "proc/self/cgroup", "0::/a/b\n",
			"sys/fs/cgroup/a/b/memory.max", "3200\n", "sys/fs/cgroup/a/b/memory.current", "1000\n",
			"sys/fs/cgroup/a/memory.max", "2000\n", "sys/fs/cgroup/a/memory.current", "1600\n"), 400},
		"a container's": {files("proc/meminfo", meminfo, "proc/self/cgroup", "0::/docker/0123\n",
			"sys/fs/cgroup/memory.max", "3200\n", "sys/fs/cgroup/memory.current", "1600\n"), 1600},
		"a group that is full": {files("proc/self/cgroup", "0::/a\n",
			"sys/fs/cgroup/a/memory.max", "3200\n", "sys/fs/cgroup/a/memory.current", "3300\n"), 0},
		"version 1": {files("proc/meminfo", meminfo, "proc/self/cgroup", "9:cpu:/x\n4:memory:/a\n0::/\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n",
			"sys/fs/cgroup/memory/memory.usage_in_bytes", "7000\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes", "3200\n",
			"sys/fs/cgroup/memory/a/memory.usage_in_bytes", "3200\n",
			"sys/fs/cgroup/memory/a/memory.stat", "inactive_file 1\ntotal_inactive_file 160\n"), 160},
	} {
		t.Run(name, func(t *testing.T) {
			if got, want := memoryLeft(test.root), test.left-test.left/16; got != want {
				t.Errorf("%d bytes, %d expected", got, want)
			}
		})
	}
	if left := memoryLeft(os.DirFS("/")); left == 0 || left > 1<<50 {
		t.Errorf("this machine has %d bytes left", left)
	}
}
