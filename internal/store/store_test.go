package store_test

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/store"
	"github.com/leat-dev/leat/internal/store/storetest"
)

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Exercise(t, func(t *testing.T) core.Store {
		t.Helper()
		return open(t, filepath.Join(t.TempDir(), "leat.db"))
	})
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	if os.Getenv("LEAT_TEST_POSTGRES") == "" {
		t.Skip("LEAT_TEST_POSTGRES is not set; run scripts/with-postgres.sh go test ./internal/store")
	}
	storetest.Exercise(t, func(t *testing.T) core.Store {
		t.Helper()
		return open(t, freshDatabase(t))
	})
}

func open(t *testing.T, database string) core.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Database: database})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

var databases atomic.Int64 // numbers the databases of this process

// freshDatabase makes a database that is dropped after the test.
func freshDatabase(t *testing.T) string {
	t.Helper()
	admin := os.Getenv("LEAT_TEST_POSTGRES")
	name := fmt.Sprintf("leat_test_%d_%d", os.Getpid(), databases.Add(1))
	run := func(q string) {
		ctx := t.Context()
		if ctx.Err() != nil {
			return
		}
		c, err := pgx.Connect(ctx, admin)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close(ctx) }() // its statement has run
		if _, err := c.Exec(ctx, q); err != nil {
			t.Fatal(err)
		}
	}
	run("CREATE DATABASE " + name)
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func TestASecondServerOnTheSameFileIsRefused(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "leat.db")
	open(t, file)
	_, err := store.Open(t.Context(), store.Config{Database: file})
	if core.CodeOf(err) != core.Conflict || !strings.Contains(err.Error(), "another leat server") {
		t.Errorf("error %v", err)
	}
}

func TestADatabaseOpensAgain(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "leat.db")
	for range 3 {
		s, err := store.Open(t.Context(), store.Config{Database: file})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
