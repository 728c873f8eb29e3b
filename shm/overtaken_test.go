package shm

import (
	"encoding/binary"
	"sync"
	"testing"
	"time"

	"shmcv/internal/abi"
)

// readOnlyStream makes a party that takes no place.
func readOnlyStream(t testing.TB, s *Stream) *Stream {
	t.Helper()
	reader, err := OpenStreamReadOnly(s.Name())
	must(t, err, abi.OK)
	t.Cleanup(reader.Release)
	return reader
}

func TestReadOnlyStreamIsReadAndNotWritten(t *testing.T) {
	writer := newStreamFor(t, 3)
	reader := readOnlyStream(t, writer)
	mustPut(t, writer, 7, 1)
	f := mustGet(t, reader, 0, 1, 7)
	must(t, f.Check(), abi.OK)
	if details := f.Details(); details.Held != 0 || details.Image != tall {
		t.Errorf("%+v", details)
	}
	held := mustGet(t, reopened(t, writer), 0, 1, 7)
	if details := held.Details(); details.Held != 1 {
		t.Errorf("%+v", details)
	}
	held.Release()
	must(t, f.SetImage(tall), abi.EPermission)
	must(t, f.Describe(1, nil), abi.EPermission)
	f.Release()
	if writer.ring.Blockers() != 0 || holders(writer) != 0 {
		t.Error("a reader without a place holds a slot")
	}
	_, err := put(reader, 1)
	must(t, err, abi.EPermission, writer.Name(), "read-only", "shmcv_stream_open")
	must(t, reader.End(), abi.EPermission, "read-only")
	segment := newSegmentFor(t, 1)
	_, err = OpenStreamReadOnly(segment.Name())
	must(t, err, abi.EInvalid, "no stream")
}

func TestOvertakenReaderIsToldByEveryLook(t *testing.T) {
	writer := newStreamFor(t, 2)
	reader := readOnlyStream(t, writer)
	mustPut(t, writer, 1, 1)
	f := mustGet(t, reader, 0, 1, 1)
	defer f.Release()
	next, err := begin(writer, 0) // In the other slot.
	must(t, err, abi.OK)
	must(t, paint(next, 2, frameBytes), abi.OK)
	must(t, next.SetImage(tall), abi.OK)
	must(t, f.Check(), abi.OK)
	_, err = next.Publish()
	must(t, err, abi.OK)
	next.Release()
	must(t, f.Check(), abi.OK) // The frame is no longer the newest, and whole.
	reads := 0
	read := func(overtake bool) error {
		return f.Read(func(image abi.ImageInfo, pixels []byte) error {
			reads++
			if overtake {
				next, err := begin(writer, 0)
				must(t, err, abi.OK)
				next.Release() // Given back: the slot's pixels may have been written to all the same.
			}
			return nil
		})
	}
	must(t, read(false), abi.OK)
	must(t, read(true), abi.EOvertaken, "frame 1", writer.Name(), "read-only")
	must(t, read(false), abi.EOvertaken)
	if reads != 2 {
		t.Errorf("pixels of an overtaken frame were read: %d", reads)
	}
	must(t, f.Check(), abi.EOvertaken)
	_, err = f.Bytes()
	must(t, err, abi.EOvertaken)
	_, err = f.Image()
	must(t, err, abi.EOvertaken)
	must(t, f.Metadata(func([]byte) error { return nil }), abi.EOvertaken)
	mustGet(t, reader, 1, 2, 2).Release()
}

func TestReadOnlyReaderOfEveryFrameCountsWhatItMissed(t *testing.T) {
	writer := newStreamFor(t, 4)
	reader := readOnlyStream(t, writer)
	for mark := range uint64(3) {
		mustPut(t, writer, mark+1, mark+1)
	}
	must(t, reader.Deliver(abi.DeliveryOldest), abi.OK)
	for sequence := uint64(1); sequence <= 3; sequence++ {
		f := mustGet(t, reader, sequence-1, sequence, sequence)
		if missed := f.Details().Missed; missed != 0 {
			t.Errorf("missed %d before frame %d", missed, sequence)
		}
		f.Release()
	}
	for mark := uint64(4); mark <= 20; mark++ {
		mustPut(t, writer, mark, mark)
	}
	f := mustGet(t, reader, 3, 17, 17)
	if missed := f.Details().Missed; missed != 13 {
		t.Errorf("missed %d", missed)
	}
	f.Release()
	mustGet(t, reader, 17, 18, 18).Release()
	must(t, reader.Deliver(abi.DeliveryNewest), abi.OK)
	mustGet(t, reader, 18, 20, 20).Release()
	must(t, reader.Deliver(abi.DeliveryEvery), abi.OK)
	_, err := waitFor(reader, 0, 0)
	must(t, err, abi.ETimeout)
	mustPut(t, writer, 21, 21)
	mustGet(t, reader, 0, 21, 21).Release()
	must(t, writer.End(), abi.OK)
	_, err = waitFor(reader, 21, 0)
	must(t, err, abi.EEnded)
}

