package sys

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

// access says who may open a segment. It stands in the segment's record, which nobody but the creator and the owner can write.
type access struct {
	owner, group *windows.SID
	mode         uint32 // As on Linux: 0640 lets the group read.
}

// kind is a kind of object that a segment is made of. Each has an access list of its own.
type kind int

const (
	aFile    kind = iota // The small file. Nobody needs to write to it, and its locks take the right to read.
	aSection             // The memory.
	anAlive              // The event that all have open who have the section open.
	aBell                // An event of a bell. Who sleeps on it resets it.
)

// grants has the rights to each kind of object: those of the owner, which are all, of who may read, and of who may write too.
var grants = map[kind]struct{ owner, reader, writer windows.ACCESS_MASK }{
	aFile:    {allOfFile, windows.FILE_GENERIC_READ, windows.FILE_GENERIC_READ},
	aSection: {allOfSection, sectionRead, sectionRead | windows.FILE_MAP_WRITE},
	anAlive:  {allOfEvent, windows.READ_CONTROL | windows.SYNCHRONIZE, windows.READ_CONTROL | windows.SYNCHRONIZE},
	aBell:    {allOfEvent, bellAccess, bellAccess},
}

const (
	allOfFile    = windows.STANDARD_RIGHTS_REQUIRED | windows.SYNCHRONIZE | 0x1ff
	allOfSection = windows.STANDARD_RIGHTS_REQUIRED | 0x1f
	allOfEvent   = windows.STANDARD_RIGHTS_REQUIRED | windows.SYNCHRONIZE | 0x3

	sectionQuery = 1
	sectionRead  = windows.READ_CONTROL | sectionQuery | windows.FILE_MAP_READ
	bellAccess   = windows.READ_CONTROL | windows.SYNCHRONIZE | windows.EVENT_MODIFY_STATE

	everyone = "S-1-1-0"
)

// accessFor gives the access that a creator asks for.
func accessFor(name string, asked abi.Access) (access, error) {
	me, err := self()
	if err != nil {
		return access{}, err
	}
	a := access{owner: me.user, group: me.group, mode: asked.Mode}
	if asked.Owner >= 0 {
		if a.owner = sidOf(asked.Owner); a.owner == nil {
			return access{}, noSuchNumber(name, "owner", asked.Owner, "shmcv_user_id")
		}
	}
	if asked.Group >= 0 {
		if a.group = sidOf(asked.Group); a.group == nil {
			return access{}, noSuchNumber(name, "group", asked.Group, "shmcv_group_id")
		}
	}
	return a, nil
}

func noSuchNumber(name, what string, number int64, function string) error {
	return abi.Errorf(abi.EInvalid, "shm: create %q: %s %d is not a number that %s has given to this process; users and groups have no "+
		"other numbers on Windows, give their names", name, what, number, function)
}

// creatorKeeps is false in tests that want to be strangers to what they have made.
var creatorKeeps = true

// security gives the security of an object that a segment's creator makes: it is the owner's, and the creator, who may have given
// it away, keeps all rights too.
func (a access) security(of kind) (*windows.SecurityAttributes, error) {
	me, err := self()
	if err != nil || !creatorKeeps {
		return a.list(of, "", "", err)
	}
	kept := ""
	if !a.owner.Equals(me.user) {
		kept = entry(grants[of].owner, me.user.String())
	}
	return a.list(of, "O:"+a.owner.String(), kept, nil)
}

// sharedSecurity gives the security of an object that anybody makes who may write to the segment, and whose it then is.
func (a access) sharedSecurity(of kind) (*windows.SecurityAttributes, error) {
	me, err := self()
	return a.list(of, "O:"+me.user.String(), "", err)
}

// list gives a security whose access list is protected: it inherits nothing, and nothing in it is inherited. The owner has all
// rights. The system and administrators, who can take ownership anyway, are not named.
func (a access) list(of kind, owner, kept string, err error) (*windows.SecurityAttributes, error) {
	if err != nil {
		return nil, err
	}
	return attributes(owner + "D:P" + entry(grants[of].owner, a.owner.String()) + kept +
		a.grant(of, a.mode>>3, a.group.String()) + a.grant(of, a.mode, everyone))
}

// grant gives the entry for those to whom three bits of the mode give rights. Without the right to read there are none.
func (a access) grant(of kind, bits uint32, to string) string {
	const read, write = 4, 2
	if bits&read == 0 {
		return ""
	}
	mask := grants[of].reader
	if bits&write != 0 {
		mask = grants[of].writer
	}
	return entry(mask, to)
}

// entry gives the entry that lets an account do something, in the security descriptor definition language.
func entry(rights windows.ACCESS_MASK, to string) string {
	return fmt.Sprintf("(A;;%#x;;;%s)", uint32(rights), to)
}

// attributes gives the security that a text in the security descriptor definition language describes.
func attributes(text string) (*windows.SecurityAttributes, error) {
	descriptor, err := windows.SecurityDescriptorFromString(text)
	if err != nil {
		return nil, err
	}
	security := windows.SecurityAttributes{SecurityDescriptor: descriptor}
	security.Length = uint32(unsafe.Sizeof(security))
	return &security, nil
}

