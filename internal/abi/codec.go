package abi

// LoadFlag says which channels and depth a loaded file should have. One of the first four, to which
// LoadAnyDepth may be added; any other value is EInvalid. The numbers are those of OpenCV's ImreadModes.
// OpenCV has no LoadBGRA.
type LoadFlag int32

const (
	LoadUnchanged LoadFlag = -1  // The file's own channels (gray, BGR or BGRA) and depth, EXIF orientation ignored; as cv2.
	LoadGray      LoadFlag = 0   // 8-bit gray, EXIF orientation applied.
	LoadColor     LoadFlag = 1   // 8-bit BGR whatever the file has, alpha dropped, EXIF orientation applied; as cv2.imread.
	LoadBGRA      LoadFlag = 512 // 8-bit BGRA, opaque where the file has no alpha, EXIF orientation applied.
	LoadAnyDepth  LoadFlag = 2   // Added to LoadColor or LoadGray: keep 16-bit and float samples.
)

// QualityDefault asks shmcv_save for the format's own default.
const QualityDefault = -1
