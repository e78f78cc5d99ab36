package core_test

import (
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

func TestNumberedIDIsTheSameUUIDv7EachTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	id := core.NumberedID(at, 258)
	if got, want := id.String(), core.NewID(at).String()[:13]+"-7000-8000-000000000102"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if id != core.NumberedID(at.Add(time.Microsecond), 258) || id == core.NumberedID(at, 259) || id == core.NumberedID(at.Add(time.Second), 258) {
		t.Error("another number or another millisecond makes another id, nothing else does")
	}
}
