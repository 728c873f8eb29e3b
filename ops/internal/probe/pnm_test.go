package probe

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"shmcv/internal/abi"
)

func FuzzPNM(f *testing.F) {
	for i, file := range seeds(f, isPNM) {
		f.Add(file, uint32(len(file)-i), uint32(67), uint32(43), uint32(255), "# a comment\n")
	}
	f.Add([]byte("P2 # 1\r1\v1\f65535 1"), uint32(5), uint32(1<<20), uint32(1), uint32(65535), "\t")
	f.Fuzz(func(t *testing.T, file []byte, cut, width, height, greatest uint32, space string) {
		kind := '1' + rune(cut%6)
		file = beginning(fmt.Sprintf("P%c\n", kind), file)
		checkSound(t, file, abi.LoadUnchanged, cut)
		checkSound(t, file, abi.LoadColor, cut)

		// Any white space, and any comments, may stand between the numbers.
		space = "\n#" + strings.NewReplacer("\n", " ", "\r", " ").Replace(space) + "\r" + strings.Repeat("\v", len(space)%3)
		built := fmt.Sprintf("P%c%s%d%s%d%s%d%s", kind, space, width, space, height, space, greatest, space)
		channels, depth := uint32(1), abi.DepthU8
		if kind == '3' || kind == '6' {
			channels = 3
		}
		bilevel := kind == '1' || kind == '4'
		if greatest > math.MaxUint8 && !bilevel {
			depth = abi.DepthU16
		}
		if width > math.MaxInt32 || height > math.MaxInt32 || !bilevel && (greatest == 0 || greatest > math.MaxUint16) {
			if _, err := PlanFor([]byte(built), abi.LoadUnchanged.Options()); abi.CodeOf(err) != abi.EDecode {
				t.Fatalf("%q: %v", built, err)
			}
			return
		}
		wantSize(t, []byte(built), width, height, channels, depth)
	})
}
