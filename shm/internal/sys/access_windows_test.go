package sys

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

const (
	users      = "S-1-5-32-545" // A group that every user of a machine is in, under Wine too.
	localUsers = "S-1-5-18"     // The system, who stands for another user.
)

// underWine is true where access lists of files become modes of Unix, which keeps little of them.
var underWine = windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil

func mustGroup(t testing.TB, name string) int64 {
	t.Helper()
	number, err := GroupID(name)
	mustBe(t, err, abi.OK)
	return number
}

// newFileFor makes a file with an access that has its name. The end of the test closes it.
func newFileFor(t testing.TB, access abi.Access) *File {
	t.Helper()
	file, err := Create(newName(t), fileSize, fileSize, access)
	mustBe(t, err, abi.OK)
	t.Cleanup(file.Close)
	mustBe(t, file.Link(), abi.OK)
	return file
}

// listOf gives an object's owner and access list: an entry is a security identifier and a mask.
func listOf(t testing.TB, handle windows.Handle, of windows.SE_OBJECT_TYPE) (owner string, entries []string) {
	t.Helper()
	const all = windows.OWNER_SECURITY_INFORMATION | windows.DACL_SECURITY_INFORMATION
	descriptor, err := windows.GetSecurityInfo(handle, of, all)
	mustBe(t, err, abi.OK)
	control, _, err := descriptor.Control()
	mustBe(t, err, abi.OK)
	if control&windows.SE_DACL_PROTECTED == 0 && !(underWine && of == windows.SE_FILE_OBJECT) {
		t.Error("the list inherits from others")
	}
	sid, _, err := descriptor.Owner()
	mustBe(t, err, abi.OK)
	list, _, err := descriptor.DACL()
	mustBe(t, err, abi.OK)
	if list == nil {
		t.Fatal("everybody has all rights")
	}
	for _, e := range entriesOf(list) {
		if !e.allows || e.inherited || e.inheritOnly {
			t.Errorf("%+v", e)
		}
		if underWine && of == windows.SE_FILE_OBJECT && e.sid.String() == "S-1-5-18" { // Wine lets the system do everything.
			continue
		}
		entries = append(entries, fmt.Sprintf("%s %#x", e.sid, uint32(e.mask)))
	}
	slices.Sort(entries)
	return sid.String(), entries
}

// objectsOf opens the objects of a file again, with the right to see who may do what.
func objectsOf(t testing.TB, f *File) map[kind]windows.Handle {
	t.Helper()
	f.Bell(mapped(t, f), 0, 64, true)
	opened := map[kind]windows.Handle{}
	add := func(of kind, handle windows.Handle, err error) {
		t.Helper()
		mustBe(t, err, abi.OK)
		t.Cleanup(func() { _ = windows.CloseHandle(handle) })
		opened[of] = handle
	}
	file, err := openPath(pathOf(f.name), windows.READ_CONTROL)
	add(aFile, file, err)
	section, err := openMapping(f.system.record.section, windows.READ_CONTROL)
	add(aSection, section, err)
	alive, err := windows.OpenEvent(windows.READ_CONTROL, false, utf16(f.system.alive()))
	add(anAlive, alive, err)
	bell, err := windows.OpenEvent(windows.READ_CONTROL, false, utf16(f.system.objects()+"-0-0"))
	add(aBell, bell, err)
	return opened
}

var fullAccess = map[kind]uint32{aFile: 0x1f01ff, aSection: 0xf001f, anAlive: 0x1f0003, aBell: 0x1f0003}

func typeOf(of kind) windows.SE_OBJECT_TYPE {
	if of == aFile {
		return windows.SE_FILE_OBJECT
	}
	return windows.SE_KERNEL_OBJECT
}

