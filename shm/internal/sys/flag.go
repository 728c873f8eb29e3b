package sys

// Flag is something of the operating system on which a host's own loop can wait, among sockets and whatever else: a file
// descriptor that polls readable as long as the flag is up, or an event that is signalled. A flag is of this process alone, and
// a forked child has none of its parent's.
type Flag struct {
	system flag
	name   string // For messages.
}

// NewFlag makes a flag, which is down. name says what it is for, in messages.
//
// Errors: EIO when this process has no file descriptor left.
func NewFlag(name string) (*Flag, error) {
	f, err := newFlag()
	if err != nil {
		return nil, failed("make a descriptor for", name, err)
	}
	return &Flag{system: f, name: name}, nil
}

// Number gives the file descriptor, or the handle of the event. It is the flag's until Close.
func (f *Flag) Number() int64 { return f.system.number() }

// Raise puts the flag up, and wakes who waits on it.
func (f *Flag) Raise() { f.system.raise() }

// Lower takes the flag down. Calls of Raise and Lower do not overlap.
func (f *Flag) Lower() { f.system.lower() }

// Close ends the flag. Threads that wait on it may never wake, unless it is up.
func (f *Flag) Close() { f.system.close() }
