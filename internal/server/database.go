package server

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/store"
)

// Usage says what takes the place in a database, and what retention does next.
type Usage = store.Usage

// TableUsage says what takes the place in a table.
type TableUsage = store.TableUsage

// KindUsage says what retention does next to a kind of thing.
type KindUsage = store.KindUsage

// DatabaseMove says what is moved whither.
type DatabaseMove = store.Move

// Copied says what a move copied.
type Copied = store.Copied

// SchemaState says how the schema of a database stands to the one of this leat.
type SchemaState = store.SchemaState

// Survey looks through the configured database, while servers go on using it.
func Survey(ctx context.Context, cfg Config, now time.Time) (*Usage, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	return store.Survey(ctx, cfg.Database, cfg.Keep, now)
}

// Move copies all that a database holds into another, all or nothing; From "" is
// the configured one. No server may use either.
func Move(ctx context.Context, cfg Config, m DatabaseMove) (*Copied, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	if m.From == "" {
		m.From = cfg.Database
	}
	return store.MoveDatabase(ctx, m)
}

// Vacuum writes the configured database anew without what is free in it.
func Vacuum(ctx context.Context, cfg Config) error {
	if err := cfg.complete(); err != nil {
		return err
	}
	return store.Vacuum(ctx, cfg.Database)
}

// Schema reads how the schema of the configured database stands.
func Schema(ctx context.Context, cfg Config) (SchemaState, error) {
	if err := cfg.complete(); err != nil {
		return SchemaState{}, err
	}
	return store.Schema(ctx, cfg.Database)
}

// Upgrade brings the schema of the configured database up to date, with a copy
// of a SQLite file before that unless the settings say otherwise.
func Upgrade(ctx context.Context, cfg Config, env Environment) error {
	if err := cfg.complete(); err != nil {
		return err
	}
	return store.Upgrade(ctx, store.Config{
		Database: cfg.Database, Log: newLogger(cfg, env.Log), Now: env.Now, Observe: func(int, time.Duration) {}, BackupBeforeUpgrade: cfg.BackupBeforeUpgrade,
	})
}

// RedactedDatabase names a database without its password.
func RedactedDatabase(database string) string { return store.Redacted(database) }
