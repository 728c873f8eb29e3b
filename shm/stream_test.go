package shm

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
	"unsafe"

	"shmcv/internal/abi"
	"shmcv/shm/internal/ring"
	"shmcv/shm/internal/sys"
)

// tall is an image that takes a slot of frameBytes.
var tall = abi.NewImageInfo(256, 256, abi.DepthU8, abi.OrderGray)

const frameBytes = 256 * 256

func newStreamFor(t testing.TB, slots uint32) *Stream {
	t.Helper()
	s, err := CreateStream(newName(t), frameBytes, slots, abi.WhenBehindDrop)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Release)
	return s
}

func reopened(t testing.TB, s *Stream) *Stream {
	t.Helper()
	again, err := OpenStream(s.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.Release)
	return again
}

// put publishes a frame whose words are all mark.
func put(s *Stream, mark uint64) (uint64, error) {
	f, err := s.Begin(0, &Nap{})
	if err != nil {
		return 0, err
	}
	defer f.Release()
	if err := paint(f, mark, frameBytes); err != nil {
		return 0, err
	}
	if err := f.SetImage(tall); err != nil {
		return 0, err
	}
	return f.Publish()
}

func paint(f *Frame, mark uint64, size int) error {
	bytes, err := f.Bytes()
	if err != nil {
		return err
	}
	for i := 0; i < size; i += 8 {
		binary.NativeEndian.PutUint64(bytes[i:], mark)
	}
	return nil
}

// markOf gives the mark of a frame that put has published, or an error if the frame is torn.
func markOf(f *Frame) (uint64, error) {
	bytes, err := f.Bytes()
	if err != nil {
		return 0, err
	}
	mark := binary.NativeEndian.Uint64(bytes)
	for i := 0; i < frameBytes; i += 8 {
		if here := binary.NativeEndian.Uint64(bytes[i:]); here != mark {
			return 0, fmt.Errorf("frame %d is torn: %#x, and at %d %#x", f.slot.Sequence(), mark, i, here)
		}
	}
	return mark, nil
}

func mustPut(t testing.TB, s *Stream, mark, wanted uint64) {
	t.Helper()
	if sequence, err := put(s, mark); err != nil || sequence != wanted {
		t.Fatalf("sequence %d wanted, got %d, %v", wanted, sequence, err)
	}
}

