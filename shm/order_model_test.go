package shm

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A processor may do what a program says in another order, as far as other processors can see. protocol_test.go and its like
// explore every order of the steps of several parties; here each party's own accesses may change places too, as the rules of a
// processor permit. A party is a straight line of accesses, and explore goes through all orders of all parties. The parties are
// the parts of pixels.go, trailer.go and internal/ring/ring.c in which somebody reads what somebody else may be writing.
//
// The rules of arm64 are those of its architecture's memory model, without the orders that come of dependencies, which no code
// here relies on. Both processors show a store to all others at once. No access here reads what its own party has stored before.

// What an access is.
const (
	plainLoad   = iota // Of pixels, of any width. Of what follows, Go and ring.c know no more than the first four.
	plainStore         //
	atomicLoad         // Sequentially consistent: ldar; mov.
	atomicStore        // Sequentially consistent: stlr; xchg.
	handOver           // A release: stlr; mov.
	exclusive          // The first half of a change: ldaxr; nothing, because the other half is all of it. It has the word for itself.
	changed            // The other half: stlxr; a locked instruction. A processor that does both in one may still do more between.
	fenceLoads         // An acquire fence: dmb ishld; nothing.
	fenceStores        // A release fence: dmb ish; nothing.
	fenceAll           // dmb ish; mfence.
)

// The words of memory.
const (
	wordSequence  = iota
	wordFirst     // Half of the pixels,
	wordSecond    // and the other.
	wordImage     // What describes them.
	wordHolders   // Of a stream's slot.
	wordPublished // The newest frame.
	wordMark      // Somebody may be asleep.
	wordBell
	wordOwn // Of one party, that no other touches.
	orderWords
)

type orderAccess struct {
	kind, word int8
	value      int8 // What it stores; what a load must find: other orders are those in which the party tries again.
	picky      bool // It must find it.
}

func loads(word int8) orderAccess { return orderAccess{kind: plainLoad, word: word} }
func stores(word, value int8) orderAccess {
	return orderAccess{kind: plainStore, word: word, value: value}
}
func atomicLoads(word int8) orderAccess { return orderAccess{kind: atomicLoad, word: word} }
func handsOver(word, value int8) orderAccess {
	return orderAccess{kind: handOver, word: word, value: value}
}
func atomicStores(word, value int8) orderAccess {
	return orderAccess{kind: atomicStore, word: word, value: value}
}
func fence(kind int8) orderAccess { return orderAccess{kind: kind, word: wordOwn} }

// changesWord is an atomic change of a word from one value to another, which is tried until it succeeds.
func changesWord(word, from, to int8) []orderAccess {
	return []orderAccess{{kind: exclusive, word: word, value: from, picky: true}, {kind: changed, word: word, value: to}}
}

// program makes a party of accesses and of slices of them.
func program(parts ...any) (all []orderAccess) {
	for _, part := range parts {
		switch part := part.(type) {
		case orderAccess:
			all = append(all, part)
		case []orderAccess:
			all = append(all, part...)
		}
	}
	return all
}

func (a orderAccess) reads() bool {
	return a.kind == plainLoad || a.kind == atomicLoad || a.kind == exclusive
}

func (a orderAccess) writes() bool {
	return a.kind == plainStore || a.kind == atomicStore || a.kind == handOver || a.kind == changed
}

// A processor tells whether an access stays before one that follows it in the program.
type processor func(before, after orderAccess) bool

func arm64(before, after orderAccess) bool {
	release := func(a orderAccess) bool { return a.kind == atomicStore || a.kind == handOver || a.kind == changed }
	acquire := func(a orderAccess) bool { return a.kind == atomicLoad || a.kind == exclusive }
	full := func(a orderAccess) bool { return a.kind == fenceAll || a.kind == fenceStores }
	switch {
	case before.kind < fenceLoads && after.kind < fenceLoads && before.word == after.word,
		full(before), full(after),
		acquire(before), release(after),
		release(before) && acquire(after),
		before.kind == fenceLoads, before.reads() && after.kind == fenceLoads:
		return true
	}
	return false
}

