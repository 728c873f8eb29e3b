package shm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

func newStreamOf(t testing.TB, slots uint32, whenBehind abi.WhenBehind) *Stream {
	t.Helper()
	s, err := CreateStream(newName(t), frameBytes, slots, whenBehind)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Release)
	return s
}

// begin begins a frame, as shmcv_stream_begin does.
func begin(s *Stream, timeout time.Duration) (f *Frame, err error) {
	nap := Nap{}
	for again := true; again; again = nap.Sleep() {
		f, err = s.Begin(timeout, &nap)
	}
	return f, err
}

func follower(t testing.TB, s *Stream, delivery abi.Delivery) *Stream {
	t.Helper()
	reader := reopened(t, s)
	must(t, reader.Deliver(delivery), abi.OK)
	return reader
}

func TestReaderOfEveryFrameGetsThemInOrder(t *testing.T) {
	s := newStreamOf(t, 8, abi.WhenBehindFail)
	mustPut(t, s, 1, 1)
	reader := follower(t, s, abi.DeliveryEvery)
	for round := range uint64(10) {
		for i := range uint64(5) {
			sequence := round*5 + i + 2
			mustPut(t, s, sequence, sequence)
		}
		for i := range uint64(5) {
			sequence := round*5 + i + 2
			f := mustGet(t, reader, 0, sequence, sequence)
			if missed := f.Details().Missed; missed != 0 {
				t.Errorf("frame %d: %d missed", sequence, missed)
			}
			f.Release()
		}
		_, err := waitFor(reader, 0, 0)
		must(t, err, abi.ETimeout)
	}
	must(t, reader.Deliver(abi.DeliveryNewest), abi.OK)
	for i := range uint64(20) { // More than there are slots: nobody waits for this reader any more.
		mustPut(t, s, i, i+52)
	}
	mustGet(t, reader, 51, 71, 19).Release()
	must(t, reader.Deliver(3), abi.EInvalid, "delivery 3")
}

func TestLateReaderBeginsAtTheOldestFrame(t *testing.T) {
	for _, whenBehind := range []abi.WhenBehind{abi.WhenBehindDrop, abi.WhenBehindFail} {
		s := newStreamOf(t, 1024, whenBehind)
		early := follower(t, s, abi.DeliveryOldest) // Before the first frame there is none.
		for i := range uint64(5) {
			mustPut(t, s, i, i+1)
		}
		late := follower(t, s, abi.DeliveryOldest)
		for _, reader := range []*Stream{early, late} {
			for i := range uint64(5) {
				f := mustGet(t, reader, 0, i+1, i)
				if missed := f.Details().Missed; missed != 0 {
					t.Errorf("frame %d: %d missed", i+1, missed)
				}
				f.Release()
			}
		}
	}
}

func TestSlowReaderOfEveryFrameIsToldWhatItMissed(t *testing.T) {
	s := newStreamOf(t, 4, abi.WhenBehindDrop)
	reader := follower(t, s, abi.DeliveryEvery)
	for i := range uint64(20) {
		mustPut(t, s, i, i+1)
	}
	seen, missed := uint64(0), uint64(0)
	for {
		f, err := waitFor(reader, 0, 0)
		if abi.CodeOf(err) == abi.ETimeout {
			break
		}
		must(t, err, abi.OK)
		if mark, err := markOf(f); err != nil || mark+1 != f.slot.Sequence() {
			t.Errorf("frame %d has %d, %v", f.slot.Sequence(), mark, err)
		}
		seen++
		missed += f.Details().Missed
		f.Release()
	}
	if seen+missed != 20 || seen < 3 {
		t.Errorf("%d seen, %d missed", seen, missed)
	}
}

