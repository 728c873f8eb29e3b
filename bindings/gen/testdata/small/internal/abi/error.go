package abi

// Code is what a function returns.
type Code int32

const (
	OK       Code = 0  // It worked.
	EInvalid Code = -1 // An argument makes no sense. (Python: ValueError.)
	EIO      Code = -2 // Reading or writing failed. (Python: OSError, EIO.)
	EClosed  Code = -4 // The handle is closed.
)
