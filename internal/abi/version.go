// Package abi holds what both halves of the library and its C ABI agree on: the error table, the description of an
// image, and the version. It is a leaf: it imports nothing of this module.
package abi

// The version is decided here. ./build.sh check compares it with the places where tools need it spelled out.

// Version is the library's version, by the rules of semantic versioning.
const Version = "0.2.0"

// ABIMajor changes when a caller built against an older header could misbehave; ABIMinor when something is added.
// A binding refuses a library with another major version, or an older minor one than it was generated for.
const (
	ABIMajor = 2
	ABIMinor = 0
)
