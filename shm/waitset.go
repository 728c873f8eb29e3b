package shm

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// WaitSet is a set of waits for frames of streams and for images of segments. One thread sleeps for all of them. A wait
// is in the set until it is over, or taken out. To learn that a wait is over costs nothing of what was waited for: no
// frame is leased.
//
// A caller that is given a WaitSet holds a reference.
type WaitSet struct {
	references atomic.Int64
	alarm      sys.Alarm // Wakes the thread that sleeps, when the set has changed.

	mu      sync.Mutex
	waits   map[uint64]*setWait // By key.
	watched map[*mapping]*watched
	order   []*watched // The mappings, those with the latest additions first, which have the first words.
	over    []uint64   // Keys of the waits that are over, and that no thread has been told of.
	waiting uintptr    // The nap of the thread that waits, 0 if none does.
	glance  time.Duration
	heeding int    // How many waits heed the writer.
	looked  uint64 // When the set was last looked at as a whole.
	ended   bool
}

// setWait is one wait of a set.
type setWait struct {
	on        *watched
	owner     uint64
	newerThan uint64
	heeds     *Stream // The stream, if its reader wants to be told when there is no writer.
}

// watched is a mapping that is waited on, to which it holds a reference.
type watched struct {
	*mapping
	keys map[uint64]struct{}
	word sys.Word
	rung uint32 // The bell's value in word.
	lost bool   // It is a stream that has no name, or another stream has it, as far as the last look has told.
}

// Alarm wakes threads of this process that sleep in a nap; see Nap.Heed.
type Alarm = sys.Alarm

// Waitable is a Stream or a Segment.
type Waitable interface{ waitable() *mapping }

func (m *mapping) waitable() *mapping { return m }

// A thread that cannot sleep on all words looks at the others after shortGlance. While nothing happens the time grows to
// longGlance, because 1000 looks in a second at 1000 bells take a sixth of a processor.
const (
	shortGlance = time.Millisecond
	longGlance  = 8 * time.Millisecond
)

// waitSets are the sets of this process, for Closed.
var waitSets struct {
	sync.Mutex
	all   map[*WaitSet]struct{}
	count atomic.Int32
}

// NewWaitSet makes an empty set.
func NewWaitSet() *WaitSet {
	w := &WaitSet{waits: map[uint64]*setWait{}, watched: map[*mapping]*watched{}}
	w.references.Store(1)
	waitSets.Lock()
	defer waitSets.Unlock()
	if waitSets.all == nil {
		waitSets.all = map[*WaitSet]struct{}{}
	}
	waitSets.all[w] = struct{}{}
	waitSets.count.Add(1)
	return w
}

// Retain adds a reference. The caller holds one.
func (w *WaitSet) Retain() { w.references.Add(1) }

// Release gives a reference back. With the last one the set ends.
func (w *WaitSet) Release() {
	if w.references.Add(-1) > 0 {
		return
	}
	w.End()
}

// End takes all waits out and wakes the thread that sleeps. Nothing can be added any more.
func (w *WaitSet) End() {
	waitSets.Lock()
	if _, there := waitSets.all[w]; there {
		delete(waitSets.all, w)
		waitSets.count.Add(-1)
	}
	waitSets.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	for key := range w.waits {
		w.take(key)
	}
	w.over = nil
	w.alarm.Raise()
}

// Name is for messages.
func (w *WaitSet) Name() string { return "a wait set" }

// Info is an error: a set has no memory.
func (w *WaitSet) Info() (abi.SegmentInfo, error) {
	return abi.SegmentInfo{}, abi.Errorf(abi.EInvalid, "shm: this is a wait set, which has no memory")
}

// Add adds a wait for a frame of a stream, or an image of a segment, whose number is greater than newerThan. key is the
// caller's name for the wait. owner is the caller's name for what is waited on; see Closed. If there is such a frame or
// image already, the wait is over at once.
//
// Errors: EExists when the set has a wait of that key, be it over or not; EUnsupported for a foreign segment; EClosed
// when the set has ended; ETruncated; ECorrupt.
func (w *WaitSet) Add(key uint64, on Waitable, owner, newerThan uint64) error {
	m := on.waitable()
	if m.trailer == nil {
		return toldNothing(m.name)
	}
	if err := m.checkTrailer(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		return abi.Errorf(abi.EClosed, "shm: the wait set is closed")
	}
	if w.has(key) {
		return abi.Errorf(abi.EExists, "shm: the wait set has a wait of key %d already", key)
	}
	entry := w.watched[m]
	if entry == nil {
		m.Retain()
		entry = &watched{mapping: m, keys: map[uint64]struct{}{}}
		w.watched[m] = entry
		entry.listen()
	} else {
		w.order = without(w.order, entry)
	}
	w.order = append(w.order, entry)
	wait := &setWait{on: entry, owner: owner, newerThan: newerThan}
	if stream, ok := on.(*Stream); ok {
		wait.newerThan = max(newerThan, stream.ring.Seen()) // As Wait does: what it has given, it does not give again.
		if stream.heeds.Load() {
			wait.heeds = stream
			w.heeding++
		}
	}
	w.waits[key] = wait
	entry.keys[key] = struct{}{}
	if newest, there := entry.newest(); !there || newest > wait.newerThan || entry.ended() || entry.replaced() || wait.isLonely() {
		w.finish(key)
	}
	if w.waiting != 0 {
		w.alarm.Raise()
	}
	return nil
}

