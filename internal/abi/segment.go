package abi

// Limits on segments.
const (
	MaxName   = 200 // Greatest length of a segment's name, in bytes.
	MaxFolder = 512 // Greatest length of the path of a folder with segments in it, in bytes.
)

// Segment is a handle of an open segment, given by shmcv_create and shmcv_open, and valid in this process until
// shmcv_close. A handle that was closed, or never given out, is answered with SHMCV_E_CLOSED, never with a crash. {0} is no
// segment.
type Segment struct {
	Handle uint64 // Opaque; never 0 in a segment that is open.
}

// SegmentInfo tells what is known of a segment or stream. It is 896 bytes long.
type SegmentInfo struct {
	Name        [720]byte // By which this process opens it, NUL-terminated: a name, or a path in a folder that is not this process's.
	UUID        [16]byte  // Identity of this segment, all zero in a foreign one. A name can be given again, a UUID is not.
	Size        uint64    // Bytes for pixels, as asked for when it was created; the file's length for a foreign one.
	FileSize    uint64    // Bytes of shared memory it takes.
	CreatedAt   uint64    // When it was created, nanoseconds since 1970 (UTC); 0 for a foreign one.
	Owner       uint32    // Process id of its creator; 0 for a foreign one.
	OwnerAlive  uint32    // 1 while the creator has it open, 0 when that process is gone or has closed it.
	HasImage    uint32    // 1 when Image is meaningful.
	Foreign     uint32    // 1 when it has no shmcv metadata: made by another program.
	Image       ImageInfo // The image in it; of a stream, that of its newest frame.
	SlotSize    uint64    // Bytes for the pixels of one frame of a stream; 0 for a segment that holds a single image.
	Slots       uint32    // Slots of a stream, 0 for a segment that holds a single image.
	WhenBehind  uint32    // What a stream's writer does when a reader of every frame is behind: a WhenBehind; 0 for a segment.
	Writer      uint32    // Process id of a stream's writer; 0 if it has none.
	Reserved0   uint32    // 0.
	UtcOffsetNs int64     // Nanoseconds to add to a frame's times for nanoseconds since 1970 (UTC), as of the stream's creation.
	Reserved    [3]uint64 // 0.
}
