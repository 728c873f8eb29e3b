package shm

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// mustListAndSweep checks that List tells of a segment, and that Sweep removes an orphan, whatever else is there.
func mustListAndSweep(t *testing.T) {
	t.Helper()
	good, orphan := newSegmentFor(t, 100), newName(t)
	create(t, orphan, 100).Release()
	if names := listed(t); !slices.Contains(names, good.Name()) || !slices.Contains(names, orphan) {
		t.Errorf("not listed: %v", names)
	}
	mustSweep(t)
	mustExist(t, orphan, false)
	mustExist(t, good.Name(), true)
}

func TestRunningProgramIsNoObstacleToListAndSweep(t *testing.T) {
	name := newName(t)
	program, err := os.OpenFile(pathOf(name), os.O_CREATE|os.O_WRONLY, 0o700)
	must(t, err, abi.OK)
	executable, err := os.Open("/bin/cat")
	must(t, err, abi.OK)
	defer executable.Close()
	size, err := io.Copy(program, executable)
	must(t, err, abi.OK)
	must(t, program.Truncate((size/granularity+1)*granularity), abi.OK) // As long as a segment could be.
	program.Close()
	cmd := exec.Command(pathOf(name))
	input, err := cmd.StdinPipe()
	must(t, err, abi.OK)
	if err := cmd.Start(); errors.Is(err, os.ErrPermission) {
		t.Skip("no program can run in this /dev/shm")
	} else if err != nil {
		t.Fatal(err)
	}
	defer func() { input.Close(); _ = cmd.Wait() }()
	mustListAndSweep(t)
}

func TestLeasedFileIsNoObstacleToListAndSweep(t *testing.T) {
	signal.Ignore(syscall.SIGIO)
	defer signal.Reset(syscall.SIGIO)
	for _, size := range []int{8192, granularity} {
		name := newName(t)
		writeFile(t, name, make([]byte, size))
		file := rawFile(t, name)
		if _, err := unix.FcntlInt(file.Fd(), unix.F_SETLEASE, unix.F_WRLCK); err != nil {
			t.Fatal(err)
		}
		mustListAndSweep(t)
		if size != granularity { // It cannot be a segment, so it is not opened, which would end the lease.
			if lease, err := unix.FcntlInt(file.Fd(), unix.F_GETLEASE, 0); lease != unix.F_WRLCK || err != nil {
				t.Errorf("the lease has become %d, %v", lease, err)
			}
		}
		file.Close()
	}
}

func TestHugeFilesAreNoObstacleToListAndSweep(t *testing.T) {
	for range 3 {
		name := newName(t)
		writeFile(t, name, nil)
		truncate(t, name, maxSize)
	}
	mustListAndSweep(t)
}

func TestListAndSweepWaitForNobody(t *testing.T) {
	begun := time.Now()
	const count = 40
	var names []string
	for range count {
		// Another process keeps everybody from using this segment, and has been stopped while it stored an image.
		s := newSegmentFor(t, 100)
		s.trailer.ImageSequence.Add(1)
		s.file.Unlock(lockUser)
		file, err := sys.Open(s.Name())
		must(t, err, abi.OK)
		defer file.Close()
		for _, lock := range []int{lockUser, lockImage, lockPixels, lockName} {
			if taken, err := file.Lock(lock); !taken || err != nil {
				t.Fatal(taken, err)
			}
		}
		names = append(names, s.Name())
	}
	infos, err := List()
	must(t, err, abi.OK)
	found := 0
	for _, info := range infos {
		name := string(info.Name[:len(names[0])])
		if slices.Contains(names, name) {
			found++
			if info.HasImage != 0 {
				t.Error(info)
			}
		}
	}
	if found != count {
		t.Errorf("%d of %d locked segments are listed", found, count)
	}
	mustSweep(t)
	if took := time.Since(begun); took > count/2*time.Second { // It was a second for each, and again.
		t.Errorf("it took %v", took)
	}
}

