package ops

// #include "mat.h"
// #include "window.h"
import "C"

import (
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
	"unsafe"

	"shmcv/internal/abi"
)

const (
	maxWindowSide = 32767                 // X11 has 16 bits for it
	slice         = 10 * time.Millisecond // the longest time that other calls wait while a Delay listens for keys
)

// Show draws an image in the window of that name. The window takes the image's size, or, if the screen is smaller, the
// largest of its proportions that fits. The user may resize a window of at least 320 x 240, and then it keeps that size until
// an image comes that needs another. It is opened if it is not open, also if the user has closed it before. Pixels are shown as cv2.imshow shows them: 16-bit samples by their high byte,
// float samples from 0 to 1, and alpha is ignored. The window is drawn while some thread is in Delay.
//
// Errors: ENoDisplay with what is missing; EInvalid for a name that is empty or not UTF-8, and for bad geometry;
// ETooSmall; ELimit for more than 32767 pixels a side.
func Show(window string, src Pixels) error {
	if err := checkWindowName(window); err != nil {
		return err
	}
	src, err := src.checked("show")
	if err != nil {
		return err
	}
	if src.Width > maxWindowSide || src.Height > maxWindowSide {
		return abi.Errorf(abi.ELimit, "show %q: %s; a window has at most %d a side", window, describe(src.ImageInfo), maxWindowSide)
	}
	if err := checkDisplayName(); err != nil {
		return err
	}
	return forWindow(src, func(shown Pixels) error {
		return windows.run(func() error { return windows.show(window, shown) })
	})
}

// Delay draws the windows for that many milliseconds, or until a key is pressed in one of them. 0 or less means without
// an end. It returns the key's character code, 0 to 255, or its number in internal/abi if it has no character, or -1 when
// the time is up. Shift and the like are no keys. Several threads may be in Delay and Show at once; a key goes to one of
// them.
//
// While no window is open, no key can be pressed. Then Delay sleeps for its time, and draws a window that another
// thread opens meanwhile. Without an end it returns -1 at once, also after the user has closed the last window.
//
// Errors: ENoDisplay if the display server has gone away.
func Delay(milliseconds int32) (key int32, err error) {
	endless := milliseconds <= 0
	timeUp := time.Now().Add(time.Duration(milliseconds) * time.Millisecond)
	for {
		left := slice
		if !endless {
			left = time.Until(timeUp)
		}
		opened, none := windows.noneOpen()
		switch {
		case windows.isLost():
			return -1, errDisplayLost
		case left <= 0, none && endless:
			return -1, nil
		case none:
			waitFor(opened, left)
			continue
		}
		err := windows.run(func() error {
			key = windows.listen(min(left, slice))
			return nil
		})
		if err != nil {
			return -1, err
		}
		if key >= 0 {
			return key, nil
		}
	}
}

// CloseWindow closes the window of that name. It is no error if the window is not open.
//
// Errors: EInvalid for a name that is empty or not UTF-8; ENoDisplay if the display server has gone away.
func CloseWindow(name string) error {
	if err := checkWindowName(name); err != nil {
		return err
	}
	if _, none := windows.noneOpen(); none {
		return nil
	}
	return windows.run(func() error { windows.close(name); return nil })
}

// CloseWindows closes all windows.
//
// Errors: ENoDisplay if the display server has gone away.
func CloseWindows() error {
	if _, none := windows.noneOpen(); none {
		return nil
	}
	return windows.run(func() error { windows.closeAll(); return nil })
}

func checkWindowName(name string) error {
	switch {
	case name == "":
		return abi.Errorf(abi.EInvalid, "window: the name is empty")
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0):
		return abi.Errorf(abi.EInvalid, "window %q: the name is not UTF-8 text", name)
	}
	return nil
}

// checkDisplayName returns an error if the environment names no display, as on a server.
func checkDisplayName() error {
	if C.ops_display_name() == nil {
		return abi.Errorf(abi.ENoDisplay, "show: no display: neither DISPLAY nor WAYLAND_DISPLAY is set")
	}
	return nil
}

// forWindow runs body on the image as 8-bit gray or BGR: on src itself, or on a copy.
func forWindow(src Pixels, body func(shown Pixels) error) error {
	order := abi.OrderBGR
	if src.Order == abi.OrderGray {
		order = abi.OrderGray
	}
	return withDepthU8(src, func(samples Pixels) error { return withOrder(samples, order, body) })
}

// withDepthU8 runs body on the image with samples of 8 bits, scaled as cv2.imshow scales them: on src itself, or on a
// copy.
func withDepthU8(src Pixels, body func(scaled Pixels) error) error {
	scale := map[abi.Depth]float64{abi.DepthU16: 1.0 / 256, abi.DepthF32: 255}[src.Depth]
	if scale == 0 {
		return body(src)
	}
	return withScratch(abi.NewImageInfo(src.Width, src.Height, abi.DepthU8, src.Order), func(scaled Pixels) error {
		if err := into("show", src, scaled, C.OPS_SCALE, scale); err != nil {
			return err
		}
		return body(scaled)
	})
}

