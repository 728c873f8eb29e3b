package shm

import "sync/atomic"

// A segment's file, layout version 1. All numbers are in the machine's byte order, little-endian on every machine that
// shmcv supports; a cell of 64 bytes is a cache line, and words that different parties write are in different ones.
//
//	0                      pixels, Size bytes
//	Size                   unused, up to the trailer
//	FileSize - 4096        trailer
//	FileSize               end, a multiple of 65536
//
// The trailer:
//
//	offset  bytes  what                                        written by
//	     0    128  identity: magic, version, sizes, UUID,      the creator, before the segment has a name; then nobody
//	               creator, CRC-32 of the 124 bytes before it
//	   128     64  image sequence and its futex word           whoever holds the image lock
//	               pixel sequence                              whoever holds the pixel lock
//	   192     64  image, as 8 words                           whoever holds the image lock
//	   256     64  not 0: somebody may sleep on the image      readers, and who wakes them
//	   320     64  published frame's sequence, its futex word  the stream's writer
//	   384     64  not 0: somebody may sleep on the stream     readers, and who wakes them
//	   448     64  the stream's writer                         the stream's writer
//	   512   2048  16 slots of 128 bytes                       the stream's writer
//	  2560   1024  64 leases of 16 bytes                       the reader that holds the lease
//	  3584    512  zero
//
// The image sequence is odd while an image is being stored, and grows by 2 with each one. Image words are valid where
// the sequence was the same even number before and after reading them. The pixel sequence does the same for the pixels
// of a single image, as far as they are stored by this library's functions.
//
// Who holds what is decided by locks on single bytes far beyond the end of the file (open file description locks on
// Linux), which the kernel drops when the holder dies:
//
//	2^62 + 0          the creator, as long as it has the segment open
//	2^62 + 1          whoever stores an image; who gets it and finds an odd sequence follows a dead writer
//	2^62 + 2          the stream's writer
//	2^62 + 3          whoever stores pixels of a single image, or copies them; as for 1
//	2^62 + 4          shared by all who have the segment open; who gets it alone knows that nobody has
//	2^62 + 64 ... 127 the holder of lease 0 to 63
const (
	layoutVersion = 1
	trailerSize   = 4096
	granularity   = 65536 // A file's size is a multiple of this, which is also what Windows aligns mappings to.
	maxSize       = 1 << 46
	slotCount     = 16
	leaseCount    = 64

	lockOwner  = 0
	lockImage  = 1
	lockWriter = 2
	lockPixels = 3
	lockUser   = 4
	lockLease  = 64
)

// magic is "SHMCVSEG" read as a little-endian number.
const magic = 0x47455356434d4853

// trailer is the end of a segment's file. Everything after the identity is read and written by several processes at
// once, hence atomic.
type trailer struct {
	Identity identity

	ImageSequence atomic.Uint64 // Odd while an image is being stored.
	ImageFutex    atomic.Uint32 // The number of images stored, modulo 2^32: what readers sleep on.
	_             [4]byte
	PixelSequence atomic.Uint64 // Odd while pixels are being stored.
	_             [40]byte
	Image         imageWords
	ImageWaiters  atomic.Uint32
	_             [60]byte

	Published     atomic.Uint64 // Sequence of the newest frame, 0 before the first.
	StreamFutex   atomic.Uint32 // Published, modulo 2^32: what readers sleep on.
	_             [52]byte
	StreamWaiters atomic.Uint32
	_             [60]byte

	Writer      atomic.Uint32 // Process id of the stream's writer, 0 when there is none.
	WriterSlot  atomic.Uint32 // The slot it fills, plus 1; 0 when it fills none.
	WriterStart atomic.Uint64 // When that process started, as in identity.OwnerStart.
	_           [48]byte

	Slots  [slotCount]slot
	Leases [leaseCount]lease
	_      [512]byte
}

// identity says what a segment is. It never changes once the segment has a name.
type identity struct {
	Magic       uint64
	Version     uint32
	TrailerSize uint32
	FileSize    uint64   // Of the whole file.
	Size        uint64   // Bytes for pixels, as asked for at creation.
	Capacity    uint64   // Bytes in front of the trailer.
	CreatedAt   uint64   // Nanoseconds since 1970 (UTC).
	UUID        [16]byte // Version 4.

	OwnerStart uint64 // When the creating process started, in the system's own units: tells it from a later one of that id.
	Owner      uint32 // Process id of the creator.
	SlotCount  uint32 // Slots of a stream; 0 for a segment that holds a single image.
	SlotSize   uint64 // Bytes from one slot's pixels to the next's.
	Reserved   [36]byte
	Checksum   uint32 // CRC-32 (IEEE) of the 124 bytes before it.
}

// imageWords hold an abi.ImageInfo, in pieces that can be read and written atomically.
type imageWords [8]atomic.Uint64

// slot describes one frame of a stream.
type slot struct {
	Sequence atomic.Uint64 // Of the frame in it; 0 when there is none.
	Time     atomic.Uint64 // When it was published: CLOCK_MONOTONIC, nanoseconds.
	State    atomic.Uint64
	_        [40]byte
	Image    imageWords
}

// lease says that a reader uses a slot, which is then not written to.
type lease struct {
	Holder   atomic.Uint64 // Process id in the low half, slot plus 1 in the high half; 0 when the lease is free.
	Sequence atomic.Uint64 // Of the frame that is read.
}
