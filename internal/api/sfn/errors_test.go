package sfn

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/leat-dev/leat/internal/core"
)

func TestErrorsAreWordedForTheService(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err    error
		status int
		name   string
		text   string
	}{
		{core.Errorf(core.NotFound, "State Machine Does Not Exist: 'x'").Because("StateMachineDoesNotExist"), 400, "StateMachineDoesNotExist", "State Machine Does Not Exist: 'x'"},
		{fmt.Errorf("wrapped: %w", core.Errorf(core.Invalid, "bad").Because("InvalidName")), 400, "InvalidName", "bad"},
		{core.Errorf(core.NotFound, "gone"), 400, "ResourceNotFound", "gone"},
		{core.Errorf(core.Conflict, "taken"), 400, "ConflictException", "taken"},
		{core.Errorf(core.Invalid, "bad"), 400, "ValidationException", "bad"},
		{core.Errorf(core.BadRequest, "bad"), 400, "ValidationException", "bad"},
		{core.Errorf(core.Locked, "later"), 400, "ThrottlingException", "later"},
		{core.Errorf(core.Forbidden, "no"), 400, "AccessDeniedException", "no"},
		{core.Errorf(core.Unavailable, "no database"), 503, "ServiceUnavailableException", "no database"},
		{core.Errorf(core.Internal, "secret").Because("Secret"), 500, "InternalServerException", "Internal server error"},
		{errors.New("secret"), 500, "InternalServerException", "Internal server error"},
		{&badRequest{"no JSON"}, 400, "SerializationException", "no JSON"},
		{invalidToken(), 400, "InvalidToken", "Invalid Token: 'Invalid token'"},
		{context.Canceled, statusGone, "RequestAbortedException", "The client has gone"},
	}
	for _, tt := range tests {
		f := failureOf(tt.err)
		if f.status != tt.status || f.name != tt.name || f.message != tt.text {
			t.Errorf("%v becomes %d %s %q, want %d %s %q", tt.err, f.status, f.name, f.message, tt.status, tt.name, tt.text)
		}
	}
}

// Every operation of the model is answered, and nothing else.
func TestOperationsAreThoseOfTheModel(t *testing.T) {
	t.Parallel()
	a := New(Config{})
	for name := range a.model.Operations {
		if a.actions[name] == nil {
			t.Errorf("operation %s has no line in actions.go", name)
		}
	}
	for name := range a.actions {
		if a.model.Operations[name] == "" {
			t.Errorf("the model knows no operation %s", name)
		}
	}
}

func FuzzRequestsAreCheckedWithoutPanic(f *testing.F) {
	a := New(Config{})
	for _, seed := range []string{`{}`, `{"name":"a","tags":[{"key":"k"}]}`, `{"routingConfiguration":[{"weight":1e99}]}`, `[]`, `null`, `{"maxResults":1.5}`, `{"mock":{"result":"{}"}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		for operation := range a.model.Operations {
			out, err := a.check(operation, []byte(body))
			if err != nil && failureOf(err).status != 400 {
				t.Errorf("%s of %q: %v", operation, body, err)
			}
			if err == nil && len(out) == 0 {
				t.Errorf("%s of %q: nothing", operation, body)
			}
		}
	})
}

func FuzzTokensAreReadWithoutPanic(f *testing.F) {
	c := &call{operation: "ListActivities"}
	f.Add(*c.token("a"))
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, token string) {
		cursor, err := c.cursor(&token)
		if err == nil && *c.token(cursor) != token && cursor == "" {
			t.Errorf("token %q gives an empty cursor", token)
		}
		if _, err := position(cursor); err != nil && failureOf(err).name != "InvalidToken" {
			t.Errorf("position of %q: %v", cursor, err)
		}
	})
}
