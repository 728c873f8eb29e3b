package sys

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

// record is what the small file says that gives a section its name. It never changes once the file has its name. The file
// has 512 bytes, numbers are little-endian:
//
//	  0  SHMCVNAM
//	  8  version: 1, in 4 bytes
//	 12  mode, in 4 bytes
//	 16  id
//	 32  size, in 8 bytes
//	 40  session, in 4 bytes
//	 44  length of the section's name, in 4 bytes
//	 48  the section's name
//	360  owner, a security identifier
//	428  group, likewise
//	508  CRC-32 (IEEE) of the bytes before
type record struct {
	access
	id      fileID
	size    uint64 // Of the section, in bytes.
	session uint32 // Of the process that made it. Names of kernel objects are each session's own, unless they are for all.
	section string // The section's name in the kernel.
}

// fileID is random. The file system's own number may be another file's as soon as the file is removed.
type fileID [16]byte

const (
	recordMagic   = "SHMCVNAM"
	recordVersion = 1
	recordSize    = 512
	recordNumber  = 8  // Where the version begins.
	recordMode    = 12 // Where the mode begins: every version has what is before.
	recordName    = 48 // Where the section's name begins.
	recordOwner   = 360
	recordGroup   = 428
	longestSID    = recordGroup - recordOwner
)

func (r *record) bytes() []byte {
	b := make([]byte, recordSize)
	copy(b, recordMagic)
	binary.LittleEndian.PutUint32(b[recordNumber:], recordVersion)
	binary.LittleEndian.PutUint32(b[recordMode:], r.mode)
	copy(b[16:], r.id[:])
	binary.LittleEndian.PutUint64(b[32:], r.size)
	binary.LittleEndian.PutUint32(b[40:], r.session)
	binary.LittleEndian.PutUint32(b[44:], uint32(len(r.section)))
	copy(b[recordName:recordOwner], r.section)
	copy(b[recordOwner:recordGroup], sidBytes(r.owner))
	copy(b[recordGroup:recordGroup+longestSID], sidBytes(r.group))
	binary.LittleEndian.PutUint32(b[recordSize-4:], crc32.ChecksumIEEE(b[:recordSize-4]))
	return b
}

// readRecord reads the record of an open file. path is for messages.
func readRecord(file windows.Handle, path string) (record, error) {
	b := make([]byte, recordSize+1)
	n, err := readAt(file, b, 0)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) { // Whoever may read the file can lock what it says.
		n, err = readMapped(file, b)
	}
	if err != nil {
		return record{}, err
	}
	if n < recordMode || string(b[:len(recordMagic)]) != recordMagic {
		return record{}, abi.Errorf(abi.EUnsupported, "shm: %s was made by another program: it is no name of a segment", path)
	}
	version := binary.LittleEndian.Uint32(b[recordNumber:])
	if version > recordVersion { // Its length may be another one, too.
		return record{}, abi.Errorf(abi.EUnsupported, "shm: %s has version %d; this library knows version %d, and has to be updated",
			path, version, recordVersion)
	}
	length := binary.LittleEndian.Uint32(b[44:])
	owner, group := readSID(b[recordOwner:recordGroup]), readSID(b[recordGroup:recordGroup+longestSID])
	whole := n == recordSize && version == recordVersion && binary.LittleEndian.Uint32(b[recordSize-4:]) == crc32.ChecksumIEEE(b[:recordSize-4])
	if !whole || length > recordOwner-recordName || owner == nil || group == nil {
		return record{}, abi.Errorf(abi.ECorrupt, "shm: %s has been overwritten; remove the file", path)
	}
	r := record{
		access:  access{owner, group, binary.LittleEndian.Uint32(b[recordMode:])},
		size:    binary.LittleEndian.Uint64(b[32:]),
		session: binary.LittleEndian.Uint32(b[40:]),
		section: string(b[recordName : recordName+length]),
	}
	copy(r.id[:], b[16:])
	return r, nil
}

// readMapped does as readAt, from the beginning of a file, where locks do not count: in memory.
func readMapped(file windows.Handle, buffer []byte) (int, error) {
	section, err := windows.CreateFileMapping(file, nil, windows.PAGE_READONLY, 0, 0, nil)
	if err != nil {
		return 0, err
	}
	defer windows.CloseHandle(section)
	address, err := windows.MapViewOfFile(section, windows.FILE_MAP_READ, 0, 0, 0)
	if err != nil {
		return 0, err
	}
	defer windows.UnmapViewOfFile(address)
	return copy(buffer, bytesAt(address, recordSize)), nil // The rest of the page would be zeros.
}

// readSID gives a copy of the security identifier at the beginning of bytes; nil if there is none.
func readSID(b []byte) *windows.SID {
	const revision, fixed, mostParts = 1, 8, 15
	if b[0] != revision || b[1] > mostParts {
		return nil
	}
	own := make([]byte, fixed+4*int(b[1]))
	copy(own, b)
	return (*windows.SID)(unsafe.Pointer(&own[0]))
}

// scope is how the names of all kernel objects begin that belong to the section: for those of one session, or of all.
func (r *record) scope() string {
	if strings.HasPrefix(r.section, allSessions) {
		return allSessions
	}
	return oneSession
}

func (r *record) objects() string { return r.scope() + "shmcv-" + hex.EncodeToString(r.id[:]) }

// alive is the name of the event that everybody has open who has the section open. It tells a section of this library
// from another program's that has got the name later.
func (r *record) alive() string { return r.objects() + "-alive" }

// isElsewhere returns true if the section is of another session, whose kernel objects this process cannot see.
func (r *record) isElsewhere() bool { return r.scope() == oneSession && r.session != session }

// session is that of this process.
var session = func() (number uint32) {
	_ = windows.ProcessIdToSessionId(windows.GetCurrentProcessId(), &number)
	return number
}()

// isAlive returns true if a process has the section open. file is the small file.
func (r *record) isAlive(file windows.Handle) bool {
	if r.isElsewhere() { // All who have it open share a lock of the file.
		return isLocked(file)
	}
	event, err := windows.OpenEvent(windows.SYNCHRONIZE, false, utf16(r.alive()))
	if err != nil {
		return !isMissing(err) // Who may not open it knows that it is there.
	}
	_ = windows.CloseHandle(event)
	return true
}

// elsewhere is the error for a section of another session.
func (r *record) elsewhere(operation, name string) error {
	_, last := split(name)
	return abi.Errorf(abi.EPermission, "shm: %s %q: a program in session %d of Windows has it, and this process is in session %d; a segment "+
		`is for one session unless its name begins with Global\; its creator calls it Global\%s, and all others do too`,
		operation, name, r.session, session, last)
}
