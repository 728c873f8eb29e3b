package ops

import "shmcv/internal/abi"

// What errors say of the programs that draw windows.
const (
	displayMissing = "GTK 3 (libgtk-3.so.0) is not installed; Debian and Ubuntu: apt-get install libgtk-3-0"
	displayRefused = "the display %q does not answer, or refuses this user"
	windowAdvice   = "; see that libopencv_highgui_gtk3.so is beside the library"
)

// highguiName returns the name by which highgui knows a window.
func highguiName(name string) string { return name }

// keyOf returns the key that a caller gets for what cv::waitKeyEx has returned, or NoKey. The low half of that is X11's
// number of the key, its keysym, and the high half tells which of Shift, Ctrl and the like were held.
func keyOf(code int32) int32 {
	if code == -1 {
		return abi.NoKey
	}
	switch key := code & 0xffff; {
	case key >= 0xffe1 && key <= 0xffee, key == 0xff7f, key >= 0xfe01 && key <= 0xfe13:
		return abi.NoKey // Shift, Ctrl, Alt, Caps Lock, Num Lock, the third level: no key of their own
	case key == 0xff08, key == 0xff09, key == 0xff0a, key == 0xff0d, key == 0xff1b:
		return key & 0xff // backspace, tabulator, line feed, enter, escape
	case key == 0xfe20: // Shift and the tabulator
		return abi.KeyTab
	case key >= 0xffaa && key <= 0xffb9, key == 0xff80, key == 0xff89, key == 0xff8d, key == 0xffbd:
		return key & 0x7f // the number pad's characters
	case key >= 0xff91 && key <= 0xff94: // the number pad's F1 to F4
		return key - 0xff91 + abi.KeyF1
	case key >= 0xff95 && key <= 0xff9f: // the number pad without Num Lock
		return [...]int32{abi.KeyHome, abi.KeyLeft, abi.KeyUp, abi.KeyRight, abi.KeyDown, abi.KeyPageUp, abi.KeyPageDown,
			abi.KeyEnd, 0xff0b, abi.KeyInsert, abi.KeyDelete}[key-0xff95] // 0xff0b: clear, in the middle
	default:
		return key
	}
}