func TestEachObjectHasTheAccessListOfTheMode(t *testing.T) {
	me, err := self()
	mustBe(t, err, abi.OK)
	group := mustGroup(t, users)
	reads := map[kind]uint32{aFile: 0x120089, aSection: 0x20005, anAlive: 0x120000, aBell: 0x120002}
	writes := map[kind]uint32{aFile: 0x120089, aSection: 0x20007, anAlive: 0x120000, aBell: 0x120002}
	for mode, wanted := range map[uint32][2]map[kind]uint32{
		0o600: {}, 0o620: {}, 0o640: {reads, nil}, 0o660: {writes, nil}, 0o644: {reads, reads}, 0o664: {writes, reads}, 0o604: {nil, reads},
	} {
		file := newFileFor(t, abi.Access{Owner: -1, Group: group, Mode: mode})
		for of, handle := range objectsOf(t, file) {
			if underWine && of == aFile && mode != 0o600 {
				continue // Wine keeps a mode of Unix of it.
			}
			want := []string{fmt.Sprintf("%s %#x", me.user, fullAccess[of])}
			for i, to := range []string{users, everyone} {
				if mask := wanted[i][of]; mask != 0 {
					want = append(want, fmt.Sprintf("%s %#x", to, mask))
				}
			}
			slices.Sort(want)
			owner, got := listOf(t, handle, typeOf(of))
			if !slices.Equal(got, want) || owner != me.user.String() {
				t.Errorf("mode %#o, object %d: owner %s, %v; %v wanted", mode, of, owner, got, want)
			}
		}
		if file.ReadByOthers() != slices.Contains([]uint32{0o640, 0o644, 0o664, 0o604}, mode) {
			t.Errorf("mode %#o: read by others: %v", mode, file.ReadByOthers())
		}
	}
}

func TestFoldersHaveAccessLists(t *testing.T) {
	me, err := self()
	mustBe(t, err, abi.OK)
	for folder, want := range map[string][]string{
		"own":        {me.user.String() + " 0x1f01ff"},
		globalFolder: {everyone + " 0x1200a9", "S-1-5-18 0x1f01ff", "S-1-5-32-544 0x1f01ff", "S-1-5-6 0x1200ab"},
	} {
		security, err := folderSecurity(folder)
		mustBe(t, err, abi.OK)
		path := filepath.Join(t.TempDir(), "folder")
		mustBe(t, windows.CreateDirectory(utf16(path), security), abi.OK)
		if underWine && folder == globalFolder {
			list, _, err := security.SecurityDescriptor.DACL() // Wine keeps a mode of Unix of it.
			mustBe(t, err, abi.OK)
			if len(entriesOf(list)) != len(want) {
				t.Errorf("%d entries", len(entriesOf(list)))
			}
			continue
		}
		handle, err := windows.CreateFile(utf16(path), windows.READ_CONTROL, 7, nil, windows.OPEN_EXISTING, windows.FILE_FLAG_BACKUP_SEMANTICS, 0)
		mustBe(t, err, abi.OK)
		defer windows.CloseHandle(handle)
		if _, got := listOf(t, handle, windows.SE_FILE_OBJECT); !slices.Equal(got, want) {
			t.Errorf("%s: %v; %v wanted", folder, got, want)
		}
	}
}

// strangely makes what is made meanwhile another user's.
func strangely(t testing.TB) abi.Access {
	owner, err := UserID(localUsers)
	mustBe(t, err, abi.OK)
	creatorKeeps = false
	t.Cleanup(func() { creatorKeeps = true })
	return abi.Access{Owner: owner, Group: mustGroup(t, users)}
}

// The lists let this user open what it is given as a member of the group, and no more.
func TestGroupHasTheRightsOfTheMode(t *testing.T) {
	access := strangely(t)
	for mode, codes := range map[uint32][2]abi.Code{ // Of opening to write, and to read.
		0o600: {abi.EPermission, abi.EPermission}, 0o640: {abi.EPermission, abi.OK}, 0o660: {abi.OK, abi.OK}, 0o604: {abi.EPermission, abi.OK},
	} {
		access.Mode = mode
		file := newFileFor(t, access)
		bell := file.Bell(mapped(t, file), 128, 256, true)
		for open, code := range map[*func(string) (*File, error)]abi.Code{ptr(Open): codes[0], ptr(OpenToLook): codes[1], ptr(OpenToRead): codes[1]} {
			again, err := (*open)(file.name)
			if abi.CodeOf(err) != code {
				t.Errorf("mode %#o: %v", mode, err)
			}
			if code == abi.EPermission && err != nil && (!strings.Contains(err.Error(), fmt.Sprintf("%#o", mode)) || !strings.Contains(err.Error(), file.name)) {
				t.Error(err)
			}
			if err != nil {
				continue
			}
			memory, err := again.Map(0, fileSize, again.Writable())
			mustBe(t, err, abi.OK)
			_, err = again.Map(0, fileSize, true)
			if writes := err == nil; writes != (mode == 0o660) && writes != again.Writable() {
				t.Errorf("mode %#o: it can be written to: %v", mode, writes)
			}
			if shared, err := again.Share(4); !shared || err != nil {
				t.Errorf("mode %#o: no lock: %v", mode, err)
			}
			wakes(t, &bell, again.Bell(memory, 128, 256, again.Writable()))
			again.Close()
		}
	}
}

