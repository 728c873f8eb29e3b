package ops

import (
	"errors"
	"fmt"
	"runtime/debug"

	"shmcv/internal/abi"
	"shmcv/ops/internal/probe"
)

// Probe returns the image that Load would produce with the same flags, rows without gaps. It reads the file's header, or
// as much of the file as the format needs for that, and decodes nothing.
//
// Errors: those of Load, except that damage to the pixels is not seen.
func Probe(path string, flags abi.LoadFlag) (abi.ImageInfo, error) {
	content, size, err := readStart(path)
	if err != nil {
		return abi.ImageInfo{}, err
	}
	defer release(content)
	p, err := probe.PlanFor(content, flags)
	short := errors.Is(err, probe.ErrShort) && size > int64(len(content))
	if short {
		p, err = planOfMapped(path, flags)
	}
	if err != nil {
		return abi.ImageInfo{}, loadError(path, err)
	}
	return p.Result, nil
}

// planOfMapped is PlanFor for a file that is mapped and not read: of a file whose header goes on at its end, as a TIFF's
// directory and the last chunks of a PNG do, only the pages that are looked at come into memory.
func planOfMapped(path string, flags abi.LoadFlag) (p probe.Plan, err error) {
	content, unmap, err := mapFile(path)
	if err != nil {
		return probe.Plan{}, err
	}
	defer unmap()
	// Another program may cut the file meanwhile.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		fault := recover()
		if _, ok := fault.(interface{ Addr() uintptr }); ok {
			err = fmt.Errorf("%w: another program has cut it meanwhile", probe.ErrShort)
		} else if fault != nil {
			panic(fault)
		}
	}()
	p, err = probe.PlanFor(content, flags)
	p.PNG = nil // It refers to content.
	return p, err
}

// ProbeBytes is Probe for the content of a file, or for as much of it as has come so far.
//
// Errors: those of Probe that are not about a path. EDecode says so if the header goes on beyond content.
func ProbeBytes(content []byte, flags abi.LoadFlag) (abi.ImageInfo, error) {
	if err := checkContent(content); err != nil {
		return abi.ImageInfo{}, err
	}
	p, err := probe.PlanFor(content, flags)
	if err != nil {
		return abi.ImageInfo{}, decodeError(nameOf(content), err)
	}
	return p.Result, nil
}

// checkContent returns an error if content has the wrong size to be a file's.
func checkContent(content []byte) error {
	switch {
	case len(content) == 0:
		return abi.Errorf(abi.EDecode, "%s: an image file is never empty", nameOf(content))
	case len(content) > maxFile:
		return abi.Errorf(abi.ELimit, "%s: at most %d are read", nameOf(content), maxFile)
	}
	return nil
}

// nameOf begins the errors of content that has no path.
func nameOf(content []byte) string { return fmt.Sprintf("decode %d bytes", len(content)) }

// loadError is decodeError for a file.
func loadError(path string, err error) error { return decodeError("load "+abi.Quote(path), err) }

// decodeError says of what is wrong with a file's content where the content is from.
func decodeError(from string, err error) error {
	if errors.Is(err, probe.ErrShort) {
		return abi.Errorf(abi.EDecode, "%s: the file is truncated: %w", from, err)
	}
	return abi.Errorf(abi.CodeOf(err), "%s: %w", from, err)
}
