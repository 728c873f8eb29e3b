package shm

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"shmcv/internal/abi"
)

// storeMark stores an image whose bytes are all mark. It does so byte by byte: readers would rarely catch a memset half
// way.
func storeMark(s *Segment, mark byte) error {
	image := tall
	image.Width -= uint32(mark % 2)
	return s.Store(func(memory []byte) (abi.ImageInfo, error) {
		for i := range frameBytes {
			memory[i] = mark
		}
		return image, nil
	})
}

// readMark reads the image of a storeMark, and gives its mark, or an error if the image is torn.
func readMark(s *Segment) (mark byte, err error) {
	var copied []byte
	var image abi.ImageInfo
	err = s.Read(func(i abi.ImageInfo, pixels []byte) error {
		image, copied = i, bytes.Clone(pixels)
		return nil
	})
	if err != nil {
		return 0, err
	}
	if uint32(copied[0]%2) != 256-image.Width {
		return 0, fmt.Errorf("image %d wide with pixels %d", image.Width, copied[0])
	}
	if bytes.Count(copied, copied[:1]) != len(copied) {
		return 0, errors.New("the copy is torn")
	}
	return copied[0], nil
}

func TestCopyIsWholeWhileAnotherProcessStores(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	must(t, storeMark(s, 1), abi.OK)
	writer := startChild(t, "store pixels", []string{s.Name()})
	writer.expect("ready")
	seen := map[byte]bool{}
	for len(seen) < 100 {
		mark, err := readMark(s)
		if err != nil {
			t.Fatal(err)
		}
		seen[mark] = true
	}
}

// A process that stores again and again lets one have its turn that waits for it.
func TestTurnGoesToWhoWaitsForIt(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	must(t, storeMark(s, 1), abi.OK)
	end, err := s.takePixelTurn(pixelPatience)
	must(t, err, abi.OK)
	writer := startChild(t, "store pixels", []string{s.Name()})
	writer.expect("ready")
	for range 20 {
		for waits := false; !waits; runtime.Gosched() {
			waits, err = s.file.HeldByOther(lockPixels + lockNext)
			must(t, err, abi.OK)
		}
		before := s.trailer.PixelSequence.Load()
		end()
		end, err = s.takePixelTurn(pixelPatience)
		must(t, err, abi.OK)
		if s.trailer.PixelSequence.Load() == before {
			t.Fatal("the turn went back to who had it, past the other process")
		}
	}
	end()
}

func TestImageOfWhoDiedStoringIsGone(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	must(t, storeMark(s, 1), abi.OK)
	writer := startChild(t, "store half the pixels", []string{s.Name()})
	writer.expect("ready")
	mustImage(t, s, func() abi.ImageInfo { i := tall; i.Width--; return i }())
	writer.kill()
	_, err := readMark(s)
	must(t, err, abi.ENoImage)
	must(t, storeMark(s, 2), abi.OK)
	if mark, err := readMark(s); mark != 2 || err != nil {
		t.Errorf("%d, %v", mark, err)
	}
}

func TestStoreThatFailsKeepsTheImage(t *testing.T) {
	s := newSegmentFor(t, frameBytes)
	must(t, storeMark(s, 3), abi.OK)
	before, _ := s.Sequence()
	refused := errors.New("refused")
	if err := s.Store(func([]byte) (abi.ImageInfo, error) { return abi.ImageInfo{}, refused }); err != refused {
		t.Error(err)
	}
	if mark, err := readMark(s); mark != 3 || err != nil {
		t.Errorf("%d, %v", mark, err)
	}
	if after, _ := s.Sequence(); after != before {
		t.Errorf("%d images, %d before", after, before)
	}
}

func TestImageSequenceTellsOfAnotherProcessesImage(t *testing.T) {
	s := newSegmentFor(t, roomForBoth)
	if sequence, err := s.Sequence(); sequence != 0 || err != nil {
		t.Errorf("%d, %v", sequence, err)
	}
	_, err := awaitImage(s, 0, time.Millisecond)
	must(t, err, abi.ETimeout, s.Name())
	writer := startChild(t, "store", []string{s.Name()})
	last := uint64(0)
	for range 100 {
		sequence, err := awaitImage(s, last, -1)
		if err != nil || sequence <= last {
			t.Fatalf("%d after %d, %v", sequence, last, err)
		}
		last = sequence
	}
	writer.kill()
}

// However many threads of this process wait for one that stores, each gets its answer within one patience.
func TestThreadsThatWaitForAThreadThatStoresAreToldSo(t *testing.T) {
	shortly(t)
	s := newSegmentFor(t, frameBytes)
	must(t, storeMark(s, 1), abi.OK)
	storing, stop := make(chan bool), make(chan bool)
	var storer, waiters sync.WaitGroup
	storer.Go(func() {
		must(t, s.Store(func([]byte) (abi.ImageInfo, error) {
			close(storing)
			<-stop
			return tall, nil
		}), abi.OK)
	})
	<-storing
	for i := range 8 {
		waiters.Go(func() {
			err := storeMark(s, 2)
			if i%2 == 0 {
				_, err = readMark(s)
			}
			if abi.CodeOf(err) != abi.EBusy || !strings.Contains(err.Error(), s.Name()) {
				t.Error(err)
			}
		})
	}
	waiters.Wait() // The storer waits for them: if they waited for it, this test would never end.
	close(stop)
	storer.Wait()
	must(t, storeMark(s, 3), abi.OK)
}

// shortly makes the patience with those who store pixels short until the test has ended.
func shortly(t testing.TB) {
	patience := pixelPatience
	t.Cleanup(func() { pixelPatience = patience })
	pixelPatience = 50 * time.Millisecond
}

func init() {
	roles["store pixels"] = func(a []string) {
		s := childSegment(Open(a[0]))
		fmt.Println("ready")
		for mark := byte(0); ; mark++ {
			childCheck(storeMark(s, mark))
		}
	}
	roles["store half the pixels"] = func(a []string) {
		s := childSegment(Open(a[0]))
		childCheck(s.Store(func(memory []byte) (abi.ImageInfo, error) {
			for i := range frameBytes / 2 {
				memory[i] = 9
			}
			fmt.Println("ready")
			nextLine()
			return tall, nil
		}))
	}
}
