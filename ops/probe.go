package ops

import (
	"errors"

	"shmcv/internal/abi"
	"shmcv/ops/internal/probe"
)

// Probe returns the image that Load would produce with the same flags, rows without gaps. It reads the file's header, or
// as much of the file as the format needs for that, and decodes nothing.
//
// Errors: those of Load, except that damage to the pixels is not seen.
func Probe(path string, flags abi.LoadFlag) (abi.ImageInfo, error) {
	const first = 256 << 10
	content, size, err := readStart(path, first)
	if err != nil {
		return abi.ImageInfo{}, err
	}
	p, err := probe.PlanFor(content, flags)
	if errors.Is(err, probe.ErrShort) && size > int64(len(content)) {
		release(content)
		if content, err = readFile(path); err != nil {
			return abi.ImageInfo{}, err
		}
		p, err = probe.PlanFor(content, flags)
	}
	release(content)
	if err != nil {
		return abi.ImageInfo{}, loadError(path, err)
	}
	return p.Result, nil
}

// loadError adds the path to what is wrong with a file.
func loadError(path string, err error) error {
	if errors.Is(err, probe.ErrShort) {
		return abi.Errorf(abi.EDecode, "load %q: the file is truncated: %w", path, err)
	}
	return abi.Errorf(abi.CodeOf(err), "load %q: %w", path, err)
}
