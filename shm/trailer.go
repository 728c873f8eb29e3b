package shm

import (
	"hash/crc32"
	"runtime"
	"unsafe"

	"shmcv/internal/abi"
)

// fileSizeFor is the size of the file that holds size bytes of pixels, which are at most maxSize.
func fileSizeFor(size uint64) uint64 {
	return (size + trailerSize + granularity - 1) / granularity * granularity
}

// trailerOf finds the trailer in the memory of a whole segment that has one.
func trailerOf(memory []byte) *trailer {
	return (*trailer)(unsafe.Pointer(&memory[len(memory)-trailerSize]))
}

func (id *identity) checksum() uint32 {
	bytes := (*[unsafe.Sizeof(identity{})]byte)(unsafe.Pointer(id))
	return crc32.ChecksumIEEE(bytes[:unsafe.Offsetof(id.Checksum)])
}

// check tells whether this identity can be that of a file of fileSize bytes. name is for the message.
func (id *identity) check(name string, fileSize uint64) error {
	if id.Version > layoutVersion {
		return abi.Errorf(abi.EUnsupported, "shm: %q has layout version %d; this library knows up to %d and has to be updated",
			name, id.Version, layoutVersion)
	}
	sound := id.Version == layoutVersion &&
		id.Checksum == id.checksum() &&
		id.TrailerSize == trailerSize &&
		id.FileSize == fileSize && fileSize%granularity == 0 &&
		id.Capacity == fileSize-trailerSize &&
		id.Size > 0 && id.Size <= id.Capacity &&
		id.checkSlots()
	if !sound {
		return corrupt(name)
	}
	return nil
}

// checkSlots tells whether the slots of a stream, if it is one, are in its pixels. Size has been checked.
func (id *identity) checkSlots() bool {
	if id.SlotCount == 0 {
		return id.SlotSize == 0
	}
	return id.SlotCount >= minSlots && id.SlotCount <= slotCount &&
		id.SlotSize > 0 && id.SlotSize%pageSize == 0 && id.SlotSize <= id.Size/uint64(id.SlotCount)
}

func corrupt(name string) error {
	return abi.Errorf(abi.ECorrupt, "shm: the last %d bytes of %q, where its metadata is, have been overwritten; "+
		"clear it and create it again", trailerSize, name)
}

// readAttempts is how often an image that changes while it is read is read again before the lock is asked for. One
// store takes less than a microsecond, so more than a few attempts mean that the writer sleeps or is dead.
const readAttempts = 64

// readImage gives the words that were last stored as a whole, all zero before the first store. It is false when none
// could be had: somebody is storing without end, or has died while storing.
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

// storeImage makes image the segment's. The caller holds the image lock, and so is the only one who stores.
func (t *trailer) storeImage(image abi.ImageInfo) {
	storing := t.ImageSequence.Load() | 1 // It is odd already when the last one to store has died.
	t.ImageSequence.Store(storing)
	t.Image.store(image)
	t.ImageSequence.Store(storing + 1)
	t.ImageFutex.Store(uint32((storing + 1) / 2))
	t.imageBell().ring()
}

// load reads the words one by one: it is for the caller to know that nobody writes them meanwhile.
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

// imageBell is what readers of a single image sleep on.
func (t *trailer) imageBell() bell { return bell{word: &t.ImageFutex, waiters: &t.ImageWaiters} }
