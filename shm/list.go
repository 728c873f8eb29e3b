package shm

import "shmcv/internal/abi"

// List tells of all segments of this user that have our metadata, in the order of their names. What vanishes while it
// looks, cannot be a segment, or has metadata that makes no sense, is left out.
func List() ([]abi.SegmentInfo, error) {
	names, err := allNames()
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
		case abi.EIO, abi.ENoSpace: // The process has no file descriptor or address space left: that is not an empty list.
			return nil, err
		}
	}
	return infos, nil
}

func infoOf(name string) (abi.SegmentInfo, error) {
	s, err := Open(name)
	if err != nil {
		return abi.SegmentInfo{}, err
	}
	defer s.Release()
	return s.Info()
}
