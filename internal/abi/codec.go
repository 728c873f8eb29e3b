package abi

// LoadFlag says which channels and depth a loaded file should have. One of the first four, to which
// LoadAnyDepth may be added; any other value is EInvalid.
type LoadFlag int32

const (
	LoadColor     LoadFlag = 0 // 8-bit BGR whatever the file has, alpha dropped, EXIF orientation applied; as cv2.imread.
	LoadGray      LoadFlag = 1 // 8-bit gray, EXIF orientation applied.
	LoadUnchanged LoadFlag = 2 // The file's own channels (gray, BGR or BGRA) and depth, EXIF orientation ignored; as cv2.
	LoadBGRA      LoadFlag = 3 // 8-bit BGRA, opaque where the file has no alpha, EXIF orientation applied.
	LoadAnyDepth  LoadFlag = 8 // Added to LoadColor or LoadGray: keep 16-bit and float samples.
)

// QualityDefault asks shmcv_save for the format's own default.
const QualityDefault = -1
