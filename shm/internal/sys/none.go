//go:build shmcv_none && !linux

// This file has all that a system's own files must define, with nothing behind it. A new system begins with a copy.
// With this file the compiler shows that nothing else is missing: GOOS=windows go vet -tags shmcv_none ./shm/...

package sys

import "shmcv/internal/abi"

const folder = "nowhere"

type fileID struct{}

func names() ([]string, error)  { panic(folder) }
func exists(name string) bool   { panic(folder) }
func remove(name string) error  { panic(folder) }
func leftover(name string) bool { panic(folder) }
func exhausted(err error) bool  { panic(folder) }
func codeOf(err error) abi.Code { panic(folder) }
func monotonic() uint64         { panic(folder) }
func processStart() uint64      { panic(folder) }
func sleep(_ []Word, _ uint64)  { panic(folder) }

type openFile struct{}

type mapping struct{}

func (mapping) unmap() { panic(folder) }

func find(name string, anyUsers bool) (fileID, uint64, error)                  { panic(folder) }
func removeFrom(name string, id fileID) (bool, error)                          { panic(folder) }
func openNamed(name string, access access) (openFile, fileID, error)           { panic(folder) }
func createUnnamed(name string, wanted, size uint64) (openFile, fileID, error) { panic(folder) }

func (openFile) link(name string) error                                             { panic(folder) }
func (openFile) number() uintptr                                                    { panic(folder) }
func (openFile) size() (uint64, error)                                              { panic(folder) }
func (openFile) readAt(buffer []byte, offset uint64) (int, error)                   { panic(folder) }
func (openFile) mapped(offset, size uint64, writable bool) ([]byte, mapping, error) { panic(folder) }
func (openFile) reserveMissing(name string) error                                   { panic(folder) }
func (openFile) writable() bool                                                     { panic(folder) }
func (openFile) close()                                                             { panic(folder) }
func (openFile) lock(number int, shared bool) (bool, error)                         { panic(folder) }
func (openFile) unlock(number int)                                                  { panic(folder) }
func (openFile) unlockAll()                                                         { panic(folder) }
func (openFile) heldByOther(number int) (bool, error)                               { panic(folder) }
func (openFile) bell(memory []byte, value, mark uint64, writable bool) bell         { panic(folder) }

type bell struct{}

func (*bell) ring(value uint32)      { panic(folder) }
func (*bell) value() uint32          { panic(folder) }
func (*bell) listen() (word, uint32) { panic(folder) }

type alarm struct{}

func (*alarm) raise()       { panic(folder) }
func (*alarm) listen() word { panic(folder) }

type word struct{}

const mostWords = 64
