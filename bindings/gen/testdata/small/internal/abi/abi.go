// Package abi is a small one for the generator's tests. What is in this file crosses no ABI.
package abi

import "fmt"

// Failure has a field that C does not have.
type Failure struct {
	Code    Code
	Message string
}

func (f Failure) Error() string { return fmt.Sprint(f.Code, f.Message) }

const hidden = 3
