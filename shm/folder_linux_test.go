package shm

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

// newFolder makes a folder in shared memory. The end of the test removes it.
func newFolder(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp(sys.Folder(), "shmcv-test-folder-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return folder
}

func TestNameForAllSessionsOfWindowsIsToldToBePlain(t *testing.T) {
	_, err := Create(`Global\cam0`, 1)
	must(t, err, abi.EInvalid, "leave Global out")
}

func TestPathIsANameInThatFolder(t *testing.T) {
	for what, folder := range map[string]string{"in memory": newFolder(t), "on a disk": t.TempDir()} {
		name := folder + "/cam0"
		s := create(t, name, frameBytes)
		defer s.Release()
		if _, err := os.Stat(name); err != nil {
			t.Fatal(what, err)
		}
		if info := mustInfo(t, s); cString(info.Name[:]) != name || s.Name() != name {
			t.Errorf("%s: %q, %q", what, s.Name(), cString(info.Name[:]))
		}
		must(t, storeMark(s, 7), abi.OK)
		again := open(t, name)
		defer again.Release()
		if again != s {
			t.Errorf("%s: another segment", what)
		}
		if mark, err := readMark(readOnly(t, name)); mark != 7 || err != nil {
			t.Errorf("%s: %d, %v", what, mark, err)
		}
		_, err := Create(name, 1)
		must(t, err, abi.EExists, name)
		kept, made, err := OpenOrCreate(name, 100)
		must(t, err, abi.OK)
		defer kept.Release()
		if made {
			t.Errorf("%s: made anew", what)
		}
		_, err = Open("cam0")
		must(t, err, abi.ENotFound)
		must(t, Clear(name), abi.OK)
		_, err = Open(name)
		must(t, err, abi.ENotFound, name)
		must(t, s.ClearName(), abi.ENotFound, name)

		stream, err := CreateStream(name, frameBytes, 0, abi.WhenBehindDrop)
		must(t, err, abi.OK)
		defer stream.Release()
		mustPut(t, stream, 5, 1)
		reader, err := OpenStream(name)
		must(t, err, abi.OK)
		defer reader.Release()
		mustGet(t, reader, 0, 1, 5).Release()
		must(t, stream.ClearName(), abi.OK)

		create(t, name, 1).Release()
		must(t, ClearAll(), abi.OK)
		if left, err := os.ReadDir(folder); len(left) != 0 || err != nil {
			t.Errorf("%s: %v, %v", what, left, err)
		}
	}
}

func TestPathInTheOwnFolderIsThePlainName(t *testing.T) {
	name := newName(t)
	s := create(t, sys.Folder()+"/"+name, 1)
	defer s.Release()
	if info := mustInfo(t, s); cString(info.Name[:]) != name || s.Name() != name {
		t.Errorf("%q, %q", s.Name(), cString(info.Name[:]))
	}
	if again := open(t, name); again != s {
		t.Error("another segment")
	} else {
		again.Release()
	}
	must(t, Clear(sys.Folder()+"/"+name), abi.OK)
	mustExist(t, name, false)
}

func TestBadPathsAreRefused(t *testing.T) {
	long := "/" + strings.Repeat("f", abi.MaxFolder)
	for path, word := range map[string]string{
		"/cam0":                          "leave the slash out",
		"//cam0":                         `""`,
		"/mnt//cam0":                     `""`,
		"/mnt/./cam0":                    `"."`,
		"/mnt/../cam0":                   `".."`,
		"/mnt/cams/":                     "empty",
		"/mnt/cams/.cam0":                "dot",
		"/mnt/cams/cam 0":                "A-Z",
		"mnt/cam0":                       "begins with a slash",
		long + "/cam0":                   "513 bytes",
		"/mnt/\xff/cam0":                 "UTF-8",
		"/m/" + strings.Repeat("x", 201): "201",
	} {
		_, err := Create(path, 1)
		must(t, err, abi.EInvalid, word)
		_, err = Open(path)
		must(t, err, abi.EInvalid, word)
		must(t, Clear(path), abi.EInvalid, word)
		_, err = CreateStream(path, 1, 0, abi.WhenBehindDrop)
		must(t, err, abi.EInvalid, word)
		if len(err.Error()) > 400 {
			t.Errorf("a message of %d bytes", len(err.Error()))
		}
	}
}

func TestMissingFolderIsNamed(t *testing.T) {
	missing := newFolder(t) + "/missing"
	_, err := Create(missing+"/cam0", 1)
	must(t, err, abi.ENotFound, "no folder "+missing)
	_, err = Open(missing + "/cam0")
	must(t, err, abi.ENotFound, "no folder "+missing)
	_, _, err = OpenOrCreate(missing+"/cam0", 1)
	must(t, err, abi.ENotFound, "no folder "+missing)
	must(t, Clear(missing+"/cam0"), abi.ENotFound)
	file := newName(t)
	writeFile(t, file, nil)
	_, err = Create(pathOf(file)+"/cam0", 1)
	must(t, err, abi.ENotFound, "no folder "+pathOf(file))
	_, err = Open(pathOf(file) + "/cam0")
	must(t, err, abi.ENotFound, "no folder "+pathOf(file))
}

func TestLongestPathIsPossible(t *testing.T) {
	folder := newFolder(t)
	for len(folder)+2 <= abi.MaxFolder {
		folder += "/" + strings.Repeat("d", min(200, abi.MaxFolder-len(folder)-1))
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	name := folder + "/" + strings.Repeat("n", abi.MaxName)
	s := create(t, name, 1)
	defer s.Release()
	if info := mustInfo(t, s); cString(info.Name[:]) != name {
		t.Errorf("%q", info.Name)
	}
	must(t, Clear(name), abi.OK)
}

// setFolder sets the environment variable for processes that begin later.
func setFolder(t testing.TB, folder string) {
	t.Helper()
	sys.Folder() // This process has read the variable already.
	t.(*testing.T).Setenv("SHMCV_FOLDER", folder)
}

func TestVariableNamesTheFolderOfPlainNames(t *testing.T) {
	folder := newFolder(t)
	setFolder(t, folder+"/") // A slash at the end does not matter.
	owner := startChild(t, "own", []string{"cam0"})
	owner.expect("ready")
	s := open(t, folder+"/cam0")
	mustImage(t, s, small)
	s.Release()
	mustExist(t, "cam0", false)
	lister := startChild(t, "list", []string{folder + "/cam0"})
	lister.expect("[cam0]")
	lister.expect("cam0")
	owner.kill()
	sweeper := startChild(t, "sweep all", nil)
	sweeper.expect("1 <nil>")
	mustExist(t, folder+"/cam0", false)
}

func TestVariableThatNamesNoFolderIsAnError(t *testing.T) {
	there := newFolder(t)
	for folder, want := range map[string]string{
		"relative":         fmt.Sprint(int(abi.EInvalid), " SHMCV_FOLDER"),
		"/a/../b":          fmt.Sprint(int(abi.EInvalid), " SHMCV_FOLDER"),
		"/":                fmt.Sprint(int(abi.EInvalid), " SHMCV_FOLDER"),
		there + "/missing": fmt.Sprint(int(abi.ENotFound), " SHMCV_FOLDER"),
		"":                 "0 ",
	} {
		name := newName(t)
		setFolder(t, folder)
		user := startChild(t, "use a name", []string{name, there + "/" + name})
		user.expect(want)
		user.expect(want)
		user.expect("0 ") // A path is a path all the same.
		if folder != "" {
			mustExist(t, name, false)
		}
	}
}

func TestFullVolumeIsNamed(t *testing.T) {
	if !alone(t, "size=64m") {
		return
	}
	folder := newFolder(t)
	if err := unix.Mount("tmpfs", folder, "tmpfs", 0, "size=1m"); err != nil {
		t.Fatal(err)
	}
	defer unix.Unmount(folder, 0)
	_, err := Create(folder+"/cam0", 2<<20)
	must(t, err, abi.ENoSpace, folder+"/cam0", "1048576 free in "+folder, "mount -o remount")
	s := create(t, folder+"/cam0", 600000)
	defer s.Release()
	_, err = Create(folder+"/cam1", 600000)
	must(t, err, abi.ENoSpace, "393216 free in "+folder)
	must(t, ClearAll(), abi.OK)
}

// A volume of huge pages has files whose sizes, and mappings, are multiples of a huge page.
func TestVolumeOfHugePages(t *testing.T) {
	if !alone(t, "size=64m") {
		return
	}
	folder := newFolder(t)
	if err := unix.Mount("hugetlbfs", folder, "hugetlbfs", 0, "pagesize=2M,size=8M"); err != nil {
		t.Skip("this system has no hugetlbfs:", err)
	}
	defer unix.Unmount(folder, 0)
	const page = 2 << 20
	name := folder + "/cam0"
	before := mapped(t)
	s, err := CreateFor(name, frameBytes, abi.Access{Owner: -1, Group: -1, Mode: 0o640})
	if abi.CodeOf(err) == abi.ENoSpace {
		must(t, err, abi.ENoSpace, folder, "vm.nr_hugepages")
		t.Skip("this system has too few huge pages (sysctl vm.nr_hugepages=8):", err)
	}
	must(t, err, abi.OK)
	if stat, err := os.Stat(name); err != nil || stat.Size() != page || stat.Mode() != 0o640 {
		t.Errorf("%v, %v", stat, err)
	}
	if info := mustInfo(t, s); info.FileSize != page || info.Size != frameBytes {
		t.Errorf("%+v", info)
	}
	must(t, storeMark(s, 3), abi.OK)
	r, err := OpenReadOnly(name) // Its trailer is mapped apart, from the huge page on that it is in.
	must(t, err, abi.OK)
	if mark, err := readMark(r); mark != 3 || err != nil {
		t.Errorf("%d, %v", mark, err)
	}
	storing := startChild(t, "store pixels", []string{name})
	storing.expect("ready")
	if _, err := awaitImage(r, 2, -1); err != nil {
		t.Error(err)
	}
	storing.kill()
	r.Release()
	s.Release()
	must(t, Clear(name), abi.OK)

	foreign, err := os.Create(folder + "/foreign")
	must(t, err, abi.OK)
	must(t, foreign.Truncate(page), abi.OK)
	must(t, foreign.Close(), abi.OK)
	other, err := Open(folder + "/foreign")
	must(t, err, abi.OK)
	pixels, err := other.Bytes()
	must(t, err, abi.OK)
	pixels[page-1] = 1
	other.Release()
	must(t, os.Remove(folder+"/foreign"), abi.OK)

	stream, err := CreateStream(name, frameBytes, 4, abi.WhenBehindDrop)
	must(t, err, abi.OK)
	reader, err := OpenStream(name)
	must(t, err, abi.OK)
	for mark := range 20 {
		mustPut(t, stream, uint64(mark), uint64(mark+1))
		mustGet(t, reader, uint64(mark), uint64(mark+1), uint64(mark)).Release()
	}
	_, err = Create(folder+"/cam1", 64<<20)
	must(t, err, abi.ENoSpace, "free in "+folder, "vm.nr_hugepages")
	must(t, stream.ClearName(), abi.OK)
	reader.Release()
	stream.Release()
	if n := mapped(t) - before; n != 0 {
		t.Errorf("%d mappings are left", n)
	}
}

func init() {
	roles["list"] = func(a []string) {
		infos, err := List()
		childCheck(err)
		var names []string
		for _, info := range infos {
			names = append(names, cString(info.Name[:]))
		}
		fmt.Println(names)
		fmt.Println(childSegment(Open(a[0])).Name())
	}
	roles["sweep all"] = func([]string) { fmt.Println(fmt.Sprint(Sweep())) }
	roles["use a name"] = func(a []string) {
		tell := func(err error) {
			words := ""
			if err != nil && strings.Contains(err.Error(), "SHMCV_FOLDER") {
				words = "SHMCV_FOLDER"
			}
			fmt.Println(int(abi.CodeOf(err)), words)
		}
		_, err := List()
		tell(err)
		_, err = Create(a[0], 1)
		tell(err)
		_, err = Create(a[1], 1)
		tell(err)
		_ = ClearAll()
	}
}
