//go:build shmcv_none && !linux && !windows

// This file has all that a system's own files must define, with nothing behind it. A new system begins with a copy.
// With this file the compiler shows that nothing else is missing: GOOS=freebsd CGO_ENABLED=0 go vet -tags shmcv_none ./shm/...

package sys

import (
	"sync/atomic"

	"shmcv/internal/abi"
)

const defaultFolder = "nowhere"

var codes []codeFor

type fileID struct{}

func names() ([]string, error)  { panic(defaultFolder) }
func exists(name string) bool   { panic(defaultFolder) }
func remove(name string) error  { panic(defaultFolder) }
func elevated() bool            { panic(defaultFolder) }
func leftover(name string) bool { panic(defaultFolder) }
func exhausted(err error) bool  { panic(defaultFolder) }
func monotonic() uint64         { panic(defaultFolder) }
func processStart() uint64      { panic(defaultFolder) }
func processIsGone(uint32) bool { panic(defaultFolder) }
func sleep(_ []Word, _ uint64)  { panic(defaultFolder) }

func noDefaultFolder() error                 { panic(defaultFolder) }
func cleanFolder(text string) string         { panic(defaultFolder) }
func isPath(name string) bool                { panic(defaultFolder) }
func splitPath(path string) (_, _ string)    { panic(defaultFolder) }
func joinPath(folder, last string) string    { panic(defaultFolder) }
func rooted(path string) (_ string, _ error) { panic(defaultFolder) }

type openFile struct{}

type mapping struct{}

func (mapping) unmap() { panic(defaultFolder) }

func unfinished(name string) bool                              { panic(defaultFolder) }
func removeAbandoned(name string) bool                         { panic(defaultFolder) }
func removeUnfinished(name string) (bool, error)               { panic(defaultFolder) }
func userID(name string) (int64, error)                        { panic(defaultFolder) }
func groupID(name string) (int64, error)                       { panic(defaultFolder) }
func find(name string, use Use) (fileID, uint64, error)        { panic(defaultFolder) }
func removeFrom(name string, id fileID) (bool, error)          { panic(defaultFolder) }
func openNamed(name string, use Use) (openFile, fileID, error) { panic(defaultFolder) }
func createUnnamed(name string, wanted, size uint64, access abi.Access) (openFile, fileID, error) {
	panic(defaultFolder)
}

func (*openFile) link(name string) error                          { panic(defaultFolder) }
func (openFile) number() uintptr                                  { panic(defaultFolder) }
func (openFile) size() (uint64, error)                            { panic(defaultFolder) }
func (openFile) readAt(buffer []byte, offset uint64) (int, error) { panic(defaultFolder) }
func (openFile) mapped(offset, size uint64, writable bool) ([]byte, mapping, error) {
	panic(defaultFolder)
}
func (openFile) reserveMissing(name string) error              { panic(defaultFolder) }
func (openFile) writable() bool                                { panic(defaultFolder) }
func (openFile) readByOthers() bool                            { panic(defaultFolder) }
func (openFile) close()                                        { panic(defaultFolder) }
func (openFile) lock(number int, shared bool) (bool, error)    { panic(defaultFolder) }
func (openFile) unlock(number int)                             { panic(defaultFolder) }
func (openFile) unlockAll()                                    { panic(defaultFolder) }
func (openFile) heldByOther(number int) (bool, error)          { panic(defaultFolder) }
func (openFile) bell(value *atomic.Uint32, offset uint64) bell { panic(defaultFolder) }

type bell struct{}

func (*bell) heard() (word, uint32) { panic(defaultFolder) }
func (*bell) wake()                 { panic(defaultFolder) }

type alarm struct{}

func (*alarm) raise()       { panic(defaultFolder) }
func (*alarm) listen() word { panic(defaultFolder) }

type flag struct{}

func newFlag() (flag, error) { panic(defaultFolder) }

func (flag) number() int64 { panic(defaultFolder) }
func (flag) raise()        { panic(defaultFolder) }
func (flag) lower()        { panic(defaultFolder) }
func (flag) close()        { panic(defaultFolder) }

type word struct{}

const mostWords = 64
