package ops

import (
	"testing"

	"gocv.io/x/gocv"

	"shmcv/ops/internal/probe"
)

func TestReadFlagsAreOpenCVs(t *testing.T) {
	for ours, theirs := range map[probe.ReadFlag]gocv.IMReadFlag{
		probe.ReadUnchanged:         gocv.IMReadUnchanged,
		probe.ReadGray:              gocv.IMReadGrayScale,
		probe.ReadColor:             gocv.IMReadColor,
		probe.ReadAnyDepth:          gocv.IMReadAnyDepth,
		probe.ReadIgnoreOrientation: gocv.IMReadIgnoreOrientation,
	} {
		if int(ours) != int(theirs) {
			t.Errorf("%d, where OpenCV has %d", ours, theirs)
		}
	}
}
