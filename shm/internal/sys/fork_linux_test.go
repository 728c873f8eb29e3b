package sys

import (
	"testing"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

func isNoted(fd int) bool { return descriptors[fd/64].Load()>>(fd%64)&1 != 0 }

func TestFileThatIsOpenedDuringAForkIsOpenedOnceMore(t *testing.T) {
	var opened []int
	fd, err := noted(func() (int, error) {
		switch len(opened) { // Another thread's fork() begins while the file is opened, and lasts for two tries.
		case 0:
			forksBegun.Add(1)
		case 2:
			forksOver.Add(1)
		}
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		opened = append(opened, fd)
		return fd, err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer closeNoted(fd)
	if len(opened) != 4 || opened[3] != fd {
		t.Errorf("opened %v, and got %d; wanted the descriptor of the fourth try, the first that no fork overlaps", opened, fd)
	}
	if !isNoted(fd) {
		t.Errorf("descriptor %d is not noted", fd)
	}
}

func TestOpenFilesAreNotedAndClosedOnesAreNot(t *testing.T) {
	f, err := Create("shmcv-test-noted", 1, 65536, abi.OwnAccess)
	if err != nil {
		t.Fatal(err)
	}
	fd := f.system.fd
	if !isNoted(fd) {
		t.Errorf("descriptor %d of a new file is not noted", fd)
	}
	f.Close()
	if isNoted(fd) {
		t.Errorf("descriptor %d is noted, and closed", fd)
	}
}