func ptr[T any](value T) *T { return &value }

// wakes fails the test unless a bell wakes who sleeps on another one on the same words.
func wakes(t testing.TB, rings *Bell, hears Bell) {
	t.Helper()
	word, value := hears.Listen()
	slept := make(chan uint64)
	go func() {
		begun := Monotonic()
		for hears.Value() == value {
			Sleep([]Word{word}, Monotonic()+uint64(10*time.Second))
		}
		slept <- Monotonic() - begun
	}()
	rings.mark.Store(1) // A writer whose readers cannot set the mark always wakes.
	rings.Ring(value + 1)
	if n := <-slept; n > uint64(9*time.Second) {
		t.Error("the bell woke nobody")
	}
}

func TestAccountsAreNamesOrSecurityIdentifiers(t *testing.T) {
	number := mustGroup(t, users)
	if again := mustGroup(t, users); again != number || sidOf(number).String() != users {
		t.Errorf("%d, %d, %s", number, again, sidOf(number))
	}
	account, domain, _, err := sidOf(number).LookupAccount("")
	mustBe(t, err, abi.OK)
	for _, name := range []string{account, domain + `\` + account} {
		if found := mustGroup(t, name); found != number {
			t.Errorf("%q is %d, and %s is %d", name, found, users, number)
		}
	}
	me, err := self()
	mustBe(t, err, abi.OK)
	user, err := UserID(me.user.String())
	mustBe(t, err, abi.OK)
	if user == number || user < 0 || user > 1<<32-2 {
		t.Error(user)
	}
	for _, name := range []string{"", "nobody-of-this-name", "S-1-", "S-1-5-x", "a\x00b", strings.Repeat("x", 5000), "1000"} {
		for kind, lookUp := range map[string]func(string) (int64, error){"user": UserID, "group": GroupID} {
			_, err := lookUp(name)
			mustBe(t, err, abi.ENotFound)
			if !strings.Contains(err.Error(), kind) {
				t.Error(err)
			}
		}
	}
}

func TestNumberThatWasNotLookedUpIsRefused(t *testing.T) {
	for what, access := range map[string]abi.Access{
		"group 1000": {Owner: -1, Group: 1000, Mode: 0o640}, "owner 0": {Owner: 0, Group: -1, Mode: 0o600},
	} {
		_, err := Create(newName(t), fileSize, fileSize, access)
		mustBe(t, err, abi.EInvalid)
		if !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "names") {
			t.Error(err)
		}
	}
}

func TestOwnerIsGivenOrRefused(t *testing.T) {
	system, err := UserID("S-1-5-18")
	mustBe(t, err, abi.OK)
	file, err := Create(newName(t), fileSize, fileSize, abi.Access{Owner: system, Group: -1, Mode: 0o600})
	if abi.CodeOf(err) == abi.EPermission { // This process has not the right.
		if !strings.Contains(err.Error(), "SeRestorePrivilege") {
			t.Error(err)
		}
		return
	}
	mustBe(t, err, abi.OK)
	defer file.Close()
	mustBe(t, file.Link(), abi.OK)
	if owner, _ := listOf(t, objectsOf(t, file)[aSection], windows.SE_KERNEL_OBJECT); owner != "S-1-5-18" {
		t.Error(owner)
	}
}

// ownedBy makes all files belong to an account, as far as this package sees.
func ownedBy(t testing.TB, account string) {
	before := ownerOf
	t.Cleanup(func() { ownerOf = before })
	sid, err := windows.StringToSid(account)
	mustBe(t, err, abi.OK)
	ownerOf = func(windows.Handle) (*windows.SID, error) { return sid, nil }
}

func TestOwnerOfAFileDecidesWhoTrustsIt(t *testing.T) {
	file := newFileFor(t, abi.OwnAccess)
	foldersHave(t, "O:BAD:P"+entry(allOfFile, everyone))
	const stranger, service = "S-1-5-21-1-2-3-1004", "S-1-5-80-1-2-3-4-5"
	for owner, codes := range map[string][3]abi.Code{ // Of opening to own, to write and to read.
		stranger: {abi.EPermission, abi.EPermission, abi.OK}, service: {abi.EPermission, abi.OK, abi.OK},
		"S-1-5-18": {abi.EPermission, abi.OK, abi.OK}, "S-1-5-32-544": {abi.EPermission, abi.OK, abi.OK}, "S-1-5-19": {abi.EPermission, abi.OK, abi.OK},
	} {
		ownedBy(t, owner)
		for i, open := range []func(string) (*File, error){OpenOwn, Open, OpenToRead} {
			again, err := open(file.name)
			if abi.CodeOf(err) != codes[i] {
				t.Errorf("%s, way %d: %v", owner, i, err)
			}
			if err == nil {
				again.Close()
			} else if !strings.Contains(err.Error(), owner) || !strings.Contains(err.Error(), filepath.FromSlash(Folder())) {
				t.Error(err)
			}
		}
	}
}

// foldersHave makes all folders have an owner and an access list, as far as this package sees.
func foldersHave(t testing.TB, text string) {
	t.Helper()
	descriptor, err := windows.SecurityDescriptorFromString(text)
	mustBe(t, err, abi.OK)
	before := securityOfFolder
	t.Cleanup(func() { securityOfFolder = before })
	securityOfFolder = func(string) (*windows.SECURITY_DESCRIPTOR, error) { return descriptor, nil }
}

func TestFolderOfFriendsIsTrusted(t *testing.T) {
	me, err := self()
	mustBe(t, err, abi.OK)
	friends := "S-1-5-21-1-2-3-1100"
	groups, err := windows.GetCurrentProcessToken().GetTokenGroups()
	mustBe(t, err, abi.OK)
	for _, group := range groups.AllGroups() {
		if member, err := windows.Token(0).IsMember(group.Sid); err == nil && member && !isCrowd(group.Sid) && !isTrusted(group.Sid) {
			friends = group.Sid.String()
		}
	}
	t.Log("a small group of this user:", friends)
	for text, want := range map[string]bool{
		"D:": true,
		entry(windows.GENERIC_ALL, me.user.String()):                                                true,
		entry(windows.GENERIC_ALL, "SY") + entry(windows.GENERIC_ALL, "BA") + entry(0x1200ab, "SU"): true,
		entry(windows.GENERIC_ALL, "CO"):                                                            true,
		entry(0x1200a9, everyone):                                                                   true,
		entry(0x1200ab, everyone):                                                                   false,
		entry(windows.GENERIC_WRITE, "AU"):                                                          false,
		entry(0x1200ab, users):                                                                      false,
		entry(windows.WRITE_DAC, "S-1-5-21-1-2-3-513"):                                              false,
		entry(windows.GENERIC_ALL, "S-1-5-21-1-2-3-999"):                                            false, // This user is not in that group.
		"(A;OICIIO;GA;;;WD)":                                                                        true,  // For what is in the folder.
	} {
		if !strings.HasPrefix(text, "D:") {
			text = "D:P" + text
		}
		descriptor, err := windows.SecurityDescriptorFromString(text)
		mustBe(t, err, abi.OK)
		if got := onlyFriendsWrite(descriptor); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	descriptor, err := windows.SecurityDescriptorFromString("D:P" + entry(0x1201bf, friends))
	mustBe(t, err, abi.OK)
	if !onlyFriendsWrite(descriptor) && friends != "S-1-5-21-1-2-3-1100" {
		t.Error("a group of this user is not trusted")
	}
	for text, want := range map[string]bool{
		"O:BAD:P" + entry(allOfFile, me.user.String()): true, "O:S-1-5-21-1-2-3-1004D:P" + entry(allOfFile, me.user.String()): false,
	} {
		foldersHave(t, text)
		if got := isOfOurs(`C:\cams\=cam0`); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	securityOfFolder = func(string) (*windows.SECURITY_DESCRIPTOR, error) { return nil, windows.ERROR_FILE_NOT_FOUND }
	if isOfOurs(filepath.Join(os.TempDir(), "no folder", "x")) {
		t.Error("a folder that is not there is trusted")
	}
}
