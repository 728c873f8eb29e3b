package sys

import (
	"bytes"
	"crypto/rand"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"shmcv/internal/abi"
)

// These tests hold for every system: shm relies on what they check.

const fileSize = 1 << 16

func newName(t testing.TB) string {
	name := "shmcv-test-" + rand.Text()
	t.Cleanup(func() { _ = Remove(name) })
	return name
}

// newFile makes a file that has a name. The caller closes it.
func newFile(t testing.TB) *File {
	t.Helper()
	file, err := Create(newName(t), fileSize, fileSize, abi.OwnAccess)
	if err == nil {
		err = file.Link()
	}
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func openAgain(t testing.TB, file *File) *File {
	t.Helper()
	again, err := Open(file.name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.Close)
	return again
}

func mapped(t testing.TB, file *File) []byte {
	t.Helper()
	memory, err := file.Map(0, fileSize, true)
	if err != nil {
		t.Fatal(err)
	}
	return memory
}

func mustBe(t testing.TB, err error, code abi.Code) {
	t.Helper()
	if abi.CodeOf(err) != code {
		t.Fatalf("code %d wanted, got %d: %v", code, abi.CodeOf(err), err)
	}
}

func TestNameComesWithLinkAndGoesWithRemove(t *testing.T) {
	name := newName(t)
	listed := func() bool {
		names, err := Names()
		if err != nil || !slices.IsSorted(names) {
			t.Error(names, err)
		}
		return slices.Contains(names, name)
	}
	file, err := Create(name, fileSize, fileSize, abi.OwnAccess)
	mustBe(t, err, abi.OK)
	defer file.Close()
	_, _, err = Find(name, ToWrite)
	mustBe(t, err, abi.ENotFound)
	if Exists(name) || listed() {
		t.Error("it has its name too soon")
	}
	mustBe(t, file.Link(), abi.OK)
	if id, _, err := Find(name, ToWrite); err != nil || id != file.ID() {
		t.Errorf("%v, %v", id, err)
	}
	if !Exists(name) || !listed() {
		t.Error("it does not have its name")
	}

	other, err := Create(name, fileSize, fileSize, abi.OwnAccess)
	mustBe(t, err, abi.OK)
	defer other.Close()
	mustBe(t, other.Link(), abi.EExists)

	mustBe(t, Remove(name), abi.OK)
	mustBe(t, Remove(name), abi.ENotFound)
	_, err = Open(name)
	mustBe(t, err, abi.ENotFound)
	mustBe(t, other.Link(), abi.OK) // The name is free, although the first file is open.
	if other.ID() == file.ID() {
		t.Error("two files have one ID")
	}
}

func TestMappingsOfOneFileAreOneMemory(t *testing.T) {
	file := newFile(t)
	defer file.Close()
	again := openAgain(t, file)
	if again.ID() != file.ID() {
		t.Error("one file has two IDs")
	}
	if size, err := again.Size(); size != fileSize || err != nil {
		t.Errorf("%d bytes, %v", size, err)
	}
	one, two := mapped(t, file), mapped(t, again)
	if zeros := fileSize - 4096; len(one) != fileSize || bytes.Count(one[:zeros], []byte{0}) != zeros {
		t.Error("the memory is not zero")
	}
	one[0], one[fileSize-1] = 1, 2
	buffer := make([]byte, 10)
	if n, err := again.ReadAt(buffer, fileSize-1); two[0] != 1 || two[fileSize-1] != 2 || n != 1 || buffer[0] != 2 || err != nil {
		t.Errorf("%d, %d, read %d bytes %v, %v", two[0], two[fileSize-1], n, buffer, err)
	}
}

func TestLocksBelongToFiles(t *testing.T) {
	one := newFile(t)
	two := openAgain(t, one)
	try := func(what string, wanted bool) func(bool, error) {
		t.Helper()
		return func(got bool, err error) {
			t.Helper()
			if got != wanted || err != nil {
				t.Errorf("%s: %v, %v", what, got, err)
			}
		}
	}
	for _, number := range []int{0, 1, 127} {
		try("free", false)(one.HeldByOther(number))
		try("lock", true)(one.Lock(number))
		try("held", true)(two.HeldByOther(number))
		try("lock what is held", false)(two.Lock(number))
		try("share what is held", false)(two.Share(number))
		two.Unlock(number) // The lock is not that file's to give back.
		try("still held", true)(two.HeldByOther(number))
		one.Unlock(number)
		try("given back", true)(two.Lock(number))
		two.Unlock(number)
		try("share", true)(one.Share(number))
		try("share what is shared", true)(two.Share(number))
		two.Unlock(number)
		try("shared", false)(two.HeldByOther(number))
		try("lock what is shared", false)(two.Lock(number))
	}
	third := openAgain(t, one)
	try("lock another", true)(one.Lock(64))
	one.Close()
	for _, number := range []int{0, 1, 64, 127} {
		try("closed", true)(third.Lock(number))
	}
}

// The system gives the locks of a killed process back. That process is this test, run with the variable set.
func TestLocksOfAKilledProcessAreFree(t *testing.T) {
	const variable = "SHMCV_TEST_LOCK"
	if name := os.Getenv(variable); name != "" {
		file, err := Open(name)
		mustBe(t, err, abi.OK)
		taken, err := file.Lock(5)
		mustBe(t, err, abi.OK)
		if !taken {
			t.Fatal("held by another")
		}
		os.Stdout.WriteString("locked\n")
		_, _ = os.Stdin.Read(make([]byte, 1))
		return
	}
	file := newFile(t)
	defer file.Close()
	executable, err := os.Executable()
	mustBe(t, err, abi.OK)
	holder := exec.Command(executable, "-test.run=^"+t.Name()+"$")
	holder.Env = append(os.Environ(), variable+"="+file.name)
	_, err = holder.StdinPipe() // The pipe stays open, and the holder waits on it.
	mustBe(t, err, abi.OK)
	says, err := holder.StdoutPipe()
	mustBe(t, err, abi.OK)
	mustBe(t, holder.Start(), abi.OK)
	defer holder.Process.Kill()
	line := make([]byte, len("locked\n"))
	if _, err := says.Read(line); err != nil || string(line) != "locked\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if held, err := file.HeldByOther(5); !held || err != nil {
		t.Fatal(held, err)
	}
	_ = holder.Process.Kill()
	_ = holder.Wait()
	if taken, err := file.Lock(5); !taken || err != nil {
		t.Fatal(taken, err)
	}
}