// waitFor waits until the channel is closed, or the time is up.
func waitFor(closed <-chan struct{}, atMost time.Duration) {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C:
	}
}

// windowThread is the thread that calls highgui and GTK, which work on a single thread. It starts with the first
// window, and sleeps while there are no requests.
type windowThread struct {
	once     sync.Once
	requests chan func()
	lost     chan struct{} // closed when the display server has gone away, and with it all windows for ever

	mu     sync.Mutex
	names  map[string]bool // the windows that are open; only the window thread writes them
	opened chan struct{}   // closed when a window is open
}

var windows = windowThread{
	requests: make(chan func()),
	lost:     make(chan struct{}),
	names:    map[string]bool{},
	opened:   make(chan struct{}),
}

var errDisplayLost = abi.Errorf(abi.ENoDisplay, "windows: the display server has gone away; only a new process can have windows again")

// run calls do on the window thread, and returns its answer, or ENoDisplay if the display is lost.
func (w *windowThread) run(do func() error) error {
	w.once.Do(func() { go w.serve() })
	answer := make(chan error, 1)
	request := func() {
		defer func() {
			if p := recover(); p != nil {
				answer <- abi.Errorf(abi.EInternal, "windows: %v", p)
			}
		}()
		if C.ops_display_check() == C.OPS_DISPLAY_LOST {
			w.lose()
			return
		}
		answer <- do()
	}
	select {
	case w.requests <- request:
	case <-w.lost:
		return errDisplayLost
	}
	select {
	case err := <-answer:
		return err
	case <-w.lost:
		return errDisplayLost
	}
}

func (w *windowThread) serve() {
	runtime.LockOSThread() // and never unlocked: the thread is GTK's from now on
	for !w.isLost() {
		(<-w.requests)()
	}
	select {}
}

// lose ends all waiting and all later calls of run: there will be no windows any more.
func (w *windowThread) lose() {
	if !w.isLost() {
		close(w.lost)
	}
}

func (w *windowThread) isLost() bool {
	select {
	case <-w.lost:
		return true
	default:
		return false
	}
}

// noneOpen returns true if no window is open. The channel is closed when one is.
func (w *windowThread) noneOpen() (opened <-chan struct{}, none bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.opened, len(w.names) == 0
}

// opsDisplayLost is called on the window thread, from inside highgui, when the display server has gone away. It must
// not return into highgui.
//
//export opsDisplayLost
func opsDisplayLost() {
	windows.lose()
	select {}
}

// The functions below run on the window thread.

func (w *windowThread) show(name string, image Pixels) error {
	if err := openDisplay(); err != nil {
		return err
	}
	reason := make([]C.char, 256)
	failed := C.ops_window_show(cString(highguiName(name)), C.int(image.Height), C.int(image.Width), C.int(matType(image.ImageInfo)),
		unsafe.Pointer(unsafe.SliceData(image.Data)), C.size_t(image.Stride), &reason[0], C.size_t(len(reason)))
	runtime.KeepAlive(image.Data)
	if failed != 0 {
		return abi.Errorf(abi.ENoDisplay, "show %q: OpenCV opens no window: %s%s", name, C.GoString(&reason[0]), windowAdvice)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.names) == 0 {
		close(w.opened)
	}
	w.names[name] = true
	return nil
}

func openDisplay() error {
	switch C.ops_display_open() {
	case C.OPS_DISPLAY_MISSING:
		return abi.Errorf(abi.ENoDisplay, "show: %s", displayMissing)
	case C.OPS_DISPLAY_REFUSED:
		return abi.Errorf(abi.ENoDisplay, "show: "+displayRefused, C.GoString(C.ops_display_name()))
	case C.OPS_DISPLAY_TAKEN:
		return abi.Errorf(abi.ENoDisplay, "show: this process, or the one that it was forked from, runs GTK itself, which serves one thread only; show the image with that")
	case C.OPS_DISPLAY_LOST:
		return errDisplayLost
	}
	return nil
}

// listen draws, and waits for a key. It returns -1 if no key is pressed. It forgets the windows that the user has
// closed.
func (w *windowThread) listen(atMost time.Duration) int32 {
	key := C.ops_window_wait(C.int(max(1, atMost.Milliseconds())))
	for name := range w.names {
		if C.ops_window_is_open(cString(highguiName(name))) == 0 {
			w.forget(name)
		}
	}
	return keyOf(int32(key))
}

func (w *windowThread) close(name string) {
	if !w.names[name] {
		return
	}
	if len(w.names) == 1 {
		w.closeAll() // only then does highgui free all that it holds for a window
		return
	}
	C.ops_window_close(cString(highguiName(name)))
	w.forget(name)
	C.ops_window_wait(1) // sends it to the display server
}

func (w *windowThread) closeAll() {
	C.ops_window_close_all()
	for name := range w.names {
		w.forget(name)
	}
	C.ops_window_wait(1)
}

func (w *windowThread) forget(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.names, name)
	if len(w.names) == 0 {
		w.opened = make(chan struct{})
	}
}