func x86(before, after orderAccess) bool {
	locked := func(a orderAccess) bool { return a.kind == atomicStore || a.kind == changed || a.kind == fenceAll }
	return !(before.writes() && after.reads()) || before.word == after.word || locked(before) || locked(after) || after.kind == exclusive
}

// withoutAFence is the rules of a processor, if one kind of fence does nothing. Fences of Go are made of two accesses to
// wordOwn and to the sequence, of which the one to wordOwn does nothing then.
func withoutAFence(p processor, kind int8) processor {
	return func(before, after orderAccess) bool {
		idle := func(a orderAccess) bool {
			return a.kind == kind && (a.word == wordOwn || kind >= fenceLoads)
		}
		return !idle(before) && !idle(after) && p(before, after)
	}
}

const (
	orderParties  = 2
	orderAccesses = 20
)

type orderState struct {
	memory [orderWords]int8
	taken  [orderWords]int8 // 1 more than the party that has a word for itself.
	done   [orderParties]uint32
	found  [orderParties][orderAccesses]int8 // What each load has found.
}

// exploreOrders goes through all orders in which the parties' accesses can reach memory, and gives the states in the end that
// wrong tells something of.
func exploreOrders(p processor, parties [orderParties][]orderAccess, memory [orderWords]int8, wrong func(s *orderState) string) (ends int, found string) {
	before := [orderParties][orderAccesses]uint32{} // Which accesses have to be done first.
	for i, party := range parties {
		for j := range party {
			for k := range j {
				if p(party[k], party[j]) {
					before[i][j] |= 1 << k
				}
			}
		}
	}
	start := orderState{memory: memory}
	seen, pending := map[orderState]bool{start: true}, []orderState{start}
	for len(pending) > 0 {
		s := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		over := true
		for i, party := range parties {
			for j, a := range party {
				if s.done[i]&(1<<j) != 0 {
					continue
				}
				over = false
				if before[i][j]&^s.done[i] != 0 || !s.mayDo(i, a) {
					continue
				}
				next := s
				next.do(i, j, a)
				if !seen[next] {
					seen[next] = true
					pending = append(pending, next)
				}
			}
		}
		if over {
			ends++
			if what := wrong(&s); what != "" {
				return ends, what
			}
		}
	}
	return ends, ""
}

// mayDo returns false if another party has the word, or if the load would not find what it must.
func (s *orderState) mayDo(party int, a orderAccess) bool {
	if a.picky && s.memory[a.word] != a.value {
		return false
	}
	by := s.taken[a.word]
	return by == 0 || by == int8(party)+1 || !a.writes() && a.kind != exclusive
}

func (s *orderState) do(party, index int, a orderAccess) {
	s.done[party] |= 1 << index
	switch {
	case a.kind == exclusive:
		s.taken[a.word] = int8(party) + 1
	case a.kind == changed:
		s.taken[a.word] = 0
	}
	if a.reads() {
		s.found[party][index] = s.memory[a.word]
	}
	if a.writes() {
		s.memory[a.word] = a.value
	}
}

// What the parties do.

// storesPixels is storeWithin: of image 1 it makes image 2.
var storesPixels = program(
	changesWord(wordSequence, 2, 3), atomicLoads(wordOwn), // pixelSequence.begin
	stores(wordFirst, 2), stores(wordSecond, 2), atomicStores(wordImage, 2),
	changesWord(wordSequence, 3, 4), // pixelSequence.end
)

// readsPixels is Read.
var readsPixels = program(
	atomicLoads(wordSequence), atomicLoads(wordImage), loads(wordFirst), loads(wordSecond),
	atomicStores(wordOwn, 1), atomicLoads(wordSequence), // pixelSequence.isStill
)

func tornPixels(s *orderState) string {
	r := s.found[1]
	before, image, first, second, after := r[0], r[1], r[2], r[3], r[5]
	if before == after && before%2 == 0 && (first != image || second != image) {
		return fmt.Sprintf("with sequence %d before and after, image %d has pixels of %d and %d", before, image, first, second)
	}
	return ""
}

