package ops

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"shmcv/internal/abi"
)

// saved fails unless path has the pixels of image.
func saved(t *testing.T, path string, image Pixels) {
	t.Helper()
	if back := loaded(t, path, abi.LoadColor); !bytes.Equal(back.Data, image.Data) {
		t.Errorf("%s: other pixels", path)
	}
}

func TestSaveFollowsLinksEvenToNowhere(t *testing.T) {
	folder, image := t.TempDir(), noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	path := func(name string) string { return filepath.Join(folder, name) }
	if err := os.Mkdir(path("elsewhere"), 0o700); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{
		"first.png": "second.png", "second.png": "elsewhere/third.png", "elsewhere/third.png": "photo.png", "loop.png": "loop.png",
	} {
		makeLink(t, target, path(link))
	}
	for range 2 { // The second time the file is there.
		if err := Save(path("first.png"), image, abi.QualityDefault); err != nil {
			t.Fatal(err)
		}
		saved(t, path("elsewhere/photo.png"), image)
	}
	for _, link := range []string{"first.png", "second.png", "elsewhere/third.png"} {
		if info, err := os.Lstat(path(link)); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%s is a link no more: %v", link, err)
		}
	}
	if err := Save(path("loop.png"), image, abi.QualityDefault); abi.CodeOf(err) != abi.EInvalid {
		t.Errorf("a loop of links: %v", err)
	}
}

func TestSaveRemovesWhatAKilledSaveLeft(t *testing.T) {
	path, image := written(t, "photo.png", []byte("old")), noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	left := temporaryName(path)
	if err := os.WriteFile(left, []byte("half a fi"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Save(path, image, abi.QualityDefault); err != nil {
		t.Fatal(err)
	}
	saved(t, path, image)
	checkFiles(t, filepath.Dir(path), "photo.png")

	// A file that is locked belongs to a save that is under way.
	file, busy, err := createNamed(left)
	if err != nil || busy != left {
		t.Fatal(busy, err)
	}
	if removeIfLeft(left) {
		t.Error("a temporary file was taken from its owner")
	}
	file.Close()
	if !removeIfLeft(left) {
		t.Error("a temporary file without an owner stays")
	}
}

// TestAKilledSaveLeavesNothingForLong has a process killed that has begun to write its file.
func TestAKilledSaveLeavesNothingForLong(t *testing.T) {
	const variable = "SHMCV_TEST_KILLED_SAVE"
	if target := os.Getenv(variable); target != "" {
		file, _, err := createNamed(temporaryName(target))
		if err == nil {
			_, err = file.WriteString("half a fi")
		}
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("begun\n")
		select {} // Until it is killed.
	}
	path, image := written(t, "photo.png", []byte("old")), noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	for range 3 {
		child := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.timeout", "0")
		child.Env = append(os.Environ(), variable+"="+path)
		output, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(output).ReadString('\n')
		if err != nil || bytes.TrimSpace([]byte(line)) == nil {
			t.Errorf("%q, %v", line, err)
		}
		child.Process.Kill()
		child.Wait()
		checkFiles(t, filepath.Dir(path), filepath.Base(temporaryName(path)), "photo.png")
		if err := Save(path, image, abi.QualityDefault); err != nil {
			t.Fatal(err)
		}
		saved(t, path, image)
		checkFiles(t, filepath.Dir(path), "photo.png")
	}
}

func TestSaveWritesThroughEveryNameOfAFile(t *testing.T) {
	folder, image := t.TempDir(), noise(9, 7, abi.DepthU8, abi.OrderBGR, 0)
	path, other := filepath.Join(folder, "one.png"), filepath.Join(folder, "two.png")
	if err := os.WriteFile(path, bytes.Repeat([]byte("old"), 10000), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(path, other); err != nil {
		t.Fatal(err)
	}
	for _, now := range []Pixels{noise(90, 70, abi.DepthU8, abi.OrderBGR, 0), image} { // A long file, and a shorter one.
		if err := Save(path, now, abi.QualityDefault); err != nil {
			t.Fatal(err)
		}
		saved(t, other, now)
	}
	checkFiles(t, folder, "one.png", "two.png")
}

// TestSaveAndLoadOfOneFileDisturbNobody: a load that meets a save gets the old image or the new one, and both succeed.
func TestSaveAndLoadOfOneFileDisturbNobody(t *testing.T) {
	loaders, rounds := meetings(t)
	path, image := filepath.Join(t.TempDir(), "photo.png"), noise(90, 70, abi.DepthU8, abi.OrderBGR, 0)
	if err := Save(path, image, abi.QualityDefault); err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	end := make(chan struct{})
	for range loaders {
		done.Go(func() {
			memory := make([]byte, image.Bytes())
			for {
				select {
				case <-end:
					return
				default:
				}
				if _, err := Load(path, abi.LoadColor.Options(), memory, false); err != nil || !bytes.Equal(memory, image.Data) {
					t.Errorf("Load: %v", err)
					return
				}
			}
		})
	}
	for range rounds {
		if err := Save(path, image, abi.QualityDefault); err != nil {
			t.Errorf("Save: %v", err)
			break
		}
	}
	close(end)
	done.Wait()
	checkFiles(t, filepath.Dir(path), "photo.png")
}
