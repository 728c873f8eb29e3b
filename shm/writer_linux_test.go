package shm

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// A program that looks into all processes can have the file of a process at hand while this process dies. The file then
// outlives the process, and its locks with it.
func TestNextWriterWaitsForTheLockOfADeadOne(t *testing.T) {
	s := newStreamFor(t, 4)
	writer := startChild(t, "writer that tells its descriptor", []string{s.Name()})
	var fd int
	writer.from.Scan()
	if _, err := fmt.Sscan(writer.from.Text(), &fd); err != nil {
		t.Fatal(err)
	}
	process, err := unix.PidfdOpen(writer.cmd.Process.Pid, 0)
	must(t, err, abi.OK)
	defer unix.Close(process)
	file, err := unix.PidfdGetfd(process, fd, 0)
	if err != nil {
		t.Skipf("this process may not look into another: %v", err)
	}
	_, err = put(s, 2)
	must(t, err, abi.EBusy, fmt.Sprint("process ", writer.cmd.Process.Pid)) // It lives.
	writer.kill()
	if held, err := s.file.HeldByOther(lockWriter); err != nil || !held {
		t.Fatalf("the dead writer's lock is held: %v, %v", held, err)
	}
	time.AfterFunc(10*time.Millisecond, func() { _ = unix.Close(file) })
	mustPut(t, s, 2, 2)
}

func init() {
	roles["writer that tells its descriptor"] = func(a []string) {
		s, err := OpenStream(a[0])
		childCheck(err)
		_, err = put(s, 1)
		childCheck(err)
		fmt.Println(descriptorOf(pathOf(a[0])))
		nextLine()
	}
}
