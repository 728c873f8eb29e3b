package abi

// RotateFlag is a rotation.
type RotateFlag int32

const (
	Rotate90Clockwise RotateFlag = 0 // A quarter.
	RotateHalf        RotateFlag = 4 // A half.
)

// AngleDefault asks shmcv_turn for no turn.
const AngleDefault = -1
