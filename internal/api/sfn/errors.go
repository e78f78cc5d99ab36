package sfn

import (
	"context"
	"errors"
	"net/http"

	"github.com/leat-dev/leat/internal/core"
)

// failure is an error in the words of the service.
type failure struct {
	status int
	// Name is the service's name for the error, such as InvalidArn.
	name    string
	message string
}

func (f *failure) Error() string { return f.name + ": " + f.message }

// statusGone is what logs and metrics call a request whose client left before its answer.
const statusGone = 499

func refuse(name, message string) *failure {
	return &failure{http.StatusBadRequest, name, message}
}

func invalidToken() *failure { return refuse("InvalidToken", "Invalid Token: 'Invalid token'") }

// failureOf translates an error. What is the server's fault is told without its text.
func failureOf(err error) *failure {
	if f, ok := errors.AsType[*failure](err); ok {
		return f
	}
	if b, ok := errors.AsType[*badRequest](err); ok {
		return refuse("SerializationException", b.text)
	}
	if errors.Is(err, context.Canceled) {
		return &failure{statusGone, "RequestAbortedException", "The client has gone"}
	}
	e, ok := errors.AsType[*core.Error](err)
	if !ok {
		e = &core.Error{Code: core.Internal}
	}
	if e.Reason != "" && e.Code != core.Internal {
		return refuse(e.Reason, e.Message)
	}
	switch e.Code {
	case core.NotFound:
		return refuse("ResourceNotFound", e.Message)
	case core.Conflict:
		return refuse("ConflictException", e.Message)
	case core.Invalid, core.BadRequest:
		return refuse("ValidationException", e.Message)
	case core.Locked:
		return refuse("ThrottlingException", e.Message)
	case core.Forbidden:
		return refuse("AccessDeniedException", e.Message)
	case core.Unavailable:
		return &failure{http.StatusServiceUnavailable, "ServiceUnavailableException", e.Message}
	case core.Internal:
	}
	return &failure{http.StatusInternalServerError, "InternalServerException", "Internal server error"}
}
