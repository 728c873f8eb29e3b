package ops

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"image"
	"image/png"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"shmcv/internal/abi"
)

// The window thread, once started, belongs to its display for the life of the process, so each test that uses windows
// runs in a process of its own: this test program again, told by childVariable what to do there.
const childVariable = "SHMCV_TEST_CHILD"

func TestMain(m *testing.M) {
	// OpenCV looks for its plugin beside the library that it is in; for tests, that is not where it is.
	if folder := os.Getenv("SHMCV_PLUGIN_DIR"); folder != "" {
		os.Setenv("OPENCV_CORE_PLUGIN_PATH", folder)
	}
	os.Exit(m.Run())
}

// patience is how long a test waits for what should happen at once before it gives up. Nothing is measured by it.
const patience = 300 * time.Second

// xServer is an Xvfb of our own.
type xServer struct {
	display string
	process *exec.Cmd
}

func startX(t *testing.T) *xServer {
	t.Helper()
	for _, tool := range []string{"Xvfb", "xdotool", "import"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not installed", tool)
		}
	}
	if os.Getenv("SHMCV_PLUGIN_DIR") == "" && os.Getenv("SHMCV_OPENCV") != "system" {
		t.Skip("OpenCV has been built without its window plugin (libgtk-3-dev was missing)")
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1024x768x24", "-nolisten", "tcp", "-noreset")
	server.ExtraFiles = []*os.File{write}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Process.Kill(); server.Wait() })
	write.Close()
	defer read.Close()
	number, err := bufio.NewReader(read).ReadString('\n') // when it serves
	if err != nil {
		t.Fatalf("Xvfb: %v", err)
	}
	return &xServer{display: ":" + strings.TrimSpace(number), process: server}
}

// run gives what a program prints that talks to this display.
func (x *xServer) run(t *testing.T, name string, arguments ...string) []byte {
	t.Helper()
	command := exec.Command(name, arguments...)
	command.Env = append(os.Environ(), "DISPLAY="+x.display)
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %q: %v", name, arguments, err)
	}
	return out
}

func (x *xServer) screenshot(t *testing.T) image.Image {
	t.Helper()
	shot, err := png.Decode(bytes.NewReader(x.run(t, "import", "-window", "root", "png:-")))
	if err != nil {
		t.Fatal(err)
	}
	return shot
}

// child is a process that shows windows. It writes a line for each thing that it has done, and does the next one when
// it is told to, by a line.
type child struct {
	cmd    *exec.Cmd
	lines  chan string
	stdin  io.WriteCloser
	stdout bytes.Buffer // the test program's own report
	stderr bytes.Buffer
}

// startChild runs the test of the same name in a process of its own, with that display.
func startChild(t *testing.T, display string, environment ...string) *child {
	t.Helper()
	c := &child{lines: make(chan string, 100)}
	c.cmd = exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "WAYLAND_DISPLAY=") && !strings.HasPrefix(variable, "DISPLAY=") {
			c.cmd.Env = append(c.cmd.Env, variable)
		}
	}
	c.cmd.Env = append(c.cmd.Env, childVariable+"="+t.Name())
	if display != "" {
		c.cmd.Env = append(c.cmd.Env, "DISPLAY="+display)
	}
	c.cmd.Env = append(c.cmd.Env, environment...)
	c.cmd.Stdout, c.cmd.Stderr = &c.stdout, &c.stderr
	told, tell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c.cmd.ExtraFiles = []*os.File{tell}
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tell.Close()
	t.Cleanup(func() { c.cmd.Process.Kill() })
	go func() {
		defer close(c.lines)
		for said := bufio.NewScanner(told); said.Scan(); {
			c.lines <- said.Text()
		}
	}()
	return c
}

