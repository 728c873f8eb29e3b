package shm

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// unwritableStream opens a stream as a process does that may not write to its file.
func unwritableStream(t testing.TB, s *Stream) *Stream {
	t.Helper()
	var reader *Stream
	asOther(t, func() { reader = readOnlyStream(t, s) })
	if reader.file.Writable() {
		t.Fatal("the file was opened for writing")
	}
	return reader
}

// newStreamWith creates a stream with an access.
func newStreamWith(t testing.TB, slots uint32, access abi.Access) *Stream {
	t.Helper()
	s, err := CreateStreamFor(newName(t), frameBytes, slots, abi.WhenBehindDrop, access)
	must(t, err, abi.OK)
	t.Cleanup(s.Release)
	return s
}

func TestStreamThatThisProcessMayOnlyReadIsRead(t *testing.T) {
	writer := newStreamWith(t, 2, access(-1, 0o644))
	reader := unwritableStream(t, writer)
	mustPut(t, writer, 1, 1)
	f := mustGet(t, reader, 0, 1, 1)
	must(t, f.Check(), abi.OK)
	mustPut(t, writer, 2, 2)
	mustPut(t, writer, 3, 3)
	must(t, f.Check(), abi.EOvertaken)
	f.Release()
	must(t, reader.Deliver(abi.DeliveryOldest), abi.OK)
	mustGet(t, reader, 1, 2, 2).Release()
	mustGet(t, reader, 2, 3, 3).Release()
	must(t, reader.Deliver(abi.DeliveryNewest), abi.OK)
	reader.HeedWriter(true)
	_, err := waitFor(reader, 3, 10*time.Millisecond)
	must(t, err, abi.ETimeout)
	byChoice := readOnlyStream(t, writer)
	parts := map[string][]byte{"pixels": reader.memory, "words": reader.shared, "pixels that it might write": byChoice.memory}
	for what, memory := range parts {
		if !faultsWhenWritten(memory, len(memory)-1) {
			t.Errorf("%s can be written to", what)
		}
	}
	_, err = put(reader, 1)
	must(t, err, abi.EPermission, "read-only")
}

// Who may only read a stream by its group opens it as everybody else. A stranger's file has to be asked for.
func TestOpenGivesAReaderToWhoMayOnlyRead(t *testing.T) {
	group := newStreamWith(t, 2, access(strangers, 0o640))
	all := newStreamWith(t, 2, access(-1, 0o644))
	asUser(t, 54321, strangers, func() {
		for _, openIt := range []func(string) (*Stream, error){OpenStream, OpenStreamReadOnly} {
			reader, err := openIt(group.Name())
			must(t, err, abi.OK)
			if !reader.readOnly || reader.file.Writable() {
				t.Error("the file was opened for writing")
			}
			reader.Release()
		}
		_, err := OpenStream(all.Name())
		must(t, err, abi.EPermission, "read-only")
		reader, err := OpenStreamReadOnly(all.Name())
		must(t, err, abi.OK)
		reader.Release()
	})
	asUser(t, 54321, 54321, func() {
		for _, openIt := range []func(string) (*Stream, error){OpenStream, OpenStreamReadOnly} {
			_, err := openIt(group.Name())
			must(t, err, abi.EPermission)
		}
	})
	if reader := reopened(t, group); reader.readOnly {
		t.Error("who may write has got a reader")
	}
}

// untilAsleep waits until a thread of this process sleeps in a system call for futexes.
func untilAsleep(t testing.TB, thread int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; runtime.Gosched() {
		call, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/syscall", thread))
		if err != nil {
			t.Skip("this system does not tell what a thread does:", err)
		}
		if strings.HasPrefix(string(call), fmt.Sprint(unix.SYS_FUTEX_WAITV, " ")) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("thread %d does not sleep: %s", thread, call)
		}
	}
}

// A reader that cannot say that it sleeps is woken by the writer of a stream that such readers may open, and by its end.
func TestReaderThatCannotMarkTheBellIsWoken(t *testing.T) {
	writer := newStreamWith(t, 4, access(-1, 0o644))
	mustPut(t, writer, 1, 1)
	reader := unwritableStream(t, writer)
	for _, news := range []struct {
		what string
		tell func() error
	}{
		{"frame", func() error { _, err := put(writer, 2); return err }},
		{"end", writer.End},
	} {
		t.Run(news.what, func(t *testing.T) {
			nap := Nap{}
			if _, err := reader.Wait(writer.trailer.published(), -1, &nap); err != nil || nap.Count == 0 {
				t.Fatal(nap.Count, err)
			}
			if nap.Until > sys.Monotonic()+uint64(unmarkedSlice) {
				t.Errorf("it sleeps for %d ns, in which a writer may not wake it", nap.Until-sys.Monotonic())
			}
			nap.Until = sys.Monotonic() + uint64(time.Hour) // So that nothing but the writer ends the sleep.
			thread, woken := make(chan int), make(chan struct{})
			go func() {
				runtime.LockOSThread()
				thread <- unix.Gettid()
				nap.Sleep()
				close(woken)
			}()
			untilAsleep(t, <-thread)
			must(t, news.tell(), abi.OK)
			select {
			case <-woken:
			case <-time.After(20 * time.Second):
				t.Error("the reader sleeps still")
			}
		})
	}
}

