package abi

// NoKey is what shmcv_delay gives when no key was pressed.
const NoKey = -1

// Keys that shmcv_delay gives. Keys with a character have its code, 0 to 255. The others have X11's numbers, which are above
// 255, and the same on every system.
const (
	KeyBackspace = 8      // The key that removes the character before the cursor.
	KeyTab       = 9      // The tabulator.
	KeyEnter     = 13     // The enter key, also that of the number pad.
	KeyEscape    = 27     // The escape key.
	KeyHome      = 0xff50 // To the beginning.
	KeyLeft      = 0xff51 // The left arrow.
	KeyUp        = 0xff52 // The up arrow.
	KeyRight     = 0xff53 // The right arrow.
	KeyDown      = 0xff54 // The down arrow.
	KeyPageUp    = 0xff55 // The page before.
	KeyPageDown  = 0xff56 // The next page.
	KeyEnd       = 0xff57 // To the end.
	KeyInsert    = 0xff63 // The insert key.
	KeyF1        = 0xffbe // The first function key. Those up to F12 follow it.
	KeyDelete    = 0xffff // The key that removes the character behind the cursor.
)
