package abi

// NoKey is what shmcv_delay gives when no key was pressed.
const NoKey = -1