func TestBellWakesWhoSleepsInAnotherMapping(t *testing.T) {
	file := newFile(t)
	defer file.Close()
	again := openAgain(t, file)
	rings, hears := file.Bell(mapped(t, file), 128, 256, true), again.Bell(mapped(t, again), 128, 256, true)
	heard := make(chan uint32)
	go func() {
		for {
			word, value := hears.Listen()
			if value == 100 {
				heard <- value
				return
			}
			Sleep([]Word{word}, Monotonic()+uint64(time.Minute))
		}
	}()
	for value := range uint32(100) {
		rings.Ring(value + 1)
	}
	select {
	case <-heard:
	case <-time.After(30 * time.Second):
		t.Fatal("the sleeper was not woken")
	}
	if rings.Value() != 100 {
		t.Error(rings.Value())
	}
}

func TestSleepEndsAtOnceWhenThereIsNothingToSleepOn(t *testing.T) {
	file := newFile(t)
	bell := file.Bell(mapped(t, file), 0, 64, true)
	begun, until := time.Now(), Monotonic()+uint64(time.Minute)
	word, value := bell.Listen()
	bell.Ring(value + 1)
	Sleep([]Word{word}, until)
	word, _ = bell.Listen()
	Sleep([]Word{word}, Monotonic()) // The time is up.
	file.Close()
	Sleep([]Word{word}, until) // The word has gone.
	if slept := time.Since(begun); slept > 30*time.Second {
		t.Errorf("slept for %v", slept)
	}
}

func TestOneOfManyBellsOrAnAlarmEndsASleep(t *testing.T) {
	file := newFile(t)
	defer file.Close()
	memory := mapped(t, file)
	bells, words := make([]Bell, MostWords-1), make([]Word, MostWords)
	var alarm Alarm
	for i := range bells {
		bells[i] = file.Bell(memory, uint64(8*i), uint64(8*i+4), true)
	}
	begun := time.Now()
	for last := range MostWords {
		words[0] = alarm.Listen()
		for i := range bells {
			words[i+1], _ = bells[i].Listen()
		}
		woken := make(chan bool)
		go func() { Sleep(words, Monotonic()+uint64(time.Minute)); close(woken) }()
		if last == 0 {
			alarm.Raise()
		} else {
			bells[last-1].Ring(bells[last-1].Value() + 1)
		}
		<-woken
	}
	if slept := time.Since(begun); slept > 30*time.Second {
		t.Errorf("slept for %v", slept)
	}
}

func TestMonotonicGoesOn(t *testing.T) {
	before := Monotonic()
	if before == 0 || Monotonic() < before {
		t.Error(before)
	}
}

func TestProcessTellsItselfFromAnother(t *testing.T) {
	if ProcessID() != uint32(os.Getpid()) || ProcessStart() == 0 {
		t.Errorf("process %d, started %d", ProcessID(), ProcessStart())
	}
}
