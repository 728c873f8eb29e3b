package ops

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"shmcv/internal/abi"
)

// damagedCopies calls use with a number of damaged copies of each of wholeFiles, the same in each process.
func damagedCopies(t *testing.T, copies int, use func(name string, damaged []byte, flag abi.LoadFlag)) {
	t.Helper()
	for _, name := range wholeFiles {
		whole := content(t, name)
		chance := rand.New(rand.NewPCG(7, uint64(len(whole))))
		for round := range copies {
			damaged := bytes.Clone(whole)
			for range 1 + chance.IntN(3) {
				at := chance.IntN(len(damaged))
				switch {
				case round%3 == 0: // In the header, where a byte decides how the rest is read.
					at = chance.IntN(min(len(damaged), 200))
				case round%3 == 1: // At the end, where the directory of a TIFF is.
					at = len(damaged) - 1 - chance.IntN(min(len(damaged), 200))
				}
				damaged[at] = byte(chance.Uint32N(256) >> chance.UintN(7)) // Small numbers mean most.
			}
			if chance.IntN(8) == 0 {
				damaged = damaged[:1+chance.IntN(len(damaged))]
			}
			flag := []abi.LoadFlag{abi.LoadColor, abi.LoadGray, abi.LoadUnchanged, abi.LoadBGRA, abi.LoadColor | abi.LoadAnyDepth}[chance.IntN(5)]
			use(name, damaged, flag)
		}
	}
}

// TestNoMemoryOfTheProcessGetsIntoAnImage loads damaged files in two processes, whose allocator fills what it gives with
// two different bytes, into memory that has two different contents: what a decoder leaves out would differ.
func TestNoMemoryOfTheProcessGetsIntoAnImage(t *testing.T) {
	const poison = "SHMCV_TEST_POISON"
	copies := 60
	if filled := os.Getenv(poison); filled != "" {
		path := filepath.Join(t.TempDir(), "damaged")
		memory := make([]byte, 1<<20)
		var results strings.Builder
		silently(t, func() {
			damagedCopies(t, copies, func(name string, damaged []byte, flag abi.LoadFlag) {
				for i := range memory {
					memory[i] = filled[0]
				}
				if err := os.WriteFile(path, damaged, 0o600); err != nil {
					t.Fatal(err)
				}
				image, err := Load(path, flag, memory, false)
				if err != nil {
					fmt.Fprintf(&results, "result %s %d: %d\n", name, flag, abi.CodeOf(err))
					return
				}
				fmt.Fprintf(&results, "result %s %d: %s %08x\n", name, flag, describe(image), crc32.ChecksumIEEE(memory[:image.Bytes()]))
			})
		})
		fmt.Print(results.String())
		return
	}
	var results [2][]string
	for i, filled := range []string{"85", "170"} {
		command := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
		command.Env = append(os.Environ(), poison+"="+filled, "GLIBC_TUNABLES=glibc.malloc.perturb="+filled)
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, output[max(0, len(output)-4096):])
		}
		for line := range strings.Lines(string(output)) {
			if strings.HasPrefix(line, "result ") {
				results[i] = append(results[i], line)
			}
		}
	}
	loaded := 0
	for i, line := range results[0] {
		if results[1][i] != line {
			t.Errorf("%s and then %s", line, results[1][i])
		}
		if strings.Contains(line, "pixels") {
			loaded++
		}
	}
	if len(results[0]) != copies*len(wholeFiles) || loaded < len(results[0])/20 {
		t.Errorf("%d results, %d images", len(results[0]), loaded)
	}
}
