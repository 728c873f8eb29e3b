package shm

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"testing"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// strangers is a group that nobody of this system is in.
const strangers = 54322

func access(group int64, mode uint32) abi.Access {
	return abi.Access{Owner: -1, Group: group, Mode: mode}
}

// newSegmentWith creates a segment with an access. The end of the test releases it.
func newSegmentWith(t testing.TB, access abi.Access) *Segment {
	t.Helper()
	s, err := CreateFor(newName(t), frameBytes, access)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Release)
	return s
}

func fileOf(t testing.TB, name string) *syscall.Stat_t {
	t.Helper()
	stat, err := os.Stat(pathOf(name))
	if err != nil {
		t.Fatal(err)
	}
	return stat.Sys().(*syscall.Stat_t)
}

func TestAccessIsThatOfTheFile(t *testing.T) {
	for _, mask := range []int{0, 0o777} {
		for _, mode := range []uint32{0o600, 0o640, 0o660, 0o644, 0o664, 0o604} {
			old := syscall.Umask(mask)
			s := newSegmentWith(t, access(-1, mode))
			stream, err := CreateStreamFor(newName(t), 100, 2, abi.WhenBehindDrop, access(int64(os.Getgid()), mode))
			must(t, err, abi.OK)
			defer stream.Release()
			opened, made, err := OpenOrCreateFor(newName(t), 100, access(-1, mode))
			must(t, err, abi.OK)
			defer opened.Release()
			syscall.Umask(old)
			for _, name := range []string{s.Name(), stream.Name(), opened.Name()} {
				if stat := fileOf(t, name); stat.Mode&0o7777 != mode || int(stat.Uid) != os.Geteuid() || int(stat.Gid) != os.Getegid() || !made {
					t.Errorf("umask %o, mode %o: %o, %d, %d", mask, mode, stat.Mode, stat.Uid, stat.Gid)
				}
			}
		}
	}
}

