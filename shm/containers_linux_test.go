package shm

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// A container is a process with a user namespace and a mount namespace of its own, as container engines make them. Every
// container's user is 1000 there, and another user of the machine. Containers that share a volume see it at paths of
// their own, and share a group.

const (
	volumeGroup = 2000
	insideUser  = 1000
)

// container is what startContainer needs to know.
type container struct {
	program string // The test binary, where all users can reach it.
	user    int    // Outside.
	group   int    // Inside and outside.
	folder  string // Where the container sees the volume.
}

// start starts a process in the container that plays a role.
func (c container) start(t *testing.T, role string, arguments ...string) *child {
	t.Helper()
	setFolder(t, c.folder)
	return startAs(t, role, arguments, func(cmd *exec.Cmd) {
		cmd.Path = c.program
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:                 syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings:                []syscall.SysProcIDMap{{ContainerID: insideUser, HostID: c.user, Size: 1}},
			GidMappings:                []syscall.SysProcIDMap{{ContainerID: c.group, HostID: c.group, Size: 1}},
			GidMappingsEnableSetgroups: true,
			Credential:                 &syscall.Credential{Uid: insideUser, Gid: uint32(c.group)},
		}
	})
}

// containers runs the test in a mount namespace of its own, and gives two containers that share a volume, and a stranger
// who sees the volume too. It gives none in the process whose namespace that is not.
func containers(t *testing.T) (camera, viewer, stranger container, here bool) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give containers different users")
	}
	if !alone(t, "size=256m,mode=755") {
		return
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	const root = "/dev/shm"
	executable, err := os.Executable()
	check(err)
	from, err := os.Open(executable)
	check(err)
	defer from.Close()
	program := filepath.Join(root, "program")
	to, err := os.OpenFile(program, os.O_CREATE|os.O_WRONLY, 0o755)
	check(err)
	_, err = io.Copy(to, from)
	check(err)
	check(to.Close())

	volume := filepath.Join(root, "volume")
	check(os.Mkdir(volume, 0o700))
	check(unix.Mount("tmpfs", volume, "tmpfs", 0, "size=64m"))
	check(os.Chown(volume, 0, volumeGroup))
	check(os.Chmod(volume, 0o770|os.ModeSticky|os.ModeSetgid))
	see := func(name string) string {
		at := filepath.Join(root, name)
		check(os.Mkdir(at, 0o755))
		check(unix.Mount(volume, at, "", unix.MS_BIND, ""))
		return at
	}
	camera = container{program, 101000, volumeGroup, see("camera")}
	viewer = container{program, 201000, volumeGroup, see("viewer")}
	stranger = container{program, 301000, 3000, see("stranger")}
	if err := probeContainer(camera); err != nil {
		t.Skip("this system does not let a test make user namespaces:", err)
	}
	return camera, viewer, stranger, true
}

// probeContainer returns an error if no process can be started so.
func probeContainer(c container) error {
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: insideUser, HostID: c.user, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: c.group, HostID: c.group, Size: 1}},
	}
	return cmd.Run()
}

func TestTwoContainersShareASegmentByOneVolumeAndOneGroup(t *testing.T) {
	a, b, c, here := containers(t)
	if !here {
		return
	}
	camera := a.start(t, "container camera")
	camera.expect(fmt.Sprint("user ", insideUser))
	viewer, stranger := b.start(t, "container viewer"), c.start(t, "container stranger")
	viewer.expect(fmt.Sprint("user ", insideUser))
	viewer.expect("sees 1")    // The camera's image.
	viewer.expect("wrote 2")   // Into the same segment.
	camera.expect("sees 2")    // It was woken.
	viewer.expect("frame 1 7") // Of the stream.
	viewer.expect("refused -9 read-only")
	viewer.expect("refused -9 clear")
	viewer.expect("listed")
	stranger.expect("refused -9 -9 -9 -9")
	camera.say("end")
	camera.expect("ended")
}

func TestReaderInAnotherContainerChangesNoPixel(t *testing.T) {
	a, b, _, here := containers(t)
	if !here {
		return
	}
	camera := a.start(t, "container pixels")
	camera.expect("ready")
	hostile := b.start(t, "container hostile")
	for attempt := 0; attempt < hostileAttempts; attempt++ {
		hostile.expect(fmt.Sprintf("attempt %d failed", attempt))
	}
	hostile.expect("wrote its own copy alone")
	camera.say("count")
	camera.expect("0 of 1000000 pixels changed, 1048576 bytes")
}

