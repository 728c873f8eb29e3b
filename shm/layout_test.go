package shm

import (
	"testing"
	"unsafe"
)

// Other programs rely on these offsets, and so do other versions of this library.
func TestLayoutIsThatOfVersion2(t *testing.T) {
	var tr trailer
	var id identity
	for _, field := range []struct {
		what      string
		got, want uintptr
	}{
		{"trailer", unsafe.Sizeof(tr), 4096},
		{"identity", unsafe.Offsetof(tr.Identity), 0},
		{"image sequence", unsafe.Offsetof(tr.ImageSequence), 128},
		{"image futex", unsafe.Offsetof(tr.ImageBell), 136},
		{"pixel sequence", unsafe.Offsetof(tr.PixelSequence), 144},
		{"image", unsafe.Offsetof(tr.Image), 192},
		{"image waiters", unsafe.Offsetof(tr.ImageWaiters), 256},
		{"published", unsafe.Offsetof(tr.Published), 320},
		{"stream futex", unsafe.Offsetof(tr.StreamBell), 328},
		{"stream waiters", unsafe.Offsetof(tr.StreamWaiters), 384},

		{"identity", unsafe.Sizeof(id), 128},
		{"magic", unsafe.Offsetof(id.Magic), 0},
		{"version", unsafe.Offsetof(id.Version), 8},
		{"trailer size", unsafe.Offsetof(id.TrailerSize), 12},
		{"file size", unsafe.Offsetof(id.FileSize), 16},
		{"size", unsafe.Offsetof(id.Size), 24},
		{"capacity", unsafe.Offsetof(id.Capacity), 32},
		{"created at", unsafe.Offsetof(id.CreatedAt), 40},
		{"UUID", unsafe.Offsetof(id.UUID), 48},
		{"owner's start", unsafe.Offsetof(id.OwnerStart), 64},
		{"owner", unsafe.Offsetof(id.Owner), 72},
		{"slot count", unsafe.Offsetof(id.SlotCount), 76},
		{"slot size", unsafe.Offsetof(id.SlotSize), 80},
		{"when behind", unsafe.Offsetof(id.WhenBehind), 88},
		{"UTC offset", unsafe.Offsetof(id.UTCOffset), 96},
		{"checksum", unsafe.Offsetof(id.Checksum), 124},
	} {
		if field.got != field.want {
			t.Errorf("%s: %d, and the layout says %d", field.what, field.got, field.want)
		}
	}
}

func TestFileSizesHoldPixelsAndTrailer(t *testing.T) {
	for size, want := range map[uint64]uint64{
		1: 65536, 4096: 65536, 61440: 65536, 61441: 131072, 65536: 131072, 3840 * 2160 * 3: 24903680, maxSize: maxSize + 65536,
	} {
		if got := fileSizeFor(shape{size: size}); got != want {
			t.Errorf("%d bytes of pixels: a file of %d, %d expected", size, got, want)
		}
	}
}
