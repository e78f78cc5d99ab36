package sqlite_test

import (
	"database/sql/driver"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/sqlite"
)

func open(t *testing.T) *sqlite.Conn {
	t.Helper()
	c, err := sqlite.Open("file:"+filepath.ToSlash(filepath.Join(t.TempDir(), "a%20b.db")), "journal_mode(WAL)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// stamp is a type of a caller's that knows how it is stored.
type stamp struct{ s string }

func (s stamp) Value() (driver.Value, error) { return "stamp " + s.s, nil }

func (s *stamp) Scan(src any) error {
	s.s, _ = src.(string)
	return nil
}

type name string

func TestValuesComeBackAsTheyWereBound(t *testing.T) {
	t.Parallel()
	c := open(t)
	text := "ünï\x00code"
	s, err := c.Prepare("SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, long := range []string{"", "x", strings.Repeat("long ", 100_000), "short again"} {
		if err := s.Bind(text, long, 7, int64(-8), 1.5, true, nil, &text, (*string)(nil), stamp{"valued"}); err != nil {
			t.Fatal(err)
		}
		if more, err := s.Step(); !more || err != nil {
			t.Fatal(more, err)
		}
		var (
			gotText, gotLong string
			seven            int
			eight            int64
			float            float64
			yes              bool
			null             any
			ptr, nilPtr      *string
			valued           stamp
		)
		if err := s.Scan(&gotText, &gotLong, &seven, &eight, &float, &yes, &null, &ptr, &nilPtr, &valued); err != nil {
			t.Fatal(err)
		}
		got := []any{gotText, gotLong == long, seven, eight, float, yes, null, *ptr, nilPtr, valued.s}
		want := []any{text, true, 7, int64(-8), 1.5, true, nil, text, (*string)(nil), "stamp valued"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if more, err := s.Step(); more || err != nil {
			t.Fatal(more, err)
		}
		s.Reset()
	}
}

func TestScanIntoOtherKinds(t *testing.T) {
	t.Parallel()
	c := open(t)
	s, err := c.Prepare("SELECT 'n', 3, NULL, 4, 2.5, x'0102', 5")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Step(); err != nil {
		t.Fatal(err)
	}
	var (
		n     name
		three uint8
		none  *int64
		four  *int64
		half  *float64
		blob  any
		five  float64
	)
	if err := s.Scan(&n, new(int16), &none, &four, &half, &blob, &five); err != nil {
		t.Fatal(err)
	}
	if n != "n" || none != nil || *four != 4 || *half != 2.5 || cmp.Diff(blob, []byte{1, 2}) != "" || five != 5 {
		t.Error(n, none, four, half, blob, five)
	}
	if err := s.Scan(&n, &three, &none, &four, &half, &blob, &five); err == nil || !strings.Contains(err.Error(), "column 1") {
		t.Errorf("an unsigned integer: %v", err)
	}
	if err := s.Scan(&n); err == nil {
		t.Error("too few destinations are accepted")
	}
}

func TestWrites(t *testing.T) {
	t.Parallel()
	c := open(t)
	for _, q := range []string{"CREATE TABLE t (id TEXT PRIMARY KEY, n INTEGER)", "BEGIN IMMEDIATE"} {
		if err := c.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	insert, err := c.Prepare("INSERT INTO t VALUES (?, ?)")
	if err != nil {
		t.Fatal(err)
	}
	defer insert.Close()
	for _, id := range []string{"a", "b"} {
		if err := insert.Exec(id, 1); err != nil {
			t.Fatal(err)
		}
	}
	var failed *sqlite.Error
	if err := insert.Exec("a", 2); !errors.As(err, &failed) || failed.Code()&0xff != 19 || !strings.Contains(err.Error(), "UNIQUE") {
		t.Errorf("a key that is taken: %v", err)
	}
	if err := insert.Exec("c", 3); err != nil {
		t.Errorf("the statement after its error: %v", err)
	}
	if err := c.Exec("UPDATE t SET n = n + ?", 1); err != nil || c.Changes() != 3 {
		t.Errorf("%d rows changed, error %v", c.Changes(), err)
	}
	if err := c.Exec("COMMIT"); err != nil {
		t.Error(err)
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	c := open(t)
	for what, query := range map[string]string{"bad SQL": "SELEC 1", "no statement": "-- nothing", "no such table": "SELECT * FROM nowhere"} {
		if _, err := c.Prepare(query); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if err := c.Exec("SELECT ?"); err == nil {
		t.Error("a missing argument is accepted")
	}
	if err := c.Exec("SELECT ?", make(chan int)); err == nil {
		t.Error("an argument that cannot be stored is accepted")
	}
	if _, err := sqlite.Open("file:" + filepath.ToSlash(filepath.Join(t.TempDir(), "no", "such", "directory.db"))); err == nil {
		t.Error("a file in no directory is opened")
	}
	if _, err := sqlite.Open("file:"+filepath.ToSlash(filepath.Join(t.TempDir(), "x.db")), "busy_timeout("); err == nil {
		t.Error("a bad pragma is accepted")
	}
}
