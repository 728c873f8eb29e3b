package ops

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	win "golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

func TestKeysOfWindowsAreThoseOfLinux(t *testing.T) {
	for code, want := range map[int32]int32{
		-1: abi.NoKey, 'q': 'q', 'Q': 'Q', 13: abi.KeyEnter, 27: abi.KeyEscape, 8: abi.KeyBackspace, 9: abi.KeyTab,
		0x21 << 16: abi.KeyPageUp, 0x22 << 16: abi.KeyPageDown, 0x23 << 16: abi.KeyEnd, 0x24 << 16: abi.KeyHome,
		0x25 << 16: abi.KeyLeft, 0x26 << 16: abi.KeyUp, 0x27 << 16: abi.KeyRight, 0x28 << 16: abi.KeyDown,
		0x2d << 16: abi.KeyInsert, 0x2e << 16: abi.KeyDelete, 0x70 << 16: abi.KeyF1, 0x7b << 16: abi.KeyF1 + 11,
		0x10 << 16: abi.NoKey, // Shift
	} {
		if got := keyOf(code); got != want {
			t.Errorf("keyOf(%#x) is %d, not %d", code, got, want)
		}
	}
}

// patience is how long a test waits for what should happen at once before it gives up. Nothing is measured by it.
const patience = 300 * time.Second

var user32, gdi32 = win.NewLazySystemDLL("user32.dll"), win.NewLazySystemDLL("gdi32.dll")

// user calls a function of user32.dll.
func user(name string, arguments ...uintptr) uintptr {
	result, _, _ := user32.NewProc(name).Call(arguments...)
	return result
}

// shown opens a window, and returns the system's handles of its frame and of the part with the image. It skips the test where
// there is no display.
func shown(t *testing.T, name string, image Pixels) (frame, inner uintptr) {
	t.Helper()
	if err := Show(name, image); abi.CodeOf(err) == abi.ENoDisplay {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { CloseWindows() })
	title, err := win.UTF16PtrFromString(highguiName(name))
	if err != nil {
		t.Fatal(err)
	}
	if frame = user("FindWindowW", 0, uintptr(unsafe.Pointer(title))); frame == 0 {
		t.Fatalf("no window has the title %q", highguiName(name))
	}
	if inner = user("GetWindow", frame, 5); inner == 0 { // GW_CHILD
		t.Fatal("the window has no part for the image")
	}
	listen(t, 1)
	return frame, inner
}

