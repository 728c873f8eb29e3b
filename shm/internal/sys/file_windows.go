package sys

// #include <stdlib.h>
// #include "bell_windows.h"
// #include "memory_windows.h"
import "C"

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

// openFile is a section of the page file, and the small file that gives it its name and has its locks. The section ends with
// the last process that has it open. Who closes it last removes the name. The section of another program has no small file, no
// event and no locks.
type openFile struct{ *opened }

type opened struct {
	record
	name           string
	file           windows.Handle // The small file; InvalidHandle if there is none.
	section, event windows.Handle // The event is record.alive.
	readOnly       bool
	made           string // The hidden path of a file that has no name yet.

	bellsLock sync.Mutex
	bells     *C.shmcv_bells // In C's memory, because C code has the address as the file's number.
}

func newOpened(name string, r record, file windows.Handle) openFile {
	return openFile{&opened{record: r, name: name, file: file, bells: (*C.shmcv_bells)(C.calloc(1, C.sizeof_shmcv_bells))}}
}

func openNamed(name string, use Use) (openFile, fileID, error) {
	file, r, err := openRecord(name, use)
	if isMissing(err) {
		return openForeign(name, use)
	}
	if err != nil {
		return openFile{}, fileID{}, err
	}
	f := newOpened(name, r, file)
	if !unfinished(name) && !leftover(name) {
		err = f.openSection(use)
	}
	if err != nil {
		f.close()
		return openFile{}, fileID{}, err
	}
	return f, r.id, nil
}

// openSection opens the event before the section: as long as the event is there, the name is the section's.
func (f openFile) openSection(use Use) (err error) {
	if f.isElsewhere() {
		return f.elsewhere("open", f.name)
	}
	if f.event, err = windows.OpenEvent(windows.SYNCHRONIZE, false, utf16(f.alive())); err != nil {
		if isMissing(err) { // Its last process has closed it since openRecord looked, and may have taken that look for another user.
			_, _ = removeFrom(f.name, f.id)
		}
		return err
	}
	f.section, f.readOnly, err = openSectionFor(f.record.section, use)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		words := "to write to it; it is for reading, so open it read-only"
		if use != ToWrite && use != ToOwn {
			words = "to read it"
		}
		return abi.Errorf(abi.EPermission, "shm: open %q: its mode is %#o, its owner %s and its group %s, and this user has no right %s; its "+
			"creator gives it a group of this user (0660 to read and write, 0640 to read)", f.name, f.mode, nameOf(f.owner), nameOf(f.group), words)
	}
	return err
}

// openSectionFor opens a section for a use. Where it is opened to be read, it is opened for writing too if that is allowed.
func openSectionFor(section string, use Use) (handle windows.Handle, readOnly bool, err error) {
	if use != ToLook {
		handle, err = openMapping(section, windows.FILE_MAP_READ|windows.FILE_MAP_WRITE)
	}
	if use == ToLook || use == ToRead && errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		readOnly = true
		handle, err = openMapping(section, windows.FILE_MAP_READ)
	}
	return handle, readOnly, err
}

func openMapping(section string, access uint32) (windows.Handle, error) {
	var number C.uint32_t
	handle := windows.Handle(C.shmcv_open_section((*C.uint16_t)(unsafe.Pointer(utf16(section))), C.uint32_t(access), &number))
	if handle == 0 {
		return 0, windows.Errno(number)
	}
	return handle, nil
}

func (f openFile) writable() bool { return !f.readOnly }

// readByOthers tells what the creator has said. Nobody changes the access lists of sections.
func (f openFile) readByOthers() bool { return !f.isForeign() && f.access.readByOthers() }

func createUnnamed(name string, wanted, size uint64, access abi.Access) (openFile, fileID, error) {
	if err := checkFolder("create", name); err != nil {
		return openFile{}, fileID{}, err
	}
	claim := claim{name, fmt.Sprintf("%d bytes wanted, %d with metadata", wanted, size), size}
	if err := claim.check(); err != nil {
		return openFile{}, fileID{}, err
	}
	given, err := accessFor(name, access)
	if err != nil {
		return openFile{}, fileID{}, err
	}
	r := record{access: given, size: size, session: session}
	rand.Read(r.id[:])
	f := newOpened(name, r, windows.InvalidHandle)
	if err = f.makeSection(); noMemory(err) {
		err = claim.noRoom()
	}
	if err == nil {
		err = f.makeFile()
	}
	if err != nil {
		f.close()
		return openFile{}, fileID{}, given.notGiven(name, err)
	}
	return f, r.id, nil
}