// Remove takes a wait out of the set. The thread that waits is not told of it any more.
//
// Errors: ENotFound when the set has no such wait, for example because a thread has been told that it is over.
func (w *WaitSet) Remove(key uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.take(key) {
		return nil
	}
	for i, over := range w.over {
		if over == key {
			w.over = append(w.over[:i], w.over[i+1:]...)
			return nil
		}
	}
	return abi.Errorf(abi.ENotFound, "shm: the wait set has no wait of key %d; a thread may have been told that it is over", key)
}

// Closed ends all waits, in all sets of this process, that were added for an owner, and the descriptor. on is what was waited
// on.
func Closed(on Waitable, owner uint64) {
	if s, ok := on.(*Stream); ok {
		s.closeDescriptor()
	}
	if waitSets.count.Load() == 0 {
		return
	}
	waitSets.Lock()
	sets := make([]*WaitSet, 0, len(waitSets.all))
	for w := range waitSets.all {
		sets = append(sets, w)
	}
	waitSets.Unlock()
	for _, w := range sets {
		w.closed(on.waitable(), owner)
	}
}

func (w *WaitSet) closed(m *mapping, owner uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	entry := w.watched[m]
	if entry == nil {
		return
	}
	for key := range entry.keys {
		if w.waits[key].owner == owner {
			w.finish(key)
		}
	}
	w.alarm.Raise()
}

// Wait gives the keys of waits that are over, as many as keys has room for, and takes these waits out of the set. A wait
// is over when there is what it waited for, when a stream has ended, when another stream has got its name, when it has no
// writer, if its reader heeds that, when what it waits on has been closed, and when something is wrong with that; a call on the stream or segment itself then gives the frame or the error.
//
// Wait does not sleep itself. If it returns neither keys nor an error, no wait is over yet: sleep as nap says, and call
// Wait again with the same arguments. timeout counts from the first call; less than 0 means without an end, and with 0
// Wait never asks for a sleep.
//
// Errors: ETimeout; EBusy when another thread waits on the set; EClosed when the set has ended.
func (w *WaitSet) Wait(timeout time.Duration, nap *Nap, keys []uint64) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	self := uintptr(unsafe.Pointer(nap))
	if w.ended {
		return 0, abi.Errorf(abi.EClosed, "shm: the wait set is closed")
	}
	if w.waiting != 0 && w.waiting != self {
		return 0, abi.Errorf(abi.EBusy, "shm: another thread waits on this wait set; one thread waits for all")
	}
	if nap.deadline == 0 {
		nap.begin(timeout)
	}
	w.waiting = 0
	w.look(sys.Monotonic())
	if len(w.over) > 0 {
		w.glance = 0
		told := copy(keys, w.over)
		w.over = w.over[told:]
		return told, nil
	}
	now := sys.Monotonic()
	if timeout == 0 || now >= nap.deadline {
		return 0, abi.Errorf(abi.ETimeout, "shm: none of %d waits was over within %v", len(w.waits), timeout)
	}
	w.waiting = self
	w.prepare(nap, now)
	return 0, nil
}

// leave ends a wait that is not to be called again.
func (w *WaitSet) leave(nap *Nap) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting == uintptr(unsafe.Pointer(nap)) {
		w.waiting = 0
	}
}

// prepare tells the thread to sleep on the alarm, and on as many bells as there is room for. The last bells of the order
// come first: those that were waited on last are those that are busy.
func (w *WaitSet) prepare(nap *Nap, now uint64) {
	nap.words[0], nap.Count = w.alarm.Listen(), 1
	w.glance = min(max(2*w.glance, shortGlance), longGlance)
	nap.Soon, nap.Until = now+uint64(w.glance), min(nap.deadline, now+uint64(w.longestSleep()))
	for i := len(w.order) - 1; i >= 0; i-- {
		if nap.Count == sys.MostWords {
			nap.Until = min(nap.Until, nap.Soon)
			break
		}
		nap.words[nap.Count] = w.order[i].word
		nap.Count++
	}
}