func TestWriterFailsWhenAReaderOfEveryFrameIsBehind(t *testing.T) {
	s := newStreamOf(t, 3, abi.WhenBehindFail)
	reader := follower(t, s, abi.DeliveryEvery)
	newest := reopened(t, s)
	for i := range uint64(3) {
		mustPut(t, s, i, i+1)
	}
	_, err := begin(s, -1)
	must(t, err, abi.EBusy, "every frame", fmt.Sprint("process ", sys.ProcessID()), "3 slots")
	mustGet(t, newest, 0, 3, 2).Release() // Does not count.
	_, err = begin(s, 0)
	must(t, err, abi.EBusy)
	f := mustGet(t, reader, 0, 1, 0)
	_, err = begin(s, 0)
	must(t, err, abi.EBusy) // Taken, and not given back.
	f.Release()
	mustPut(t, s, 3, 4)
}

func TestWriterWaitsForAReaderOfEveryFrame(t *testing.T) {
	const frames = 2000
	s := newStreamOf(t, 4, abi.WhenBehindBlock)
	reader := follower(t, s, abi.DeliveryEvery)
	wrote := make(chan error, 1)
	go func() {
		for i := range uint64(frames) {
			f, err := begin(s, -1)
			if err == nil {
				if err = paint(f, i, frameBytes); err == nil {
					if err = f.SetImage(tall); err == nil {
						_, err = f.Publish()
					}
				}
				f.Release()
			}
			if err != nil {
				wrote <- err
				return
			}
		}
		wrote <- s.End()
	}()
	for i := range uint64(frames) {
		f, err := waitFor(reader, 0, time.Minute)
		must(t, err, abi.OK)
		if mark, err := markOf(f); err != nil || mark != i || f.slot.Sequence() != i+1 || f.Details().Missed != 0 {
			t.Fatalf("frame %d wanted: %+v with %d, %v", i+1, f.Details(), mark, err)
		}
		f.Release()
	}
	_, err := waitFor(reader, 0, time.Minute)
	must(t, err, abi.EEnded, s.Name(), "2000")
	must(t, <-wrote, abi.OK)
}

func TestWaitForASlotEndsWhenTheTimeIsUp(t *testing.T) {
	s := newStreamOf(t, 3, abi.WhenBehindBlock)
	reader := follower(t, s, abi.DeliveryEvery)
	for i := range uint64(3) {
		mustPut(t, s, i, i+1)
	}
	_, err := begin(s, 0)
	must(t, err, abi.EBusy)
	_, err = begin(s, 3*time.Millisecond)
	must(t, err, abi.ETimeout, "3ms", "every frame")
	mustGet(t, reader, 0, 1, 0).Release()
	f, err := begin(s, 0)
	must(t, err, abi.OK)
	f.Release()
}

// The lock of a place tells that its reader is dead: no time has to go by.
func TestDeadReaderOfEveryFrameDoesNotHoldUpTheWriter(t *testing.T) {
	s := newStreamOf(t, 3, abi.WhenBehindBlock)
	reader := startChild(t, "every frame", []string{s.Name(), "1"})
	reader.expect("ready")
	living := follower(t, s, abi.DeliveryEvery)
	for i := range uint64(3) {
		mustPut(t, s, i, i+1)
	}
	reader.expect("got 1")
	for i := range uint64(3) {
		mustGet(t, living, 0, i+1, i).Release()
	}
	_, err := begin(s, 0)
	must(t, err, abi.EBusy, strconv.Itoa(reader.cmd.Process.Pid))
	reader.kill()
	for i := range uint64(10) {
		mustPut(t, s, i, i+4)
		mustGet(t, living, 0, i+4, i).Release()
	}
}

func TestEndedStreamGivesItsLastFramesAndGoesOnWithTheNextWriter(t *testing.T) {
	s := newStreamFor(t, 4)
	newest, every := reopened(t, s), follower(t, s, abi.DeliveryEvery)
	must(t, s.End(), abi.OK) // Before the first frame.
	for _, reader := range []*Stream{newest, every} {
		_, err := waitFor(reader, 0, -1)
		must(t, err, abi.EEnded)
	}
	mustPut(t, s, 1, 1)
	mustPut(t, s, 2, 2)
	f, err := s.Begin(0, &Nap{})
	must(t, err, abi.OK)
	must(t, s.End(), abi.EBusy, "begun")
	f.Release()
	must(t, s.End(), abi.OK)
	must(t, newest.End(), abi.EBusy, "writes to")
	mustGet(t, newest, 0, 2, 2).Release()
	_, err = waitFor(newest, 2, -1)
	must(t, err, abi.EEnded)
	mustGet(t, every, 0, 1, 1).Release()
	mustGet(t, every, 0, 2, 2).Release()
	_, err = waitFor(every, 0, -1)
	must(t, err, abi.EEnded)
	s.resign()
	next := reopened(t, s)
	mustPut(t, next, 3, 3)
	mustGet(t, newest, 2, 3, 3).Release()
	mustGet(t, every, 0, 3, 3).Release()
}

