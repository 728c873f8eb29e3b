package shm

import (
	"time"

	"shmcv/internal/abi"
	"shmcv/shm/internal/ring"
	"shmcv/shm/internal/sys"
)

// A stream outlives its name: the name is cleared, and may be given to another stream, while parties have the first one
// open. Parties that wait on the first stream are told of the other one (EReplaced), and may follow.
//
// Who clears a name marks the stream and rings its bells, after the name is gone. A party that has nothing to do and finds
// the mark looks which file has the name, and then looks again every few milliseconds until another stream has it. Programs
// without this library remove names without a mark, so a party that waits looks at the name every 100 ms besides.

// cleared returns true if the stream's name has been removed, as far as this library's functions have done it.
func (m *mapping) cleared() bool { return m.trailer.Cleared.Load() != 0 }

// nameSlice is the longest sleep of a party that wants to be told when another stream has the name.
func (m *mapping) nameSlice() time.Duration {
	if m.cleared() || m.lost.Load() {
		return heedSlice
	}
	return m.sleepSlice()
}

// replaced returns true if another stream has the name. It looks at the name if the stream is cleared, if the last look has
// found that the name is not this file's, and if the last look was long ago. In between it returns false.
func (m *mapping) replaced(cleared bool) bool {
	now := time.Since(loaded)
	if !cleared && !m.lost.Load() && now-time.Duration(m.looked.Load()) < sleepSlice {
		return false
	}
	m.looked.Store(int64(now))
	id, _, err := sys.Find(m.name, sys.ToRead)
	own, there := err == nil && id == m.file.ID(), err == nil
	m.lost.Store(!own && (there || abi.CodeOf(err) == abi.ENotFound))
	return there && !own && isOrMayBeStream(m.name)
}

// loaded is when this process began. Go tells the time since then without a system call, which sys.Monotonic makes.
var loaded = time.Now()

// isOrMayBeStream returns true if a name is that of a stream, or of a file at which this process may not look: to try to
// open that one tells the program why it gets no further.
func isOrMayBeStream(name string) bool {
	m, err := look(name)
	switch abi.CodeOf(err) {
	case abi.OK:
		defer m.file.Close()
		return m.isStream()
	case abi.EPermission, abi.ECorrupt:
		return true
	}
	return false
}

// hasReplacement is the error for a stream whose name another one has.
func (s *Stream) hasReplacement() error {
	return abi.Errorf(abi.EReplaced, "shm: the name %q was cleared, and another stream has it now; frame %d was the last of this "+
		"one; follow (shmcv_stream_follow), or close this one and open the name again", s.name, s.trailer.published())
}

// tellCleared tells those who have a stream open that its name is gone. It does what it can: file is the stream's, or nil if
// it could not be opened.
func tellCleared(name string, id sys.FileID, file *sys.File) {
	if m := mappings.findLocking(mappingKey{id, false}); m != nil {
		defer m.Release()
		if m.isStream() {
			ring.Clear(m.file.Number(), m.shared[len(m.shared)-trailerSize:])
		}
		return
	}
	if file == nil || file.ID() != id {
		return
	}
	fileSize, found, err := examineContent(name, file)
	if err != nil || found == nil || found.SlotCount == 0 {
		return
	}
	if trailer, err := file.Map(fileSize-trailerSize, trailerSize, true); err == nil { // Until the caller closes the file.
		ring.Clear(file.Number(), trailer)
	}
}

// appeared is raised when this process gives a name to a file.
var appeared Alarm

// openSlice is the longest sleep of a party that waits for a name, before it looks whether the name is there.
const openSlice = 5 * time.Millisecond

// Follow opens the stream that has got the name of this one, as Within does, and to read alone if this one is. The new party waits for frames as this
// one does: with the same time of watching, heeding the writer from the first one on, and, if this one reads every frame,
// from the oldest frame on that is there. This party stays as it is.
//
// Errors: those of Within. While the name is still this stream's, there is none to follow.
func (s *Stream) Follow(timeout time.Duration, nap *Nap) (*Stream, error) {
	next, err := Within(timeout, nap, s.openOther)
	if next == nil {
		return nil, err
	}
	next.followed = true
	next.HeedWriter(s.heeds.Load())
	next.Spin(s.ring.SpinTime())
	if abi.Delivery(s.delivery.Load()) != abi.DeliveryNewest {
		err = next.Deliver(abi.DeliveryOldest)
	}
	if err != nil {
		next.Release()
		return nil, err
	}
	return next, nil
}

// openOther opens the stream that has the name, unless it is this one.
func (s *Stream) openOther() (*Stream, error) {
	id, _, err := sys.Find(s.name, sys.ToRead)
	if err != nil {
		return nil, err
	}
	if id != s.file.ID() {
		open := OpenStream
		if s.readOnly {
			open = OpenStreamReadOnly
		}
		other, err := open(s.name)
		if err != nil || other.file.ID() != s.file.ID() {
			return other, err
		}
		other.Release() // Somebody has given the name back to this one.
	}
	return nil, abi.Errorf(abi.ENotFound, "shm: no other stream has got the name %q; it is still this one's", s.name)
}

// Within opens a stream, and waits until there is one of its name. It asks for sleeps as Stream.Wait does: if it returns neither
// a stream nor an error, sleep and call it again. With timeout 0 the stream has to be there.
//
// Errors: ETimeout when there is none by then; otherwise those of open, of which ENotFound comes with timeout 0 alone.
func Within(timeout time.Duration, nap *Nap, open func() (*Stream, error)) (*Stream, error) {
	word := appeared.Listen() // Before the look, so that no name is slept over that this process gives.
	s, err := open()
	if abi.CodeOf(err) != abi.ENotFound || timeout == 0 {
		return s, err
	}
	if nap.deadline == 0 {
		nap.begin(timeout)
	}
	now := sys.Monotonic()
	if now >= nap.deadline {
		return nil, abi.Errorf(abi.ETimeout, "%v; that was so for %v", err, timeout)
	}
	nap.words[0], nap.Count = word, 1+nap.heeds
	nap.Until = min(nap.deadline, now+uint64(openSlice))
	nap.Soon = nap.Until
	return nil, nil
}
