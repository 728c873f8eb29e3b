package sys

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

func mustSay(t testing.TB, err error, code abi.Code, words ...string) {
	t.Helper()
	mustBe(t, err, code)
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q is not in: %v", word, err)
		}
	}
}

func create(t testing.TB, name string) (*File, error) {
	t.Helper()
	file, err := Create(name, fileSize, fileSize, abi.OwnAccess)
	if err == nil {
		t.Cleanup(file.Close)
		err = file.Link()
	}
	return file, err
}

func mustCreate(t testing.TB, name string) *File {
	t.Helper()
	file, err := create(t, name)
	mustBe(t, err, abi.OK)
	return file
}

func TestEachNameHasAFileOfItsOwn(t *testing.T) {
	longest := strings.Repeat("M", abi.MaxName)
	names := []string{"photo", "Photo", "PHOTO", "con", "CON", "nul", "NUL.txt", "aux.", "com1", "trailing", "trailing.", "trailing..", "Trailing.", "a-B_c.D",
		longest, strings.ToLower(longest), strings.Repeat("m", abi.MaxName-1) + "M", strings.Repeat("m", abi.MaxName-1) + "."}
	for round := range 2 {
		files := map[string]string{}
		for _, name := range names {
			if round == 1 {
				file := mustCreate(t, name)
				_, err := create(t, name)
				mustBe(t, err, abi.EExists)
				if id, _, err := Find(name, ToOwn); err != nil || id != file.ID() {
					t.Errorf("%.30q: %v", name, err)
				}
			}
			path := escaped(name)
			if back, ours := unescaped(path); back != name || !ours || len(path) > 255 {
				t.Errorf("%.30q: %q, %.30q", name, path, back)
			}
			if other, taken := files[strings.ToLower(path)]; taken || strings.HasSuffix(path, ".") {
				t.Errorf("%.30q and %.30q are %q", name, other, path)
			}
			files[strings.ToLower(path)] = name
		}
		if round == 1 {
			listed, err := Names()
			mustBe(t, err, abi.OK)
			for _, name := range names {
				if !strings.Contains(strings.Join(listed, "\n")+"\n", name+"\n") {
					t.Errorf("%.30q is not listed", name)
				}
			}
		}
	}
	for _, file := range []string{"photo", "=Photo", "=photo+0", "=photo+80", "=photo+8=", "=.photo", "=photo=", "=photo+z"} {
		if name, ours := unescaped(file); ours {
			t.Errorf("%q is the file of %q", file, name)
		}
	}
}

