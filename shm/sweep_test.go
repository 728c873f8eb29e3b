package shm

import (
	"fmt"
	"sync"
	"testing"

	"shmcv/internal/abi"
	"shmcv/shm/internal/sys"
)

func mustExist(t testing.TB, name string, wanted bool) {
	t.Helper()
	if sys.Exists(name) != wanted {
		t.Errorf("%q is there: %v", name, !wanted)
	}
}

func mustSweep(t testing.TB) {
	t.Helper()
	if _, err := Sweep(); err != nil {
		t.Fatal(err)
	}
}

func TestSweepRemovesWhatAKilledProcessLeft(t *testing.T) {
	name := newName(t)
	owner := startChild(t, "own", []string{name})
	owner.expect("ready")
	mustSweep(t)
	mustExist(t, name, true)
	owner.kill()
	if removed, err := Sweep(); err != nil || removed < 1 {
		t.Errorf("it says that it has removed %d, %v", removed, err)
	}
	mustExist(t, name, false)
}

func TestSweepKeepsWhatSomebodyUses(t *testing.T) {
	name := newName(t)
	owner := startChild(t, "own", []string{name})
	owner.expect("ready")
	user := startChild(t, "stream or segment", []string{name})
	user.expect("ready")
	owner.kill()
	mustSweep(t)
	mustExist(t, name, true)
	s := open(t, name)
	user.kill()
	mustSweep(t)
	mustExist(t, name, true) // This process uses it.
	s.Release()
	mustSweep(t)
	mustExist(t, name, false)
}

func TestSweepRemovesWhatItsCreatorHasClosed(t *testing.T) {
	name := newName(t)
	create(t, name, 100).Release()
	mustSweep(t)
	mustExist(t, name, false)
}

// Open during a sweep gives the segment, whose name then stays, or says that there is none.
func TestOpeningAndSweepingAtOnceGiveTheSegmentOrNone(t *testing.T) {
	name := newName(t)
	for range 300 {
		create(t, name, 100).Release()
		var sweeper sync.WaitGroup
		sweeper.Go(func() { mustSweep(t) })
		s, err := Open(name)
		sweeper.Wait()
		if abi.CodeOf(err) == abi.ENotFound {
			mustExist(t, name, false)
			continue
		}
		must(t, err, abi.OK)
		mustExist(t, name, true)
		s.Release()
		must(t, Clear(name), abi.OK)
	}
}

func init() {
	roles["stream or segment"] = func(a []string) {
		_ = childSegment(Open(a[0]))
		fmt.Println("ready")
		nextLine()
	}
}
