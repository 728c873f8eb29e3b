package sys

import (
	"math"
	"os"
	"testing"
	"testing/fstest"
)

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
