package sys

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

// record is what the small file says that gives a section its name. It never changes once the file has its name. The file
// has 512 bytes, numbers are little-endian:
//
//	  0  SHMCVNAM
//	  8  version: 1, in 4 bytes
//	 16  id
//	 32  size, in 8 bytes
//	 40  length of the section's name, in 4 bytes
//	 44  the section's name
//	508  CRC-32 (IEEE) of the bytes before
type record struct {
	id      fileID
	size    uint64 // Of the section, in bytes.
	section string // The section's name in the kernel.
}

// fileID is random. The file system's own number may be another file's as soon as the file is removed.
type fileID [16]byte

const (
	recordMagic   = "SHMCVNAM"
	recordVersion = 1
	recordSize    = 512
	recordName    = 44 // Where the section's name begins.
)

func (r *record) bytes() []byte {
	b := make([]byte, recordSize)
	copy(b, recordMagic)
	binary.LittleEndian.PutUint32(b[8:], recordVersion)
	copy(b[16:], r.id[:])
	binary.LittleEndian.PutUint64(b[32:], r.size)
	binary.LittleEndian.PutUint32(b[40:], uint32(len(r.section)))
	copy(b[recordName:recordSize-4], r.section)
	binary.LittleEndian.PutUint32(b[recordSize-4:], crc32.ChecksumIEEE(b[:recordSize-4]))
	return b
}

// readRecord reads the record of an open file. path is for messages.
func readRecord(file windows.Handle, path string) (record, error) {
	b := make([]byte, recordSize+1)
	n, err := readAt(file, b, 0)
	if err != nil {
		return record{}, err
	}
	if n != recordSize || string(b[:len(recordMagic)]) != recordMagic {
		return record{}, abi.Errorf(abi.EUnsupported, "shm: %s was made by another program: it is no name of a segment", path)
	}
	if version := binary.LittleEndian.Uint32(b[8:]); version != recordVersion {
		return record{}, abi.Errorf(abi.EUnsupported, "shm: %s has version %d; this library knows version %d, and has to be updated",
			path, version, recordVersion)
	}
	length := binary.LittleEndian.Uint32(b[40:])
	if binary.LittleEndian.Uint32(b[recordSize-4:]) != crc32.ChecksumIEEE(b[:recordSize-4]) || length > recordSize-4-recordName {
		return record{}, abi.Errorf(abi.ECorrupt, "shm: %s has been overwritten; remove the file", path)
	}
	r := record{size: binary.LittleEndian.Uint64(b[32:]), section: string(b[recordName : recordName+length])}
	copy(r.id[:], b[16:])
	return r, nil
}

// objects is how the names of all kernel objects begin that belong to the section.
func (r *record) objects() string { return scope + "shmcv-" + hex.EncodeToString(r.id[:]) }

// scope is where kernel objects have their names: those of this session. (What all sessions see, Global\, takes a
// privilege to create.)
const scope = `Local\`

// alive is the name of the event that everybody has open who has the section open. It tells a section of this library
// from another program's that has got the name later.
func (r *record) alive() string { return r.objects() + "-alive" }