func TestPathsBeginOnADrive(t *testing.T) {
	for text, want := range map[string]string{`c:\Cams\`: "C:/Cams", "C:/Cams": "C:/Cams", `Global\`: globalFolder, "Global": globalFolder, `D:/x\y`: "D:/x/y"} {
		if got := cleanFolder(text); got != want || ValidFolder(got) != nil {
			t.Errorf("%q: %q, %v", text, got, ValidFolder(got))
		}
	}
	for text, words := range map[string]string{
		"cams": "drive", "/cams": "drive", "C:": "drive", `C:\`: "drive", "C:cams": "drive", `\\server\share\x`: "another machine", `\\?\C:\cams`: `\\?\`,
		`Local\`: `Local\`, `C:\cams\..\x`: `".."`, `C:\cams\\x`: `""`, `C:\cams.\x`: `"cams."`, "C:\\cams \\x": `"cams "`, "C:/" + strings.Repeat("x", 600): "603",
	} {
		err := ValidFolder(cleanFolder(text))
		if code := abi.CodeOf(err); code != abi.EInvalid && code != abi.EUnsupported || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for name, want := range map[string]string{
		"cam0": "cam0", `c:\cams\cam0`: "C:/cams/cam0", Folder() + "/cam0": "cam0", `Global\cam0`: `Global\cam0`, globalFolder + "/cam0": `Global\cam0`,
		"Global/cam0": `Global\cam0`, strings.ReplaceAll(Folder(), "/", `\`) + `\cam0`: "cam0",
	} {
		if got := Plainest(name); got != want {
			t.Errorf("%q: %q; %q wanted", name, got, want)
		}
	}
}

// inFolder makes a folder for a test, and gives its path as this package writes it.
func inFolder(t testing.TB, name string) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), name)
	mustBe(t, os.Mkdir(folder, 0o700), abi.OK)
	return slashed(folder)
}

func TestNameInANamedFolder(t *testing.T) {
	folder := inFolder(t, "cams")
	file := mustCreate(t, folder+"/cam0")
	if again := openAgain(t, file); again.ID() != file.ID() {
		t.Error("another file")
	}
	_, err := create(t, folder+"/cam0")
	mustBe(t, err, abi.EExists)
	_, err = create(t, folder+"/none/cam0")
	mustSay(t, err, abi.ENotFound, folder+"/none", "make it")
	mustBe(t, os.WriteFile(folder+"/file", nil, 0o600), abi.OK)
	_, err = create(t, folder+"/file/cam0")
	mustSay(t, err, abi.ENotFound, "file", "no folder")
	long := folder
	for range 2 {
		long += "/" + strings.Repeat("x", 120)
		mustBe(t, os.Mkdir(long, 0o700), abi.OK)
	}
	file = mustCreate(t, long+"/cam0")
	if again := openAgain(t, file); again.ID() != file.ID() {
		t.Error("another file")
	}
	mustBe(t, Remove(long+"/cam0"), abi.OK)
}

func TestFolderOnAnotherMachineIsRefused(t *testing.T) {
	folder := inFolder(t, "share")
	before := driveType
	t.Cleanup(func() { driveType = before })
	driveType = func(asked string) uint32 {
		if asked == folder {
			return windows.DRIVE_REMOTE
		}
		return before(asked)
	}
	_, err := create(t, folder+"/cam0")
	mustSay(t, err, abi.EUnsupported, folder, "another machine", folderVariable)
}

func TestUserWithoutApplicationDataIsTold(t *testing.T) {
	before := defaultFolder
	t.Cleanup(func() { defaultFolder = before })
	defaultFolder = ""
	mustSay(t, noDefaultFolder(), abi.ENotFound, "LOCALAPPDATA", folderVariable)
	t.Setenv("SHMCV_TEST_DATA", "")
	if folder := shmcvIn(&windows.KNOWNFOLDERID{Data1: 1}, "SHMCV_TEST_DATA"); folder != "" {
		t.Error(folder)
	}
	t.Setenv("SHMCV_TEST_DATA", `d:\data`)
	if folder := shmcvIn(&windows.KNOWNFOLDERID{Data1: 1}, "SHMCV_TEST_DATA"); folder != "D:/data/shmcv" {
		t.Error(folder)
	}
}

func TestFolderWithoutPermissionIsToldWithTheCure(t *testing.T) {
	folder := inFolder(t, "cams")
	mustSay(t, noRight("create", folder+"/cam0", windows.ERROR_ACCESS_DENIED), abi.EPermission, filepath.FromSlash(folder), "icacls", folderVariable)
	mustSay(t, noRight("create", `Global\cam0`, windows.ERROR_ACCESS_DENIED), abi.EPermission, `"Global\cam0"`, "SeCreateGlobalPrivilege")
	if underWine {
		return // Its superuser may write everywhere.
	}
	security, err := attributes("D:P" + entry(windows.FILE_GENERIC_READ|windows.FILE_GENERIC_EXECUTE|windows.DELETE, everyone))
	mustBe(t, err, abi.OK)
	mustBe(t, windows.CreateDirectory(utf16(folder+"/closed"), security), abi.OK)
	_, err = create(t, folder+"/closed/cam0")
	mustSay(t, err, abi.EPermission, "icacls")
}

func TestNoMemoryLeftIsToldWithTheNumbers(t *testing.T) {
	name := newName(t)
	const size = 1 << 46
	_, err := Create(name, 1<<45, size, abi.OwnAccess)
	mustSay(t, err, abi.ENoSpace, name, fmt.Sprint(1<<45, " bytes wanted"), "left to this process (memory and page file)", "page file larger")
	if Exists(name) {
		t.Error("it is there")
	}
}

// forAll gives names for all sessions a folder of this test's.
func forAll(t testing.TB) {
	folder, before := inFolder(t, "shmcv"), globalFolder
	mustBe(t, os.Remove(folder), abi.OK) // Create makes it.
	t.Cleanup(func() { globalFolder = before })
	globalFolder = folder
}

func TestGlobalNameIsForAllSessions(t *testing.T) {
	forAll(t)
	last := newName(t)
	file := mustCreate(t, `Global\`+last)
	if file.system.record.section != `Global\`+last || !strings.HasPrefix(file.system.alive(), `Global\`) {
		t.Error(file.system.record.section, file.system.alive())
	}
	if _, err := os.Stat(globalFolder + "/" + escaped(last)); err != nil {
		t.Error(err)
	}
	_, err := Open(last)
	mustBe(t, err, abi.ENotFound) // Another name.
	defer func(own uint32) { session = own }(session)
	session++ // As in another session.
	again := openAgain(t, file)
	if again.ID() != file.ID() {
		t.Error("another file")
	}
	_, err = create(t, globalFolder+"/"+last)
	mustBe(t, err, abi.EExists)
	mustBe(t, Remove(`Global\`+last), abi.OK)
	mustBe(t, Remove(`Global\`+last), abi.ENotFound)
}

func TestGlobalNameWithoutTheRightIsToldWithTheCure(t *testing.T) {
	forAll(t)
	before := reserveSection
	t.Cleanup(func() { reserveSection = before })
	reserveSection = func(string, uint64, *windows.SecurityAttributes) (windows.Handle, error) {
		return 0, windows.ERROR_ACCESS_DENIED
	}
	handles := handleCount(t)
	_, err := create(t, `Global\cam0`)
	mustSay(t, err, abi.EPermission, `create "Global\cam0"`, "SeCreateGlobalPrivilege", "service", "open", "leave")
	if now := handleCount(t); now > handles+4 {
		t.Errorf("%d handles, then %d", handles, now)
	}
}

func TestGlobalFolderOfAStrangerIsRefused(t *testing.T) {
	forAll(t)
	mustBe(t, os.Mkdir(globalFolder, 0o700), abi.OK)
	mustBe(t, checkOwner("create", `Global\cam0`, globalFolder), abi.OK)
	foldersHave(t, "O:S-1-5-21-1-2-3-1004D:P"+entry(allOfFile, everyone))
	_, err := create(t, `Global\cam0`)
	mustSay(t, err, abi.EPermission, "S-1-5-21-1-2-3-1004", "administrator", filepath.FromSlash(globalFolder))
	_, _, err = Find(`Global\cam0`, ToWrite)
	mustBe(t, err, abi.ENotFound)
}

// A segment of another session is neither opened nor taken for one whose processes are gone.
func TestSegmentOfAnotherSessionIsToldOfAndStays(t *testing.T) {
	file := newFile(t)
	if shared, err := file.Share(4); !shared || err != nil { // As package shm does.
		t.Fatal(err)
	}
	defer func(own uint32) { session = own }(session)
	session++
	for range 2 {
		_, err := Open(file.name)
		mustSay(t, err, abi.EPermission, file.name, fmt.Sprint("session ", session-1), fmt.Sprint("session ", session), `Global\`+file.name)
		if !Exists(file.name) {
			t.Fatal("it is gone")
		}
	}
	_, err := create(t, file.name)
	mustBe(t, err, abi.EExists)
	name := file.name
	pretendKilled(file)
	if Exists(name) {
		t.Error("it stays when its last process has gone")
	}
}

// pretendKilled gives all handles of a file back as the system does when it ends a process.
func pretendKilled(f *File) {
	for _, mapping := range f.maps {
		mapping.unmap()
	}
	o := f.system.opened
	for _, handle := range []windows.Handle{o.section, o.event, o.file} {
		_ = windows.CloseHandle(handle)
	}
}

func TestNameOfAKilledProcessIsFree(t *testing.T) {
	for what, look := range map[string]func(name string){
		"exists": func(name string) { _ = Exists(name) }, "open": func(name string) { _, _ = Open(name) }, "create": func(name string) { mustCreate(t, name) },
	} {
		file := newFile(t)
		pretendKilled(file)
		path := pathOf(file.name)
		if _, err := os.Stat(path); err != nil {
			t.Fatal(err)
		}
		look(file.name)
		if _, err := os.Stat(path); (err == nil) != (what == "create") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Libraries of several versions run beside each other. A later version's file may be of another length.
func TestNameOfALaterVersionAsksForANewLibrary(t *testing.T) {
	mustCreate(t, newName(t)).Close() // Makes the folder.
	for _, length := range []int{recordSize, recordSize + 64, recordSize - 64} {
		name := newName(t)
		content := make([]byte, length)
		copy(content, recordMagic)
		content[recordNumber] = recordVersion + 1
		path := pathOf(name)
		mustBe(t, os.WriteFile(path, content, 0o600), abi.OK)
		for _, open := range []func(string) (*File, error){Open, OpenOwn, OpenToRead, OpenToLook} {
			_, err := open(name)
			mustSay(t, err, abi.EUnsupported, escaped(name), fmt.Sprint("version ", recordVersion+1), "has to be updated")
		}
		_, err := create(t, name)
		mustBe(t, err, abi.EExists)
		if RemoveAbandoned(name) || !Exists(name) {
			t.Error("its name was removed")
		}
		mustBe(t, os.Remove(path), abi.OK)
	}
}

// Whoever may read a file can lock any part of it.
func TestLocksOfAHostileReaderKeepNobodyFromTheName(t *testing.T) {
	defer func(own time.Duration) { takePatience = own }(takePatience)
	takePatience = time.Millisecond
	file := newFile(t)
	defer file.Close()
	hostile, err := openPath(pathOf(file.name), windows.GENERIC_READ)
	mustBe(t, err, abi.OK)
	defer windows.CloseHandle(hostile)
	taking := lockAt(lockTaking)
	for _, at := range []windows.Overlapped{{}, taking} {
		mustBe(t, windows.LockFileEx(hostile, windows.LOCKFILE_EXCLUSIVE_LOCK, 0, recordSize, 0, &at), abi.OK)
	}
	again := openAgain(t, file)
	if again.ID() != file.ID() {
		t.Error("another file")
	}
	mustBe(t, Remove(file.name), abi.OK)
	if Exists(file.name) {
		t.Error("the name is still there")
	}
	mustCreate(t, file.name)
}

// foreign makes a section as other programs do.
func foreign(t testing.TB, name string, size uint32) ([]byte, windows.Handle) {
	t.Helper()
	section, err := windows.CreateFileMapping(windows.InvalidHandle, nil, windows.PAGE_READWRITE, 0, size, utf16(name))
	mustBe(t, err, abi.OK)
	t.Cleanup(func() { _ = windows.CloseHandle(section) })
	address, err := windows.MapViewOfFile(section, windows.FILE_MAP_WRITE, 0, 0, 0)
	mustBe(t, err, abi.OK)
	t.Cleanup(func() { _ = windows.UnmapViewOfFile(address) })
	return bytesAt(address, int(size)), section
}

func TestSectionOfAnotherProgramIsOpenedInWholePages(t *testing.T) {
	for size, want := range map[uint32]uint64{1: 4096, 5000: 8192, 65536: 65536, 100000: 102400} {
		name := newName(t)
		memory, _ := foreign(t, name, size)
		memory[0], memory[size-1] = 7, 8
		for _, open := range []func(string) (*File, error){Open, OpenOwn, OpenToRead, OpenToLook} {
			file, err := open(name)
			mustBe(t, err, abi.OK)
			found, err := file.Size()
			mustBe(t, err, abi.OK)
			view, err := file.Map(0, found, false)
			mustBe(t, err, abi.OK)
			if found != want || view[0]+view[size-1] == 0 {
				t.Errorf("%d bytes: %d, %d, %d", size, found, view[0], view[size-1])
			}
			if id, listed, err := Find(name, ToWrite); err != nil || id != file.ID() || listed != want {
				t.Errorf("%d, %v", listed, err)
			}
			file.Close()
		}
		file, err := Open(name)
		mustBe(t, err, abi.OK)
		view, err := file.Map(0, want, true)
		mustBe(t, err, abi.OK)
		if view[0]++; memory[0] != view[0] {
			t.Error("two memories")
		}
		file.Close()
		if !Exists(name) {
			t.Error("the name is not taken")
		}
		_, err = create(t, name)
		mustBe(t, err, abi.EExists)
		mustSay(t, Remove(name), abi.EUnsupported, name, "another program")
		_, err = RemoveFrom(name, FileID{foreignID(name)})
		mustBe(t, err, abi.EUnsupported)
	}
}

func TestSectionOfAStrangersProgramIsForReading(t *testing.T) {
	name := newName(t)
	foreign(t, name, 4096)
	before := ownerOfSection
	t.Cleanup(func() { ownerOfSection = before })
	sid, err := windows.StringToSid("S-1-5-21-1-2-3-1004")
	mustBe(t, err, abi.OK)
	ownerOfSection = func(string) (*windows.SID, error) { return sid, nil }
	_, err = Open(name)
	mustSay(t, err, abi.EPermission, name, "read-only")
	file, err := OpenToRead(name)
	mustBe(t, err, abi.OK)
	file.Close()
}

// A foreign section appears after the look whether the name is taken.
func TestNameThatAnotherProgramTakesMeanwhileIsTaken(t *testing.T) {
	name := newName(t)
	foreign(t, name, 4096)
	_, err := Create(name, fileSize, fileSize, abi.OwnAccess)
	mustBe(t, err, abi.EExists)
}

func TestObjectThatIsNoMemoryIsToldOf(t *testing.T) {
	name := newName(t)
	event, err := windows.CreateEvent(nil, 1, 0, utf16(name))
	mustBe(t, err, abi.OK)
	defer windows.CloseHandle(event)
	_, err = Open(name)
	mustSay(t, err, abi.EUnsupported, name, "event", "no memory")
	if !Exists(name) {
		t.Error("the name is not taken")
	}
}

// A cleared segment that is still open keeps its name in the kernel.
func TestClearedSegmentIsNoOtherProgramsSection(t *testing.T) {
	file := newFile(t)
	defer file.Close()
	name := file.name
	mustBe(t, Remove(name), abi.OK)
	_, err := Open(name)
	mustBe(t, err, abi.ENotFound)
	if Exists(name) {
		t.Error("the name is taken")
	}
	next := mustCreate(t, name)
	if next.system.record.section == file.system.record.section || !strings.HasPrefix(next.system.record.section, `Local\`+name+"~") {
		t.Error(next.system.record.section)
	}
}

// Nor is one that has no memory or no name yet.
func TestSegmentInTheMakingIsNoOtherProgramsSection(t *testing.T) {
	name := newName(t)
	security, err := access{}.ownForTests().security(aSection)
	mustBe(t, err, abi.OK)
	section, err := reserveSection(`Local\`+name, fileSize, security)
	mustBe(t, err, abi.OK)
	f := newOpened(name, record{size: fileSize}, windows.InvalidHandle)
	f.section = section
	defer f.close()
	for range 2 {
		_, err = Open(name)
		mustBe(t, err, abi.ENotFound)
		if Exists(name) {
			t.Error("the name is taken")
		}
		mustBe(t, f.commit(), abi.OK)
	}
}

func (access) ownForTests() access {
	me, _ := self()
	return access{me.user, me.group, 0o600}
}

func handleCount(t testing.TB) uint32 {
	t.Helper()
	var count uint32
	ok, _, err := windows.NewLazySystemDLL("kernel32.dll").NewProc("GetProcessHandleCount").Call(uintptr(windows.CurrentProcess()), uintptr(unsafe.Pointer(&count)))
	if ok == 0 {
		t.Fatal(err)
	}
	return count
}

func TestNothingLeavesHandlesBehind(t *testing.T) {
	taken, name := newFile(t), newName(t)
	defer taken.Close()
	forAll(t)
	foreignName := newName(t)
	foreign(t, foreignName, 4096)
	round := func() {
		for _, name := range []string{taken.name, foreignName, name, `Global\` + name} {
			for _, open := range []func(string) (*File, error){Open, OpenOwn, OpenToRead, OpenToLook} {
				if file, err := open(name); err == nil {
					_, _ = file.Map(0, 4096, false)
					file.Close()
				}
			}
			_, _, _ = Find(name, ToWrite)
			file, err := Create(name, fileSize, fileSize, abi.OwnAccess)
			if err != nil {
				continue
			}
			memory, err := file.Map(0, fileSize, true)
			mustBe(t, err, abi.OK)
			bell := file.Bell(memory, 0, 64, true)
			word, _ := bell.Listen()
			Sleep([]Word{word}, 0)
			if file.Link() == nil {
				_, _ = RemoveFrom(name, FileID{})
				if removed, err := RemoveFrom(name, file.ID()); !removed || err != nil {
					t.Fatal(name, err)
				}
			}
			file.Close()
		}
		_, _ = Create(name, fileSize, 1<<46, abi.OwnAccess)
		_, _ = Names()
	}
	rounds := 1000
	if testing.Short() {
		rounds = 100
	}
	for range 20 {
		round()
	}
	before := handleCount(t)
	for range rounds {
		round()
	}
	if after := handleCount(t); after > before+20 {
		t.Errorf("%d handles before %d rounds, %d after", before, rounds, after)
	}
}
