package shm

import (
	"slices"
	"testing"
	"time"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

func newWaitSetFor(t testing.TB) *WaitSet {
	t.Helper()
	w := NewWaitSet()
	t.Cleanup(w.Release)
	return w
}

// keysOf waits, as shmcv_wait_set_wait does, and gives the keys in order.
func keysOf(t testing.TB, w *WaitSet, timeout time.Duration) []uint64 {
	t.Helper()
	nap, keys := Nap{}, make([]uint64, 2000)
	for again := true; again; again = nap.Sleep() {
		count, err := w.Wait(timeout, &nap, keys)
		if err != nil {
			must(t, err, abi.ETimeout)
			return nil
		}
		if count > 0 {
			keys = keys[:count]
			slices.Sort(keys)
			return keys
		}
	}
	t.Fatal("neither keys nor an error")
	return nil
}

func checkKeys(t testing.TB, found []uint64, wanted ...uint64) {
	t.Helper()
	if !slices.Equal(found, wanted) {
		t.Errorf("%d are over, not %d", found, wanted)
	}
}

func TestWaitSetTellsWhichWaitsAreOver(t *testing.T) {
	w, stream, segment := newWaitSetFor(t), newStreamFor(t, 4), newSegmentFor(t, frameBytes)
	must(t, w.Add(1, stream, 11, 0), abi.OK)
	must(t, w.Add(2, segment, 12, 0), abi.OK)
	must(t, w.Add(3, stream, 11, 1), abi.OK)
	checkKeys(t, keysOf(t, w, 0))
	if _, err := put(stream, 1); err != nil {
		t.Fatal(err)
	}
	checkKeys(t, keysOf(t, w, -1), 1)
	checkKeys(t, keysOf(t, w, 0)) // A wait that is over is no longer in the set.
	must(t, segment.SetImage(tall), abi.OK)
	if _, err := put(stream, 2); err != nil {
		t.Fatal(err)
	}
	checkKeys(t, keysOf(t, w, -1), 2, 3)
	must(t, w.Add(4, stream, 11, 1), abi.OK) // Over at once.
	checkKeys(t, keysOf(t, w, 0), 4)
	if held := holders(stream); held != 0 {
		t.Errorf("places %b hold frames", held)
	}
}

func TestWaitThatIsTakenOutIsNotTold(t *testing.T) {
	w, stream := newWaitSetFor(t), newStreamFor(t, 4)
	must(t, w.Add(1, stream, 11, 0), abi.OK)
	must(t, w.Add(1, stream, 11, 0), abi.EExists)
	must(t, w.Add(2, stream, 11, 0), abi.OK)
	must(t, w.Remove(1), abi.OK)
	must(t, w.Remove(1), abi.ENotFound)
	if _, err := put(stream, 1); err != nil {
		t.Fatal(err)
	}
	must(t, w.Add(3, stream, 11, 0), abi.OK)
	must(t, w.Add(3, stream, 11, 0), abi.EExists) // Over, and not told.
	must(t, w.Remove(3), abi.OK)
	checkKeys(t, keysOf(t, w, -1), 2)
	must(t, w.Remove(2), abi.ENotFound)
}

func TestClosingEndsTheWaitsOfThatOwnerAlone(t *testing.T) {
	w, stream := newWaitSetFor(t), newStreamFor(t, 4)
	must(t, w.Add(1, stream, 11, 0), abi.OK)
	must(t, w.Add(2, stream, 22, 0), abi.OK)
	Closed(stream, 22)
	checkKeys(t, keysOf(t, w, -1), 2)
	checkKeys(t, keysOf(t, w, 0))
}

func TestSetKeepsTheMemoryAndNoWriter(t *testing.T) {
	w, first := newWaitSetFor(t), newStreamFor(t, 4)
	writer := reopened(t, first)
	if _, err := put(writer, 1); err != nil {
		t.Fatal(err)
	}
	must(t, w.Add(1, writer, 11, 1), abi.OK)
	writer.resign()
	if _, err := put(first, 2); err != nil {
		t.Fatal(err)
	}
	checkKeys(t, keysOf(t, w, -1), 1)
	if references := first.mapping.references.Load(); references != 2 {
		t.Errorf("%d references to the mapping of two streams", references)
	}
}

func TestAddingWakesTheThreadThatSleeps(t *testing.T) {
	w, stream := newWaitSetFor(t), newStreamFor(t, 4)
	nap, other, keys := Nap{}, Nap{}, make([]uint64, 1)
	if _, err := w.Wait(-1, &nap, keys); err != nil || nap.Count != 1 {
		t.Fatal(nap.Count, err)
	}
	_, err := w.Wait(0, &other, keys)
	must(t, err, abi.EBusy)
	must(t, w.Add(1, stream, 11, 0), abi.OK)
	if w.alarm.Listen() == nap.words[0] {
		t.Error("the system would let the thread sleep")
	}
	if _, err := w.Wait(-1, &nap, keys); err != nil || nap.Count != 2 {
		t.Fatal(nap.Count, err)
	}
	w.End()
	_, err = w.Wait(-1, &nap, keys)
	must(t, err, abi.EClosed)
	must(t, w.Add(2, stream, 11, 0), abi.EClosed)
}

// More streams than the system lets a thread sleep on.
func TestWaitsOnManyMappingsAreAllTold(t *testing.T) {
	w := newWaitSetFor(t)
	const many = 3 * sys.MostWords
	var frames []*Frame
	for i := range uint64(many) {
		stream, err := CreateStream(newName(t), 1, 2, abi.WhenBehindDrop)
		must(t, err, abi.OK)
		t.Cleanup(stream.Release)
		must(t, w.Add(i, stream, i, 0), abi.OK)
		frame, err := stream.Begin(0, &Nap{})
		must(t, err, abi.OK)
		t.Cleanup(frame.Release)
		must(t, frame.SetImage(abi.NewImageInfo(1, 1, abi.DepthU8, abi.OrderGray)), abi.OK)
		frames = append(frames, frame)
	}
	checkKeys(t, keysOf(t, w, 0))
	for i, frame := range frames {
		_, err := frame.Publish()
		must(t, err, abi.OK)
		checkKeys(t, keysOf(t, w, -1), uint64(i))
	}
}

func TestKeysWithoutRoomAreGivenNextTime(t *testing.T) {
	w, stream := newWaitSetFor(t), newStreamFor(t, 4)
	for key := range uint64(3) {
		must(t, w.Add(key, stream, 1, 0), abi.OK)
	}
	if _, err := put(stream, 1); err != nil {
		t.Fatal(err)
	}
	nap, keys, all := Nap{}, make([]uint64, 2), []uint64(nil)
	for _, wanted := range []int{2, 1} {
		count, err := w.Wait(0, &nap, keys)
		if count != wanted || err != nil {
			t.Fatal(count, err)
		}
		all = append(all, keys[:count]...)
	}
	slices.Sort(all)
	checkKeys(t, all, 0, 1, 2)
}

func TestWaitOfAReaderOfEveryFrameIsForTheFrameThatIsNext(t *testing.T) {
	w, s := newWaitSetFor(t), newStreamFor(t, 4)
	must(t, s.Deliver(abi.DeliveryEvery), abi.OK)
	mustPut(t, s, 1, 1)
	must(t, w.Add(1, s, 11, 0), abi.OK)
	checkKeys(t, keysOf(t, w, 0), 1)
	mustGet(t, s, 0, 1, 1).Release()
	must(t, w.Add(2, s, 11, 0), abi.OK) // A wait for any frame gives none: the reader has had this one.
	checkKeys(t, keysOf(t, w, 0))
	mustPut(t, s, 2, 2)
	checkKeys(t, keysOf(t, w, 0), 2)
}
