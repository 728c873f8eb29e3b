package shm

import (
	"runtime"
	"sync/atomic"
)

// pixelSequence is the number of a sequence lock whose content is read and written by plain accesses, of any width. It is odd
// while somebody stores the content, and grows by 2 with each time.
//
// Go's atomic accesses have an order of their own, in which plain accesses beside them need not take part. x86-64 keeps those in
// place all the same. arm64 lets a plain store come before an earlier atomic store, and an atomic load before an earlier plain
// load. Go has no fence, but arm64 keeps everything before an atomic store (stlr), an atomic store before a later atomic load
// (ldar), and that before everything that follows. So one more atomic access, of any word, makes a fence there; assembly would be a
// call, and cgo a slow one. order_model_test.go goes through all orders that the processors permit, with and without it.
type pixelSequence struct{ atomic.Uint64 }

const reordersPlainAccesses = runtime.GOARCH != "amd64"

// begin makes the number odd. It is odd before anything is there that the caller stores afterwards.
func (s *pixelSequence) begin() {
	s.Add(1)
	if reordersPlainAccesses {
		_ = s.Load()
	}
}

// end makes the number even. Everything that the caller has stored is there before.
func (s *pixelSequence) end() { s.Add(1) }

// isStill returns true if the number is the one that it was before. If that is even, all that the caller has loaded in between
// was stored before then.
func (s *pixelSequence) isStill(before uint64) bool {
	if reordersPlainAccesses {
		var own atomic.Uint64
		own.Store(before)
	}
	return s.Load() == before
}

// isOdd returns true if somebody stores the content, or has died while doing so.
func (s *pixelSequence) isOdd() bool { return s.Load()%2 == 1 }