// storesWords is trailer.storeImage, with two of the image's words, and readsWords trailer.readImage.
var storesWords = program(atomicStores(wordSequence, 3), atomicStores(wordFirst, 2), atomicStores(wordSecond, 2), atomicStores(wordSequence, 4))
var readsWords = program(atomicLoads(wordSequence), atomicLoads(wordFirst), atomicLoads(wordSecond), atomicLoads(wordSequence))

func tornWords(s *orderState) string {
	if r := s.found[1]; r[0] == r[3] && r[0]%2 == 0 && r[1] != r[2] {
		return fmt.Sprintf("with sequence %d before and after, the words are of images %d and %d", r[0], r[1], r[2])
	}
	return ""
}

const claimedByWriter, heldByReader = 8, 1

// writesFrame is shmcv_ring_begin and shmcv_ring_publish: frame 1 was in the slot, and then is frame 2.
var writesFrame = program(
	changesWord(wordHolders, 0, claimedByWriter), atomicStores(wordSequence, 0), fence(fenceStores), // W1 and W2
	stores(wordFirst, 2), stores(wordSecond, 2), stores(wordImage, 2), // W3
	handsOver(wordSequence, 2), handsOver(wordHolders, 0), handsOver(wordPublished, 2), // W4 and W5
)

// holdsFrame is a reader that takes the slot, reads, and gives it back.
var holdsFrame = program(
	atomicLoads(wordPublished), changesWord(wordHolders, 0, heldByReader), atomicLoads(wordSequence), // R1 to R3
	loads(wordImage), loads(wordFirst), loads(wordSecond),
	changesWord(wordHolders, heldByReader, 0), // R4
)

func tornHeld(s *orderState) string {
	r := s.found[1]
	if published, sequence := r[0], r[3]; published == sequence && (r[4] != sequence || r[5] != sequence || r[6] != sequence) {
		return fmt.Sprintf("frame %d, which a reader holds, is of %d, %d and %d", sequence, r[4], r[5], r[6])
	}
	return ""
}

// readsFrame is a reader without a place, until shmcv_ring_check.
var readsFrame = program(
	atomicLoads(wordPublished), atomicLoads(wordSequence), // L1 and L2
	loads(wordImage), loads(wordFirst), loads(wordSecond), // L3
	fence(fenceLoads), atomicLoads(wordSequence), // L4
)

func tornUnheld(s *orderState) string {
	r := s.found[1]
	if frame := r[0]; frame == r[1] && frame == r[6] && (r[2] != frame || r[3] != frame || r[4] != frame) {
		return fmt.Sprintf("frame %d, which a reader has found whole, is of %d, %d and %d", frame, r[2], r[3], r[4])
	}
	return ""
}

// readsNewestImage is newest_image in ring.c, with two of the image's words.
var readsNewestImage = program(atomicLoads(wordPublished), atomicLoads(wordFirst), atomicLoads(wordSecond), atomicLoads(wordSequence))

func tornNewest(s *orderState) string {
	if r := s.found[1]; r[0] == r[3] && (r[1] != r[0] || r[2] != r[0]) {
		return fmt.Sprintf("the image of frame %d is of %d and %d", r[0], r[1], r[2])
	}
	return ""
}

// publishesAndRings is the end of publish in ring.c, where nobody was asleep yet, and listens is shmcv_ring_listen with the look
// that follows it.
var publishesAndRings = program(handsOver(wordPublished, 2), fence(fenceAll), atomicLoads(wordMark), changesWord(wordBell, 1, 2))
var listensAndLooks = program(atomicStores(wordMark, 1), atomicLoads(wordBell), atomicLoads(wordMark), atomicLoads(wordPublished))

func sleepsOverNews(s *orderState) string {
	if woken, value, news := s.found[0][2], s.found[1][1], s.found[1][3]; woken == 0 && value == 2 && news != 2 {
		return "a reader sleeps on the bell's new value, without the news, and nobody wakes it"
	} else if woken == 0 && news != 2 {
		return "a reader sleeps without the news, and nobody has seen that it does"
	}
	return ""
}