const hostilePixels = 1000 * 1000

// hostileAttempts is how many ways of writing "container hostile" knows.
const hostileAttempts = 16

// descriptorOf gives the descriptor by which this process has a file open.
func descriptorOf(path string) int {
	entries, err := os.ReadDir("/proc/self/fd")
	childCheck(err)
	for _, entry := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + entry.Name()); err == nil && to == path {
			fd, err := strconv.Atoi(entry.Name())
			childCheck(err)
			return fd
		}
	}
	childCheck(fmt.Errorf("%s is not open", path))
	return -1
}

// attack tries to change a file that the process has mapped to read, and tells of each way whether it failed.
func attack(memory []byte, path string) []error {
	address := uintptr(unsafe.Pointer(&memory[0]))
	length := uintptr((len(memory) + 4095) / 4096 * 4096)
	fd := descriptorOf(path)
	call := func(number, a, b, c, d uintptr) error {
		if _, _, errno := unix.Syscall6(number, a, b, c, d, 0, 0); errno != 0 {
			return errno
		}
		return nil
	}
	reopen := func(name string, flags int) error {
		again, err := unix.Open(name, flags|unix.O_CLOEXEC, 0)
		if err == nil {
			_, err = unix.Pwrite(again, []byte{66}, 0)
		}
		return err
	}
	poke := func(at int) (err error) {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() {
			if fault := recover(); fault != nil {
				err = fmt.Errorf("%v", fault)
			}
		}()
		write(&memory[at])
		return nil
	}
	word := []byte{66}
	local, remote := unix.Iovec{Base: &word[0], Len: 1}, unix.RemoteIovec{Base: address, Len: 1}
	itself, err := os.OpenFile("/proc/self/mem", os.O_RDWR, 0)
	childCheck(err)
	_, byMemory := itself.WriteAt(word, int64(address))
	_, byOther := unix.ProcessVMWritev(os.Getpid(), []unix.Iovec{local}, []unix.RemoteIovec{remote}, 0)
	_, byWrite := unix.Pwrite(fd, word, 0)
	_, byMapping := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	pipe := make([]int, 2)
	childCheck(unix.Pipe(pipe))
	_, err = unix.Write(pipe[1], word)
	childCheck(err)
	_, bySplice := unix.Splice(pipe[0], nil, fd, new(int64), 1, 0)
	return []error{
		poke(0), poke(len(memory) - 1), byMapping,
		call(unix.SYS_MPROTECT, address, length, unix.PROT_READ|unix.PROT_WRITE, 0),
		byMemory, byOther, byWrite, bySplice,
		unix.Ftruncate(fd, 0), unix.Truncate(path, 0),
		unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 0, 4096),
		call(unix.SYS_MADVISE, address, length, unix.MADV_REMOVE, 0),
		reopen(path, unix.O_RDWR), reopen(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDWR),
		unix.Fchmod(fd, 0o666), os.Rename(path, path+"2"),
	}
}

// attackWords tries to change a stream's words, on which its readers sleep.
func attackWords(words []byte) []error {
	address := uintptr(unsafe.Pointer(&words[0]))
	futex := func(operation, value, other uintptr, operator uintptr) error {
		_, _, errno := unix.Syscall6(unix.SYS_FUTEX, address, operation, value, 1, other, operator)
		if errno != 0 {
			return errno
		}
		return nil
	}
	const wakeOp, lockPI, trylockPI = 5, 6, 8
	const addOne = 1<<28 | 1<<12 // Adds 1 to the word at other.
	_, _, byProtection := unix.Syscall(unix.SYS_MPROTECT, address&^4095, 4096, unix.PROT_READ|unix.PROT_WRITE)
	return []error{
		futex(wakeOp, 1, address, addOne), futex(lockPI, 0, 0, 0), futex(trylockPI, 0, 0, 0), errnoOrNil(byProtection),
	}
}

