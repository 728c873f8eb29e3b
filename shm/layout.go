package shm

import "sync/atomic"

// The file of a segment or stream, layout version 1 (docs/segment-format.md). All numbers are in the machine's byte
// order, which is little-endian on every machine that shmcv supports. A cell of 64 bytes is a cache line; words that
// different parties write are in different cells.
//
//	0                      pixels, Size bytes
//	Size                   not used, up to the trailer
//	FileSize - 4096        trailer
//	FileSize               end, a multiple of 65536
//
// The trailer:
//
//	offset  bytes  content                                     written by
//	     0    128  identity: magic, version, sizes, UUID,      the creator, before the file has a name; then nobody
//	               creator, CRC-32 of the 124 bytes before it
//	   128     64  image sequence, and its bell's value        the process whose turn it is to store an image
//	               pixel sequence                              the process whose turn it is to store pixels
//	   192     64  image, as 8 words                           the process whose turn it is to store an image
//	   256     64  not 0: somebody may sleep until an image    readers, and the process that wakes them
//	   320     64  the newest frame's sequence, and its bell's the stream's writer
//	               value
//	   384     64  not 0: somebody may sleep until a frame     readers, and the process that wakes them
//	   448     64  the stream's writer                         the stream's writer
//	   512   2048  16 slots of 128 bytes                       the stream's writer
//	  2560   1536  96 leases of 16 bytes                       the reader that holds the lease
//
// The image sequence is odd while an image is being stored, and grows by 2 with each image. Image words are valid if
// the sequence was the same even number before and after they were read. The pixel sequence does the same for the
// pixels of a single image, as far as this library's functions store them.
//
// Locks on the file decide which process holds what (sys.File.Lock). The system drops them when the process dies.
const (
	layoutVersion = 1
	trailerSize   = 4096
	granularity   = 65536 // A file's size is a multiple of this, which is also what Windows aligns mappings to.
	maxSize       = 1 << 46
	slotCount     = 16

	// A process keeps the lock of one lease when it has read a frame, for the next one, which saves two system calls.
	// Kept are locks of the first leases only. So at least leaseCount - keptLeases = 64 frames can be read at a time.
	leaseCount = 96
	keptLeases = 32

	lockOwner  = 0  // The creator has it as long as it has the file open.
	lockImage  = 1  // Turn to store an image. A process that finds the image sequence odd in its turn follows a dead one.
	lockWriter = 2  // The stream's writer.
	lockPixels = 3  // Turn to store or copy the pixels of a single image. An odd pixel sequence: as for lockImage.
	lockUser   = 4  // Shared by all who have the file open. A process that has it alone knows that nobody has.
	lockName   = 5  // Who takes the name away from the file.
	lockLease  = 64 // To 159: the holders of leases 0 to 95.
)

// magic is "SHMCVSEG" read as a little-endian number.
const magic = 0x47455356434d4853

// trailer is the end of the file. Several processes read and write at once what follows the identity, so it is atomic.
type trailer struct {
	Identity identity

	ImageSequence atomic.Uint64 // Odd while an image is being stored.
	ImageBell     atomic.Uint32 // The number of images stored, modulo 2^32: the value of the bell that readers sleep on.
	_             [4]byte
	PixelSequence atomic.Uint64 // Odd while pixels are being stored.
	_             [40]byte
	Image         imageWords
	ImageWaiters  atomic.Uint32
	_             [60]byte

	Published     atomic.Uint64 // Sequence of the newest frame, 0 before the first.
	StreamBell    atomic.Uint32 // Published, modulo 2^32: the value of the bell that readers sleep on.
	_             [52]byte
	StreamWaiters atomic.Uint32
	_             [60]byte

	Writer      atomic.Uint32 // Process id of the stream's writer, 0 when there is none.
	_           [4]byte
	WriterStart atomic.Uint64 // When that process started, as in identity.OwnerStart.
	_           [48]byte

	Slots  [slotCount]slot
	Leases [leaseCount]lease
}

// identity says what the file holds. It never changes once the file has a name.
type identity struct {
	Magic       uint64
	Version     uint32
	TrailerSize uint32
	FileSize    uint64   // Of the whole file.
	Size        uint64   // Bytes for pixels, as asked for at creation.
	Capacity    uint64   // Bytes in front of the trailer.
	CreatedAt   uint64   // Nanoseconds since 1970 (UTC).
	UUID        [16]byte // Version 4.

	OwnerStart uint64 // sys.ProcessStart of the creator, which tells it from a later process of that id.
	Owner      uint32 // Process id of the creator.
	SlotCount  uint32 // Slots of a stream; 0 for a segment that holds a single image.
	SlotSize   uint64 // Bytes from one slot's pixels to the next's.
	Reserved   [36]byte
	Checksum   uint32 // CRC-32 (IEEE) of the 124 bytes before it.
}

// imageWords hold an abi.ImageInfo, in words that can be read and written atomically.
type imageWords [8]atomic.Uint64

// slot describes one frame of a stream.
type slot struct {
	Sequence atomic.Uint64 // Of the frame in it; 0 when there is none.
	Time     atomic.Uint64 // When it was published: sys.Monotonic.
	_        [48]byte
	Image    imageWords
}

// lease says that a reader uses a slot. The writer does not write to the slot then.
type lease struct {
	Holder   atomic.Uint64 // Process id in the low half, slot plus 1 in the high half; 0 when the lease is free.
	Sequence atomic.Uint64 // Of the frame that is read.
}
