package server

import (
	"context"

	"github.com/leat-dev/leat/internal/store"
)

// Backup writes all that the configured database holds into a new file, while
// servers go on using it. The key that seals secrets is not part of it.
func Backup(ctx context.Context, cfg Config, file string) error {
	if err := cfg.complete(); err != nil {
		return err
	}
	return store.Backup(ctx, cfg.Database, file)
}

// Restore fills the configured database, which must be empty, from a backup.
func Restore(ctx context.Context, cfg Config, file string) error {
	if err := cfg.complete(); err != nil {
		return err
	}
	return store.Restore(ctx, file, cfg.Database)
}