func TestReadOnlyReaderCannotHoldTheWriterUp(t *testing.T) {
	for _, whenBehind := range []abi.WhenBehind{abi.WhenBehindBlock, abi.WhenBehindFail} {
		writer := newStreamOf(t, 2, whenBehind)
		reader := readOnlyStream(t, writer)
		for _, delivery := range []abi.Delivery{abi.DeliveryEvery, abi.DeliveryOldest} {
			must(t, reader.Deliver(delivery), abi.EPermission, writer.Name(), "read-only", "0660")
		}
		must(t, reader.Deliver(abi.DeliveryNewest), abi.OK)
		mustPut(t, writer, 1, 1)
		f := mustGet(t, reader, 0, 1, 1)
		for sequence := uint64(2); sequence < 10; sequence++ {
			mustPut(t, writer, sequence, sequence)
		}
		must(t, f.Check(), abi.EOvertaken)
		f.Release()
	}
}

func TestMoreReadOnlyReadersThanThereArePlaces(t *testing.T) {
	writer := newStreamFor(t, 2)
	mustPut(t, writer, 1, 1)
	for range 100 {
		defer mustGet(t, readOnlyStream(t, writer), 0, 1, 1).Release()
	}
	mustPut(t, writer, 2, 2)
	mustPut(t, writer, 3, 3)
	mustGet(t, reopened(t, writer), 2, 3, 3).Release()
}

func TestReadOnlyReaderHeedsTheWriter(t *testing.T) {
	writer := newStreamFor(t, 2)
	reader := readOnlyStream(t, writer)
	reader.HeedWriter(true)
	_, err := waitFor(reader, 0, -1)
	must(t, err, abi.EWriterGone)
	mustPut(t, writer, 1, 1)
	must(t, waitWriter(reader, 0), abi.OK)
	mustGet(t, reader, 0, 1, 1).Release()
	_, err = waitFor(reader, 1, 0)
	must(t, err, abi.ETimeout)
	if info, err := reader.Info(); err != nil || info.Writer == 0 {
		t.Errorf("%+v, %v", info, err)
	}
}

// A frame that a reader without a place has judged whole is whole, whatever the writer does meanwhile.
func TestNoFrameThatIsJudgedWholeIsTorn(t *testing.T) {
	const frames, readers = 20000, 3
	writer := newStreamFor(t, 2)
	var group sync.WaitGroup
	var whole, told [readers]int
	for i := range readers {
		reader := readOnlyStream(t, writer)
		if i == readers-1 {
			must(t, reader.Deliver(abi.DeliveryEvery), abi.OK)
		}
		group.Add(1)
		go func() {
			defer group.Done()
			for newest := uint64(0); ; {
				f, err := waitFor(reader, newest, 20*time.Second)
				if abi.CodeOf(err) == abi.EEnded {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				newest = f.slot.Sequence()
				torn, sequence := false, newest
				memory := f.slot.Bytes()
				for at := 0; at < frameBytes; at += 8 {
					torn = torn || binary.NativeEndian.Uint64(memory[at:]) != sequence
				}
				switch err := f.Check(); {
				case abi.CodeOf(err) == abi.EOvertaken:
					told[i]++
				case err != nil || torn:
					t.Errorf("frame %d was judged whole: %v, torn %t", sequence, err, torn)
				default:
					whole[i]++
				}
				f.Release()
			}
		}()
	}
	for sequence := uint64(1); sequence <= frames; sequence++ {
		mustPut(t, writer, sequence, sequence)
	}
	must(t, writer.End(), abi.OK)
	group.Wait()
	t.Logf("%d frames were whole, and %d overtaken", whole, told)
}
