package ring

// Status is what a function of ring.h has found. The values have their meaning there.
type Status int

const (
	OK Status = iota
	Nothing
	Ended
	Cleared
	NoPlace
	NoWriter
	Filling
	Full
	Behind
	Storing
	NotBegun
	NoImage
	UnknownImage
	Corrupt
	Cut
)

// What a frame is.
const (
	Writing   = 1
	Reading   = 2
	Published = 3
)

const (
	SlotBits     = 10 // Of a packed frame: the slot's number.
	MostSlots    = 1 << SlotBits
	Places       = 63   // Parties that can read at a time.
	MostMetadata = 1024 // Bytes of a frame's metadata.
	Nowhere      = -1

	// Sizes of what a stream's file has for each slot and for each place, and where the stream's words are in the trailer.
	RecordSize  = 128 + MostMetadata
	HoldersSize = 64
	PlaceSize   = 64
	wordsOffset = 320

	// Where the room bell's value and mark are in the trailer.
	RoomOffset      = 512
	WantsRoomOffset = 576
)
