package sys

import (
	"crypto/sha256"
	"errors"
	"unsafe"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

// Other programs' sections have names in the kernel alone, and no small file: those of .NET's MemoryMappedFile, Python's
// SharedMemory, and CreateFileMapping. A plain name opens such a section, as it opens another program's file in Linux's /dev/shm.

// The end of a section of this library, with the mark that it has from the first. Package shm puts more there.
const (
	endSize = 4096
	endMark = "SHMCVSEG"
)

func (f openFile) isForeign() bool { return f.file == windows.InvalidHandle && f.owner == nil }

// foreignID tells the section of another program by its name, which stays that section's as long as this process has it open.
func foreignID(name string) (id fileID) {
	section, _ := sectionName(name)
	hash := sha256.Sum256([]byte(section))
	copy(id[:], hash[:])
	return id
}

func findForeign(name string, use Use) (fileID, uint64, error) {
	f, id, err := openForeign(name, use)
	if err != nil {
		return fileID{}, 0, err
	}
	defer f.close()
	return id, f.record.size, nil
}

// isForeign returns true if another program has a section of a name.
func isForeign(name string) bool {
	_, _, err := findForeign(name, ToRead)
	return err == nil
}

// openForeign opens another program's section. A section of this library that has no small file has been cleared, or has no
// name yet.
func openForeign(name string, use Use) (openFile, fileID, error) {
	missing := windows.ERROR_FILE_NOT_FOUND
	section, plain := sectionName(name)
	if !plain || leftover(name) || unfinished(name) {
		return openFile{}, fileID{}, missing
	}
	handle, readOnly, err := openSectionFor(section, use)
	if errors.Is(err, windows.ERROR_INVALID_HANDLE) {
		return openFile{}, fileID{}, abi.Errorf(abi.EUnsupported, "shm: open %q: another program has an object of that name that is no memory, but "+
			"an event, a mutex, a semaphore or the like", name)
	}
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) && folderOf(name) != globalFolder { // Another user's, whose names are another user's too.
		err = missing
	}
	if err != nil {
		return openFile{}, fileID{}, err
	}
	f := newOpened(name, record{id: foreignID(name), section: section}, windows.InvalidHandle)
	f.section, f.readOnly = handle, readOnly
	size, committed, err := f.extent()
	if err == nil && (!committed || f.hasMark(size)) { // What is not committed is being made, or nobody can use it.
		err = missing
	}
	if err == nil {
		err = f.distrustSection(use)
	}
	if err != nil {
		f.close()
		return openFile{}, fileID{}, err
	}
	f.record.size = size
	return f, f.id, nil
}

// hasForeign returns true if a section is not one of this library.
func hasForeign(section windows.Handle) bool {
	f := openFile{&opened{section: section, file: windows.InvalidHandle}}
	size, committed, err := f.extent()
	return err == nil && committed && !f.hasMark(size)
}

// extent gives the size of a section, in whole pages, and whether all of its memory is there.
func (f openFile) extent() (size uint64, committed bool, err error) {
	address, err := windows.MapViewOfFile(f.section, windows.FILE_MAP_READ, 0, 0, 0)
	if err != nil {
		return 0, false, err
	}
	defer windows.UnmapViewOfFile(address)
	var region windows.MemoryBasicInformation
	if err := windows.VirtualQuery(address, &region, unsafe.Sizeof(region)); err != nil {
		return 0, false, err
	}
	return uint64(region.RegionSize), region.State == windows.MEM_COMMIT, nil
}

func (f openFile) hasMark(size uint64) bool {
	memory, mapping, err := f.mapped(size-endSize, uint64(len(endMark)), false)
	if err != nil {
		return false
	}
	defer mapping.unmap()
	return string(memory) == endMark
}

// distrustSection returns EPermission if another program's section is a stranger's. To read it, that does not matter.
func (f openFile) distrustSection(use Use) error {
	if use == ToRead {
		return nil
	}
	owner, err := ownerOfSection(f.record.section)
	if err == nil && (owner == nil || isTrusted(owner)) { // Wine's objects have no owner, if nobody has said so.
		return nil
	}
	return abi.Errorf(abi.EPermission, "shm: open %q: the memory was made by another user's program, whom this process need not trust; "+
		"open it read-only", f.name)
}

// ownerOfSection is a variable for tests.
var ownerOfSection = func(name string) (*windows.SID, error) {
	section, err := openMapping(name, windows.READ_CONTROL)
	if err != nil {
		return nil, err
	}
	defer windows.CloseHandle(section)
	return ownerOfObject(section, windows.SE_KERNEL_OBJECT)
}

// foreignStays is the error where a name cannot be taken away.
func foreignStays(name string) error {
	return abi.Errorf(abi.EUnsupported, "shm: clear %q: another program made it without this library, and Windows gives such a name back when "+
		"the last program closes it; end those programs", name)
}
