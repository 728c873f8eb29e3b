package main

import "testing"

func TestAFlagIsSpelledAsTheAnalyserSpellsIt(t *testing.T) {
	g := &group{goType: "LoadFlag", prefix: "Load"}
	for _, value := range []struct{ goName, text, want string }{
		{"LoadColor", "0", "0"},
		{"LoadGray", "1", "1"},
		{"LoadUnchanged", "2", "2"},
		{"LoadBGRA", "3", "ShmCv.LoadFlags.Gray | ShmCv.LoadFlags.Unchanged"},
		{"LoadAnyDepth", "8", "8"},
		{"LoadOther", "18", "18"}, // 16 has no name
	} {
		g.constants = append(g.constants, &constant{group: g, goName: value.goName, text: value.text, doc: value.want})
	}
	for _, c := range g.constants {
		if got := c.declaredValue(); got != c.doc {
			t.Errorf("%s: %q, want %q", c.goName, got, c.doc)
		}
	}

	depths := &group{goType: "Depth", prefix: "Depth"}
	depths.constants = []*constant{
		{group: depths, goName: "DepthU8", text: "1"}, {group: depths, goName: "DepthU16", text: "2"}, {group: depths, goName: "DepthF32", text: "3"},
	}
	if got := depths.constants[2].declaredValue(); got != "3" {
		t.Errorf("an enumeration that is no flags: %q", got)
	}
}
