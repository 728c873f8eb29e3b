package ops

import "golang.org/x/sys/unix"

// freeSpace is the number of bytes that an ordinary user can still write in folder, 0 when that cannot be told.
func freeSpace(folder string) uint64 {
	var stat unix.Statfs_t
	if unix.Statfs(folder, &stat) != nil {
		return 0
	}
	return stat.Bavail * uint64(stat.Bsize)
}
