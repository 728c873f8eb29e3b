package shm

import (
	"fmt"
	"math/bits"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// startToldFile starts a process that tells its descriptor of the stream, and gives what a program that looks into all processes
// has of it.
func startToldFile(t *testing.T, role, name string) (*child, int) {
	t.Helper()
	c := startChild(t, role, []string{name})
	var fd int
	c.from.Scan()
	if _, err := fmt.Sscan(c.from.Text(), &fd); err != nil {
		t.Fatal(err)
	}
	process, err := unix.PidfdOpen(c.cmd.Process.Pid, 0)
	must(t, err, abi.OK)
	defer unix.Close(process)
	file, err := unix.PidfdGetfd(process, fd, 0)
	if err != nil {
		t.Skipf("this process may not look into another: %v", err)
	}
	return c, file
}

// A program that looks into all processes can have the file of a process at hand while this process dies. The file then
// outlives the process, and its locks with it.
func TestNextWriterWaitsForTheLockOfADeadOne(t *testing.T) {
	s := newStreamFor(t, 4)
	writer, file := startToldFile(t, "writer that tells its descriptor", s.Name())
	_, err := put(s, 2)
	must(t, err, abi.EBusy, fmt.Sprint("process ", writer.cmd.Process.Pid)) // It lives.
	writer.kill()
	if held, err := s.file.HeldByOther(lockWriter); err != nil || !held {
		t.Fatalf("the dead writer's lock is held: %v, %v", held, err)
	}
	time.AfterFunc(10*time.Millisecond, func() { _ = unix.Close(file) })
	mustPut(t, s, 2, 2)
}

func TestWriterWaitsForThePlaceOfADeadReader(t *testing.T) {
	s := newStreamFor(t, 2)
	mustPut(t, s, 1, 1)
	reader, file := startToldFile(t, "reader that tells its descriptor", s.Name())
	mustPut(t, s, 2, 2)
	_, err := s.Begin(0, &Nap{})
	must(t, err, abi.EBusy) // It lives.
	reader.kill()
	time.AfterFunc(10*time.Millisecond, func() { _ = unix.Close(file) })
	for i := range uint64(5) {
		mustPut(t, s, 3+i, 3+i)
	}
}

// A process that lives in another container looks as one that is gone.
func TestWriterWaitsOnlyOnceForAReaderThatItCannotSee(t *testing.T) {
	s := newStreamFor(t, 2)
	mustPut(t, s, 1, 1)
	reader, file := startToldFile(t, "reader that tells its descriptor", s.Name())
	mustPut(t, s, 2, 2)
	reader.kill()
	_, err := s.Begin(0, &Nap{})
	must(t, err, abi.EBusy)
	place := bits.TrailingZeros64(s.ring.Blockers())
	if id := s.parties.awaited[place]; int(id) != reader.cmd.Process.Pid {
		t.Errorf("process %d has been waited for", id)
	}
	_, err = s.Begin(0, &Nap{})
	must(t, err, abi.EBusy)
	_ = unix.Close(file)
	mustPut(t, s, 3, 3)
}

func init() {
	roles["reader that tells its descriptor"] = func(a []string) {
		s, err := OpenStream(a[0])
		childCheck(err)
		f, err := waitFor(s, 0, 0)
		childCheck(err)
		fmt.Println(descriptorOf(pathOf(a[0])))
		nextLine()
		f.Release()
	}
	roles["writer that tells its descriptor"] = func(a []string) {
		s, err := OpenStream(a[0])
		childCheck(err)
		_, err = put(s, 1)
		childCheck(err)
		fmt.Println(descriptorOf(pathOf(a[0])))
		nextLine()
	}
}
