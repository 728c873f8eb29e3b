package ops

// Every processor of 64 bits has NEON. Package cpu is not asked here: for arm64 it reads a file as it is initialized, by way of
// Go's poller, which ends a process that has too few file descriptors left.
const pngWithVectors = true

func init() { flipKernel = flipVectors }
