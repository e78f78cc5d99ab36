//go:build linux || darwin

package store

import "syscall"

// freeBytes returns how much may still be written to a directory, if that is known.
func freeBytes(dir string) (uint64, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true
}
