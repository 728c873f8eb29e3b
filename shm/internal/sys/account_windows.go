package sys

import (
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/windows"

	"shmcv/internal/abi"
)

// Users and groups have security identifiers (SIDs) on Windows, which are longer than a number. So a number stands for the SID
// that userID or groupID has given it for, in this process. It is made of the SID, so that a number which a program has from
// elsewhere hits no other account by chance.
var accounts = struct {
	sync.Mutex
	sids map[int64]*windows.SID
}{sids: map[int64]*windows.SID{}}

// numberOf gives the number that stands for a SID.
func numberOf(sid *windows.SID) int64 {
	hash := fnv.New32a()
	_, _ = hash.Write(sidBytes(sid))
	accounts.Lock()
	defer accounts.Unlock()
	for number := int64(hash.Sum32()) & (1<<31 - 1); ; number++ {
		known := accounts.sids[number]
		if known == nil {
			accounts.sids[number] = sid
			return number
		}
		if known.Equals(sid) {
			return number
		}
	}
}

// sidOf gives the SID that a number stands for; nil for a number that stands for none.
func sidOf(number int64) *windows.SID {
	accounts.Lock()
	defer accounts.Unlock()
	return accounts.sids[number]
}

func userID(name string) (int64, error) { return accountID("user", name) }

// groupID gives the number of a group. A user will do, who is then a group of one.
func groupID(name string) (int64, error) { return accountID("group", name) }

func accountID(kind, name string) (int64, error) {
	if strings.HasPrefix(name, "S-1-") {
		sid, err := windows.StringToSid(name)
		if err != nil {
			return 0, abi.Errorf(abi.ENotFound, "shm: look up %s %.80q: it is no security identifier (S-1-5-32-545 is one)", kind, name)
		}
		return numberOf(sid), nil
	}
	sid, _, use, err := lookUpSID(name)
	switch {
	case err == nil && (use == windows.SidTypeDomain || use == windows.SidTypeComputer || kind == "user" && use == windows.SidTypeGroup):
		err = windows.ERROR_NONE_MAPPED
	case err == nil:
		return numberOf(sid), nil
	}
	if errors.Is(err, windows.ERROR_NONE_MAPPED) || errors.Is(err, windows.ERROR_INVALID_PARAMETER) {
		return 0, abi.Errorf(abi.ENotFound, `shm: this system knows no %s %.80q; give a name as whoami /all shows it (Users, DOMAIN\name), or a `+
			"security identifier (S-1-5-32-545)", kind, name)
	}
	return 0, abi.Errorf(codeOf(err), "shm: look up %s %.80q: %w", kind, name, err)
}

// lookUpSID looks an account up. An empty name would be the system's own domain.
func lookUpSID(name string) (*windows.SID, string, uint32, error) {
	if name == "" || strings.ContainsRune(name, 0) {
		return nil, "", 0, windows.ERROR_NONE_MAPPED
	}
	return windows.LookupSID("", name)
}

// sidBytes gives a SID as it stands in memory.
func sidBytes(sid *windows.SID) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(sid)), sid.Len()) }

// self is this process's user and primary group, as whom it acts.
var self = sync.OnceValues(func() (accountsOfProcess, error) {
	token := windows.GetCurrentProcessToken()
	user, err := token.GetTokenUser()
	if err != nil {
		return accountsOfProcess{}, err
	}
	group, err := token.GetTokenPrimaryGroup()
	if err != nil {
		return accountsOfProcess{}, err
	}
	u, err := user.User.Sid.Copy()
	if err != nil {
		return accountsOfProcess{}, err
	}
	g, err := group.PrimaryGroup.Copy()
	return accountsOfProcess{u, g}, err
})

type accountsOfProcess struct{ user, group *windows.SID }

// mayAct are the accounts besides this user whose files this user trusts: the system, administrators, and services. Only an
// administrator sets a service to work.
var mayAct = []string{"S-1-5-18", "S-1-5-32-544", "S-1-5-6", "S-1-5-19", "S-1-5-20"}

const serviceAccounts = "S-1-5-80-" // NT SERVICE\, each service's own.

// isTrusted returns true if an account is this user, or one that can do all that this user can, or that only an administrator
// sets to work.
func isTrusted(sid *windows.SID) bool {
	me, err := self()
	if err == nil && sid.Equals(me.user) {
		return true
	}
	text := sid.String()
	return slices.Contains(mayAct, text) || strings.HasPrefix(text, serviceAccounts)
}

// nameOf gives words for an account.
func nameOf(sid *windows.SID) string {
	account, domain, _, err := sid.LookupAccount("")
	if err != nil || account == "" {
		return sid.String()
	}
	if domain != "" {
		account = domain + `\` + account
	}
	return fmt.Sprintf("%s (%s)", account, sid)
}
