package sys

import (
	"bytes"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// unnoticed is a size for which check does not ask how much memory is left: to ask takes longer than to create a
// segment of that size.
const unnoticed = 1 << 20

// volume is a folder and its file system.
type volume struct {
	folder string
	stat   unix.Statfs_t
	page   uint64 // The sizes of its files are multiples of this.
}

// volumeOf gives the volume of a folder.
func volumeOf(folder string) (volume, error) {
	v := volume{folder: folder, page: 1}
	if err := retry(func() error { return unix.Statfs(folder, &v.stat) }); err != nil {
		return v, err
	}
	if v.isHuge() {
		v.page = uint64(v.stat.Bsize)
	}
	return v, nil
}

// isHuge returns true if the volume is made of huge pages. isMemory returns true if it takes its memory from what
// programs take theirs from.
func (v volume) isHuge() bool {
	return v.stat.Type == unix.HUGETLBFS_MAGIC && v.stat.Bsize > int64(os.Getpagesize())
}
func (v volume) isMemory() bool { return v.stat.Type == unix.TMPFS_MAGIC || v.folder == defaultFolder }

// free gives the number of bytes that are free, MaxUint64 if the volume has no limit, or does not tell.
func (v volume) free() uint64 {
	free := uint64(math.MaxUint64)
	var now unix.Statfs_t
	if err := retry(func() error { return unix.Statfs(v.folder, &now) }); err == nil && now.Blocks != 0 {
		free = now.Bavail * uint64(now.Bsize)
	}
	if v.isHuge() {
		free = min(free, hugeLeft(os.DirFS("/"), v.page))
	}
	return free
}

// hugeLeft gives how many bytes of huge pages of a size the system has left: those that are free and not promised to
// somebody, and those that it may still make.
func hugeLeft(root fs.FS, page uint64) uint64 {
	folder := fmt.Sprintf("sys/kernel/mm/hugepages/hugepages-%dkB/", page/1024)
	free, known := number(root, folder+"free_hugepages")
	if !known {
		return math.MaxUint64
	}
	promised, _ := number(root, folder+"resv_hugepages")
	surplus, _ := number(root, folder+"surplus_hugepages")
	most, _ := number(root, folder+"nr_overcommit_hugepages")
	return (free - min(free, promised) + most - min(most, surplus)) * page
}

// claim is what is going to be taken of shared memory.
type claim struct {
	volume          volume
	operation, name string
	wanted          string // How much, for messages.
	size            uint64 // The same in bytes.
}

// check returns an error if that much memory cannot be had. It looks before any memory is taken, because the system
// gives memory out page by page: where memory ends before the folder is full, the system ends a process and no call fails.
func (c claim) check() error {
	if free := c.volume.free(); c.size > free {
		return c.noRoom(free)
	}
	if c.size <= unnoticed || !c.volume.isMemory() {
		return nil
	}
	if left := memoryLeft(os.DirFS("/")); c.size > left {
		return abi.Errorf(abi.ENoSpace, "shm: %s %q: %s, and only %d of memory are left to this process; "+
			"clear segments that nobody needs, or end programs", c.operation, c.name, c.wanted, left)
	}
	return nil
}

// checkFileSize returns an error if a file of that size is larger than this process may make one. To make it would get
// the process a signal that ends it.
func (c claim) checkFileSize() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err == nil && c.size > limit.Cur {
		return abi.Errorf(abi.ENoSpace, "shm: %s %q: %s, and the limit for files is %d (ulimit -f)",
			c.operation, c.name, c.wanted, limit.Cur)
	}
	return nil
}

func (c claim) noRoom(free uint64) error {
	left, more := fmt.Sprintf("%d free", free), "mount -o remount,size=..., docker run --shm-size"
	if free == math.MaxUint64 {
		left = "fewer are free"
	}
	switch {
	case c.volume.isHuge():
		more = "sysctl vm.nr_hugepages=..., mount -o size=..."
	case c.volume.folder != defaultFolder && c.volume.isMemory():
		more = "mount -o remount,size=..."
	case !c.volume.isMemory():
		more = "remove other files"
	}
	return abi.Errorf(abi.ENoSpace, "shm: %s %q: %s, %s in %s; clear segments that nobody needs, or give it more "+
		"(%s)", c.operation, c.name, c.wanted, left, c.volume.folder, more)
}

// memoryLeft gives how much memory this process can take: the least of what the machine has available and what each
// control group leaves, less a sixteenth, because these are estimates and others take memory too. Swap that a group may
// use is not counted. MaxUint64, less that sixteenth, means that nothing is known. root is the system's root folder.
func memoryLeft(root fs.FS) uint64 {
	left := uint64(math.MaxUint64)
	if memory := numbers(root, "proc/meminfo"); memory["MemAvailable"] > 0 {
		left = (memory["MemAvailable"] + memory["SwapFree"]) * 1024
	}
	groups, _ := fs.ReadFile(root, "proc/self/cgroup")
	for line := range strings.Lines(string(groups)) {
		// hierarchy:controllers:path
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(fields) < 3:
		case fields[0] == "0":
			left = min(left, groupLeft(root, "sys/fs/cgroup", fields[2], groupFiles{"memory.max", "memory.current", "inactive_file"}))
		case fields[1] == "memory":
			left = min(left, groupLeft(root, "sys/fs/cgroup/memory", fields[2],
				groupFiles{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"}))
		}
	}
	return left - left/16
}

// groupFiles are where a control group tells its limit and its use of memory, and the name by which its memory.stat
// tells how much of the use the system can take back.
type groupFiles struct{ limit, used, reclaimable string }

// groupLeft gives what a control group leaves, and the groups that it is in. In a container the folders of groups may
// not be visible; the folder of the mount is then the container's group.
func groupLeft(root fs.FS, mount, group string, files groupFiles) uint64 {
	left := uint64(math.MaxUint64)
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		folder := path.Join(mount, group)
		limit, limited := number(root, path.Join(folder, files.limit))
		used, known := number(root, path.Join(folder, files.used))
		if limited && known {
			used -= min(used, numbers(root, path.Join(folder, "memory.stat"))[files.reclaimable])
			left = min(left, limit-min(limit, used))
		}
		if group == "/" {
			return left
		}
	}
}

// number reads a file that holds a number.
func number(root fs.FS, name string) (uint64, bool) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 10, 64)
	return n, err == nil // "max" is no limit
}

// numbers reads a file with a name and a number in each line.
func numbers(root fs.FS, name string) map[string]uint64 {
	values := map[string]uint64{}
	text, _ := fs.ReadFile(root, name)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) >= 2 {
			values[strings.TrimSuffix(fields[0], ":")], _ = strconv.ParseUint(fields[1], 10, 64)
		}
	}
	return values
}
