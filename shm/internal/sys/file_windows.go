package sys

// #include <stdlib.h>
// #include "bell_windows.h"
// #include "memory_windows.h"
import "C"

import (
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

// openFile is a section of the page file, and the small file that gives it its name and has its locks. The section ends with
// the last process that has it open. Who closes it last removes the name.
type openFile struct{ *opened }

type opened struct {
	record
	name           string
	file           windows.Handle // The small file.
	section, event windows.Handle // The event is record.alive.
	readOnly       bool
	made           string // The hidden path of a file that has no name yet.
	security       *windows.SecurityAttributes

	bellsLock sync.Mutex
	bells     *C.shmcv_bells // In C's memory, because C code has the address as the file's number.
}

func newOpened(name string, r record, file windows.Handle) openFile {
	return openFile{&opened{record: r, name: name, file: file, bells: (*C.shmcv_bells)(C.calloc(1, C.sizeof_shmcv_bells))}}
}

func openNamed(name string, use Use) (openFile, fileID, error) {
	if _, _, err := find(name, use); err != nil {
		return openFile{}, fileID{}, err
	}
	const reading, writing = windows.GENERIC_READ, windows.GENERIC_READ | windows.GENERIC_WRITE | windows.DELETE
	path := pathOf(name)
	readOnly := use == ToLook
	access := uint32(writing)
	if readOnly {
		access = reading
	}
	file, err := openPath(path, access)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) && use == ToRead {
		readOnly = true
		file, err = openPath(path, reading)
	}
	if err != nil {
		return openFile{}, fileID{}, err
	}
	r, err := readRecord(file, path)
	if err != nil {
		_ = windows.CloseHandle(file)
		return openFile{}, fileID{}, err
	}
	f := newOpened(name, r, file)
	f.readOnly = readOnly
	if f.security, err = ownSecurity(); err == nil && !unfinished(name) && !leftover(name) {
		err = f.openSection()
	}
	if err != nil {
		f.close()
		return openFile{}, fileID{}, err
	}
	return f, r.id, nil
}

// openSection opens the event before the section: as long as the event is there, the name is the section's.
func (f openFile) openSection() (err error) {
	const access = windows.SYNCHRONIZE
	if f.event, err = windows.OpenEvent(access, false, utf16(f.alive())); err != nil {
		return err
	}
	var number C.uint32_t
	writable := C.int(1)
	if f.readOnly {
		writable = 0
	}
	f.section = windows.Handle(C.shmcv_open_section((*C.uint16_t)(unsafe.Pointer(utf16(f.record.section))), writable, &number))
	if f.section == 0 {
		return windows.Errno(number)
	}
	return nil
}

func (f openFile) writable() bool { return !f.readOnly }

// readByOthers does not look at the section's access list. Readers without the right to write look every few milliseconds.
func (f openFile) readByOthers() bool { return false }

func createUnnamed(name string, wanted, size uint64, access abi.Access) (openFile, fileID, error) {
	if err := checkFolder("create", name); err != nil {
		return openFile{}, fileID{}, err
	}
	claim := claim{name, fmt.Sprintf("%d bytes wanted, %d with metadata", wanted, size), size}
	if err := claim.check(); err != nil {
		return openFile{}, fileID{}, err
	}
	security, err := securityFor(name, access)
	if err != nil {
		return openFile{}, fileID{}, err
	}
	r := record{size: size}
	rand.Read(r.id[:])
	f := newOpened(name, r, windows.InvalidHandle)
	f.security = security
	if err := f.makeSection(); err != nil {
		f.close()
		if noMemory(err) {
			err = claim.noRoom()
		}
		return openFile{}, fileID{}, err
	}
	if err := f.makeFile(); err != nil {
		f.close()
		return openFile{}, fileID{}, err
	}
	return f, r.id, nil
}

