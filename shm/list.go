package shm

import (
	"runtime"
	"time"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// List tells of all segments and streams in this process's folder that have this library's metadata and are this user's,
// or may be read by a group of this process, in the order of their names.
// It leaves out what it cannot look at: files that vanish meanwhile, that others keep from being opened, that cannot be
// segments, and whose metadata makes no sense. It waits for nobody, and changes nothing.
//
// Errors: EIO and ENoSpace when this process has no file descriptor or address space left to look with.
func List() ([]abi.SegmentInfo, error) {
	names, err := sys.Names()
	if err != nil {
		return nil, err
	}
	var infos []abi.SegmentInfo
	settled := time.Now().Add(settling)
	for _, name := range names {
		info, err := glimpse(name, settled)
		switch {
		case err == nil:
			infos = append(infos, info)
		case sys.Exhausted(err): // An empty list would be a lie.
			return nil, err
		}
	}
	return infos, nil
}

// settling is how long List gives all processes together to finish storing a description, which takes each of them a
// microsecond.
const settling = 50 * time.Millisecond

// glimpse tells what List tells of one name.
func glimpse(name string, settled time.Time) (abi.SegmentInfo, error) {
	if err := validPlain(name); err != nil {
		return abi.SegmentInfo{}, err
	}
	m, err := look(name)
	if err != nil {
		return abi.SegmentInfo{}, err
	}
	defer m.file.Close()
	image, err := m.glimpseImage(settled)
	return m.infoWith(image, err)
}

// look opens a segment or stream that List tells of, to look at its trailer. It takes no lock, does not open a file that cannot
// be one, and maps nothing but the end of the file. The result has no pixels, and the caller closes its file.
//
// Errors: EUnsupported for a file without this library's metadata; otherwise those of Open.
func look(name string) (*mapping, error) {
	if _, size, err := sys.Find(name, sys.ToLook); err != nil || size == 0 || size%granularity != 0 {
		return nil, noSegment(name, err)
	}
	file, err := sys.OpenToLook(name)
	if err != nil {
		return nil, err
	}
	m := &mapping{name: name, file: file}
	if err := m.mapEnd(); err != nil {
		file.Close()
		return nil, err
	}
	return m, nil
}

// mapEnd maps no more than the trailer and what describes a stream's frames, to be read.
func (m *mapping) mapEnd() error {
	fileSize, id, err := examineContent(m.name, m.file)
	if err != nil || id == nil {
		return noSegment(m.name, err)
	}
	end, err := m.file.Map(id.recordsAt(), fileSize-id.recordsAt(), false)
	if err != nil {
		return err
	}
	m.fileSize, m.size, m.identity, m.trailer = fileSize, id.Size, *id, trailerOf(end)
	m.records = end[:recordsSize(id.SlotCount)]
	return nil
}

// noSegment gives err, or an error that says that a file has no metadata.
func noSegment(name string, err error) error {
	if err != nil {
		return err
	}
	return abi.Errorf(abi.EUnsupported, "shm: %q was made by another program", name)
}

// glimpseImage gives the segment's or stream's image. It takes no turn: if the image is being stored until the time
// settled, it gives EBusy, and ENoImage if a process has died while it stored one.
func (m *mapping) glimpseImage(settled time.Time) (abi.ImageInfo, error) {
	if m.isStream() {
		return m.newestImage()
	}
	if err := m.checkTrailer(); err != nil {
		return abi.ImageInfo{}, err
	}
	for {
		image, ok := m.trailer.readImage()
		switch {
		case ok && image == abi.ImageInfo{}:
			return image, noImage(m.name)
		case ok:
			return checkedImage(image, m.size, m.name)
		}
		if busy, err := m.file.HeldByOther(lockImage); err != nil {
			return abi.ImageInfo{}, err
		} else if !busy && m.trailer.ImageSequence.Load()%2 == 1 {
			return abi.ImageInfo{}, noImage(m.name)
		}
		if time.Now().After(settled) {
			return abi.ImageInfo{}, storing(m.name, settling)
		}
		runtime.Gosched()
	}
}
