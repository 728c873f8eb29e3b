package ops

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"shmcv/internal/abi"
)

// damagedCopies calls use with a number of damaged copies of each of wholeFiles, the same in each process.
func damagedCopies(t *testing.T, copies int, use func(name string, damaged []byte, options abi.LoadOptions)) {
	t.Helper()
	for _, name := range wholeFiles {
		whole := content(t, name)
		chance := rand.New(rand.NewPCG(7, uint64(len(whole))))
		for round := range copies {
			damaged := bytes.Clone(whole)
			for range 1 + chance.IntN(3) {
				at := chance.IntN(len(damaged))
				switch round % 4 {
				case 0: // In the header, where a byte decides how the rest is read.
					at = chance.IntN(min(len(damaged), 200))
				case 1: // At the end, where the directory of a TIFF is.
					at = len(damaged) - 1 - chance.IntN(min(len(damaged), 200))
				case 2: // A part in another's place.
					from := chance.IntN(len(damaged))
					copy(damaged[at:], damaged[from:min(from+chance.IntN(16), len(damaged))])
				}
				damaged[at] = byte(chance.Uint32N(256) >> chance.UintN(7)) // Small numbers mean most.
			}
			if chance.IntN(8) == 0 {
				damaged = damaged[:1+chance.IntN(len(damaged))]
			}
			flag := []abi.LoadFlag{abi.LoadColor, abi.LoadGray, abi.LoadUnchanged, abi.LoadBGRA, abi.LoadColor | abi.LoadAnyDepth}[chance.IntN(5)]
			use(name, damaged, someOptions(chance, flag))
		}
	}
}

// TestNoMemoryOfTheProcessGetsIntoAnImage loads damaged files in two processes, whose allocator fills what it gives with
// two different bytes, into memory that has two different contents: what a decoder leaves out would differ.
// SHMCV_TEST_COPIES is the number of damaged copies of each file (./build.sh soak).
func TestNoMemoryOfTheProcessGetsIntoAnImage(t *testing.T) {
	const poison, number = "SHMCV_TEST_POISON", "SHMCV_TEST_COPIES"
	copies := 60
	if wanted := os.Getenv(number); wanted != "" {
		var err error
		if copies, err = strconv.Atoi(wanted); err != nil || copies < 1 {
			t.Fatalf("%s=%s: a number of copies is wanted", number, wanted)
		}
	}
	if filled := os.Getenv(poison); filled != "" {
		loadDamagedCopies(t, copies, filled[0])
		return
	}
	var commands [2]*exec.Cmd
	var outputs [2]bytes.Buffer
	for i, filled := range []string{"85", "170"} {
		commands[i] = exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "0")
		commands[i].Stdout, commands[i].Stderr = &outputs[i], &outputs[i]
		commands[i].Env = append(os.Environ(), poison+"="+filled, "GLIBC_TUNABLES=glibc.malloc.perturb="+filled,
			"ASAN_OPTIONS="+os.Getenv("ASAN_OPTIONS")+":max_malloc_fill_size=1073741824:malloc_fill_byte="+filled)
		if err := commands[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	for i, command := range commands {
		if err := command.Wait(); err != nil {
			t.Errorf("%v\n%s", err, outputs[i].Bytes()[max(0, outputs[i].Len()-4096):])
		}
	}
	if t.Failed() {
		return
	}
	var results [2][]string
	for i := range outputs {
		for line := range strings.Lines(outputs[i].String()) {
			switch {
			case strings.HasPrefix(line, "result "):
				results[i] = append(results[i], line)
			case strings.HasPrefix(line, "slowest "):
				t.Log(strings.TrimSpace(line))
			}
		}
	}
	loaded := 0
	for i, line := range results[0] {
		if results[1][i] != line {
			t.Errorf("copy %d: %s and then %s", i%copies, line, results[1][i])
		}
		if strings.Contains(line, "pixels") {
			loaded++
		}
	}
	t.Logf("%d damaged files, %d of them images", len(results[0]), loaded)
	if len(results[0]) != copies*len(wholeFiles) || loaded < len(results[0])/20 {
		t.Errorf("%d results, %d images", len(results[0]), loaded)
	}
}

// loadDamagedCopies loads damaged files into memory that is filled with one byte, and prints what came of each.
func loadDamagedCopies(t *testing.T, copies int, filled byte) {
	path := filepath.Join(t.TempDir(), "damaged")
	fill := bytes.Repeat([]byte{filled}, 1<<20)
	memory := make([]byte, len(fill))
	var results strings.Builder
	var slowest time.Duration
	var slowestResult string
	silently(t, func() {
		damagedCopies(t, copies, func(name string, damaged []byte, options abi.LoadOptions) {
			copy(memory, fill)
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			image, err := Load(path, options, memory, false)
			took := time.Since(began)
			result := fmt.Sprintf("result %s %+v: ", name, options)
			if err != nil {
				result += fmt.Sprintln(abi.CodeOf(err))
			} else {
				result += fmt.Sprintf("%s %08x\n", describe(image), crc32.ChecksumIEEE(memory[:image.Bytes()]))
			}
			results.WriteString(result)
			if took > slowest {
				slowest, slowestResult = took, result
			}
		})
	})
	fmt.Print(results.String())
	fmt.Printf("slowest %v: %s", slowest, slowestResult)
}