// expect waits for the child's next line.
func (c *child) expect(t *testing.T, want string) {
	t.Helper()
	select {
	case got, ok := <-c.lines:
		if !ok {
			c.cmd.Wait()
			t.Fatalf("the child has ended (%v) instead of saying %q; it reports:\n%s%s", c.cmd.ProcessState, want, &c.stdout, &c.stderr)
		}
		if got != want {
			t.Fatalf("the child says %q, not %q", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("the child does not say %q; it printed:\n%s", want, &c.stderr)
	}
}

func (c *child) tell(t *testing.T, line string) {
	t.Helper()
	if _, err := io.WriteString(c.stdin, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

// end waits for the child to end by itself, well, and to have printed nothing where a host's messages go.
func (c *child) end(t *testing.T) {
	t.Helper()
	c.stdin.Close()
	done := make(chan error, 1)
	go func() { done <- c.cmd.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("the child ends with %v; it reports:\n%s", err, &c.stdout)
		}
	case <-time.After(patience):
		t.Error("the child does not end")
	}
	if c.stderr.Len() != 0 {
		t.Errorf("the library printed:\n%s", &c.stderr)
	}
}

// host is the child's side.
type host struct {
	*testing.T
	tell *os.File
}

// asChild gives the host when this is the child process, and nil in the test itself.
func asChild(t *testing.T) *host {
	if os.Getenv(childVariable) != t.Name() {
		return nil
	}
	return &host{T: t, tell: os.NewFile(3, "tell")}
}

func (h *host) say(line string) { io.WriteString(h.tell, line+"\n") }

// told waits for a line, with the windows alive meanwhile.
func (h *host) told(alive bool) string {
	line := make(chan string, 1)
	go func() {
		var text []byte
		one := make([]byte, 1)
		for {
			if n, err := os.Stdin.Read(one); n == 0 || err != nil || one[0] == '\n' {
				line <- string(text)
				return
			}
			text = append(text, one[0])
		}
	}()
	for {
		select {
		case text := <-line:
			return text
		default:
			if !alive {
				return <-line
			}
			if _, err := Delay(20); err != nil {
				h.Fatal(err)
			}
		}
	}
}

func (h *host) must(err error) {
	h.Helper()
	if err != nil {
		h.say("failed: " + err.Error())
		h.Fatal(err)
	}
}

// photograph is the middle of a real one, small enough for the screen.
func (h *host) photograph() Pixels {
	whole := loaded(h.T, filepath.Join(testdata, "photograph.jpg"), abi.LoadColor)
	part := Pixels{ImageInfo: abi.NewImageInfo(640, 480, abi.DepthU8, abi.OrderBGR)}
	part.Stride = whole.Stride
	part.Data = whole.Data[800*whole.Stride+3*1600:][:part.Bytes()]
	return part
}

func TestShowDrawsThePhotograph(t *testing.T) {
	if h := asChild(t); h != nil {
		photograph := h.photograph()
		h.must(Show("photo é", photograph))
		h.say("shown")
		for _, order := range []abi.Order{abi.OrderBGRA, abi.OrderRGB, abi.OrderRGBA} {
			h.told(true)
			other := Pixels{ImageInfo: abi.NewImageInfo(640, 480, abi.DepthU8, order)}
			other.Data = make([]byte, other.Bytes())
			h.must(Convert(photograph, other))
			h.must(CloseWindows())
			h.must(Show("photo é", other))
			h.say("shown")
		}
		h.told(true)
		h.must(CloseWindows())
		h.say("closed")
		return
	}
	x := startX(t)
	c := startChild(t, x.display)
	whole := loaded(t, filepath.Join(testdata, "photograph.jpg"), abi.LoadColor)
	for range 4 {
		c.expect(t, "shown")
		waitUntil(t, "the photograph is on the screen", func() bool { return isPart(x.screenshot(t), whole, 1600, 800, 640, 480) })
		if title := x.run(t, "xdotool", "search", "--name", "photo é", "getwindowname"); strings.TrimSpace(string(title)) != "photo é" {
			t.Errorf("the window's title is %q", title)
		}
		c.tell(t, "on")
	}
	c.expect(t, "closed")
	c.end(t)
}

// isPart tells whether the screen's top left shows that part of the image.
func isPart(screen image.Image, of Pixels, x0, y0, width, height int) bool {
	for y := range height {
		for x := range width {
			r, g, b, _ := screen.At(x, y).RGBA()
			want := of.row(uint32(y0 + y))[3*(x0+x):]
			if byte(b>>8) != want[0] || byte(g>>8) != want[1] || byte(r>>8) != want[2] {
				return false
			}
		}
	}
	return true
}

func waitUntil(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); {
		if time.Now().After(end) {
			t.Fatalf("it does not come about that %s", what)
		}
	}
}

func TestShowScalesDeepSamples(t *testing.T) {
	if h := asChild(t); h != nil {
		for i, depth := range []abi.Depth{abi.DepthU16, abi.DepthF32} {
			p := loaded(h.T, filepath.Join(testdata, []string{"small-bgr16.png", "small-bgr-f32.tif"}[i]), abi.LoadUnchanged)
			if p.Depth != depth {
				h.Fatal("another depth")
			}
			h.must(Show("deep", p))
			h.say("shown")
			h.told(true)
			h.must(CloseWindow("deep"))
		}
		return
	}
	x := startX(t)
	c := startChild(t, x.display)
	for i, name := range []string{"small-bgr16.png", "small-bgr-f32.tif"} {
		p := loaded(t, filepath.Join(testdata, name), abi.LoadUnchanged)
		c.expect(t, "shown")
		waitUntil(t, name+" is on the screen", func() bool {
			screen := x.screenshot(t)
			for y := range p.Height {
				for s := range 3 * p.Width {
					want := sample(p, s, y) / 256
					if i == 1 {
						want = max(0, min(255, sample(p, s, y)*255))
					}
					r, g, b, _ := screen.At(int(s/3), int(y)).RGBA()
					if got := float64([]uint32{b, g, r}[s%3] >> 8); got < want-1 || got > want+1 {
						return false
					}
				}
			}
			return true
		})
		c.tell(t, "on")
	}
	c.end(t)
}

func TestDelayGivesTheKeyThatWasPressed(t *testing.T) {
	if h := asChild(t); h != nil {
		h.must(Show("keys", h.photograph()))
		for {
			h.say("listening")
			key, err := Delay(0)
			h.must(err)
			h.say(strconv.Itoa(int(key)))
			if key == 27 {
				break
			}
		}
		return
	}
	x := startX(t)
	c := startChild(t, x.display)
	for _, press := range []struct {
		key  string
		code int
	}{{"k", 'k'}, {"7", '7'}, {"Return", 13}, {"Escape", 27}} {
		c.expect(t, "listening")
		// The window must be there before a key can be sent to where the pointer is.
		x.run(t, "xdotool", "search", "--sync", "--onlyvisible", "--name", "keys")
		x.run(t, "xdotool", "mousemove", "100", "100", "key", press.key)
		c.expect(t, strconv.Itoa(press.code))
	}
	c.end(t)
}

func TestDelayEndsWithItsTime(t *testing.T) {
	if h := asChild(t); h != nil {
		h.must(Show("still", h.photograph()))
		key, err := Delay(50)
		h.must(err)
		h.say(strconv.Itoa(int(key)))
		return
	}
	c := startChild(t, startX(t).display)
	c.expect(t, "-1")
	c.end(t)
}

func TestWarningsOfGTKAreNotPrinted(t *testing.T) {
	if h := asChild(t); h != nil {
		h.must(Show("quiet", h.photograph()))
		h.must(second(Delay(10)))
		h.say("shown")
		return
	}
	c := startChild(t, startX(t).display, "GTK_MODULES=no-such-module")
	c.expect(t, "shown")
	c.end(t)
}

func TestWindowClosedByTheUserIsNoError(t *testing.T) {
	if h := asChild(t); h != nil {
		photograph := h.photograph()
		h.must(Show("one", photograph))
		h.must(Show("other", photograph))
		h.say("shown")
		h.told(true)
		h.must(Show("one", photograph)) // opens it again
		h.say("shown again")
		h.told(true)
		h.must(CloseWindow("one"))
		h.must(CloseWindow("one"))
		h.must(CloseWindows())
		h.must(CloseWindows())
		h.say("closed")
		key, err := Delay(0) // nobody can press a key
		h.must(err)
		h.say(strconv.Itoa(int(key)))
		return
	}
	x := startX(t)
	c := startChild(t, x.display)
	c.expect(t, "shown")
	closeByItsX(t, x, "one")
	waitUntil(t, "the window is gone", func() bool { return !isOnScreen(x, "one") })
	if !isOnScreen(x, "other") {
		t.Error("the other window is gone too")
	}
	c.tell(t, "on")
	c.expect(t, "shown again")
	waitUntil(t, "the window is there again", func() bool { return isOnScreen(x, "one") })
	c.tell(t, "on")
	c.expect(t, "closed")
	c.expect(t, "-1")
	c.end(t)
}

func TestEndlessDelayEndsWhenTheUserClosesTheLastWindow(t *testing.T) {
	if h := asChild(t); h != nil {
		h.must(Show("last", h.photograph()))
		h.say("shown")
		key, err := Delay(0)
		h.must(err)
		h.say(strconv.Itoa(int(key)))
		return
	}
	x := startX(t)
	c := startChild(t, x.display)
	c.expect(t, "shown")
	closeByItsX(t, x, "last")
	c.expect(t, "-1")
	c.end(t)
}

// closeByItsX does what a window manager does when the user clicks on the X of the window, in X11's own words: there is
// no window manager on this display, and xdotool has no command for it.
func closeByItsX(t *testing.T, x *xServer, name string) {
	t.Helper()
	found := x.run(t, "xdotool", "search", "--sync", "--onlyvisible", "--name", "^"+name+"$")
	window, err := strconv.ParseUint(strings.TrimSpace(string(found)), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	server, err := net.Dial("unix", "/tmp/.X11-unix/X"+x.display[1:])
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	send := func(parts ...any) {
		var request bytes.Buffer
		for _, part := range parts {
			if err := binary.Write(&request, binary.LittleEndian, part); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := server.Write(request.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	receive := func(n int) []byte {
		answer := make([]byte, n)
		if _, err := io.ReadFull(server, answer); err != nil {
			t.Fatal(err)
		}
		return answer
	}
	send([]byte{'l', 0}, []uint16{11, 0, 0, 0, 0})
	receive(4 * int(binary.LittleEndian.Uint16(receive(8)[6:])))
	atom := func(name string) uint32 { // InternAtom
		padded := append([]byte(name), make([]byte, -len(name)&3)...)
		send([]byte{16, 0}, []uint16{uint16(2 + len(padded)/4), uint16(len(name)), 0}, padded)
		return binary.LittleEndian.Uint32(receive(32)[8:])
	}
	protocols, closing := atom("WM_PROTOCOLS"), atom("WM_DELETE_WINDOW")
	const sendEvent, clientMessage = 25, 33
	send([]byte{sendEvent, 0}, uint16(11), uint32(window), uint32(0),
		[]byte{clientMessage, 32}, uint16(0), uint32(window), protocols, closing, make([]byte, 16))
	atom("WM_PROTOCOLS") // answered only when all before it has been done
}

func isOnScreen(x *xServer, name string) bool {
	command := exec.Command("xdotool", "search", "--onlyvisible", "--name", "^"+name+"$")
	command.Env = append(os.Environ(), "DISPLAY="+x.display)
	out, err := command.Output()
	return err == nil && len(bytes.TrimSpace(out)) != 0
}

func TestThreadsShowWhileAnotherIsInDelay(t *testing.T) {
	if h := asChild(t); h != nil {
		photograph := h.photograph()
		h.must(Show("first", photograph))
		pressed := make(chan int32)
		go func() {
			key, err := Delay(0)
			h.must(err)
			pressed <- key
		}()
		var threads sync.WaitGroup
		for i := range 4 {
			threads.Go(func() {
				name := "window " + strconv.Itoa(i)
				for range 20 {
					h.must(Show(name, photograph))
				}
				h.must(CloseWindow(name))
			})
		}
		threads.Wait()
		h.say("shown")
		h.say(strconv.Itoa(int(<-pressed)))
		return
	}
	x := startX(t)
	c := startChild(t, x.display)
	c.expect(t, "shown")
	x.run(t, "xdotool", "search", "--sync", "--onlyvisible", "--name", "first")
	x.run(t, "xdotool", "mousemove", "100", "100", "key", "q")
	c.expect(t, strconv.Itoa('q'))
	c.end(t)
}

func TestDeathOfTheDisplayServerIsSurvived(t *testing.T) {
	if h := asChild(t); h != nil {
		photograph := h.photograph()
		h.must(Show("doomed", photograph))
		h.must(second(Delay(1)))
		h.say("shown")
		if os.Getenv("SHMCV_TEST_IN_DELAY") == "" {
			h.told(false)
		}
		for { // until it is noticed
			if _, err := Delay(1000); err != nil {
				h.say(strconv.Itoa(int(abi.CodeOf(err))))
				break
			}
		}
		for _, err := range []error{Show("late", photograph), second(Delay(10)), second(Delay(0))} {
			h.say(strconv.Itoa(int(abi.CodeOf(err))))
		}
		if err := CloseWindows(); err != nil && abi.CodeOf(err) != abi.ENoDisplay {
			h.Error(err)
		}
		return
	}
	for name, environment := range map[string]string{"in Delay": "SHMCV_TEST_IN_DELAY=1", "outside": "SHMCV_TEST_IN_DELAY="} {
		x := startX(t)
		c := startChild(t, x.display, environment)
		c.expect(t, "shown")
		x.process.Process.Kill()
		x.process.Wait()
		if name == "outside" {
			c.tell(t, "it is dead")
		}
		for range 4 {
			c.expect(t, strconv.Itoa(int(abi.ENoDisplay)))
		}
		c.end(t)
	}
}

func second(_ int32, err error) error { return err }

func TestShowWithoutADisplayIsAnErrorAtOnce(t *testing.T) {
	if h := asChild(t); h != nil {
		err := Show("nowhere", noise(8, 8, abi.DepthU8, abi.OrderBGR, 0))
		h.say(strconv.Itoa(int(abi.CodeOf(err))))
		key, err := Delay(1)
		h.must(err)
		h.say(strconv.Itoa(int(key)))
		h.must(CloseWindow("nowhere"))
		h.must(CloseWindows())
		return
	}
	c := startChild(t, "")
	c.expect(t, strconv.Itoa(int(abi.ENoDisplay)))
	c.expect(t, "-1")
	c.end(t)
}

func TestShowOnADisplayThatNobodyServesCanBeTriedAgain(t *testing.T) {
	if h := asChild(t); h != nil {
		image := noise(80, 60, abi.DepthU8, abi.OrderBGR, 0)
		for range 2 {
			err := Show("late", image)
			h.say(strconv.Itoa(int(abi.CodeOf(err))))
			if !strings.Contains(err.Error(), ":987") {
				h.Errorf("%q does not name the display", err)
			}
		}
		os.Setenv("DISPLAY", os.Getenv("SHMCV_TEST_DISPLAY"))
		h.must(Show("late", image))
		h.must(second(Delay(10)))
		h.say("shown")
		return
	}
	x := startX(t)
	c := startChild(t, ":987", "SHMCV_TEST_DISPLAY="+x.display)
	c.expect(t, strconv.Itoa(int(abi.ENoDisplay)))
	c.expect(t, strconv.Itoa(int(abi.ENoDisplay)))
	c.expect(t, "shown")
	c.end(t)
}

func TestShowWithoutThePluginIsAnError(t *testing.T) {
	if h := asChild(t); h != nil {
		h.say(strconv.Itoa(int(abi.CodeOf(Show("nothing", noise(8, 8, abi.DepthU8, abi.OrderBGR, 0))))))
		return
	}
	if os.Getenv("SHMCV_OPENCV") == "system" {
		t.Skip("the system's OpenCV has its windows built in")
	}
	x := startX(t)
	c := startChild(t, x.display, "SHMCV_PLUGIN_DIR="+t.TempDir())
	c.expect(t, strconv.Itoa(int(abi.ENoDisplay)))
	c.end(t)
}

// TestWindowsLeaveTheHostAsItWas compares what GTK is known to change in its process.
func TestWindowsLeaveTheHostAsItWas(t *testing.T) {
	if h := asChild(t); h != nil {
		before := hostState(h)
		h.must(Show("guest", h.photograph()))
		h.must(second(Delay(20)))
		h.must(CloseWindows())
		if after := hostState(h); after != before {
			h.Errorf("before:\n%s\nafter:\n%s", before, after)
		}
		h.say("done")
		return
	}
	c := startChild(t, startX(t).display, "LC_ALL=C.UTF-8")
	c.expect(t, "done")
	c.end(t)
}

// hostState is which signals have handlers or are ignored.
func hostState(h *host) string {
	status, err := os.ReadFile("/proc/self/status")
	h.must(err)
	var state []string
	for line := range strings.Lines(string(status)) {
		if strings.HasPrefix(line, "SigIgn") || strings.HasPrefix(line, "SigCgt") {
			state = append(state, line)
		}
	}
	return strings.Join(state, "")
}

func TestShowRefusesNonsense(t *testing.T) {
	image := noise(8, 8, abi.DepthU8, abi.OrderBGR, 0)
	short := image
	short.Data = short.Data[:10]
	wide := noise(40000, 1, abi.DepthU8, abi.OrderGray, 0)
	for _, c := range []struct {
		name   string
		window string
		src    Pixels
		want   abi.Code
	}{
		{"no name", "", image, abi.EInvalid},
		{"NUL", "a\x00b", image, abi.EInvalid},
		{"no UTF-8", "a\xff", image, abi.EInvalid},
		{"no pixels", "w", Pixels{}, abi.EInvalid},
		{"short memory", "w", short, abi.ETooSmall},
		{"too wide for a window", "w", wide, abi.ELimit},
	} {
		if got := abi.CodeOf(Show(c.window, c.src)); got != c.want {
			t.Errorf("%s: code %d, want %d", c.name, got, c.want)
		}
	}
	if err := CloseWindow(""); abi.CodeOf(err) != abi.EInvalid {
		t.Errorf("closing a window without a name: %v", err)
	}
}

// The numbers are X11's keysyms, as keysymdef.h has them.
func TestKeysWithoutACharacterAreToldFromLetters(t *testing.T) {
	const shift, numLock = 1 << 16, 1 << 20
	for code, want := range map[int32]int32{
		-1: abi.NoKey, 'a': 'a', 'Q' | shift: 'Q', 0xe9: 0xe9, // e with an acute accent
		0xff51: abi.KeyLeft, 0xff52: abi.KeyUp, 0xff53 | shift: abi.KeyRight, 0xff54 | numLock: abi.KeyDown,
		0xff50: abi.KeyHome, 0xff55: abi.KeyPageUp, 0xff56: abi.KeyPageDown, 0xff57: abi.KeyEnd,
		0xff63: abi.KeyInsert, 0xffff: abi.KeyDelete, 0xffbe: abi.KeyF1, 0xffc9: abi.KeyF1 + 11,
		0xff08: abi.KeyBackspace, 0xff09: abi.KeyTab, 0xfe20 | shift: abi.KeyTab, 13: abi.KeyEnter, 27: abi.KeyEscape,
		0xff96: abi.KeyLeft, 0xff97: abi.KeyUp, 0xff98: abi.KeyRight, 0xff99: abi.KeyDown, 0xff95: abi.KeyHome,
		0xff9c: abi.KeyEnd, 0xff9f: abi.KeyDelete, 0xff9e: abi.KeyInsert, 0xff91: abi.KeyF1,
		0xff8d: abi.KeyEnter, 0xffb0 | numLock: '0', 0xffb9: '9', 0xffab: '+', 0xffad: '-', 0xffaf: '/', 0xffbd: '=',
		0xffe1: abi.NoKey, 0xffee: abi.NoKey, 0xff7f: abi.NoKey, 0xfe03: abi.NoKey,
		0x6c1: 0x6c1, // a letter that is not of Latin 1
	} {
		if got := keyOf(code); got != want {
			t.Errorf("%#x: %#x, want %#x", code, got, want)
		}
	}
}
