package abi

// WaitSet is a handle of a wait set, given by shmcv_wait_set_create, and valid in this process until shmcv_wait_set_close.
// {0} is no wait set.
type WaitSet struct {
	Handle uint64 // Opaque; never 0 in a wait set that is open.
}
