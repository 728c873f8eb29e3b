package ops

import (
	"testing"

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
