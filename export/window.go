// Windows: to look at a segment's image. They need a display (X11 or Wayland), GTK 3, and the plugin
// libopencv_highgui_gtk3.so beside the library. Without these shmcv_show is SHMCV_E_NO_DISPLAY, and everything else works.
// Windows are drawn while some thread is in shmcv_delay.

package main

// #include "native.h"
import "C"

import (
	"shmcv/internal/abi"
	"shmcv/ops"
)

// shmcv_show draws the image of a segment in the window of that name, and opens the window if need be. The window shows
// the pixels as they are now; show again when they have changed. A window that the user has closed is opened again. It has
// the size of the image, or, if the screen is smaller, the largest of its proportions that fits on the screen. The user may
// resize a window of at least 320 x 240; the image is scaled to it, in its own proportions.
//
// Errors: SHMCV_E_NO_DISPLAY, with what is missing; SHMCV_E_NO_IMAGE; SHMCV_E_INVALID for an empty name;
// SHMCV_E_BUSY if another process has been storing an image for 10 seconds; SHMCV_E_CLOSED; SHMCV_E_TRUNCATED.
//
//export goShow
func goShow(window *C.in_char, seg C.shmcv_segment) C.int32_t {
	return withPixels(seg, func(p pixels) error {
		name, err := text("window", window)
		if err != nil {
			return err
		}
		return p.Read(func(image abi.ImageInfo, bytes []byte) error {
			return ops.Show(name, ops.Pixels{ImageInfo: image, Data: bytes})
		})
	})
}

// shmcv_delay lets the windows live for that many milliseconds, or until a key is pressed in one of them. 0, or less,
// waits for a key without an end. key gets the key's character code (0 to 255); or, of a key without a character, its
// number above 255, such as SHMCV_KEY_LEFT; or SHMCV_NO_KEY (-1) if no key was pressed. Shift and the like are no keys. key
// may be NULL. If no window is open, no key can be pressed: the function sleeps for the time, and returns at
// once for 0 or less.
//
//export goDelay
func goDelay(milliseconds C.int32_t, key *C.int32_t) C.int32_t {
	return guard(func() error {
		pressed, err := ops.Delay(int32(milliseconds))
		if err != nil {
			return err
		}
		if key != nil {
			*key = C.int32_t(pressed)
		}
		return nil
	})
}

// shmcv_close_window closes the window of that name. One that is not open is no error.
//
//export goCloseWindow
func goCloseWindow(window *C.in_char) C.int32_t {
	return guard(func() error {
		name, err := text("window", window)
		if err != nil {
			return err
		}
		return ops.CloseWindow(name)
	})
}

// shmcv_close_windows closes all windows that this process has opened here.
//
//export goCloseWindows
func goCloseWindows() C.int32_t {
	return guard(ops.CloseWindows)
}
