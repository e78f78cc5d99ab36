package storetest

import (
	"path/filepath"
	"testing"

	"github.com/leat-dev/leat/internal/store"
)

// Open returns a fresh store in a file of the test's own, for tests that need a
// store but are not about it. It is closed when the test ends.
func Open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Database: filepath.Join(t.TempDir(), "leat.db")})
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
