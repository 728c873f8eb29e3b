package abi

// Access says whose a new segment or stream is, and which users may open it. It is 64 bytes long. Owner, Group and Mode
// are those of the file on Linux. A program that fills it sets all three: there is no mode 0.
type Access struct {
	Owner     int64     // User id; -1 for the user of this process. Only the superuser can name another user.
	Group     int64     // Group id, of a group of this process; -1 for the group that the system gives new files.
	Mode      uint32    // Permissions: 0600, to which 0060 and 0004 can be added in part: 0640 lets the group read, 0660 write too.
	Reserved0 uint32    // Must be 0.
	Reserved  [5]uint64 // Must be 0.
}

// OwnAccess is that of a segment that only this user may open.
var OwnAccess = Access{Owner: -1, Group: -1, Mode: 0o600}

const (
	mostMode   = 0o664 // Others may not write; see docs/security.md.
	leastMode  = 0o600
	greatestID = 1<<32 - 2 // 2^32 - 1 is the -1 of the system's calls.
)

// Check returns an EInvalid error that names the wrong field, if one is.
func (a Access) Check() error {
	switch {
	case a.Mode&0o002 != 0 && a.Mode&^0o777 == 0:
		return Errorf(EInvalid, "access: mode %#o lets every user write; give those who may write a group, and the segment that group "+
			"and mode 0660", a.Mode)
	case a.Mode&^mostMode != 0 || a.Mode&leastMode != leastMode:
		return Errorf(EInvalid, "access: mode %#o; it is 0600, which the owner needs, or more of 0664: 0640 lets the group read, "+
			"0660 write too, 0644 lets everybody read", a.Mode)
	case a.Owner < -1 || a.Owner > greatestID:
		return Errorf(EInvalid, "access: owner %d; it is a user's number, or -1 for the user of this process", a.Owner)
	case a.Group < -1 || a.Group > greatestID:
		return Errorf(EInvalid, "access: group %d; it is a group's number, or -1 for the group that the system gives new files", a.Group)
	case a.Reserved0 != 0 || a.Reserved != [5]uint64{}:
		return Errorf(EInvalid, "access: a reserved field is not 0; zero the structure before filling it")
	}
	return nil
}