// makeSection makes the section and its event. All of the memory is committed: the system has promised it.
func (f openFile) makeSection() (err error) {
	if f.event, err = createEvent(f.alive(), f.security); err != nil {
		return err
	}
	for plain := sectionName(f.name); ; plain = sectionName(f.name) + "~" + rand.Text()[:8] {
		section, err := windows.CreateFileMapping(windows.InvalidHandle, f.security, windows.PAGE_READWRITE,
			uint32(f.record.size>>32), uint32(f.record.size), utf16(plain)) // SEC_COMMIT is the default.
		switch {
		case err == nil:
			f.section, f.record.section = section, plain
			return nil
		case errors.Is(err, windows.ERROR_ALREADY_EXISTS):
			_ = windows.CloseHandle(section)
		case errors.Is(err, windows.ERROR_ACCESS_DENIED), errors.Is(err, windows.ERROR_INVALID_HANDLE): // Another user's, or no section.
		default:
			return err
		}
	}
}

// making is how the hidden names begin that files have before link. The process that makes the file holds lockMaking, which
// shm has no use for.
const (
	making     = ".shmcv-new-"
	lockMaking = 255
)

func unfinished(name string) bool { return strings.HasPrefix(name, making) }

// makeFile makes the small file under a hidden name.
func (f openFile) makeFile() error {
	const (
		access     = windows.GENERIC_READ | windows.GENERIC_WRITE | windows.DELETE
		share      = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
		attributes = windows.FILE_ATTRIBUTE_TEMPORARY | windows.FILE_ATTRIBUTE_NOT_CONTENT_INDEXED
	)
	for range 100 {
		path := strings.TrimSuffix(pathOf(f.name), escaped(lastOf(f.name))) + making + rand.Text()
		file, err := windows.CreateFile(longPath(path), access, share, f.security, windows.CREATE_NEW, attributes, 0)
		if err != nil {
			return err
		}
		f.file, f.made = file, path
		held, err := f.lock(lockMaking, false)
		if err == nil && held && !f.isRemoved() {
			return writeAll(file, f.record.bytes())
		}
		_ = windows.DeleteFile(longPath(path)) // A process that sweeps was faster.
		_ = windows.CloseHandle(file)
		f.file, f.made = windows.InvalidHandle, ""
		if err != nil {
			return err
		}
	}
	return windows.ERROR_BUSY
}

func lastOf(name string) string {
	_, last := split(name)
	return last
}

func (f openFile) isRemoved() bool {
	var standard struct {
		allocated, end        int64
		links                 uint32
		deletePending, folder byte
	}
	err := windows.GetFileInformationByHandleEx(f.file, windows.FileStandardInfo, (*byte)(unsafe.Pointer(&standard)), uint32(unsafe.Sizeof(standard)))
	return err == nil && standard.deletePending != 0
}

func writeAll(file windows.Handle, content []byte) error {
	var n uint32
	return windows.WriteFile(file, content, &n, nil)
}

// readAt reads as much of a file as there is.
func readAt(file windows.Handle, buffer []byte, offset uint64) (int, error) {
	var n uint32
	at := windows.Overlapped{Offset: uint32(offset), OffsetHigh: uint32(offset >> 32)}
	err := windows.ReadFile(file, buffer, &n, &at)
	if errors.Is(err, windows.ERROR_HANDLE_EOF) {
		err = nil
	}
	return int(n), err
}

// removeUnfinished cannot take the name of a file that is being made: link gives the lock back only when it has moved the
// file.
func removeUnfinished(name string) (bool, error) {
	file, err := openPath(pathOf(name), windows.GENERIC_READ|windows.GENERIC_WRITE)
	if err != nil {
		return false, err
	}
	f := openFile{&opened{file: file}}
	defer windows.CloseHandle(file)
	abandoned, err := f.lock(lockMaking, false)
	if err != nil || !abandoned {
		return false, err
	}
	err = remove(name)
	if isMissing(err) { // It was moved, or removed, before this process had the lock.
		return false, nil
	}
	return err == nil, err
}

func (f *openFile) link(name string) error {
	err := rename(f.made, pathOf(name))
	if isTaken(err) && !exists(name) { // The section that had the name was gone.
		err = rename(f.made, pathOf(name))
	}
	if err != nil {
		return err
	}
	f.made = ""
	f.unlock(lockMaking)
	return nil
}

func isTaken(err error) bool {
	return errors.Is(err, windows.ERROR_ALREADY_EXISTS) || errors.Is(err, windows.ERROR_FILE_EXISTS)
}

func (f openFile) number() uintptr { return uintptr(unsafe.Pointer(f.bells)) }

// size is that of the section, which nobody can change.
func (f openFile) size() (uint64, error) { return f.record.size, nil }