// listen calls Delay.
func listen(t *testing.T, milliseconds int32) int32 {
	t.Helper()
	key, err := Delay(milliseconds)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sizeOf(window uintptr) (width, height int32) {
	var area struct{ left, top, right, bottom int32 }
	user("GetClientRect", window, uintptr(unsafe.Pointer(&area)))
	return area.right, area.bottom
}

// colored is an image of one colour.
func colored(width, height uint32, blue, green, red byte) Pixels {
	image := noise(width, height, abi.DepthU8, abi.OrderBGR, 0)
	for i := 0; i < len(image.Data); i += 3 {
		image.Data[i], image.Data[i+1], image.Data[i+2] = blue, green, red
	}
	return image
}

// seesPixel waits until the window has a colour at a place of the image.
func seesPixel(t *testing.T, window uintptr, x, y uintptr, blue, green, red byte) {
	t.Helper()
	want := uintptr(red) | uintptr(green)<<8 | uintptr(blue)<<16
	var got uintptr
	for end := time.Now().Add(patience); time.Now().Before(end); {
		listen(t, 10)
		device := user("GetDC", window)
		got, _, _ = gdi32.NewProc("GetPixel").Call(device, x, y)
		user("ReleaseDC", window, device)
		if got == want {
			return
		}
	}
	t.Errorf("the colour at %d, %d is %06x, not %06x", x, y, got, want)
}

func TestAWindowHasItsTitleItsSizeAndItsColours(t *testing.T) {
	_, inner := shown(t, "Grüße, 木 🌳", colored(400, 300, 10, 200, 30))
	if width, height := sizeOf(inner); width != 400 || height != 300 {
		t.Errorf("%d x %d", width, height)
	}
	seesPixel(t, inner, 200, 150, 10, 200, 30)
	_, inner = shown(t, "Grüße, 木 🌳", colored(640, 480, 90, 20, 130))
	if width, height := sizeOf(inner); width != 640 || height != 480 {
		t.Errorf("%d x %d", width, height)
	}
	seesPixel(t, inner, 639, 479, 90, 20, 130)
}

func TestAWindowHasThePixelsOfTheScreenAndTheHostStaysAsItWas(t *testing.T) {
	if user32.NewProc("GetThreadDpiAwarenessContext").Find() != nil {
		t.Skip("Windows before 2016")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := user("GetThreadDpiAwarenessContext")
	frame, _ := shown(t, "sharp", colored(400, 300, 10, 200, 30))
	const perMonitor = 2
	if got := user("GetAwarenessFromDpiAwarenessContext", user("GetWindowDpiAwarenessContext", frame)); got != perMonitor {
		t.Errorf("the system may enlarge the window's pixels: their awareness is %d", got)
	}
	if user("AreDpiAwarenessContextsEqual", before, user("GetThreadDpiAwarenessContext")) == 0 {
		t.Error("the host's thread has got another awareness")
	}
	started := make(chan uintptr)
	go func() {
		runtime.LockOSThread()
		started <- user("GetThreadDpiAwarenessContext")
	}()
	if user("AreDpiAwarenessContextsEqual", before, <-started) == 0 {
		t.Error("the process has got another awareness")
	}
}

func TestAWindowLargerThanTheScreenFits(t *testing.T) {
	_, inner := shown(t, "large", colored(5000, 4000, 10, 200, 30))
	width, height := sizeOf(inner)
	screenWidth, screenHeight := int32(user("GetSystemMetrics", 0)), int32(user("GetSystemMetrics", 1))
	if width > screenWidth || height > screenHeight || width < screenHeight/2 {
		t.Errorf("%d x %d on a screen of %d x %d", width, height, screenWidth, screenHeight)
	}
	if ratio := float64(width) / float64(height); ratio < 1.2 || ratio > 1.3 {
		t.Errorf("%d x %d has other proportions", width, height)
	}
	seesPixel(t, inner, uintptr(width/2), uintptr(height/2), 10, 200, 30)
}

const (
	messageClose   = 0x10
	messageKeyDown = 0x100
	messageApp     = 0x8000
)

func TestKeysArriveAndDialogsStayAway(t *testing.T) {
	_, inner := shown(t, "keys", colored(400, 300, 10, 200, 30))
	for _, c := range []struct {
		code uintptr
		want int32
	}{{0x25, abi.KeyLeft}, {0x26, abi.KeyUp}, {0x27, abi.KeyRight}, {0x28, abi.KeyDown}, {0x70, abi.KeyF1}, {0x1b, abi.KeyEscape},
		{0x0d, abi.KeyEnter}, {'Q', 'q'}} {
		user("PostMessageW", inner, messageKeyDown, c.code, 1)
		if got := listen(t, int32(patience.Milliseconds())); got != c.want {
			t.Errorf("the key %#x is %d, not %d", c.code, got, c.want)
		}
	}
}

func TestTheHostsMessagesStayInItsQueue(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var message struct {
		window        uintptr
		number        uint32
		word, long    uintptr
		time          uint32
		x, y, private int32
	}
	peek := func() bool {
		return user("PeekMessageW", uintptr(unsafe.Pointer(&message)), 0, messageApp, messageApp, 1) != 0
	}
	peek() // The thread has a queue from now on.
	if user("PostThreadMessageW", uintptr(win.GetCurrentThreadId()), messageApp, 7, 0) == 0 {
		t.Fatal("no message can be posted")
	}
	shown(t, "guest", colored(400, 300, 10, 200, 30))
	listen(t, 100)
	if !peek() || message.word != 7 {
		t.Error("the message is gone")
	}
}

func TestDelayEndsWhenTheUserClosesTheLastWindow(t *testing.T) {
	frame, _ := shown(t, "closed", colored(400, 300, 10, 200, 30))
	user("PostMessageW", frame, messageClose, 0, 0)
	if key := listen(t, 0); key != -1 {
		t.Errorf("key %d", key)
	}
}

func TestAWindowsNameMayBeOfAnyLength(t *testing.T) {
	for _, name := range []string{strings.Repeat("long ", 1000), strings.Repeat("木", 1000), `with\backslashes\and %s`} {
		_, inner := shown(t, name, colored(400, 300, 10, 200, 30))
		seesPixel(t, inner, 200, 150, 10, 200, 30)
		if err := CloseWindow(name); err != nil {
			t.Error(err)
		}
		if _, none := windows.noneOpen(); !none {
			t.Errorf("%.20q is open still", name)
		}
	}
}

// TestAnotherOpenCVKeepsItsWindows: another one in the process, as Python's cv2, has registered highgui's classes. It is in a
// process of its own, because the library registers its classes once.
func TestAnotherOpenCVKeepsItsWindows(t *testing.T) {
	inChild(t, func() {
		called := 0
		procedure := syscall.NewCallback(func(window, message, word, long uintptr) uintptr {
			called++
			return user("DefWindowProcA", window, message, word, long)
		})
		for _, name := range []string{"HighGUI class", "Main HighGUI class"} {
			text := append([]byte(name), 0)
			class := struct {
				style           uint32
				procedure       uintptr
				extra, extra2   int32
				instance        uintptr
				icon, cursor    uintptr
				brush           uintptr
				menuName, title *byte
			}{procedure: procedure, title: &text[0]}
			if user("RegisterClassA", uintptr(unsafe.Pointer(&class))) == 0 {
				t.Fatal("the class cannot be registered")
			}
		}
		_, inner := shown(t, "ours", colored(400, 300, 10, 200, 30))
		if called != 0 {
			t.Fatalf("the other's procedure was called %d times", called)
		}
		seesPixel(t, inner, 200, 150, 10, 200, 30)
	})
}

func TestAServiceHasNoDisplay(t *testing.T) {
	inChild(t, func() {
		// A new station is not the one that users see, as that of services is not.
		const all = 0x37f
		station := user("CreateWindowStationW", 0, 0, all, 0)
		if station == 0 || user("SetProcessWindowStation", station) == 0 {
			t.Skip("no window station can be made")
		}
		err := Show("service", colored(40, 30, 10, 200, 30))
		if abi.CodeOf(err) != abi.ENoDisplay || !strings.Contains(err.Error(), "services") {
			t.Errorf("%v", err)
		}
		t.Log(err)
	})
}

// TestWithoutTheLibrariesOfWindowsThereIsNoDisplay is for editions of Windows that lack one, and for Wine that is told to lack it
// (scripts/wine_go.sh).
func TestWithoutTheLibrariesOfWindowsThereIsNoDisplay(t *testing.T) {
	if win.NewLazySystemDLL("comdlg32.dll").Load() == nil {
		t.Skip("this Windows has the libraries")
	}
	err := Show("nano", colored(40, 30, 10, 200, 30))
	if abi.CodeOf(err) != abi.ENoDisplay || !strings.Contains(err.Error(), "comdlg32.dll") {
		t.Errorf("%v", err)
	}
	t.Log(err)
	path, image := filepath.Join(t.TempDir(), "photo.png"), noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	if err := Save(path, image, abi.QualityDefault); err != nil {
		t.Error(err)
	}
	saved(t, path, image)
}

// inChild runs the test again in a process of its own, where it runs body.
func inChild(t *testing.T, body func()) {
	t.Helper()
	const marker = "SHMCV_TEST_CHILD"
	if os.Getenv(marker) == t.Name() {
		body()
		return
	}
	child := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", fmt.Sprint(patience))
	child.Env = append(os.Environ(), marker+"="+t.Name())
	output, err := child.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &exit):
		t.Fatal(err)
	case err != nil:
		t.Errorf("%v\n%s", err, output)
	case strings.Contains(string(output), "--- SKIP"):
		t.Skipf("%s", output)
	}
	t.Logf("%s", output)
}