func mustGet(t testing.TB, s *Stream, newerThan, sequence, mark uint64) *Frame {
	t.Helper()
	f, err := waitFor(s, newerThan, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := markOf(f); err != nil || got != mark || f.slot.Sequence() != sequence {
		t.Fatalf("frame %d with %#x wanted, got %d with %#x, %v", sequence, mark, f.slot.Sequence(), got, err)
	}
	return f
}

func TestReaderGetsWhatTheWriterPublished(t *testing.T) {
	writer := newStreamFor(t, 0)
	reader := reopened(t, writer)
	before := sys.Monotonic()
	mustPut(t, writer, 0xabcdef, 1)
	f := mustGet(t, reader, 0, 1, 0xabcdef)
	defer f.Release()
	pixels := f.slot.Bytes()
	want := abi.FrameInfo{
		Sequence: 1, TimeNs: f.slot.Time(), Image: tall, Held: 1,
		Data: uintptr(unsafe.Pointer(&pixels[0])), Size: uint64(len(pixels)),
	}
	if details := f.Details(); details != want || f.slot.Time() < before || f.slot.Time() > sys.Monotonic() {
		t.Errorf("%+v", details)
	}
	if info, err := f.Info(); err != nil || info.Size != frameBytes || info.Image != tall || info.Slots != 4 {
		t.Errorf("%+v, %v", info, err)
	}
	if info, err := reader.Info(); err != nil || info.HasImage != 1 || info.Image != tall || info.SlotSize != frameBytes {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestNewestFrameWinsAndTheOthersAreCounted(t *testing.T) {
	s := newStreamFor(t, 0)
	for i := range uint64(10) {
		mustPut(t, s, i, i+1)
	}
	f := mustGet(t, s, 3, 10, 9)
	defer f.Release()
	if missed := f.Details().Missed; missed != 6 {
		t.Errorf("%d missed", missed)
	}
}

func TestWaitEndsWhenTheTimeIsUp(t *testing.T) {
	s := newStreamFor(t, 0)
	for _, timeout := range []time.Duration{0, time.Microsecond, 3 * time.Millisecond, 150 * time.Millisecond} {
		_, err := waitFor(s, 0, timeout)
		must(t, err, abi.ETimeout, s.Name())
	}
	mustPut(t, s, 1, 1)
	_, err := waitFor(s, 1, 0)
	must(t, err, abi.ETimeout)
}

func TestSleepingReaderIsWoken(t *testing.T) {
	s := newStreamFor(t, 0)
	writer := startChild(t, "stream", []string{s.Name()})
	writer.expect("ready")
	for i := range uint64(100) {
		go writer.say("put")
		f, err := waitFor(s, i, -1)
		if err != nil {
			t.Fatal(err)
		}
		if f.slot.Sequence() != i+1 {
			t.Fatalf("frame %d, after %d", f.slot.Sequence(), i)
		}
		f.Release()
	}
}

func TestFrameThatIsNotPublishedIsNeverSeen(t *testing.T) {
	s := newStreamFor(t, 2)
	mustPut(t, s, 7, 1)
	for range 5 {
		f, err := s.Begin(0, &Nap{})
		if err != nil {
			t.Fatal(err)
		}
		if err := paint(f, 8, frameBytes); err != nil {
			t.Fatal(err)
		}
		f.Release()
	}
	mustGet(t, s, 0, 1, 7).Release()
	mustPut(t, s, 9, 2)
	mustGet(t, s, 1, 2, 9).Release()
}

func TestFrameNeedsAnImageToBePublished(t *testing.T) {
	s := newStreamFor(t, 0)
	f, err := s.Begin(0, &Nap{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	_, err = f.Image()
	must(t, err, abi.ENoImage)
	_, err = f.Publish()
	must(t, err, abi.ENoImage, "load or set one")
	must(t, f.SetImage(abi.NewImageInfo(256, 257, abi.DepthU8, abi.OrderGray)), abi.ETooSmall, "65792", "65536")
	must(t, f.SetImage(tall), abi.OK)
	_, err = f.Publish()
	must(t, err, abi.OK)
	_, err = f.Publish()
	must(t, err, abi.EClosed)
	_, err = f.Bytes()
	must(t, err, abi.EClosed)
	must(t, f.SetImage(tall), abi.EClosed)
}

func TestFrameIsNotPublishedWhileAnotherThreadStoresInIt(t *testing.T) {
	s := newStreamFor(t, 0)
	f, err := s.Begin(0, &Nap{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	err = f.Store(func([]byte) (abi.ImageInfo, error) {
		_, err := f.Publish()
		must(t, err, abi.EBusy)
		return tall, nil
	})
	must(t, err, abi.OK)
	_, err = f.Publish()
	must(t, err, abi.OK)
}

func TestFrameThatIsReadCannotBeWritten(t *testing.T) {
	s := newStreamFor(t, 0)
	mustPut(t, s, 1, 1)
	f := mustGet(t, s, 0, 1, 1)
	defer f.Release()
	must(t, f.SetImage(tall), abi.EPermission, "to be read")
	_, err := f.Room(tall)
	must(t, err, abi.EPermission)
	_, err = f.Publish()
	must(t, err, abi.EPermission)
	must(t, f.Store(func([]byte) (abi.ImageInfo, error) { t.Error("called"); return tall, nil }), abi.EPermission)
}

func TestStreamIsNoSegmentAndASegmentIsNoStream(t *testing.T) {
	stream, segment := newStreamFor(t, 0), newSegmentFor(t, 100)
	_, err := Open(stream.Name())
	must(t, err, abi.EInvalid, stream.Name(), "is a stream", "shmcv_stream_open")
	_, err = OpenStream(segment.Name())
	must(t, err, abi.EInvalid, segment.Name(), "is a segment and no stream")
	if m, n := stream.mapping.references.Load(), segment.references.Load(); m != 1 || n != 1 {
		t.Errorf("%d and %d references", m, n)
	}
}

func TestStreamsShapeIsChecked(t *testing.T) {
	for _, shape := range []struct {
		size  uint64
		slots uint32
	}{{0, 4}, {1, 1}, {1, 1025}, {maxSize, 2}, {1<<64 - 1, 4}, {maxSize / 16, 16}} {
		_, err := CreateStream(newName(t), shape.size, shape.slots, abi.WhenBehindDrop)
		must(t, err, abi.EInvalid)
	}
	s, err := CreateStream(newName(t), 1, 0, abi.WhenBehindDrop)
	must(t, err, abi.OK)
	defer s.Release()
	if info, err := s.Info(); err != nil || info.Slots != 4 || info.SlotSize != 4096 || info.Size != 16384 {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestSecondWriterIsBusyWhileTheFirstLives(t *testing.T) {
	s := newStreamFor(t, 0)
	first := startChild(t, "stream", []string{s.Name()})
	first.expect("ready")
	first.say("put")
	first.expect("1")
	_, err := s.Begin(0, &Nap{})
	must(t, err, abi.EBusy, strconv.Itoa(first.cmd.Process.Pid), s.Name())
	first.kill()
	mustPut(t, s, 5, 2)
	other := reopened(t, s)
	_, err = other.Begin(0, &Nap{})
	must(t, err, abi.EBusy, "this process")
	mustGet(t, other, 1, 2, 5).Release()
}

func TestNextWriterBeginsWhenTheFirstHasClosed(t *testing.T) {
	s := newStreamFor(t, 0)
	first := reopened(t, s)
	mustPut(t, first, 1, 1)
	first.Retain()
	first.Release() // Not the last reference.
	_, err := s.Begin(0, &Nap{})
	must(t, err, abi.EBusy)
	f, err := first.Begin(0, &Nap{})
	must(t, err, abi.OK)
	_, err = first.Begin(0, &Nap{})
	must(t, err, abi.EBusy, "begun already")
	f.Release()

	again, err := OpenStream(s.Name())
	must(t, err, abi.OK)
	first.resign()
	mustPut(t, again, 2, 2)
	again.Release()
	mustPut(t, s, 3, 3)
}

func TestHalfFilledFrameOfAKilledWriterIsReclaimed(t *testing.T) {
	s := newStreamFor(t, 2)
	writer := startChild(t, "stream", []string{s.Name()})
	writer.expect("ready")
	writer.say("put")
	writer.expect("1")
	writer.say("half")
	writer.expect("half")
	writer.kill()
	_, err := waitFor(s, 1, 0)
	must(t, err, abi.ETimeout)
	f := mustGet(t, s, 0, 1, 1)
	f.Release()
	for i := range uint64(5) {
		mustPut(t, s, i, i+2)
	}
}

func TestFrameThatAKilledWriterStoredAndDidNotPublishIsForgotten(t *testing.T) {
	s := newStreamFor(t, 4)
	mustPut(t, s, 1, 1)
	f, err := s.Begin(0, &Nap{}) // As after W4.
	must(t, err, abi.OK)
	binary.NativeEndian.PutUint64(s.parties.memory[s.identity.recordsAt()+uint64(f.slot.Slot())*ring.RecordSize:], 2)
	s.resign()
	_, err = waitFor(s, 1, 0)
	must(t, err, abi.ETimeout)
	mustPut(t, s, 5, 2)
	mustGet(t, s, 1, 2, 5).Release()
	count := 0
	for i := range 4 {
		if binary.NativeEndian.Uint64(s.records[i*ring.RecordSize:]) == 2 {
			count++
		}
	}
	if count != 1 {
		t.Errorf("%d slots have frame 2", count)
	}
}

func TestWriterIsToldWhenReadersHoldAllSlots(t *testing.T) {
	s := newStreamFor(t, 3)
	reader := reopened(t, s)
	var held []*Frame
	for i := range uint64(3) {
		mustPut(t, s, i, i+1)
		held = append(held, mustGet(t, reader, i, i+1, i))
	}
	_, err := s.Begin(0, &Nap{})
	must(t, err, abi.EBusy, "all 3 slots", "more slots", s.Name())
	for i, f := range held {
		if mark, err := markOf(f); err != nil || mark != uint64(i) {
			t.Errorf("%d: %d, %v", i, mark, err)
		}
	}
	held[1].Release()
	mustPut(t, s, 9, 4)
	held[0].Release()
	held[2].Release()
}

func TestLeaseOfAKilledReaderIsReclaimed(t *testing.T) {
	s := newStreamFor(t, 2)
	mustPut(t, s, 1, 1)
	reader := startChild(t, "stream", []string{s.Name()})
	reader.expect("ready")
	reader.say("get")
	reader.expect("1")
	mustPut(t, s, 2, 2)
	_, err := s.Begin(0, &Nap{})
	must(t, err, abi.EBusy)
	reader.kill()
	for i := range uint64(5) {
		mustPut(t, s, 3+i, 3+i)
	}
}

func TestAPartyMayHoldAFrameManyTimes(t *testing.T) {
	s := newStreamFor(t, 2)
	mustPut(t, s, 1, 1)
	var frames []*Frame
	for range 1000 {
		frames = append(frames, mustGet(t, s, 0, 1, 1))
	}
	for i, f := range frames {
		if held := holders(s); held != 1 {
			t.Fatalf("places %b hold the slot after %d were released", held, i)
		}
		f.Release()
	}
	f := mustGet(t, s, 0, 1, 1)
	f.Release()
	if held := holders(s); held != 0 {
		t.Errorf("places %b still hold the slot", held)
	}
}

// holders gives the places that hold any slot, a bit for each.
func holders(s *Stream) uint64 {
	held := uint64(0)
	for slot := range int(s.identity.SlotCount) {
		held |= binary.NativeEndian.Uint64(s.shared[slot*ring.HoldersSize:])
	}
	return held
}

func TestMorePartiesThanPlacesAreRefused(t *testing.T) {
	s := newStreamFor(t, 2)
	mustPut(t, s, 1, 1)
	parties := make([]*Stream, ring.Places)
	for i := range parties {
		parties[i] = reopened(t, s)
		mustGet(t, parties[i], 0, 1, 1).Release()
	}
	_, err := waitFor(s, 0, 0)
	must(t, err, abi.EBusy, "63 programs", s.Name())
	again, err := OpenStream(s.Name())
	must(t, err, abi.OK)
	parties[5].leavePlace()
	mustGet(t, again, 0, 1, 1).Release()
	again.Release()
	mustGet(t, s, 0, 1, 1).Release() // In the place of the one before.
}

func TestReadersInOneProcessSeeWholeFramesOnly(t *testing.T) {
	const readers, frames = 6, 3000
	s := newStreamFor(t, readers+2)
	var all sync.WaitGroup
	for range readers {
		reader := reopened(t, s)
		all.Go(func() {
			for last := uint64(0); last < frames; {
				f, err := waitFor(reader, last, -1)
				if err != nil {
					t.Error(err)
					return
				}
				if mark, err := markOf(f); err != nil || mark != f.slot.Sequence() {
					t.Errorf("frame %d with %d, %v", f.slot.Sequence(), mark, err)
				}
				last = f.slot.Sequence()
				f.Release()
			}
		})
	}
	for i := range uint64(frames) {
		mustPut(t, s, i+1, i+1)
	}
	all.Wait()
}

// rounds gives how many processes the killing test kills: SHMCV_KILL_ROUNDS, or 200.
func rounds(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv("SHMCV_KILL_ROUNDS")); err == nil {
		return n
	}
	if testing.Short() {
		return 20
	}
	return 200
}

// A writer and readers are killed at random points. Each time another takes the place of the dead one.
func TestWhoeverIsKilledTheOthersGoOn(t *testing.T) {
	const readers = 2
	s, err := CreateStream(newName(t), frameBytes, readers+3, abi.WhenBehindDrop) // This process reads too.
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	start := func(role string) *child {
		c := startChild(t, role, []string{s.Name()})
		c.expect("ready")
		return c
	}
	writer := start("stream writer")
	var others [readers]*child
	for i := range others {
		others[i] = start("stream reader")
	}
	newest := uint64(0)
	for range rounds(t) {
		// A number of frames goes by before the next one is killed.
		for goal, n := newest, random.Uint64N(8); newest <= goal+n; {
			f, err := waitFor(s, newest, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if mark, err := markOf(f); err != nil {
				t.Fatalf("%#x: %v", mark, err)
			}
			newest = f.slot.Sequence()
			f.Release()
		}
		if i := random.IntN(readers + 1); i == readers {
			writer.kill()
			writer = start("stream writer")
		} else {
			others[i].kill()
			others[i] = start("stream reader")
		}
	}
	writer.kill()
	for _, reader := range others { // Each checks its frames itself, and ends if one is torn.
		reader.say("end")
		reader.expect("whole")
		reader.kill()
	}
	// No slot is lost: while readers hold all others, the writer still finds one.
	var held []*Frame
	for range readers + 2 {
		sequence, err := put(s, 1)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, mustGet(t, s, sequence-1, sequence, 1))
	}
	for _, f := range held {
		f.Release()
	}
	// No lock is left behind either.
	mustSweep(t)
	mustExist(t, s.Name(), true)
	s.Release()
	mustSweep(t)
	mustExist(t, s.Name(), false)
}

func init() {
	// Does as it is told, line by line.
	roles["stream"] = func(a []string) {
		s, err := OpenStream(a[0])
		childCheck(err)
		fmt.Println("ready")
		for mark := uint64(1); ; mark++ {
			var order string
			if _, err := fmt.Scanln(&order); err != nil {
				return
			}
			switch order {
			case "put":
				sequence, err := put(s, mark)
				childCheck(err)
				fmt.Println(sequence)
			case "half":
				f, err := s.Begin(0, &Nap{})
				childCheck(err)
				childCheck(paint(f, mark, frameBytes/2))
				fmt.Println("half")
			case "get":
				f, err := waitFor(s, 0, -1)
				childCheck(err)
				fmt.Println(f.slot.Sequence())
			}
		}
	}

	roles["stream writer"] = func(a []string) {
		s, err := OpenStream(a[0])
		childCheck(err)
		mark := uint64(os.Getpid()) << 32
		_, err = put(s, mark)
		childCheck(err)
		fmt.Println("ready")
		for {
			mark++
			_, err := put(s, mark)
			childCheck(err)
		}
	}

	// Reads frames, and ends if one is torn.
	roles["stream reader"] = func(a []string) {
		s, err := OpenStream(a[0])
		childCheck(err)
		end := make(chan struct{})
		go func() { nextLine(); close(end) }()
		fmt.Println("ready")
		for last := uint64(0); ; {
			select {
			case <-end:
				fmt.Println("whole")
				nextLine()
				return
			default:
			}
			f, err := waitFor(s, last, 100*time.Millisecond)
			if abi.CodeOf(err) == abi.ETimeout {
				continue
			}
			childCheck(err)
			_, err = markOf(f)
			childCheck(err)
			last = f.slot.Sequence()
			f.Release()
		}
	}
}
