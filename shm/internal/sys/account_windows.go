package sys

import (
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

// Users and groups have no numbers on Windows.

func userID(name string) (int64, error) { return 0, noNumber("user", name) }

func groupID(name string) (int64, error) { return 0, noNumber("group", name) }

func noNumber(kind, name string) error {
	return abi.Errorf(abi.EUnsupported, "shm: look up %s %.80q: users and groups have no numbers on Windows; leave owner and group at -1", kind, name)
}

// ownSecurity is the security of an object that only this user may open. The system and administrators, who can take
// ownership anyway, are not named.
var ownSecurity = sync.OnceValues(func() (*windows.SecurityAttributes, error) { return securityOf("") })

// securityOf gives the security of an object that this user may open, and whom the other entries name, in the security
// descriptor definition language. No entry is inherited.
func securityOf(others string) (*windows.SecurityAttributes, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, err
	}
	descriptor, err := windows.SecurityDescriptorFromString("D:P(A;;GA;;;" + user.User.Sid.String() + ")" + others)
	if err != nil {
		return nil, err
	}
	security := windows.SecurityAttributes{SecurityDescriptor: descriptor}
	security.Length = uint32(unsafe.Sizeof(security))
	return &security, nil
}

// securityFor gives the security that access asks for.
func securityFor(name string, access abi.Access) (*windows.SecurityAttributes, error) {
	switch {
	case access.Owner >= 0 || access.Group >= 0:
		return nil, abi.Errorf(abi.EUnsupported, "shm: create %q: owner and group are numbers, which users and groups do not have on "+
			"Windows; leave them at -1", name)
	case access.Mode&0o004 != 0:
		return securityOf("(A;;GR;;;WD)") // All users.
	}
	return ownSecurity()
}
