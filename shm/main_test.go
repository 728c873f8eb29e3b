package shm

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// roleVariable names the environment variable by which the test binary plays one of roles, and runs no tests. So tests
// have real second processes.
const roleVariable = "SHMCV_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		go endWith(os.Getppid())
		roles[role](os.Args[1:])
		return
	}
	os.Exit(m.Run())
}

// endWith ends this process when its parent has ended. Some roles have no end of their own, and tests that are killed
// cannot kill them.
func endWith(parent int) {
	if process, err := os.FindProcess(parent); err == nil {
		if _, err := process.Wait(); err == nil { // Windows lets a child wait for its parent.
			os.Exit(1)
		}
	}
	for os.Getppid() == parent {
		time.Sleep(time.Second)
	}
	os.Exit(1)
}

// newName gives a name that nobody uses. The end of the test removes it.
func newName(t testing.TB) string {
	name := "shmcv-test-" + rand.Text()
	t.Cleanup(func() { _ = sys.Remove(name) })
	return name
}

func create(t testing.TB, name string, size uint64) *Segment {
	t.Helper()
	s, err := Create(name, size)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, name string) *Segment {
	t.Helper()
	s, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newSegmentFor creates a segment. The end of the test releases it.
func newSegmentFor(t testing.TB, size uint64) *Segment {
	t.Helper()
	s := create(t, newName(t), size)
	t.Cleanup(s.Release)
	return s
}

// must fails the test unless err has the code and its message has all the words.
func must(t testing.TB, err error, code abi.Code, words ...string) {
	t.Helper()
	if abi.CodeOf(err) != code {
		t.Fatalf("code %d wanted, got %d: %v", code, abi.CodeOf(err), err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is not in: %v", word, err)
		}
	}
}

func mustImage(t testing.TB, s *Segment, want abi.ImageInfo) {
	t.Helper()
	if got, err := s.Image(); err != nil || got != want {
		t.Fatalf("image %+v wanted, got %+v, %v", want, got, err)
	}
}

func mustInfo(t testing.TB, s *Segment) abi.SegmentInfo {
	t.Helper()
	info, err := s.Info()
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// cString gives the text of a C string in a field.
func cString(field []byte) string { return string(field[:max(0, slices.Index(field, 0))]) }

// child is another process. It answers in lines.
type child struct {
	t    testing.TB
	cmd  *exec.Cmd
	to   io.WriteCloser
	from *bufio.Scanner
}

// startChild starts a process that plays a role. The end of the test kills it.
func startChild(t testing.TB, role string, arguments []string, files ...*os.File) *child {
	t.Helper()
	return startAs(t, role, arguments, func(cmd *exec.Cmd) { cmd.ExtraFiles = files })
}

// startAs does as startChild, and lets change make the process another one than usual.
func startAs(t testing.TB, role string, arguments []string, change func(cmd *exec.Cmd)) *child {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(executable, arguments...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	change(cmd)
	to, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	from, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{t: t, cmd: cmd, to: to, from: bufio.NewScanner(from)}
	t.Cleanup(func() {
		if cmd.ProcessState == nil {
			c.kill()
		}
	})
	return c
}

// expect waits for the next line, and fails the test if it is not this one.
func (c *child) expect(line string) {
	c.t.Helper()
	if !c.from.Scan() {
		c.t.Fatalf("the other process ended, %q was expected of it", line)
	}
	if c.from.Text() != line {
		c.t.Fatalf("the other process said %q, %q was expected", c.from.Text(), line)
	}
}

func (c *child) say(line string) {
	c.t.Helper()
	if _, err := fmt.Fprintln(c.to, line); err != nil {
		c.t.Fatal(err)
	}
}

// kill ends the process as kill -9 does, and waits until it is gone.
func (c *child) kill() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// Two images that differ in each field that can differ.
var (
	small = abi.NewImageInfo(3, 2, abi.DepthU8, abi.OrderGray)
	large = abi.ImageInfo{Width: 100, Height: 50, Channels: 4, Depth: abi.DepthU16, Order: abi.OrderRGBA, Stride: 1024}
)

const roomForBoth = 60000

// roles are the parts that other processes play in tests.
var roles = map[string]func(arguments []string){
	// Holds the file descriptors that it inherits.
	"wait": func([]string) { nextLine() },

	// Creates a segment with an image and holds it. Releases it when it is told to.
	"own": func(a []string) {
		s := childSegment(Create(a[0], roomForBoth))
		childCheck(s.SetImage(small))
		fmt.Println("ready")
		nextLine()
		s.Release()
		fmt.Println("released")
		nextLine()
	},

	// Tells the code of the error of Image.
	"image": func(a []string) {
		_, err := childSegment(Open(a[0])).Image()
		fmt.Println(abi.CodeOf(err))
	},

	// Stores the two images in turn, for ever.
	"store": func(a []string) {
		s := childSegment(Open(a[0]))
		childCheck(s.SetImage(small))
		fmt.Println("ready")
		for {
			childCheck(s.SetImage(large))
			childCheck(s.SetImage(small))
		}
	},

	// Stops half way in storing an image.
	"store half": func(a []string) {
		s := childSegment(Open(a[0]))
		_, err := s.takeImageTurn()
		childCheck(err)
		s.trailer.ImageSequence.Add(1)
		s.trailer.Image[0].Store(1 << 33)
		fmt.Println("ready")
		nextLine()
	},

	// Creates and clears a large segment, for ever.
	"create": func(a []string) {
		fmt.Println("ready")
		for {
			childSegment(Create(a[0], 8<<20)).Release()
			childCheck(Clear(a[0]))
		}
	},

	// Opens a name again and again, until it has found it 100 times. Fails if it finds it and the segment is not
	// complete.
	"watch": func(a []string) {
		fmt.Println("ready")
		for seen := 0; seen < 100; {
			s, err := Open(a[0])
			if abi.CodeOf(err) == abi.ENotFound {
				continue
			}
			if size := childSegment(s, err).size; s.trailer == nil || size != 1<<20 {
				childCheck(fmt.Errorf("seen with %d bytes", size))
			}
			s.Release()
			seen++
		}
		fmt.Println("complete")
	},
}

func nextLine() { bufio.NewReader(os.Stdin).ReadString('\n') }

func childSegment(s *Segment, err error) *Segment {
	childCheck(err)
	return s
}

func childCheck(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
