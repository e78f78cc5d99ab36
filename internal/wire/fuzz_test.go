package wire_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/wire"
)

// FuzzDecode holds that Decode never panics, that an error is one of the four
// kinds and can be written, that it reads all that JSON is but what it names,
// and that what it accepts stays the same when it is written and read again.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `{}`, `{"name":"a","tags":["x"],"labels":{"a":1.0}}`, `[{"name":"\ud83d\ude00"}]`, `{"int":"5","float":1e3,"bool":"on"}`,
		`{"time":"2026-01-02 03:04:05.5+05:30","opt":null,"raw":{"a":[1,2.50,"\u0000"]}}`, `{"id":"urn:uuid:00000000-0000-0000-0000-000000000001"}`,
		`{"time":-62135596800000}`, `{"any":"\ud800","map":{"a":1}}`, `[1,]`, `{"a":`, "\"\xff\"", "\ufeff{}", `{"time":"9999-12-31T23:59:59-05:00"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		checkBody[any](t, body)
		checkBody[kinds](t, body)
		checkBody[flowsFilter](t, body)
		checkBody[[]flowCreate](t, body)
		if echo := wire.Echo(body); !json.Valid(echo) {
			t.Errorf("echo of %q is %q", body, echo)
		}
	})
}

func checkBody[T any](t *testing.T, body []byte) {
	t.Helper()
	var first, second T
	err := wire.Decode(body, &first)
	var malformed *wire.Malformed
	if errors.As(err, &malformed) && json.Valid(body) {
		t.Fatalf("%q is JSON: %v", body, err)
	}
	if err != nil {
		checkError(t, body, err)
		return
	}
	out, err := wire.Marshal(first)
	if err != nil {
		t.Fatalf("%q: write %+v: %v", body, first, err)
	}
	if err := wire.Decode(out, &second); err != nil {
		t.Fatalf("%q: read %q again: %v", body, out, err)
	}
	again, err := wire.Marshal(second)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(out), string(again)); diff != "" {
		t.Errorf("%q (-first +second):\n%s", body, diff)
	}
}

func checkError(t *testing.T, body []byte, err error) {
	t.Helper()
	var invalid *wire.Invalid
	var malformed *wire.Malformed
	var deep *wire.TooDeep
	var encoding *wire.BadEncoding
	switch {
	case errors.As(err, &invalid):
		if out, err := wire.Marshal(invalid.Errors); err != nil || !json.Valid(out) {
			t.Fatalf("%q: errors %q: %v", body, out, err)
		}
	case errors.As(err, &malformed), errors.As(err, &deep), errors.As(err, &encoding):
	default:
		t.Fatalf("%q: %v is of no known kind", body, err)
	}
}