// makeSection makes the section and its event. The section has its own name in the kernel if that is free. If another program
// has a section of that name, the name is taken: two programs that say one name mean one section.
func (f openFile) makeSection() error {
	plain, found := sectionName(f.name)
	f.record.section = plain // Of whose beginning the names of all objects are made.
	security, err := f.security(anAlive)
	if err != nil {
		return err
	}
	if f.event, err = createEvent(f.alive(), security); err != nil {
		return err
	}
	if security, err = f.security(aSection); err != nil {
		return err
	}
	denied := 0
	for section := plain; ; section = plain + "~" + rand.Text()[:8] {
		handle, err := reserveSection(section, f.record.size, security)
		switch {
		case err == nil:
			f.section, f.record.section = handle, section
			return f.commit()
		case errors.Is(err, windows.ERROR_ALREADY_EXISTS):
			foreign := found && section == plain && hasForeign(handle)
			_ = windows.CloseHandle(handle)
			if foreign {
				return windows.ERROR_ALREADY_EXISTS
			}
		case errors.Is(err, windows.ERROR_ACCESS_DENIED): // It is another user's; or this process may make none at all.
			if denied++; denied > 1 && f.scope() == allSessions {
				return noGlobal("create", f.name)
			} else if denied > 1 {
				return err
			}
		case errors.Is(err, windows.ERROR_INVALID_HANDLE): // Another program's event, mutex or the like.
		default:
			return err
		}
	}
}

// reserveSection makes a section that has no memory yet. It is a variable for tests. The error is windows.ERROR_ALREADY_EXISTS, and
// the handle good, if there is a section of that name.
var reserveSection = func(name string, size uint64, security *windows.SecurityAttributes) (windows.Handle, error) {
	const reserve = 0x4000000 // SEC_RESERVE
	return windows.CreateFileMapping(windows.InvalidHandle, security, windows.PAGE_READWRITE|reserve, uint32(size>>32), uint32(size), utf16(name))
}

// commit gives the section its memory, which the system promises then: first the end, with the mark by which others tell a section
// of this library, and then all else. So a section that is seen before it has its name here is never taken for another program's.
func (f openFile) commit() error {
	address, err := windows.MapViewOfFile(f.section, windows.FILE_MAP_READ|windows.FILE_MAP_WRITE, 0, 0, uintptr(f.record.size))
	if err != nil {
		return err
	}
	defer windows.UnmapViewOfFile(address)
	end := address + uintptr(f.record.size) - endSize
	if _, err := windows.VirtualAlloc(end, endSize, windows.MEM_COMMIT, windows.PAGE_READWRITE); err != nil {
		return err
	}
	copy(bytesAt(end, len(endMark)), endMark)
	_, err = windows.VirtualAlloc(address, uintptr(f.record.size), windows.MEM_COMMIT, windows.PAGE_READWRITE)
	return err
}

// bytesAt gives memory that is not Go's.
func bytesAt(address uintptr, size int) []byte {
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&address)), size)
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
	security, err := f.security(aFile)
	if err != nil {
		return err
	}
	for range 100 {
		path := filepath.Join(filepath.FromSlash(folderOf(f.name)), making+rand.Text())
		file, err := windows.CreateFile(longPath(path), access, share, security, windows.CREATE_NEW, attributes, 0)
		if err != nil {
			return noRight("create", f.name, err)
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
	file, err := openPath(pathOf(name), windows.GENERIC_READ)
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
	return bytesAt(address, int(before+size))[before:], mapping(address), nil
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
		if f.made == "" && f.file != windows.InvalidHandle && !f.isAlive(f.file) {
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

// isLocked returns true if anybody has a lock of a file, or a part in one.
func isLocked(file windows.Handle) bool {
	at := lockAt(0)
	const flags = windows.LOCKFILE_FAIL_IMMEDIATELY | windows.LOCKFILE_EXCLUSIVE_LOCK
	if err := windows.LockFileEx(file, flags, 0, mostLocks, 0, &at); err != nil {
		return true
	}
	_ = windows.UnlockFileEx(file, 0, mostLocks, 0, &at)
	return false
}

func (f openFile) lock(number int, shared bool) (bool, error) {
	if f.isForeign() { // Its image is known to this process alone, whose threads wait for each other elsewhere.
		return true, nil
	}
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
	if f.isForeign() {
		return
	}
	f.unlockByte(secondByte + number)
	f.unlockByte(number)
}

func (f openFile) unlockAll() {} // No child has the file open: its handle is not inherited, and close gives all locks back.

func (f openFile) heldByOther(number int) (bool, error) {
	if f.isForeign() {
		return false, nil
	}
	free, err := f.lockByte(secondByte+number, true)
	if free {
		f.unlockByte(secondByte + number)
	}
	return !free && err == nil, err
}
