package ops

import (
	"fmt"
	"hash/fnv"
	"strings"

	"shmcv/internal/abi"
)

// What errors say of the programs that draw windows.
const (
	displayMissing = "this edition of Windows has no windows: it lacks one of user32.dll, gdi32.dll, ole32.dll and comdlg32.dll"
	displayRefused = "nobody sees the windows of this process, which is on a desktop without a screen, as services are (%s)"
	windowAdvice   = ""
)

// longestName is how many bytes of a name highgui is given: it keeps the place of a window in the registry under its name, in
// buffers of 1024 bytes, and ends the process where one is too small.
const longestName = 200

// highguiName returns the name by which highgui knows a window, which is its title too.
func highguiName(name string) string {
	if len(name) <= longestName {
		return name
	}
	hash := fnv.New64a()
	hash.Write([]byte(name))
	return fmt.Sprintf("%s... %016x", strings.ToValidUTF8(name[:longestName], ""), hash.Sum64())
}

// keyOf returns the key that a caller gets for what cv::waitKeyEx has returned, or NoKey. A key with a character is its code.
// Of another key, the high half is the number that Windows has for it, its virtual key.
func keyOf(code int32) int32 {
	if code>>16 == 0 {
		return code
	}
	switch key := code >> 16; {
	case key >= 0x21 && key <= 0x28: // VK_PRIOR to VK_DOWN
		return [...]int32{abi.KeyPageUp, abi.KeyPageDown, abi.KeyEnd, abi.KeyHome, abi.KeyLeft, abi.KeyUp, abi.KeyRight,
			abi.KeyDown}[key-0x21]
	case key == 0x2d: // VK_INSERT
		return abi.KeyInsert
	case key == 0x2e: // VK_DELETE
		return abi.KeyDelete
	case key >= 0x70 && key <= 0x7b: // VK_F1 to VK_F12
		return key - 0x70 + abi.KeyF1
	default: // -1 too
		return abi.NoKey
	}
}
