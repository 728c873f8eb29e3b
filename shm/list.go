package shm

import (
	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// List tells of all segments and streams of this user that have this library's metadata, in the order of their names.
// It leaves out what vanishes while it looks, what cannot be a segment, and what has metadata that makes no sense.
//
// Errors: EIO and ENoSpace when this process has no file descriptor or address space left to look with.
func List() ([]abi.SegmentInfo, error) {
	names, err := sys.Names()
	if err != nil {
		return nil, err
	}
	var infos []abi.SegmentInfo
	for _, name := range names {
		info, err := infoOf(name)
		switch abi.CodeOf(err) {
		case abi.OK:
			if info.Foreign == 0 {
				infos = append(infos, info)
			}
		case abi.EIO, abi.ENoSpace: // An empty list would be a lie.
			return nil, err
		}
	}
	return infos, nil
}

func infoOf(name string) (abi.SegmentInfo, error) {
	m, err := openMapping(name)
	if err != nil {
		return abi.SegmentInfo{}, err
	}
	defer m.Release()
	return m.Info()
}
