package probe

import (
	"errors"
	"fmt"
	"testing"

	"shmcv/internal/abi"
)

func TestPFMHeaders(t *testing.T) {
	for text, want := range map[string]abi.Code{
		"PF\n67 43\n-1.0\n": abi.OK, "Pf\n67\n43\n1e-3 ": abi.OK,
		"PF 67 43\n-1\n": abi.EDecode, "PF\n67  43\n-1\n": abi.EDecode, "PF\n67 43\n0\n": abi.EDecode,
		"PF\n67 43\nnan\n": abi.EDecode, "PF\n67x43\n1\n": abi.EDecode, "PF\n-67 43\n1\n": abi.EDecode,
	} {
		if _, err := PlanFor([]byte(text), abi.LoadUnchanged.Options()); abi.CodeOf(err) != want {
			t.Errorf("%q: %v", text, err)
		}
		if _, err := PlanFor([]byte(text), abi.LoadColor.Options()); err == nil {
			t.Errorf("%q is loaded as 8-bit", text)
		}
	}
}

func FuzzPFM(f *testing.F) {
	f.Add([]byte("PF\n2 1\n-1\n........................"), uint32(9), uint32(67), uint32(43), 1.0)
	f.Fuzz(func(t *testing.T, file []byte, cut, width, height uint32, scale float64) {
		file = beginning("PF\n", file)
		checkSound(t, file, abi.LoadUnchanged, cut)
		checkSound(t, file, abi.LoadColor|abi.LoadAnyDepth, cut)
		if width > 1<<31-1 || height > 1<<31-1 || scale != scale || float32(scale) == 0 {
			return
		}
		built := []byte(fmt.Sprintf("PF\n%d %d\n%g\n", width, height, float32(scale)))
		if _, err := PlanFor(built, abi.LoadUnchanged.Options()); !errors.Is(err, ErrShort) && abi.CodeOf(err) != abi.EDecode {
			wantSize(t, built, width, height, 3, abi.DepthF32)
		}
	})
}
