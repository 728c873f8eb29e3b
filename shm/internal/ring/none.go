//go:build !cgo

// Without a C compiler there is no library. With this file the compiler still shows that the rest of shm is right for
// another system; see internal/sys/none.go.

package ring

import "unsafe"

const noC = "the ring is C, and was built without it"

type Image = [8]uint64

type Parts struct {
	File                                      uintptr
	Slots                                     uint32
	SlotSize                                  uint64
	WhenBehind                                uint32
	OnlyReads, Unmarked                       bool
	Pixels, Records, Holders, Places, Trailer []byte
}

type Ring struct{}

func New(*Parts) (*Ring, Status)                              { panic(noC) }
func NewestImage(_, _ []byte, _ uint32) (Image, Status)       { panic(noC) }
func Clear(uintptr, []byte) Status                            { panic(noC) }
func (*Ring) Free()                                           { panic(noC) }
func (*Ring) Pointer() unsafe.Pointer                         { panic(noC) }
func (*Ring) TakeOver(_, _ []byte, _ uint32, _ uint64) Status { panic(noC) }
func (*Ring) Resign() Status                                  { panic(noC) }
func (*Ring) End() Status                                     { panic(noC) }
func (*Ring) Begin(bool, *Frame) Status                       { panic(noC) }
func (*Ring) Wait(uint64, *Frame) Status                      { panic(noC) }
func (*Ring) Follow(bool) Status                              { panic(noC) }
func (*Ring) Unfollow() Status                                { panic(noC) }
func (*Ring) WakeAlways(bool)                                 { panic(noC) }
func (*Ring) Heed(bool)                                       { panic(noC) }
func (*Ring) Spin(uint64)                                     { panic(noC) }
func (*Ring) Polled()                                         { panic(noC) }
func (*Ring) SpinTime() uint64                                { panic(noC) }
func (*Ring) Forget(int) Status                               { panic(noC) }
func (*Ring) SetEmptied(int, bool)                            { panic(noC) }
func (*Ring) IsEmptied(int) bool                              { panic(noC) }
func (*Ring) Blockers() uint64                                { panic(noC) }
func (*Ring) Accept(Image)                                    { panic(noC) }
func (*Ring) Seen() uint64                                    { panic(noC) }
func (*Ring) Place() int                                      { panic(noC) }
func (*Ring) SetPlace(int, uint32)                            { panic(noC) }
func (*Ring) ProcessAt(int) uint32                            { panic(noC) }

type Frame struct{}

func NewFrame() *Frame                   { panic(noC) }
func (*Frame) Free()                     { panic(noC) }
func (*Frame) Publish() (uint64, Status) { panic(noC) }
func (*Frame) GiveBack()                 { panic(noC) }
func (*Frame) Image() (Image, bool)      { panic(noC) }
func (*Frame) SetImage(Image)            { panic(noC) }
func (*Frame) ForgetImage()              { panic(noC) }
func (*Frame) BeginStoring() bool        { panic(noC) }
func (*Frame) EndStoring()               { panic(noC) }
func (*Frame) State() uint32             { panic(noC) }
func (*Frame) Bytes() []byte             { panic(noC) }
func (*Frame) Describe(uint64, []byte)   { panic(noC) }
func (*Frame) Metadata() []byte          { panic(noC) }
func (*Frame) Check() Status             { panic(noC) }
func (*Frame) IsHeld() bool              { panic(noC) }
func (*Frame) Slot() int                 { panic(noC) }
func (*Frame) Sequence() uint64          { panic(noC) }
func (*Frame) Time() uint64              { panic(noC) }
func (*Frame) Missed() uint64            { panic(noC) }
func (*Frame) Captured() uint64          { panic(noC) }
