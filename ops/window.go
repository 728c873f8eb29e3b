package ops

// #include <stdlib.h>
// #include "window.h"
import "C"

import (
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
	"unsafe"

	"gocv.io/x/gocv"

	"shmcv/internal/abi"
)

const (
	maxWindowSide = 32767                 // X11 counts in 16 bits
	slice         = 10 * time.Millisecond // how long others wait, at most, while a Delay listens for keys
)

// Show draws an image in the window of that name, which takes the image's size and is opened if need be, also when the
// user has closed it before. Pixels are shown as cv2.imshow does: 16-bit samples by their high byte, float samples
// between 0 and 1, alpha as if it were not there. The window is drawn while some thread is in Delay.
//
// Errors: ENoDisplay with what is missing; EInvalid for a name that is empty or not UTF-8, or bad geometry; ETooSmall;
// ELimit for more than 32767 pixels a side.
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
	shown, done, err := forWindow(src)
	if err != nil {
		return err
	}
	defer done()
	return windows.run(func() error { return windows.show(window, shown) })
}

// Delay lets the windows live for that many milliseconds, or until a key is pressed in one of them, and gives the key's
// character code, 0 to 255, or -1 when the time is up. 0 or less waits without an end. Any number of threads may be in
// Delay and Show at once; a key goes to one of them.
//
// Where no window is open nobody can press a key: Delay sleeps for the time (a window that another thread opens
// meanwhile is drawn), and returns -1 at once where there would be no end; so too when the user closes the last one.
//
// Errors: ENoDisplay when the display server has gone away.
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

// CloseWindow closes the window of that name; one that is not open is no error.
//
// Errors: EInvalid for a name that is empty or not UTF-8; ENoDisplay when the display server has gone away.
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
// Errors: ENoDisplay when the display server has gone away.
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

// checkDisplayName answers at once where there can be no display, as on a server.
func checkDisplayName() error {
	if C.ops_display_name() == nil {
		return abi.Errorf(abi.ENoDisplay, "show: no display: neither DISPLAY nor WAYLAND_DISPLAY is set")
	}
	return nil
}

// forWindow gives the image as 8-bit gray or BGR: src itself, or a copy that lasts until done is called.
func forWindow(src Pixels) (shown Pixels, done func(), err error) {
	samples, samplesDone, err := withDepthU8(src)
	if err != nil {
		return src, nil, err
	}
	order := abi.OrderBGR
	if src.Order == abi.OrderGray {
		order = abi.OrderGray
	}
	shown, shownDone, err := withOrder(samples, order)
	if err != nil {
		samplesDone()
		return src, nil, err
	}
	return shown, func() { shownDone(); samplesDone() }, nil
}

// withDepthU8 scales samples as cv2.imshow does.
func withDepthU8(src Pixels) (scaled Pixels, done func(), err error) {
	scale := map[abi.Depth]float32{abi.DepthU16: 1.0 / 256, abi.DepthF32: 255}[src.Depth]
	if scale == 0 {
		return src, func() {}, nil
	}
	scaled = Pixels{ImageInfo: abi.NewImageInfo(src.Width, src.Height, abi.DepthU8, src.Order)}
	scaled.Data = scratch(scaled.Bytes())
	err = into("show", src, scaled, func(src gocv.Mat, dst *gocv.Mat) error {
		return src.ConvertToWithParams(dst, matType(scaled.ImageInfo), scale, 0)
	})
	return scaled, func() { release(scaled.Data) }, err
}

// waitFor waits for the channel to be closed, or for the time to be up.
func waitFor(closed <-chan struct{}, atMost time.Duration) {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C:
	}
}

// windowThread is the one thread that calls highgui and GTK, which are made for a single one. It starts with the first
// window, and sleeps while nobody asks anything of it.
type windowThread struct {
	once     sync.Once
	requests chan func()
	lost     chan struct{} // closed when the display server has gone away, for good

	mu     sync.Mutex
	names  map[string]bool // the windows that are open; written by the thread alone
	opened chan struct{}   // closed when there is one
}

var windows = windowThread{
	requests: make(chan func()),
	lost:     make(chan struct{}),
	names:    map[string]bool{},
	opened:   make(chan struct{}),
}

var errDisplayLost = abi.Errorf(abi.ENoDisplay, "windows: the display server has gone away; only a new process can have windows again")

// run has the window thread do something, and gives its answer, or ENoDisplay when that thread is lost.
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
	runtime.LockOSThread() // never unlocked, never left: the thread is GTK's now
	for !w.isLost() {
		(<-w.requests)()
	}
	select {}
}

// lose tells everybody, now and later, that there will be no windows any more.
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

// noneOpen tells whether no window is open, and if so gives a channel that is closed when one is.
func (w *windowThread) noneOpen() (opened <-chan struct{}, none bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.opened, len(w.names) == 0
}

// opsDisplayLost is called on the window thread, from inside highgui, when the display server has gone away. It must
// not go back there.
//
//export opsDisplayLost
func opsDisplayLost() {
	windows.lose()
	select {}
}

// What follows runs on the window thread.

func (w *windowThread) show(name string, image Pixels) error {
	if err := openDisplay(); err != nil {
		return err
	}
	cName := C.CString(name)
	defer C.free(unsafe.Pointer(cName))
	reason := make([]C.char, 256)
	failed := C.ops_window_show(cName, C.int(image.Height), C.int(image.Width), C.int(matType(image.ImageInfo)),
		unsafe.Pointer(unsafe.SliceData(image.Data)), C.size_t(image.Stride), &reason[0], C.size_t(len(reason)))
	runtime.KeepAlive(image.Data)
	if failed != 0 {
		return abi.Errorf(abi.ENoDisplay, "show %q: OpenCV opens no window: %s; see that libopencv_highgui_gtk3.so is beside the library", name, C.GoString(&reason[0]))
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
	case C.OPS_DISPLAY_NO_GTK:
		return abi.Errorf(abi.ENoDisplay, "show: GTK 3 (libgtk-3.so.0) is not installed; Debian and Ubuntu: apt-get install libgtk-3-0")
	case C.OPS_DISPLAY_REFUSED:
		return abi.Errorf(abi.ENoDisplay, "show: the display %q does not answer, or refuses this user", C.GoString(C.ops_display_name()))
	case C.OPS_DISPLAY_TAKEN:
		return abi.Errorf(abi.ENoDisplay, "show: this process runs GTK itself, which serves one thread only; show the image with that")
	case C.OPS_DISPLAY_LOST:
		return errDisplayLost
	}
	return nil
}

// listen draws and waits for a key, -1 when none comes, and notices which windows the user has closed.
func (w *windowThread) listen(atMost time.Duration) int32 {
	key := C.ops_window_wait(C.int(max(1, atMost.Milliseconds())))
	for name := range w.names {
		cName := C.CString(name)
		if C.ops_window_is_open(cName) == 0 {
			w.forget(name)
		}
		C.free(unsafe.Pointer(cName))
	}
	if key < 0 {
		return -1
	}
	return int32(key) & 0xFF // as cv2.waitKey: modifiers are not told
}

func (w *windowThread) close(name string) {
	if !w.names[name] {
		return
	}
	if len(w.names) == 1 {
		w.closeAll() // highgui frees what it holds for a window only so
		return
	}
	cName := C.CString(name)
	defer C.free(unsafe.Pointer(cName))
	C.ops_window_close(cName)
	w.forget(name)
	C.ops_window_wait(1) // the display server hears of it
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