func (f openFile) readAt(buffer []byte, offset uint64) (int, error) {
	if offset >= f.record.size {
		return 0, nil
	}
	size := min(uint64(len(buffer)), f.record.size-offset)
	memory, mapping, err := f.mapped(offset, size, false)
	if err != nil {
		return 0, err
	}
	defer mapping.unmap()
	return copy(buffer, memory), nil
}

// mapping is the address of a view, which begins at a multiple of 64 KiB of the section.
type mapping uintptr

const granularity = 1 << 16

func (f openFile) mapped(offset, size uint64, writable bool) ([]byte, mapping, error) {
	access := uint32(windows.FILE_MAP_READ)
	if writable {
		access |= windows.FILE_MAP_WRITE
	}
	before := offset % granularity
	offset -= before
	address, err := windows.MapViewOfFile(f.section, access, uint32(offset>>32), uint32(offset), uintptr(before+size))
	if err != nil {
		return nil, 0, err
	}
	view := unsafe.Slice(*(**byte)(unsafe.Pointer(&address)), before+size) // The address is of no memory of Go's.
	return view[before:], mapping(address), nil
}

func (f openFile) reserveMissing(string) error { return nil } // A section has all of its memory.

func (m mapping) unmap() { _ = windows.UnmapViewOfFile(uintptr(m)) }

// close gives the section back before the event. Who finds no event afterwards was the last, and removes the name. Others
// that close at the same time may find none either; the name is removed from this file only.
func (f openFile) close() {
	if f.bells != nil {
		for i := range f.bells.pairs {
			C.shmcv_pair_close(f.bells.pairs[i])
		}
	}
	C.free(unsafe.Pointer(f.bells))
	if f.section != 0 {
		_ = windows.CloseHandle(f.section)
	}
	if f.made != "" {
		_ = windows.DeleteFile(longPath(f.made))
	}
	if f.event != 0 {
		_ = windows.CloseHandle(f.event)
		if f.made == "" && f.file != windows.InvalidHandle && !f.isAlive() {
			_, _ = removeFrom(f.name, f.id)
		}
	}
	if f.file != windows.InvalidHandle {
		_ = windows.CloseHandle(f.file)
	}
}

// A lock is on two bytes, far behind the end of the file. The system does not tell whether a byte is locked; it is to be
// tried. A file that has a lock alone has both bytes. Who shares a lock has a part in the first. heldByOther tries the
// second, so that it never keeps the lock from a file that asks for it at that moment.
const (
	firstLock  = 1 << 62
	secondByte = 256 // From the first.
	mostLocks  = 512
)

// lockByte takes a byte, and returns false if others have it.
func (f openFile) lockByte(number int, shared bool) (bool, error) {
	flags := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if !shared {
		flags |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	at := lockAt(number)
	err := windows.LockFileEx(f.file, flags, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}

func lockAt(number int) windows.Overlapped {
	offset := uint64(firstLock) + uint64(number)
	return windows.Overlapped{Offset: uint32(offset), OffsetHigh: uint32(offset >> 32)}
}

func (f openFile) unlockByte(number int) {
	at := lockAt(number)
	_ = windows.UnlockFileEx(f.file, 0, 1, 0, &at)
}

// lookPatience is how long lock waits for those that look whether a lock is held, which takes each of them microseconds.
const lookPatience = time.Second

func (f openFile) lock(number int, shared bool) (bool, error) {
	taken, err := f.lockByte(number, shared)
	if !taken || shared {
		return taken, err
	}
	for deadline := time.Now().Add(lookPatience); ; runtime.Gosched() {
		taken, err := f.lockByte(secondByte+number, false)
		if taken {
			return true, nil
		}
		if err != nil || time.Now().After(deadline) {
			f.unlockByte(number)
			return false, err
		}
	}
}

// unlock and unlockAll cannot fail on an open file.

func (f openFile) unlock(number int) {
	f.unlockByte(secondByte + number)
	f.unlockByte(number)
}

func (f openFile) unlockAll() {} // No child has the file open: its handle is not inherited, and close gives all locks back.

func (f openFile) heldByOther(number int) (bool, error) {
	free, err := f.lockByte(secondByte+number, true)
	if free {
		f.unlockByte(secondByte + number)
	}
	return !free && err == nil, err
}