func TestWaitSetWaitsForWhoCannotMarkTheBell(t *testing.T) {
	for _, mode := range []uint32{0o644, 0o600} {
		writer, w := newStreamWith(t, 4, access(-1, 0o644)), newWaitSetFor(t)
		must(t, os.Chmod(pathOf(writer.Name()), os.FileMode(mode)|0o044), abi.OK)
		reader := unwritableStream(t, writer)
		must(t, os.Chmod(pathOf(writer.Name()), os.FileMode(mode)), abi.OK) // With 0600 the writer wakes nobody.
		must(t, w.Add(1, reader, 11, 0), abi.OK)
		checkKeys(t, keysOf(t, w, 0))
		waited := make(chan error)
		go func() {
			f, err := waitFor(reader, 0, 20*time.Second)
			if err == nil {
				f.Release()
			}
			waited <- err
		}()
		mustPut(t, writer, 1, 1)
		checkKeys(t, keysOf(t, w, 20*time.Second), 1)
		must(t, <-waited, abi.OK)
	}
}

// A process that may only read a stream can share the locks of its dead readers for ever. The writer goes on all the same, and
// a reader with the right to write takes no place that is being emptied.
func TestSharedLocksOfDeadReadersDoNotHoldTheWriterUp(t *testing.T) {
	for _, whenBehind := range []abi.WhenBehind{abi.WhenBehindDrop, abi.WhenBehindBlock} {
		writer, err := CreateStreamFor(newName(t), frameBytes, 2, whenBehind, access(-1, 0o644))
		must(t, err, abi.OK)
		defer writer.Release()
		mustPut(t, writer, 1, 1)
		dead := startChild(t, "stream", []string{writer.Name()})
		dead.expect("ready")
		dead.say("get")
		dead.expect("1")
		living := startChild(t, "stream", []string{writer.Name()})
		living.expect("ready")
		mustPut(t, writer, 2, 2)
		dead.kill()
		hostile := unwritableStream(t, writer)
		file, err := os.Open(pathOf(writer.Name()))
		must(t, err, abi.OK)
		defer file.Close()
		if shared, alone := seizeLocks(int(file.Fd())); shared == 0 || alone != 0 {
			t.Fatalf("%d locks, %d of them alone", shared, alone)
		}
		for sequence := uint64(3); sequence < 10; sequence++ {
			mustPut(t, writer, sequence, sequence)
		}
		_, err = waitFor(reopened(t, writer), 0, 0) // All places are locked.
		must(t, err, abi.EBusy, writer.Name())
		mustGet(t, hostile, 0, 9, 9).Release()
		fifth := unix.Flock_t{Type: unix.F_UNLCK, Whence: unix.SEEK_SET, Start: 1<<62 + lockPlace + 5, Len: 1}
		must(t, unix.FcntlFlock(file.Fd(), unix.F_OFD_SETLK, &fifth), abi.OK)
		living.say("get")
		living.expect("9")
		mustPut(t, writer, 10, 10)
		_, err = writer.Begin(0, &Nap{}) // The living reader is not taken for a dead one.
		must(t, err, abi.EBusy)
	}
}

func TestPlaceThatIsBeingEmptiedIsNotTaken(t *testing.T) {
	writer := newStreamWith(t, 4, access(-1, 0o644))
	mustPut(t, writer, 1, 1)
	writer.ring.SetEmptied(0, true)
	reader := reopened(t, writer)
	mustGet(t, reader, 0, 1, 1).Release()
	if place := reader.ring.Place(); place != 1 {
		t.Errorf("place %d", place)
	}
	next := reopened(t, writer)
	must(t, next.End(), abi.EBusy)
	writer.resign()
	must(t, next.End(), abi.OK) // The next writer knows that the place's emptying is over.
	if writer.ring.IsEmptied(0) {
		t.Error("the place is never taken again")
	}
}

// The lock of the writer can be shared as long as there is none. The error says so, and a stream that is made again has other
// locks.
func TestWriterIsToldThatAReaderSharesItsLock(t *testing.T) {
	s := newStreamWith(t, 2, access(-1, 0o644))
	file, err := os.Open(pathOf(s.Name()))
	must(t, err, abi.OK)
	defer file.Close()
	seizeLocks(int(file.Fd()))
	_, err = put(s, 1)
	must(t, err, abi.EBusy, "may only read", "create the stream again")
	if s.writerAlive() {
		t.Error("who shares the lock counts as a writer")
	}
	must(t, s.ClearName(), abi.OK)
	again, err := CreateStreamFor(s.Name(), frameBytes, 2, abi.WhenBehindDrop, access(-1, 0o644))
	must(t, err, abi.OK)
	defer again.Release()
	mustPut(t, again, 1, 1)
}
