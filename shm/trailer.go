package shm

import (
	"hash/crc32"
	"runtime"
	"unsafe"

	"shmcv/internal/abi"
)

// fileSizeFor gives the size of a file for pixels of a shape. Its size is at most maxSize.
func fileSizeFor(shape shape) uint64 {
	size := shape.size + trailerSize
	if shape.slots != 0 {
		size = pages(size) + recordsSize(shape.slots) + sharedSize(shape.slots)
	}
	return (size + granularity - 1) / granularity * granularity
}

// trailerOf finds the trailer in memory, which is the end of a file that has one.
func trailerOf(memory []byte) *trailer {
	return (*trailer)(unsafe.Pointer(&memory[len(memory)-trailerSize]))
}

func (id *identity) checksum() uint32 {
	bytes := (*[unsafe.Sizeof(identity{})]byte)(unsafe.Pointer(id))
	return crc32.ChecksumIEEE(bytes[:unsafe.Offsetof(id.Checksum)])
}

// check returns an error unless this identity can be that of a file of fileSize bytes. name is for the message.
func (id *identity) check(name string, fileSize uint64) error {
	if id.Version > layoutVersion {
		return abi.Errorf(abi.EUnsupported, "shm: %q has layout version %d; this library knows up to %d and has to be updated",
			name, id.Version, layoutVersion)
	}
	sound := id.Version == layoutVersion &&
		id.Checksum == id.checksum() &&
		id.TrailerSize == trailerSize &&
		id.FileSize == fileSize && fileSize%granularity == 0 &&
		id.checkSlots() && id.Capacity == id.recordsAt() &&
		id.Size > 0 && id.Size <= id.Capacity
	if !sound {
		return corrupt(name)
	}
	return nil
}

// checkSlots returns true for a single image, and if all slots of a stream and what describes them lie in the file.
// FileSize has been checked.
func (id *identity) checkSlots() bool {
	if id.SlotCount == 0 {
		return id.SlotSize == 0 && id.WhenBehind == 0
	}
	return id.SlotCount >= minSlots && id.SlotCount <= maxSlots &&
		id.WhenBehind >= uint32(abi.WhenBehindDrop) && id.WhenBehind <= uint32(abi.WhenBehindFail) &&
		trailerSize+sharedSize(id.SlotCount)+recordsSize(id.SlotCount) < id.FileSize &&
		id.SlotSize > 0 && id.SlotSize%pageSize == 0 && id.SlotSize <= id.Size/uint64(id.SlotCount)
}

func corrupt(name string) error {
	return abi.Errorf(abi.ECorrupt, "shm: the last %d bytes of %q, where its metadata is, have been overwritten; "+
		"clear it and create it again", trailerSize, name)
}

// readAttempts is how often an image is read that changes while it is read. To store one takes less than a microsecond,
// so more than a few attempts mean that the process that stores it sleeps or is dead.
const readAttempts = 64

// readImage gives the image that was stored last, as a whole: all zero before the first one. It returns false if it got
// none, because somebody stores one image after another, or has died while storing one.
func (t *trailer) readImage() (abi.ImageInfo, bool) {
	for range readAttempts {
		before := t.ImageSequence.Load()
		image := t.Image.load()
		if before%2 == 0 && t.ImageSequence.Load() == before {
			return image, true
		}
		runtime.Gosched()
	}
	return abi.ImageInfo{}, false
}

// storeImage stores an image, and gives the bell's value for it. Only the process whose turn it is may call it.
func (t *trailer) storeImage(image abi.ImageInfo) uint32 {
	storing := t.ImageSequence.Load() | 1 // The number is odd already if the process before has died in its turn.
	t.ImageSequence.Store(storing)
	t.Image.store(image)
	t.ImageSequence.Store(storing + 1)
	return uint32((storing + 1) / 2)
}

// load reads the words one by one. Only the caller can know whether somebody wrote them meanwhile.
func (w *imageWords) load() abi.ImageInfo {
	var words [8]uint64
	for i := range words {
		words[i] = w[i].Load()
	}
	return *(*abi.ImageInfo)(unsafe.Pointer(&words))
}

func (w *imageWords) store(image abi.ImageInfo) {
	for i, word := range *(*[8]uint64)(unsafe.Pointer(&image)) {
		w[i].Store(word)
	}
}