func TestSuperuserGivesSegmentsAway(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a file away")
	}
	s := newSegmentWith(t, abi.Access{Owner: 54321, Group: strangers, Mode: 0o640})
	if stat := fileOf(t, s.Name()); stat.Uid != 54321 || stat.Gid != strangers || stat.Mode&0o777 != 0o640 {
		t.Errorf("%+v", stat)
	}
	asUser(t, 54321, 54321, func() {
		again, err := Open(s.Name())
		must(t, err, abi.OK)
		again.Release()
	})
	for what, clear := range map[string]func(s *Segment) error{
		"clear": func(s *Segment) error { return Clear(s.Name()) }, "its own clear": (*Segment).clearName,
		"clear all": func(*Segment) error { return ClearAll() },
	} {
		s := newSegmentWith(t, abi.Access{Owner: 54321, Group: strangers, Mode: 0o640})
		if err := clear(s); err != nil || sys.Exists(s.Name()) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func (s *Segment) clearName() error { return s.ClearName() }

// A reader can share every lock, and hold none alone.
func TestReaderDoesNotPassForTheCreator(t *testing.T) {
	s := newSegmentWith(t, access(-1, 0o644))
	r := unwritable(t, s.Name())
	for _, lock := range []int{lockImage, lockPixels, lockWriter, lockName} {
		if shared, err := r.file.Share(lock); !shared || err != nil {
			t.Fatal(shared, err)
		}
		if _, err := r.file.Lock(lock); err == nil {
			t.Errorf("a reader holds lock %d alone", lock)
		}
	}
	s.file.Unlock(lockOwner) // As if the creator had ended.
	if shared, err := r.file.Share(lockOwner); !shared || err != nil {
		t.Fatal(shared, err)
	}
	m, err := look(s.Name())
	must(t, err, abi.OK)
	defer m.file.Close()
	if alive, err := m.ownerAlive(); alive || err != nil {
		t.Errorf("the creator is alive by a reader's lock: %v", err)
	}
}

func TestAccessThatMakesNoSenseIsRefused(t *testing.T) {
	for what, test := range map[string]struct {
		access abi.Access
		word   string
	}{
		"nothing":            {abi.Access{}, "0600"},
		"read-only":          {access(-1, 0o400), "mode 0400"},
		"executable":         {access(-1, 0o700), "mode 0700"},
		"written by all":     {access(-1, 0o666), "every user"},
		"set-uid":            {access(-1, 0o4600), "mode 04600"},
		"no such group":      {access(-2, 0o600), "group -2"},
		"too large a group":  {access(1<<32-1, 0o600), "group 4294967295"},
		"no such owner":      {abi.Access{Owner: -2, Group: -1, Mode: 0o600}, "owner -2"},
		"something reserved": {abi.Access{Owner: -1, Group: -1, Mode: 0o600, Reserved0: 1}, "reserved"},
	} {
		name := newName(t)
		_, err := CreateFor(name, 1, test.access)
		must(t, err, abi.EInvalid, test.word)
		_, err = CreateStreamFor(name, 1, 0, abi.WhenBehindDrop, test.access)
		must(t, err, abi.EInvalid, test.word)
		_, _, err = OpenOrCreateFor(name, 1, test.access)
		must(t, err, abi.EInvalid, test.word)
		if sys.Exists(name) {
			t.Errorf("%s: it is there", what)
		}
	}
}

func TestFilesAreNotGivenToStrangers(t *testing.T) {
	name := newName(t)
	asUser(t, 54321, 54321, func() {
		_, err := CreateFor(name, 1, access(strangers, 0o660))
		must(t, err, abi.EPermission, name, "group 54322", "usermod", "--group-add 54322")
		_, err = CreateFor(name, 1, abi.Access{Owner: 0, Group: -1, Mode: 0o600})
		must(t, err, abi.EPermission, name, "user 0", "54321", "superuser")
		mustExist(t, name, false)
	})
}

func TestGroupOpensWhatItWasGiven(t *testing.T) {
	shared, seen := newSegmentWith(t, access(strangers, 0o660)), newSegmentWith(t, access(strangers, 0o640))
	private, open := newSegmentWith(t, access(strangers, 0o600)), newSegmentWith(t, access(strangers, 0o660))
	must(t, os.Chmod(pathOf(open.Name()), 0o666), abi.OK)
	opens := func(openIt func(string) (*Segment, error), s *Segment, code abi.Code, words ...string) {
		t.Helper()
		found, err := openIt(s.Name())
		must(t, err, code, words...)
		if err == nil {
			found.Release()
		}
	}
	asUser(t, 54321, strangers, func() {
		opens(Open, shared, abi.OK)
		opens(OpenReadOnly, shared, abi.OK)
		opens(Open, seen, abi.EPermission, seen.Name(), "0640", "0660")
		opens(OpenReadOnly, seen, abi.OK)
		opens(Open, private, abi.EPermission, private.Name(), "0600")
		opens(OpenReadOnly, private, abi.EPermission)
		opens(Open, open, abi.EPermission, open.Name(), "every user")
		opens(OpenReadOnly, open, abi.OK)
		if _, made, err := OpenOrCreateFor(shared.Name(), 1, abi.OwnAccess); made || err != nil {
			t.Errorf("%v, %v", made, err)
		} else {
			shared.Release()
		}
	})
	asUser(t, 54321, 54321, func() {
		opens(Open, shared, abi.EPermission, shared.Name(), "group 54322", "--group-add 54322")
		opens(OpenReadOnly, shared, abi.EPermission)
	})
	// The superuser may open everything, and is in no group of strangers.
	must(t, os.Chown(pathOf(shared.Name()), 54321, strangers), abi.OK)
	opens(Open, shared, abi.EPermission, shared.Name(), "group 54322", "--group-add 54322")
	opens(OpenReadOnly, shared, abi.OK)
	created.remove(shared.Name(), shared.file.ID()) // As if another process had created it.
	must(t, Clear(shared.Name()), abi.EPermission)
	must(t, shared.ClearName(), abi.EPermission)
}

// As which user a namespace shows those that it does not know, is no sign that a file is that user's own.
func TestFileThatAllMayWriteIsNotNobodysOwn(t *testing.T) {
	s := newSegmentFor(t, 100)
	must(t, os.Chown(pathOf(s.Name()), 65534, 65534), abi.OK)
	opened := func() error {
		s, err := Open(s.Name())
		if err == nil {
			s.Release()
		}
		return err
	}
	asOther(t, func() { must(t, opened(), abi.OK) })
	must(t, os.Chmod(pathOf(s.Name()), 0o666), abi.OK)
	asOther(t, func() { must(t, opened(), abi.EPermission, "every user") })
}

func TestListTellsOfWhatAGroupMayReadAndSweepLeavesItAlone(t *testing.T) {
	names := map[string]bool{}
	for mode, wanted := range map[uint32]bool{0o600: false, 0o604: false, 0o640: true, 0o660: true} {
		s, err := CreateFor(newName(t), 1, access(strangers, mode))
		must(t, err, abi.OK)
		names[s.Name()] = wanted
		s.Release() // An orphan.
	}
	own := newName(t)
	asUser(t, 54321, strangers, func() {
		s, err := CreateFor(own, 1, access(-1, 0o600))
		must(t, err, abi.OK)
		s.Release()
		names[own] = true
		found := listed(t)
		for name, wanted := range names {
			if slices.Contains(found, name) != wanted {
				t.Errorf("%s is listed: %v", name, !wanted)
			}
		}
		mustSweep(t)
	})
	for name := range names {
		mustExist(t, name, name != own)
	}
	mustSweep(t)
	for name := range names {
		mustExist(t, name, false)
	}
}

func TestMemberOfTheGroupClearsWhereTheFolderLetsIt(t *testing.T) {
	folder := newFolder(t)
	for mode, want := range map[os.FileMode]abi.Code{0o770: abi.OK, 0o770 | os.ModeSticky: abi.EPermission} {
		must(t, os.Chown(folder, 0, strangers), abi.OK)
		must(t, os.Chmod(folder, mode), abi.OK)
		for _, shared := range []uint32{0o660, 0o640} {
			name := fmt.Sprint(folder, "/cam", shared)
			s, err := CreateFor(name, 1, access(strangers, shared))
			must(t, err, abi.OK)
			if shared == 0o640 {
				want = abi.EPermission
			}
			created.remove(name, s.file.ID()) // As if another process had created it.
			asUser(t, 54321, strangers, func() { must(t, Clear(name), want) })
			s.Release()
			_ = os.Remove(name)
		}
	}
}
