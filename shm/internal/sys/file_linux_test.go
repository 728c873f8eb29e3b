package sys

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// asWithoutTmpfile makes this process believe that no file system has files without names.
func asWithoutTmpfile(t *testing.T) {
	withoutTmpfile = true
	t.Cleanup(func() { withoutTmpfile = false })
}

func hiddenNames(t *testing.T) []string {
	t.Helper()
	all, err := Names()
	mustBe(t, err, abi.OK)
	return slices.DeleteFunc(all, func(name string) bool { return !Unfinished(name) })
}

func TestFileIsMadeUnderAHiddenNameWhereNoneIsWithout(t *testing.T) {
	asWithoutTmpfile(t)
	TestNameComesWithLinkAndGoesWithRemove(t)
	file := newFile(t)
	defer file.Close()
	if stat, err := os.Stat(pathOf(file.name)); err != nil || stat.Size() != fileSize || stat.Mode() != 0o600 {
		t.Errorf("%v, %v", stat, err)
	}
	if left := hiddenNames(t); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

func TestHiddenNameGoesWithItsProcess(t *testing.T) {
	asWithoutTmpfile(t)
	file, err := Create(newName(t), fileSize, fileSize, abi.OwnAccess)
	mustBe(t, err, abi.OK)
	hidden := hiddenNames(t)
	if len(hidden) != 1 {
		t.Fatal(hidden)
	}
	if removed, err := RemoveUnfinished(hidden[0]); removed || err != nil {
		t.Fatalf("removed in the hands of its process: %v, %v", removed, err)
	}
	kept := file.system.made
	file.system.made = "" // As if the process died instead of closing the file.
	file.Close()
	if removed, err := RemoveUnfinished(hidden[0]); !removed || err != nil {
		t.Fatalf("%v, %v", removed, err)
	}
	if _, err := os.Stat(kept); !os.IsNotExist(err) {
		t.Error(err)
	}
	closed, err := Create(newName(t), fileSize, fileSize, abi.OwnAccess)
	mustBe(t, err, abi.OK)
	closed.Close()
	if left := hiddenNames(t); len(left) != 0 {
		t.Errorf("%v is left", left)
	}
}

// A setuid program's caller must not choose the folder. Credentials belong to a thread on Linux.
func TestProgramWithAnotherUsersRightsIsElevated(t *testing.T) {
	if elevated() {
		t.Error("this process is not")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can be another user")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	become := func(user uintptr) {
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), user, ^uintptr(0)); errno != 0 {
			t.Fatal(errno)
		}
	}
	become(54321)
	defer become(0)
	if !elevated() {
		t.Error("user 0 with the rights of user 54321")
	}
}

func TestUsersAndGroupsAreFoundByNameAndNumber(t *testing.T) {
	for _, lookUp := range []func(string) (int64, error){UserID, GroupID} {
		for name, want := range map[string]int64{"root": 0, "0": 0, "54321": 54321, "4294967294": 1<<32 - 2} {
			if id, err := lookUp(name); id != want || err != nil {
				t.Errorf("%s: %d, %v", name, id, err)
			}
		}
		for _, name := range []string{"no such name", "", "-1", "4294967295", "1e3"} {
			_, err := lookUp(name)
			mustBe(t, err, abi.ENotFound)
			if !strings.Contains(err.Error(), name) {
				t.Error(err)
			}
		}
	}
}
