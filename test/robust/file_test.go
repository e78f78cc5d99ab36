package robust

import (
	"database/sql"
	"testing"

	_ "modernc.org/sqlite" // registers the driver "sqlite"
)

// openFile opens a database that no server uses any more.
func openFile(t *testing.T, file string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", fileURL(file))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}