// readByOthers returns true if somebody may read and not write.
func (a access) readByOthers() bool {
	readers, writers := a.mode>>2&0o011, a.mode>>1&0o011
	return readers&^writers != 0
}

// notGiven is the error where an object does not become another user's, and any other error as it is.
func (a access) notGiven(name string, err error) error {
	if !errors.Is(err, windows.ERROR_INVALID_OWNER) && !errors.Is(err, windows.ERROR_PRIVILEGE_NOT_HELD) {
		return err
	}
	return abi.Errorf(abi.EPermission, "shm: create %q: it cannot be given to %s: that takes the right to restore files (SeRestorePrivilege); "+
		"leave the owner out, and give the segment a group that both are in", name, nameOf(a.owner))
}

// distrust returns EPermission if a file is not from somebody whom a use asks for. On Linux only a member of a group gives a
// file to that group. Here anybody puts any group into an access list, so that the owner alone counts; or the folder, if nobody
// else can make files in it than people of one group that this user is in too.
func distrust(file windows.Handle, path string, use Use) error {
	if use == ToRead {
		return nil
	}
	owner, err := ownerOf(file)
	if err != nil {
		return err
	}
	me, err := self()
	if err != nil {
		return err
	}
	switch {
	case owner.Equals(me.user):
		return nil
	case use == ToOwn:
		return abi.Errorf(abi.EPermission, "shm: %s belongs to %s; it is that user's to remove", path, nameOf(owner))
	case isTrusted(owner), isOfOurs(path):
		return nil
	}
	return abi.Errorf(abi.EPermission, "shm: %s belongs to %s, whom this process need not trust; open it read-only, or keep such names in a "+
		"folder in which only a group of this user, besides administrators, may make files", path, nameOf(owner))
}

// ownerOf is a variable for tests.
var ownerOf = func(file windows.Handle) (*windows.SID, error) { return ownerOfObject(file, windows.SE_FILE_OBJECT) }

func ownerOfObject(object windows.Handle, kind windows.SE_OBJECT_TYPE) (*windows.SID, error) {
	descriptor, err := windows.GetSecurityInfo(object, kind, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return nil, err
	}
	owner, _, err := descriptor.Owner()
	return owner, err
}

// isOfOurs returns true if only this user, whom it trusts, and groups that it is in may make files in the folder of a path.
func isOfOurs(path string) bool {
	descriptor, err := securityOfFolder(filepath.Dir(path))
	if err != nil {
		return false
	}
	owner, _, err := descriptor.Owner()
	if err != nil || !isTrusted(owner) {
		return false
	}
	return onlyFriendsWrite(descriptor)
}

const (
	addFile      = 2
	makesFiles   = addFile | windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_WRITE | windows.GENERIC_ALL
	creatorOwner = "S-1-3-0" // Whoever makes a file in the folder, and nobody as to the folder itself.
)

// onlyFriendsWrite returns true if a folder's access list lets nobody make files but accounts that this user trusts, and small
// groups that it is in.
func onlyFriendsWrite(descriptor *windows.SECURITY_DESCRIPTOR) bool {
	list, _, err := descriptor.DACL()
	if err != nil || list == nil { // Without a list everybody may.
		return false
	}
	for _, e := range entriesOf(list) {
		if e.inheritOnly || !e.allows || e.mask&makesFiles == 0 || e.sid.String() == creatorOwner || isTrusted(e.sid) {
			continue
		}
		if member, err := windows.Token(0).IsMember(e.sid); err != nil || !member || isCrowd(e.sid) {
			return false
		}
	}
	return true
}

// isCrowd returns true for the groups in which every user of a machine or domain is: Everyone, Local, Authenticated Users,
// Interactive, Network, Users, Guests, Domain Users and their like.
func isCrowd(sid *windows.SID) bool {
	text := sid.String()
	for _, known := range []string{"S-1-1-0", "S-1-2-0", "S-1-5-2", "S-1-5-3", "S-1-5-4", "S-1-5-11", "S-1-5-13", "S-1-5-14", "S-1-5-15",
		"S-1-5-113", "S-1-5-114", "S-1-5-32-545", "S-1-5-32-546"} {
		if text == known {
			return true
		}
	}
	const domainUsers, domainGuests, domainComputers = "-513", "-514", "-515"
	return strings.HasPrefix(text, "S-1-5-21-") && (strings.HasSuffix(text, domainUsers) || strings.HasSuffix(text, domainGuests) ||
		strings.HasSuffix(text, domainComputers))
}

// listEntry is an entry of an access list.
type listEntry struct {
	allows, inherited, inheritOnly bool
	mask                           windows.ACCESS_MASK
	sid                            *windows.SID
}

func entriesOf(list *windows.ACL) []listEntry {
	var all []listEntry
	for i := range uint32(list.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if windows.GetAce(list, i, &ace) != nil {
			continue
		}
		all = append(all, listEntry{
			allows:      ace.Header.AceType != windows.ACCESS_DENIED_ACE_TYPE,
			inherited:   ace.Header.AceFlags&windows.INHERITED_ACE != 0,
			inheritOnly: ace.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0,
			mask:        ace.Mask, sid: (*windows.SID)(unsafe.Pointer(&ace.SidStart)),
		})
	}
	return all
}
