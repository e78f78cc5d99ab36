package main

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	_ "modernc.org/sqlite" // registers the driver "sqlite"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/store"
)

// groupSize is how many rows share a commit of the bare driver.
const groupSize = 100

// manyWriters write at once to the store, a row each, over all processors.
const manyWriters = 256

// BenchmarkCommit is what a row costs that is durable when it is acknowledged:
// by the bare driver with synchronous=FULL, and through the store. The file is
// in the folder of temporary files, which should be on a disk.
func BenchmarkCommit(b *testing.B) {
	b.Run("driver", func(b *testing.B) {
		b.Run("one_row", func(b *testing.B) { benchmarkDriver(b, 1) })
		b.Run("groups_of_100", func(b *testing.B) { benchmarkDriver(b, groupSize) })
	})
	b.Run("store", func(b *testing.B) {
		b.Run("one_writer", func(b *testing.B) { benchmarkStore(b, 1) })
		b.Run("many_writers", func(b *testing.B) { benchmarkStore(b, manyWriters) })
	})
}

// benchmarkDriver inserts one row per iteration and commits after each group.
func benchmarkDriver(b *testing.B, group int) {
	file := filepath.Join(b.TempDir(), "driver.db")
	db, err := sql.Open("sqlite", "file:"+file+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=wal_autocheckpoint(4000)")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	ctx := b.Context()
	conn, err := db.Conn(ctx)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	const schema = `CREATE TABLE setting (ws BIGINT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (ws, name))`
	if _, err := conn.ExecContext(ctx, schema); err != nil {
		b.Fatal(err)
	}
	var statements [3]*sql.Stmt
	for i, text := range [3]string{"BEGIN IMMEDIATE", "INSERT INTO setting (ws, name, value) VALUES (?, ?, ?)", "COMMIT"} {
		s, err := conn.PrepareContext(ctx, text)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Close() })
		statements[i] = s
	}
	n := 0
	for b.Loop() {
		if n%group == 0 {
			if _, err := statements[0].ExecContext(ctx); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := statements[1].ExecContext(ctx, 1, rowName(n), "value"); err != nil {
			b.Fatal(err)
		}
		if n++; n%group == 0 {
			if _, err := statements[2].ExecContext(ctx); err != nil {
				b.Fatal(err)
			}
		}
	}
	if n%group != 0 {
		if _, err := statements[2].ExecContext(ctx); err != nil {
			b.Fatal(err)
		}
	}
}

func rowName(n int) string { return fmt.Sprintf("row-%09d", n) }

// benchmarkStore inserts one row per call of Update, by several writers.
func benchmarkStore(b *testing.B, writers int) {
	s, err := store.Open(b.Context(), store.Config{Database: filepath.Join(b.TempDir(), "store.db")})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	var n atomic.Int64
	put := func() error {
		name := rowName(int(n.Add(1)))
		return s.Update(b.Context(), 1, func(tx core.Tx) error { return tx.SetSetting(name, "value") })
	}
	if writers == 1 {
		for b.Loop() {
			if err := put(); err != nil {
				b.Fatal(err)
			}
		}
		return
	}
	b.SetParallelism(writers)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := put(); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
