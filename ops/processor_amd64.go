// What this processor has, and so which code runs on it.

package ops

import "golang.org/x/sys/cpu"

// pngWithVectors says whether the processor has the vector instructions of png_unfilter.c.
var pngWithVectors = cpu.X86.HasSSE41

func init() {
	if cpu.X86.HasAVX2 {
		flipKernel = flipVectors
	}
}