func errnoOrNil(errno unix.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

// seizeLocks takes every lock of a file that it gets, and tells how many, and how many of them alone.
func seizeLocks(fd int) (shared, alone int) {
	for number := range int64(256) {
		for _, kind := range []int16{unix.F_WRLCK, unix.F_RDLCK} {
			lock := unix.Flock_t{Type: kind, Whence: unix.SEEK_SET, Start: 1<<62 + number, Len: 1}
			if unix.FcntlFlock(uintptr(fd), unix.F_OFD_SETLK, &lock) != nil {
				continue
			}
			if shared++; kind == unix.F_WRLCK {
				alone++
			}
		}
	}
	return shared, alone
}

// tell tells of each attempt whether it failed.
func tell(attempts []error) {
	for attempt, err := range attempts {
		if err == nil {
			fmt.Println("attempt", attempt, "succeeded")
			continue
		}
		fmt.Println("attempt", attempt, "failed")
		fmt.Fprintln(os.Stderr, attempt, err)
	}
}

// A reader of a stream that may not write to its file, and writes wherever it can, changes no pixel. It takes all locks that
// it gets, and the writer goes on.
func TestReaderOfAStreamInAnotherContainerChangesNoPixel(t *testing.T) {
	a, b, _, here := containers(t)
	if !here {
		return
	}
	camera := a.start(t, "container stream camera")
	camera.expect("ready")
	hostile := b.start(t, "container stream hostile")
	hostile.expect("frame 1 is whole, and not held")
	for attempt := range hostileAttempts {
		hostile.expect(fmt.Sprintf("attempt %d failed", attempt))
	}
	for attempt := range 4 {
		hostile.expect(fmt.Sprintf("attempt %d failed", attempt))
	}
	hostile.expect("locks alone: 0, some shared: true")
	camera.say("count")
	camera.expect("0 of 1000000 pixels changed")
	camera.expect("published 200 more")
	hostile.expect("no frame that was judged whole was torn")
}

func init() {
	tellUser := func() { fmt.Println("user", os.Getuid()) }
	roles["container camera"] = func([]string) {
		tellUser()
		s := childSegment(CreateFor("shared", frameBytes, access(-1, 0o660)))
		childCheck(storeMark(s, 1))
		seen := childSegment(CreateFor("seen", frameBytes, access(volumeGroup, 0o640)))
		childCheck(storeMark(seen, 1))
		stream, err := CreateStreamFor("frames", frameBytes, 0, abi.WhenBehindDrop, access(-1, 0o660))
		childCheck(err)
		_, err = put(stream, 7)
		childCheck(err)
		own := childSegment(CreateFor("ready", frameBytes, access(-1, 0o640)))
		childCheck(storeMark(own, 1))
		_, err = awaitImage(s, 1, -1)
		childCheck(err)
		mark, err := readMark(s)
		childCheck(err)
		fmt.Println("sees", mark)
		nextLine()
		childCheck(ClearAll())
		fmt.Println("ended")
	}
	// openWhenThere opens a segment that another process is going to create.
	openWhenThere := func(name string, openIt func(string) (*Segment, error)) *Segment {
		for {
			s, err := openIt(name)
			if abi.CodeOf(err) != abi.ENotFound {
				return childSegment(s, err)
			}
		}
	}
	roles["container viewer"] = func([]string) {
		tellUser()
		openWhenThere("ready", OpenReadOnly)
		s := childSegment(Open("shared"))
		mark, err := readMark(s)
		childCheck(err)
		fmt.Println("sees", mark)
		childCheck(storeMark(s, 2))
		fmt.Println("wrote 2")
		stream, err := OpenStream("frames")
		childCheck(err)
		f, err := waitFor(stream, 0, 0)
		childCheck(err)
		content, err := markOf(f)
		childCheck(err)
		fmt.Println("frame", f.slot.Sequence(), content)
		f.Release()
		_, err = Open("seen")
		fmt.Println("refused", int(abi.CodeOf(err)), word(err, "read-only"))
		childSegment(OpenReadOnly("seen"))
		fmt.Println("refused", int(abi.CodeOf(Clear("shared"))), "clear") // The folder is sticky.
		infos, err := List()
		childCheck(err)
		if len(infos) == 4 {
			fmt.Println("listed")
		}
	}
	roles["container stranger"] = func([]string) {
		_, first := Open("shared")
		_, second := OpenReadOnly("seen")
		_, third := Create("more", 1)
		fmt.Println("refused", int(abi.CodeOf(first)), int(abi.CodeOf(second)), int(abi.CodeOf(third)), int(abi.CodeOf(Clear("seen"))))
	}
	roles["container pixels"] = func([]string) {
		s := childSegment(CreateFor("pixels", hostilePixels, access(-1, 0o640)))
		childCheck(s.SetImage(abi.NewImageInfo(1000, 1000, abi.DepthU8, abi.OrderGray)))
		pixels, err := s.Bytes()
		childCheck(err)
		for i := range pixels {
			pixels[i] = byte(i * 7)
		}
		fmt.Println("ready")
		nextLine()
		changed := 0
		for i := range pixels {
			if pixels[i] != byte(i*7) {
				changed++
			}
		}
		size, err := s.file.Size()
		childCheck(err)
		fmt.Printf("%d of %d pixels changed, %d bytes\n", changed, len(pixels), size)
	}
	roles["container hostile"] = func([]string) {
		s := childSegment(OpenReadOnly("pixels"))
		memory, err := s.Bytes()
		childCheck(err)
		tell(attack(memory, pathOf("pixels")))
		private, err := unix.Mmap(descriptorOf(pathOf("pixels")), 0, hostilePixels, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
		childCheck(err)
		clear(private)
		if memory[1] == 7 {
			fmt.Println("wrote its own copy alone")
		}
	}
	pattern := func(i int, sequence uint64) byte { return byte(i*7) + byte(sequence) }
	gray := abi.NewImageInfo(1000, 1000, abi.DepthU8, abi.OrderGray)
	roles["container stream camera"] = func([]string) {
		stream, err := CreateStreamFor("cam", hostilePixels, 3, abi.WhenBehindDrop, access(-1, 0o640))
		childCheck(err)
		publish := func(sequence uint64) {
			f, err := stream.Begin(0, &Nap{})
			childCheck(err)
			pixels, err := f.Bytes()
			childCheck(err)
			for i := range hostilePixels {
				pixels[i] = pattern(i, sequence)
			}
			childCheck(f.SetImage(gray))
			_, err = f.Publish()
			childCheck(err)
			f.Release()
		}
		publish(1)
		f, err := waitFor(stream, 0, 0) // This process has a place before the other one takes locks.
		childCheck(err)
		fmt.Println("ready")
		nextLine()
		pixels, err := f.Bytes()
		childCheck(err)
		changed := 0
		for i := range hostilePixels {
			if pixels[i] != pattern(i, 1) {
				changed++
			}
		}
		f.Release()
		fmt.Printf("%d of %d pixels changed\n", changed, hostilePixels)
		for sequence := uint64(2); sequence <= 201; sequence++ {
			publish(sequence)
		}
		childCheck(stream.End())
		fmt.Println("published 200 more")
		nextLine()
	}
	roles["container stream hostile"] = func([]string) {
		stream, err := OpenStream("cam")
		childCheck(err)
		whole := func(f *Frame) (bool, error) {
			torn, pixels := false, f.slot.Bytes()
			for i := range hostilePixels {
				torn = torn || pixels[i] != pattern(i, f.slot.Sequence())
			}
			return !torn, f.Check()
		}
		f, err := waitFor(stream, 0, 0)
		childCheck(err)
		if is, err := whole(f); is && err == nil && f.Details().Held == 0 {
			fmt.Println("frame 1 is whole, and not held")
		}
		path := pathOf("cam")
		tell(attack(f.slot.Bytes(), path))
		tell(attackWords(stream.shared[len(stream.shared)-trailerSize+320:]))
		shared, alone := seizeLocks(descriptorOf(path))
		fmt.Printf("locks alone: %d, some shared: %t\n", alone, shared > 0)
		f.Release()
		for newest := uint64(1); ; {
			f, err := waitFor(stream, newest, -1)
			if abi.CodeOf(err) == abi.EEnded {
				fmt.Println("no frame that was judged whole was torn")
				nextLine()
				return
			}
			childCheck(err)
			if is, err := whole(f); !is && err == nil {
				fmt.Println("frame", f.slot.Sequence(), "is torn")
			}
			newest = f.slot.Sequence()
			f.Release()
		}
	}
}

// word gives a word if an error's message has it.
func word(err error, word string) string {
	if err == nil || !strings.Contains(err.Error(), word) {
		return ""
	}
	return word
}
