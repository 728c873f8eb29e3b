package shm

import (
	"sync/atomic"

	"shmcv/shm/internal/ring"
)

// The file of a segment or stream, layout version 2 (docs/segment-format.md). All numbers are in the machine's byte
// order, which is little-endian on every machine that shmcv supports. A cell of 64 bytes is a cache line; words that
// different parties write are in different cells.
//
//	0                      pixels, Size bytes
//	Size                   not used
//	recordsAt              a stream's frames, a record for each slot                  written by the stream's writer
//	sharedAt               a stream's holders, 64 bytes for each slot; and its        readers and the writer
//	                       places, 64 times 64 bytes
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
//	   320    384  what the parties to a stream share:       shmcv_ring_words in internal/ring/ring.h
//	               the newest frame, bells, the writer
//
// The image sequence is odd while an image is being stored, and grows by 2 with each image. Image words are valid if
// the sequence was the same even number before and after they were read. The pixel sequence does the same for the
// pixels of a single image, as far as this library's functions store them.
//
// Locks on the file decide which process holds what (sys.File.Lock). The system drops them when the process dies.
const (
	layoutVersion = 2
	trailerSize   = 4096
	granularity   = 65536 // A file's size is a multiple of this, which is also what Windows aligns mappings to.
	maxSize       = 1 << 46

	lockOwner  = 0  // The creator has it as long as it has the file open.
	lockImage  = 1  // Turn to store an image. A process that finds the image sequence odd in its turn follows a dead one.
	lockWriter = 2  // The stream's writer.
	lockPixels = 3  // Turn to store or copy the pixels of a single image. An odd pixel sequence: as for lockImage.
	lockUser   = 4  // Shared by all who have the file open. A process that has it alone knows that nobody has.
	lockName   = 5  // Who takes the name away from the file.
	lockNext   = 5  // More than lockImage or lockPixels: who is next in that turn.
	lockPlace  = 64 // To 126: the parties that have places 0 to 62 of a stream.
)

// magic is "SHMCVSEG" read as a little-endian number.
const magic = 0x47455356434d4853

// trailer is the end of the file. Several processes read and write at once what follows the identity, so it is atomic.
type trailer struct {
	Identity identity

	ImageSequence atomic.Uint64 // Odd while an image is being stored.
	ImageBell     atomic.Uint32 // The number of images stored, modulo 2^32: the value of the bell that readers sleep on.
	_             [4]byte
	PixelSequence pixelSequence // Odd while pixels are being stored.
	_             [40]byte
	Image         imageWords
	ImageWaiters  atomic.Uint32
	_             [60]byte

	Published     atomic.Uint64 // The newest frame, packed; see published.
	StreamBell    atomic.Uint32 // The value of the bell that readers sleep on.
	_             [52]byte
	StreamWaiters atomic.Uint32
	_             [60]byte
	Writer        atomic.Uint32 // Process id of the writer.
	Writers       atomic.Uint32 // How many there have been.
	_             [8]byte
	Ended         atomic.Uint64    // 1 more than the sequence after which the writer has ended the stream, 0 if it has not.
	Cleared       atomic.Uint32    // Not 0: the stream's name has been removed.
	_             [4096 - 476]byte // The ring's.
}

// published gives the sequence of the newest frame, 0 before the first.
func (t *trailer) published() uint64 { return t.Published.Load() >> ring.SlotBits }

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
	WhenBehind uint32 // What a stream's writer does when a reader of every frame is behind: an abi.WhenBehind.
	_          uint32
	UTCOffset  int64 // Nanoseconds since 1970 (UTC) at the zero of CLOCK_MONOTONIC, as the creator found it.
	Reserved   [20]byte
	Checksum   uint32 // CRC-32 (IEEE) of the 124 bytes before it.
}

// imageWords hold an abi.ImageInfo, in words that can be read and written atomically.
type imageWords [8]atomic.Uint64

// pages gives size rounded up to whole pages.
func pages(size uint64) uint64 { return (size + pageSize - 1) / pageSize * pageSize }

// recordsSize and sharedSize give the sizes of two parts of a stream's file; both are 0 for a segment.

func recordsSize(slots uint32) uint64 { return pages(uint64(slots) * ring.RecordSize) }

func sharedSize(slots uint32) uint64 {
	if slots == 0 {
		return 0
	}
	return pages(uint64(slots)*ring.HoldersSize + placesSize)
}

// placesSize is that of all places. There is room for one more than there are.
const placesSize = (ring.Places + 1) * ring.PlaceSize

// sharedAt and recordsAt give where the parts of a stream's file begin.

func (id *identity) sharedAt() uint64 { return id.FileSize - trailerSize - sharedSize(id.SlotCount) }

func (id *identity) recordsAt() uint64 { return id.sharedAt() - recordsSize(id.SlotCount) }