func TestSleepingReaderIsToldOfTheEnd(t *testing.T) {
	s := newStreamFor(t, 4)
	mustPut(t, s, 1, 1)
	nap := Nap{}
	reader := reopened(t, s)
	if _, err := reader.Wait(1, -1, &nap); err != nil || nap.Count == 0 {
		t.Fatalf("%d, %v", nap.Count, err)
	}
	must(t, s.End(), abi.OK)
	nap.Until = sys.Monotonic() + uint64(time.Hour) // So that nothing but a wake-up ends the sleep.
	nap.Sleep()
	_, err := reader.Wait(1, -1, &nap)
	must(t, err, abi.EEnded)
}

func TestFrameTravelsWithItsStory(t *testing.T) {
	s := newStreamFor(t, 4)
	reader := reopened(t, s)
	for i, metadata := range [][]byte{[]byte("exposure=7"), nil, bytes.Repeat([]byte{0, 255}, abi.MaxMetadata/2)} {
		f, err := s.Begin(0, &Nap{})
		must(t, err, abi.OK)
		must(t, f.SetImage(tall), abi.OK)
		must(t, f.Describe(1, []byte("something before")), abi.OK)
		must(t, f.Describe(uint64(1000+i), metadata), abi.OK)
		must(t, f.Describe(1, make([]byte, abi.MaxMetadata+1)), abi.ELimit, "1025", "1024")
		sequence, err := f.Publish()
		must(t, err, abi.OK)
		must(t, f.Describe(1, nil), abi.EClosed)
		f.Release()
		got, err := waitFor(reader, sequence-1, 0)
		must(t, err, abi.OK)
		var found []byte
		err = got.Metadata(func(metadata []byte) error {
			found = bytes.Clone(metadata)
			return nil
		})
		if details := got.Details(); err != nil || !bytes.Equal(found, metadata) || details.CaptureTimeNs != uint64(1000+i) || details.MetadataSize != uint64(len(metadata)) {
			t.Errorf("%+v, %q, %v", details, found, err)
		}
		must(t, got.Describe(1, nil), abi.EPermission)
		got.Release()
	}
	info, err := s.Info()
	must(t, err, abi.OK)
	now := time.Now().UnixNano()
	if at := int64(sys.Monotonic()) + info.UtcOffsetNs; at < now-int64(time.Hour) || at > now+int64(time.Hour) {
		t.Errorf("it is %d, and %d by the stream's clock", now, at)
	}
	if info.Writer != sys.ProcessID() || info.WhenBehind != uint32(abi.WhenBehindDrop) {
		t.Errorf("%+v", info)
	}
	s.resign()
	if info, err := s.Info(); err != nil || info.Writer != 0 {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestImagesOfEverySizeTravelInOneStream(t *testing.T) {
	s := newStreamFor(t, 4)
	reader := reopened(t, s)
	for i := range uint64(50) {
		image := abi.NewImageInfo(1+uint32(i)%7, 1+uint32(i)%5, abi.DepthU8, abi.OrderBGR)
		f, err := s.Begin(0, &Nap{})
		must(t, err, abi.OK)
		must(t, f.SetImage(image), abi.OK)
		_, err = f.Publish()
		must(t, err, abi.OK)
		f.Release()
		got, err := waitFor(reader, i, 0)
		must(t, err, abi.OK)
		if found, err := got.Image(); err != nil || found != image {
			t.Errorf("%+v, %v", found, err)
		}
		got.Release()
	}
}

func init() {
	// Takes a number of frames, keeps the last, and says so.
	roles["every frame"] = func(a []string) {
		s, err := OpenStream(a[0])
		childCheck(err)
		childCheck(s.Deliver(abi.DeliveryEvery))
		fmt.Println("ready")
		count, err := strconv.Atoi(a[1])
		childCheck(err)
		for i := range count {
			f, err := waitFor(s, 0, -1)
			childCheck(err)
			fmt.Println("got", f.slot.Sequence())
			if i+1 < count {
				f.Release()
			}
		}
		nextLine()
	}
}

// frameCount gives how many frames the test below hands over: SHMCV_FRAMES, or 100000.
func frameCount(t *testing.T) uint64 {
	if n, err := strconv.ParseUint(os.Getenv("SHMCV_FRAMES"), 10, 64); err == nil {
		return n
	}
	if testing.Short() {
		return 10000
	}
	return 100000
}

// line is the image of a frame whose 8 words are all its sequence.
var line = abi.NewImageInfo(64, 1, abi.DepthU8, abi.OrderGray)

// One writer waits for 8 readers of every frame, one of which is killed again and again, and another one begins. The living
// miss no frame, and get none twice or torn.
func TestEveryFrameReachesTheLivingWhileOthersAreKilled(t *testing.T) {
	const readers, slots, lives = 8, 64, 2000
	s, err := CreateStream(newName(t), uint64(line.Bytes()), slots, abi.WhenBehindBlock)
	must(t, err, abi.OK)
	defer s.Release()
	var children [readers]*child
	start := func(i int) {
		children[i] = startChild(t, "every frame in order", []string{s.Name()})
		children[i].expect("ready")
	}
	for i := range children {
		start(i)
	}
	frames := frameCount(t)
	longest, held := time.Duration(0), 0
	for sequence := uint64(1); sequence <= frames; sequence++ {
		killed := sequence%lives == lives/2
		if killed {
			children[held%readers].kill()
		}
		began := time.Now()
		f, err := begin(s, time.Minute)
		if killed {
			longest = max(longest, time.Since(began))
		}
		must(t, err, abi.OK)
		must(t, paint(f, sequence, int(line.Bytes())), abi.OK)
		must(t, f.SetImage(line), abi.OK)
		published, err := f.Publish()
		must(t, err, abi.OK)
		f.Release()
		if published != sequence {
			t.Fatalf("frame %d has number %d", sequence, published)
		}
		if killed {
			start(held % readers)
			held++
		}
	}
	must(t, s.End(), abi.OK)
	for i, reader := range children {
		if !reader.from.Scan() || reader.from.Text() != "whole" {
			t.Errorf("reader %d: %s", i, reader.from.Text())
		}
	}
	t.Logf("%d frames, %d readers killed; a frame after a reader's death was begun within %v", frames, held, longest)
}

func init() {
	roles["every frame in order"] = func(a []string) {
		s, err := OpenStream(a[0])
		childCheck(err)
		childCheck(s.Deliver(abi.DeliveryEvery))
		fmt.Println("ready")
		for last := uint64(0); ; {
			f, err := waitFor(s, 0, time.Hour) // The first frame comes when all readers have started. The end of the test ends this process.
			if abi.CodeOf(err) == abi.EEnded {
				fmt.Println("whole")
				nextLine()
			}
			childCheck(err)
			pixels, err := f.Bytes()
			childCheck(err)
			sequence := f.slot.Sequence()
			for at := 0; at < 64; at += 8 {
				if mark := binary.NativeEndian.Uint64(pixels[at:]); mark != sequence {
					childCheck(fmt.Errorf("frame %d is torn: %d", sequence, mark))
				}
			}
			if missed := f.Details().Missed; missed != 0 || last != 0 && sequence != last+1 {
				childCheck(fmt.Errorf("frame %d after %d, %d missed", sequence, last, missed))
			}
			last = sequence
			f.Release()
		}
	}
}