// Between a look and the removal that follows it, another process removes the name and gives it to a new segment.
func TestNewcomerKeepsItsName(t *testing.T) {
	patience := namePatience
	namePatience = 10 * time.Millisecond
	defer func() { namePatience, hasLooked = patience, func(string) {} }()
	for how, clear := range map[string]func(name string) error{
		"cleared by this library": Clear,
		"removed without it":      func(name string) error { return os.Remove(pathOf(name)) },
	} {
		for what, remove := range map[string]func() error{
			"sweep":     func() error { _, err := Sweep(); return err },
			"clear all": ClearAll,
		} {
			t.Run(what+", "+how, func(t *testing.T) {
				name := newName(t)
				create(t, name, 100).Release()
				var newcomer *Segment
				hasLooked = func(looked string) {
					if looked == name && newcomer == nil {
						must(t, clear(name), abi.OK)
						newcomer = create(t, name, 100)
					}
				}
				must(t, remove(), abi.OK)
				if newcomer == nil {
					t.Fatal("nothing has been looked at")
				}
				defer newcomer.Release()
				s := open(t, name)
				defer s.Release()
				if s != newcomer {
					t.Error("the name is another segment's")
				}
				if names, _ := sys.Names(); slices.ContainsFunc(names, sys.Leftover) {
					t.Errorf("a hidden name is left: %v", names)
				}
			})
		}
	}
}

// Several processes clear, create and sweep one name at once. A segment that was created and not cleared is there.
func TestSweepersTakeNothingFromCreators(t *testing.T) {
	name := newName(t)
	for range 3 {
		sweeper := startChild(t, "sweep", []string{name})
		sweeper.expect("ready")
	}
	for i := range 3000 {
		create(t, name, 100).Release()                            // An orphan for the sweepers,
		if err := Clear(name); abi.CodeOf(err) != abi.ENotFound { // which is cleared under their hands.
			must(t, err, abi.OK)
		}
		s := create(t, name, 100)
		if id, _, err := sys.Find(name, sys.ToWrite); err != nil || id != s.file.ID() {
			t.Fatalf("turn %d: the name is gone: %v", i, err)
		}
		s.Release()
		if err := Clear(name); abi.CodeOf(err) != abi.ENotFound {
			must(t, err, abi.OK)
		}
	}
}

// A process that dies while it removes a name leaves a hidden name, which goes with the next sweep.
func TestSweepRemovesWhatAnInterruptedRemovalLeft(t *testing.T) {
	left, used := newName(t), newSegmentFor(t, 100)
	create(t, left, 100).Release()
	hidden := map[string]string{left: ".shmcv-removed-A" + left, used.Name(): ".shmcv-removed-B" + left}
	for name, hidden := range hidden {
		must(t, os.Rename(pathOf(name), pathOf(hidden)), abi.OK)
		t.Cleanup(func() { _ = os.Remove(pathOf(hidden)) })
	}
	for _, name := range listed(t) {
		if sys.Leftover(name) {
			t.Errorf("%q is listed", name)
		}
	}
	mustSweep(t)
	mustExist(t, hidden[left], false)
	mustExist(t, hidden[used.Name()], true)
}

// A process that dies while it creates a file leaves a hidden name where there are no files without names.
func TestSweepRemovesWhatAnInterruptedCreationLeft(t *testing.T) {
	left := ".shmcv-new-" + newName(t)
	writeFile(t, left, []byte("x"))
	if slices.Contains(listed(t), left) {
		t.Error("it is listed")
	}
	mustSweep(t)
	mustExist(t, left, false)
}

func init() {
	roles["sweep"] = func(a []string) {
		var once sync.Once
		for {
			_, err := sweepName(a[0])
			if code := abi.CodeOf(err); code != abi.OK && code != abi.ENotFound {
				childCheck(err)
			}
			once.Do(func() { fmt.Println("ready") })
		}
	}
}
