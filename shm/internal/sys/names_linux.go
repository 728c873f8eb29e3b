package sys

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"shmcv/internal/abi"
)

// defaultFolder is where the C library's shm_open has its files too, on a file system that is memory.
const defaultFolder = "/dev/shm"

// elevated returns true if the program is setuid or setgid.
func elevated() bool { return os.Getuid() != os.Geteuid() || os.Getgid() != os.Getegid() }

func pathOf(name string) string {
	folder, last := split(name)
	return folder + "/" + last
}

type fileID struct{ device, inode uint64 }

// retry repeats a system call as long as a signal of the host's interrupts it.
func retry(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}

// examine gives the ID of a regular file that will do for a use. It refuses everything else: whoever owns a file could
// change, cut or remove it, and to open a pipe or a device can block or have effects.
func examine(name string, stat *unix.Stat_t, use Use) (fileID, error) {
	kind := ""
	switch stat.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFLNK:
		kind = "a symbolic link"
	case unix.S_IFDIR:
		kind = "a folder"
	case unix.S_IFIFO:
		kind = "a named pipe"
	case unix.S_IFSOCK:
		kind = "a socket"
	default:
		kind = "a device"
	}
	if kind != "" {
		return fileID{}, abi.Errorf(abi.EPermission, "shm: %s is %s; a segment is a regular file", pathOf(name), kind)
	}
	if wrong := distrust(stat, use); wrong != "" {
		return fileID{}, abi.Errorf(abi.EPermission, "shm: %s belongs to user %d, and this process runs as %d; %s", pathOf(name),
			stat.Uid, os.Geteuid(), wrong)
	}
	return fileID{device: uint64(stat.Dev), inode: stat.Ino}, nil
}

// distrust returns why another user's file will not do for a use, or nothing if it will.
//
// A stranger can make a file of any name in a folder like /dev/shm, and let all users open it. But only a member of a group
// can give a file to that group. So a file is from somebody whom this user trusts if a group of this user may write to it
// and not all may. The superuser may open every file, which does not make every file trustworthy to the superuser.
func distrust(stat *unix.Stat_t, use Use) string {
	needed, words := uint32(0o060), "read and write"
	if use == ToLook {
		needed, words = 0o040, "read"
	}
	switch {
	case use == ToRead || int(stat.Uid) == os.Geteuid() && !(stat.Uid == nobody && stat.Mode&0o002 != 0):
		return ""
	case use == ToOwn:
		return "it is that user's to remove"
	case stat.Mode&0o002 != 0:
		return fmt.Sprintf("its mode is %#o, so that every user can write to it, and anybody can have made it; its owner gives it a "+
			"group and mode 0660 for others to open it, or you open it read-only", stat.Mode&0o777)
	case stat.Mode&needed != needed:
		return fmt.Sprintf("its mode is %#o, and its group may not %s; its owner gives it a group and mode 0660 for others to "+
			"open it, or 0640 for others to open it read-only", stat.Mode&0o777, words)
	case !member(stat.Gid):
		return fmt.Sprintf("its group %d may %s, and this process is not in that group; add its user to the group (usermod -aG), or "+
			"start its container with the group (docker run --group-add %d), or open it read-only", stat.Gid, words, stat.Gid)
	}
	return ""
}

// nobody is the number as which a user namespace shows all users that it does not know. So a process of that user cannot
// tell its own files from strangers' files by the number.
const nobody = 65534

// member returns true if this process is in a group.
func member(group uint32) bool {
	if int(group) == os.Getegid() {
		return true
	}
	groups, err := os.Getgroups()
	return err == nil && slices.Contains(groups, int(group))
}

// noFolder is the error where a folder is missing, as /dev/shm in a chroot or a small container.
func noFolder(operation, folder string) error {
	said := ""
	if folder == Folder() && folder != defaultFolder {
		said = ", which " + folderVariable + " names"
	}
	return abi.Errorf(abi.ENotFound, "shm: %s: there is no folder %s%s; shared memory has its names there; mount it "+
		"(mkdir -p %s && mount -t tmpfs tmpfs %s)", operation, folder, said, folder, folder)
}

// checkFolder returns an error unless a name's folder is there, as far as this process may see.
func checkFolder(operation, name string) error {
	var stat unix.Stat_t
	folder := folderOf(name)
	err := retry(func() error { return unix.Stat(folder, &stat) })
	if err == unix.ENOENT || err == unix.ENOTDIR || err == nil && stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		return noFolder(operation+" "+abi.Quote(name), folder)
	}
	return err
}

func exists(name string) bool {
	var stat unix.Stat_t
	return retry(func() error { return unix.Lstat(pathOf(name), &stat) }) == nil
}

func find(name string, use Use) (fileID, uint64, error) {
	var stat unix.Stat_t
	if err := retry(func() error { return unix.Lstat(pathOf(name), &stat) }); err != nil {
		return fileID{}, 0, err
	}
	id, err := examine(name, &stat, use)
	return id, uint64(stat.Size), err
}

func remove(name string) error {
	return retry(func() error { return unix.Unlink(pathOf(name)) })
}

// hidden is how the names begin to which removeFrom moves others. No segment's name begins with a dot.
const hidden = ".shmcv-removed-"

func leftover(name string) bool { return strings.HasPrefix(name, hidden) }

func removeFrom(name string, id fileID) (bool, error) {
	aside := folderOf(name) + "/" + hidden + rand.Text()
	err := retry(func() error { return unix.Rename(pathOf(name), aside) }) // Nobody has a name like aside.
	if err == unix.ENOENT {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var stat unix.Stat_t
	if err := retry(func() error { return unix.Lstat(aside, &stat) }); err != nil {
		return false, err
	}
	if (fileID{device: uint64(stat.Dev), inode: stat.Ino}) == id {
		return true, remove(aside)
	}
	err = rename(aside, pathOf(name))
	if err == unix.EEXIST { // A third file has got the name meanwhile.
		return false, remove(aside)
	}
	return false, err
}

// rename gives a file another path, which must be free.
func rename(from, to string) error {
	err := retry(func() error {
		return unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	})
	if err == unix.ENOSYS || err == unix.EINVAL { // An old kernel, one that a sandbox hides, or a file system without that.
		err = retry(func() error { return unix.Link(from, to) })
		if err == nil {
			err = remove(from)
		}
	}
	return err
}

func names() ([]string, error) {
	entries, err := os.ReadDir(Folder())
	if errors.Is(err, unix.ENOENT) {
		err = noFolder("list", Folder())
	}
	if err != nil {
		return nil, err
	}
	all := make([]string, len(entries))
	for i, entry := range entries {
		all[i] = entry.Name()
	}
	return all, nil
}
