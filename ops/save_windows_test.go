package ops

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	win "golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

func utf16Path(t *testing.T, path string) *uint16 {
	t.Helper()
	text, err := win.UTF16PtrFromString(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// openAs opens a file as another program does that lets others do as share says.
func openAs(t *testing.T, path string, share uint32) win.Handle {
	t.Helper()
	handle, err := win.CreateFile(utf16Path(t, path), win.GENERIC_READ, share, nil, win.OPEN_EXISTING, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	return handle
}

func TestPathsOfEveryKindAreOneFile(t *testing.T) {
	image := noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	folder, file := t.TempDir(), content(t, "small-bgr.png")
	t.Chdir(folder)
	long := filepath.Join(folder, strings.Repeat("long", 30), strings.Repeat("longer", 30))
	unicode := filepath.Join(folder, "Bäume und 木 und 🌳")
	for _, made := range []string{long, unicode, filepath.Join(folder, "dots.", "NULL")} {
		if err := os.MkdirAll(made, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	drive := filepath.VolumeName(folder)
	if err := os.WriteFile(`\\?\`+filepath.Join(folder, "trailing.png."), file, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, paths := range [][]string{
		{"plain.png", `.\plain.png`, "./plain.png", drive + "plain.png", folder + "/plain.png", filepath.ToSlash(folder) + `\plain.png`,
			`\\?\` + filepath.Join(folder, "plain.png"), folder[len(drive):] + `\PLAIN.PNG`, `dots\..\plain.png`},
		{filepath.Join(long, "photo.png"), filepath.ToSlash(long) + "/photo.png", `\\?\` + long + `\photo.png`, long[len(folder)+1:] + `\photo.png`},
		{filepath.Join(unicode, "große Ansicht.png"), "Bäume und 木 und 🌳/große Ansicht.png"},
	} {
		for _, path := range paths {
			if err := Save(path, image, abi.QualityDefault); err != nil {
				t.Errorf("Save %q: %v", path, err)
				continue
			}
			for _, other := range paths {
				if back := loaded(t, other, abi.LoadColor); !bytes.Equal(back.Data, image.Data) {
					t.Errorf("Load %q: other pixels", other)
				}
			}
			if err := os.Remove(paths[0]); err != nil {
				t.Errorf("Save %q made another file: %v", path, err)
			}
		}
	}
	// What follows \\?\ is a name as it is.
	if _, err := Load(`\\?\`+filepath.Join(folder, "trailing.png."), abi.LoadColor.Options(), make([]byte, 1<<16), false); err != nil {
		t.Error(err)
	}
}

// A user copies a path out of a message.
func TestErrorsNameThePathAsItWasGiven(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "text.png"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(folder, "none.png"), filepath.Join(folder, "text.png"), `\\server\share\100%d.png.`, `\\?\C:\none.png`, `..\none.png`} {
		if _, err := Load(path, abi.LoadColor.Options(), make([]byte, 1<<16), false); err == nil || !strings.Contains(err.Error(), `load "`+path+`": `) {
			t.Errorf("%v; %s wanted", err, path)
		}
	}
	path := filepath.Join(folder, "none", "photo.png")
	err := Save(path, noise(9, 7, abi.DepthU8, abi.OrderBGR, 0), abi.QualityDefault)
	if err == nil || !strings.Contains(err.Error(), `save "`+path+`": there is no folder "`+filepath.Dir(path)+`"`) {
		t.Error(err)
	}
}

func TestNamesThatWindowsTakesForOthersAreErrors(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	for _, path := range []string{
		"NUL", "CON", "aux", "COM1", "nul.png", `\\.\NUL`, `\\.\pipe\photo.png`, filepath.Join(folder, "CON"), "photo.png.", "photo.png ",
		"photo.png. .", "pho\xfftograph.png", "a<b.png", "a?.png", `a"b.png`, "a|b.png", folder + `\`,
	} {
		_, err := Load(path, abi.LoadColor.Options(), make([]byte, 1<<16), false)
		if abi.CodeOf(err) != abi.EInvalid {
			t.Errorf("Load %q: %v", path, err)
		}
		t.Log(err)
		// Of a name without a known ending the error is that.
		err = Save(path, noise(9, 7, abi.DepthU8, abi.OrderBGR, 0), abi.QualityDefault)
		if code := abi.CodeOf(err); code != abi.EInvalid && (code != abi.EUnsupported || filepath.Ext(path) == ".png") {
			t.Errorf("Save %q: %v", path, err)
		}
	}
	checkFiles(t, folder)
}

func TestSaveReplacesAFileAndKeepsItsAttributes(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "photo.png")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := utf16Path(t, path)
	if err := win.SetFileAttributes(text, win.FILE_ATTRIBUTE_HIDDEN); err != nil {
		t.Fatal(err)
	}
	image := noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	if err := Save(path, image, abi.QualityDefault); err != nil {
		t.Fatal(err)
	}
	checkFiles(t, folder, "photo.png")
	if attributes, err := attributesOf(path); err != nil || attributes&win.FILE_ATTRIBUTE_HIDDEN == 0 {
		t.Errorf("attributes %#x, %v", attributes, err)
	}
	if err := win.SetFileAttributes(text, win.FILE_ATTRIBUTE_READONLY); err != nil {
		t.Fatal(err)
	}
	if err := Save(path, image, abi.QualityDefault); abi.CodeOf(err) != abi.EPermission || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("a file that may only be read: %v", err)
	}
	checkFiles(t, folder, "photo.png")
	saved(t, path, image)
	_ = win.SetFileAttributes(text, win.FILE_ATTRIBUTE_NORMAL)
}

// accessOf returns a file's access list as text, without what only tells how the list came to be.
func accessOf(t *testing.T, path string) string {
	t.Helper()
	descriptor, err := win.GetNamedSecurityInfo(path, win.SE_FILE_OBJECT, win.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	return descriptor.String()
}

func TestSaveKeepsWhoMayOpenAFile(t *testing.T) {
	folder := t.TempDir()
	image := noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	user, err := win.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, list string
	}{
		{"mine.png", "D:P(A;;FA;;;" + user.User.Sid.String() + ")"},
		{"everyones.png", "D:P(A;;FA;;;" + user.User.Sid.String() + ")(A;;FA;;;WD)"},
	} {
		path := filepath.Join(folder, c.name)
		if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		descriptor, err := win.SecurityDescriptorFromString(c.list)
		if err != nil {
			t.Fatal(err)
		}
		list, _, err := descriptor.DACL()
		if err != nil {
			t.Fatal(err)
		}
		what := win.SECURITY_INFORMATION(win.DACL_SECURITY_INFORMATION | win.PROTECTED_DACL_SECURITY_INFORMATION)
		if err := win.SetNamedSecurityInfo(path, win.SE_FILE_OBJECT, what, nil, nil, list, nil); err != nil {
			t.Fatal(err)
		}
		before := accessOf(t, path)
		if err := Save(path, image, abi.QualityDefault); err != nil {
			t.Fatal(err)
		}
		if after := accessOf(t, path); after != before {
			t.Errorf("%s: %s has become %s", c.name, before, after)
		}
		t.Log(before)
		saved(t, path, image)
	}
	if mine, everyones := accessOf(t, filepath.Join(folder, "mine.png")), accessOf(t, filepath.Join(folder, "everyones.png")); mine == everyones {
		t.Errorf("both have %s", mine)
	}
}

func TestErrorsSayThatAnotherProgramHasTheFileOpen(t *testing.T) {
	const read, write, remove = win.FILE_SHARE_READ, win.FILE_SHARE_WRITE, win.FILE_SHARE_DELETE
	old, image := content(t, "small-bgr.png"), noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	for _, c := range []struct {
		name           string
		share          uint32
		loads, savesIt bool
	}{
		{"nothing", 0, false, false},
		{"read", read, true, false},
		{"read and write", read | write, true, false},
		{"read, write and remove", read | write | remove, true, !isWine()}, // Wine replaces no file that is open.
	} {
		t.Run(c.name, func(t *testing.T) {
			path := written(t, "photo.png", old)
			viewer := openAs(t, path, c.share)
			_, err := Load(path, abi.LoadColor.Options(), make([]byte, 1<<16), false)
			if c.loads != (err == nil) || err != nil && (abi.CodeOf(err) != abi.EPermission || !strings.Contains(err.Error(), "another program")) {
				t.Errorf("Load: %v", err)
			}
			err = Save(path, image, abi.QualityDefault)
			if c.savesIt != (err == nil) || err != nil && (abi.CodeOf(err) != abi.EPermission || !strings.Contains(err.Error(), "another program")) {
				t.Errorf("Save: %v", err)
			}
			win.CloseHandle(viewer)
			checkFiles(t, filepath.Dir(path), "photo.png")
			if now, err := os.ReadFile(path); !c.savesIt && !bytes.Equal(now, old) {
				t.Errorf("the old file has changed: %d bytes, %v", len(now), err)
			}
			if err := Save(path, image, abi.QualityDefault); err != nil {
				t.Errorf("when it is closed: %v", err)
			}
			saved(t, path, image)
		})
	}
}

// TestSaveWaitsForWhoHasTheFileForAMoment: the other program closes the file as soon as it can.
func TestSaveWaitsForWhoHasTheFileForAMoment(t *testing.T) {
	path, image := written(t, "photo.png", []byte("old")), noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	waitLong(t)
	for range 5 {
		scanner := openAs(t, path, win.FILE_SHARE_READ)
		result := make(chan error)
		go func() { result <- Save(path, image, abi.QualityDefault) }()
		win.CloseHandle(scanner)
		if err := <-result; err != nil {
			t.Fatal(err)
		}
	}
	saved(t, path, image)
}

// TestSaveOnAFullDiskKeepsTheOldFile needs a disk of some 100 KB that others do not use, whose folder SHMCV_TEST_SMALL_DISK names.
func TestSaveOnAFullDiskKeepsTheOldFile(t *testing.T) {
	disk := os.Getenv("SHMCV_TEST_SMALL_DISK")
	if disk == "" {
		t.Skip("SHMCV_TEST_SMALL_DISK names no small disk")
	}
	path := filepath.Join(disk, "photo.png")
	small := noise(20, 20, abi.DepthU8, abi.OrderBGR, 0)
	if err := Save(path, small, abi.QualityDefault); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	err := Save(path, noise(400, 400, abi.DepthU8, abi.OrderBGR, 0), abi.QualityDefault)
	if abi.CodeOf(err) != abi.ENoSpace || !strings.Contains(err.Error(), "bytes wanted") {
		t.Errorf("%v", err)
	}
	checkFiles(t, disk, "photo.png")
	saved(t, path, small)
}

func TestSaveSaysThatTheFolderOrDriveIsMissing(t *testing.T) {
	for drive := 'A'; drive <= 'Z'; drive++ {
		root := fmt.Sprintf(`%c:\`, drive)
		if _, err := os.Stat(root); err == nil {
			continue
		}
		err := Save(root+"photo.png", noise(9, 7, abi.DepthU8, abi.OrderBGR, 0), abi.QualityDefault)
		if abi.CodeOf(err) != abi.ENotFound || !strings.Contains(err.Error(), "there is no folder") {
			t.Errorf("%v", err)
		}
		return
	}
}
