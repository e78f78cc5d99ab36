//go:build !unix

package store

import "os"

// lockFile opens the lock file. On systems without flock nothing keeps a
// second server off the same SQLite file but SQLite's own locks.
func lockFile(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
}