// givesBackAndRings is the end of let_go in ring.c, and wantsRoom a writer that waits for a slot.
var givesBackAndRings = program(changesWord(wordHolders, heldByReader, 0), handsOver(wordOwn, 0), atomicLoads(wordMark))
var wantsRoom = program(atomicStores(wordMark, 1), atomicLoads(wordHolders))

func sleepsOverRoom(s *orderState) string {
	if s.found[0][3] == 0 && s.found[1][1] == heldByReader {
		return "the writer sleeps without the slot, and the reader has not seen that it does"
	}
	return ""
}

type orderCase struct {
	name    string
	parties [orderParties][]orderAccess
	memory  [orderWords]int8
	wrong   func(*orderState) string
	// The fences that each processor needs there.
	onArm64, onX86 []int8
}

var orderCases = []orderCase{
	{"pixels of a segment", [orderParties][]orderAccess{storesPixels, readsPixels},
		[orderWords]int8{wordSequence: 2, wordFirst: 1, wordSecond: 1, wordImage: 1}, tornPixels, []int8{atomicLoad, atomicStore}, nil},
	{"image of a segment", [orderParties][]orderAccess{storesWords, readsWords},
		[orderWords]int8{wordSequence: 2, wordFirst: 1, wordSecond: 1}, tornWords, nil, nil},
	{"frame that a reader holds", [orderParties][]orderAccess{writesFrame, holdsFrame},
		[orderWords]int8{wordSequence: 1, wordFirst: 1, wordSecond: 1, wordImage: 1, wordPublished: 1}, tornHeld, nil, nil},
	{"frame that a reader does not hold", [orderParties][]orderAccess{writesFrame, readsFrame},
		[orderWords]int8{wordSequence: 1, wordFirst: 1, wordSecond: 1, wordImage: 1, wordPublished: 1}, tornUnheld,
		[]int8{fenceLoads, fenceStores}, nil},
	{"image of the newest frame", [orderParties][]orderAccess{writesFrame, readsNewestImage},
		[orderWords]int8{wordSequence: 1, wordFirst: 1, wordSecond: 1, wordImage: 1, wordPublished: 1}, tornNewest, []int8{fenceStores}, nil},
	{"bell of a stream", [orderParties][]orderAccess{publishesAndRings, listensAndLooks},
		[orderWords]int8{wordPublished: 1, wordBell: 1}, sleepsOverNews, nil, []int8{fenceAll}},
	{"bell of a writer", [orderParties][]orderAccess{givesBackAndRings, wantsRoom},
		[orderWords]int8{wordHolders: heldByReader}, sleepsOverRoom, nil, nil},
}

func (c orderCase) explore(p processor) (int, string) {
	return exploreOrders(p, c.parties, c.memory, c.wrong)
}

func TestNoOrderOfAProcessorTearsAnImageOrLosesAWakeUp(t *testing.T) {
	for _, c := range orderCases {
		for name, p := range map[string]processor{"arm64": arm64, "x86-64": x86} {
			t.Run(strings.Join([]string{c.name, name}, "/"), func(t *testing.T) {
				ends, wrong := c.explore(p)
				if wrong != "" || ends == 0 {
					t.Fatalf("%d ends: %s", ends, wrong)
				}
				t.Logf("%d ends", ends)
			})
		}
	}
}

// A fence is there where something goes wrong without it, and nowhere else. On x86-64 those of pixels are not needed.
func TestModelFindsWhatEachFencePrevents(t *testing.T) {
	fences := map[int8]string{atomicLoad: "Go's before stores", atomicStore: "Go's after loads", fenceLoads: "loads", fenceStores: "stores", fenceAll: "all"}
	for _, c := range orderCases {
		for _, on := range []struct {
			name   string
			p      processor
			needed []int8
		}{{"arm64", arm64, c.onArm64}, {"x86-64", x86, c.onX86}} {
			for kind, fence := range fences {
				t.Run(strings.Join([]string{c.name, on.name, fence}, "/"), func(t *testing.T) {
					_, wrong := c.explore(withoutAFence(on.p, kind))
					if needed := slices.Contains(on.needed, kind); needed != (wrong != "") {
						t.Fatalf("the fence is needed: %v; without it: %q", needed, wrong)
					}
				})
			}
		}
	}
}
