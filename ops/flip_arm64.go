package ops

func init() { flipKernel = flipVectors } // Every processor of 64 bits has NEON.
