package sys

import "golang.org/x/sys/windows"

// flag is an event without a name, which stays signalled until it is reset.
type flag struct{ event windows.Handle }

func newFlag() (flag, error) {
	const manualReset, unset = 1, 0
	event, err := windows.CreateEvent(nil, manualReset, unset, nil)
	return flag{event}, err
}

func (f flag) number() int64 { return int64(f.event) }

// Neither fails on an event that is open.

func (f flag) raise() { _ = windows.SetEvent(f.event) }

func (f flag) lower() { _ = windows.ResetEvent(f.event) }

func (f flag) close() { _ = windows.CloseHandle(f.event) }
