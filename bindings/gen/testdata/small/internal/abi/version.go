package abi

// Version is the version.
const Version = "1.2.3"