// isLonely returns true if a wait heeds the writer and there is none.
func (wait *setWait) isLonely() bool { return wait.heeds != nil && wait.heeds.lonely() }

// longestSleep returns how long a thread may sleep before it looks at all bells.
func (w *WaitSet) longestSleep() time.Duration {
	longest := sleepSlice
	if w.heeding > 0 {
		longest = heedSlice
	}
	for _, entry := range w.order {
		if longest = min(longest, entry.sleepSlice()); entry.lost {
			longest = heedSlice
		}
	}
	return longest
}

// look finds the waits that are over. It looks at the bells only, and from time to time, as a sleeper in any other wait
// does, at everything.
func (w *WaitSet) look(now uint64) {
	thorough := now-w.looked >= uint64(sleepSlice)
	if thorough {
		w.looked = now
	}
	if w.heeding > 0 {
		for key, wait := range w.waits {
			if wait.isLonely() {
				w.finish(key)
			}
		}
	}
	for i := len(w.order) - 1; i >= 0; i-- { // Backwards, because finish may take the entry out.
		entry := w.order[i]
		if !thorough && !entry.lost && !entry.ringing() {
			continue
		}
		sound := entry.listen() && (!thorough || entry.checkTrailer() == nil)
		newest, there := entry.newest()
		over := !sound || !there || entry.ended() || (thorough || entry.lost || entry.isCleared()) && entry.replaced()
		for key := range entry.keys {
			if over || newest > w.waits[key].newerThan {
				w.finish(key)
			}
		}
	}
}

// has returns true if the set has a wait of that key. The caller holds the mutex, as those of all functions below do.
func (w *WaitSet) has(key uint64) bool {
	if _, there := w.waits[key]; there {
		return true
	}
	for _, over := range w.over {
		if over == key {
			return true
		}
	}
	return false
}

// finish makes a wait one that is over.
func (w *WaitSet) finish(key uint64) {
	if w.take(key) {
		w.over = append(w.over, key)
	}
}

// take takes a wait out of the set, if it is not over yet.
func (w *WaitSet) take(key uint64) bool {
	wait := w.waits[key]
	if wait == nil {
		return false
	}
	delete(w.waits, key)
	delete(wait.on.keys, key)
	if wait.heeds != nil {
		w.heeding--
	}
	if len(wait.on.keys) == 0 {
		delete(w.watched, wait.on.mapping)
		w.order = without(w.order, wait.on)
		wait.on.Release()
	}
	return true
}

// without gives order without one entry. It searches from the end, where busy entries are.
func without(order []*watched, entry *watched) []*watched {
	for i := len(order) - 1; i >= 0; i-- {
		if order[i] == entry {
			return append(order[:i], order[i+1:]...)
		}
	}
	return order
}

// The functions below return false if the memory has gone, which a mapping of a file that was cut is.

// listen prepares the sleep on the mapping's bell.
func (e *watched) listen() (there bool) {
	defer func() { there = recover() == nil }()
	e.word, e.rung = e.bell.Listen()
	return true
}

// ringing returns true if the bell has rung since listen, or its memory has gone.
func (e *watched) ringing() (ringing bool) {
	defer func() { ringing = recover() != nil || ringing }()
	return e.bell.Value() != e.rung
}

// newest gives the number of the newest frame or image.
func (e *watched) newest() (sequence uint64, there bool) {
	defer func() { there = recover() == nil }()
	if e.isStream() {
		return e.trailer.published(), true
	}
	return e.trailer.ImageSequence.Load() / 2, true
}

// ended returns true if the writer has ended the stream.
func (e *watched) ended() (ended bool) {
	defer func() { ended = recover() != nil || ended }()
	return e.isStream() && e.trailer.Ended.Load() != 0
}

// isCleared returns true if the stream's name has been removed.
func (e *watched) isCleared() (cleared bool) {
	defer func() { cleared = recover() != nil || cleared }()
	return e.isStream() && e.cleared()
}

// replaced returns true if another stream has the stream's name.
func (e *watched) replaced() bool {
	if !e.isStream() {
		return false
	}
	cleared := e.isCleared()
	replaced := e.mapping.replaced(cleared)
	e.lost = cleared || e.mapping.lost.Load()
	return replaced
}
