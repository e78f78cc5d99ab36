//go:build unix

package store

import (
	"errors"
	"os"
	"syscall"

	"github.com/leat-dev/leat/internal/core"
)

// lockFile takes the lock that keeps a second server off the same SQLite file.
// The system frees it when the process ends, however it ends.
func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		_ = f.Close()
		return nil, core.Errorf(core.Conflict,
			"another leat server uses this database (lock file %s); stop it, choose another --database, or use Postgres for several servers", name)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
