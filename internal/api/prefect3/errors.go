package prefect3

import (
	"errors"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// detail is FastAPI's body of an error.
type detail struct {
	Detail any `json:"detail"`
}

// exception is Prefect's body of an error that no endpoint words by itself.
type exception struct {
	Message string `json:"exception_message"`
}

// notValid is the body of a 422.
type notValid struct {
	Message string            `json:"exception_message"`
	Detail  []wire.FieldError `json:"exception_detail"`
	Body    any               `json:"request_body"`
}

// worded is an error whose answer an endpoint words as the reference does.
type worded struct {
	status int
	body   any
}

func (w worded) Error() string { return http.StatusText(w.status) }

// refusal is a worded answer with a detail.
func refusal(status int, text string) error { return worded{status, detail{text}} }

// respond maps an error to its answer.
func respond(_ *http.Request, err error) api.Response {
	if w, ok := errors.AsType[worded](err); ok {
		return api.Response{Status: w.status, Body: w.body}
	}
	if invalid, ok := errors.AsType[*api.InvalidRequest](err); ok {
		return api.Response{Status: http.StatusUnprocessableEntity, Body: notValid{"Invalid request received.", invalid.Errors, invalid.Body}}
	}
	if status, ok := errors.AsType[*api.StatusError](err); ok {
		res := api.Response{Status: status.Status, Header: status.Header, Body: detail{http.StatusText(status.Status)}}
		if status.Status == http.StatusUnauthorized {
			res.Body = exception{"Unauthorized"}
		}
		return res
	}
	var deep *wire.TooDeep
	var encoding *wire.BadEncoding
	if errors.As(err, &deep) || errors.As(err, &encoding) {
		return api.Response{Status: http.StatusBadRequest, Body: detail{"There was an error parsing the body"}}
	}
	if e, ok := errors.AsType[*core.Error](err); ok {
		return domainError(e)
	}
	return api.Response{Status: http.StatusInternalServerError, Body: exception{"Internal Server Error"}}
}

func domainError(e *core.Error) api.Response {
	res := api.Response{Body: detail{e.Message}}
	if e.RetryAfter > 0 {
		// A float marshals without error; 10 is 10.0, as Python writes it.
		after, _ := wire.Float(e.RetryAfter).MarshalJSON()
		res.Header = http.Header{"Retry-After": {string(after)}}
	}
	switch e.Code {
	case core.NotFound:
		res.Status = http.StatusNotFound
	case core.Conflict:
		res.Status = http.StatusConflict
	case core.Invalid:
		res.Status = http.StatusUnprocessableEntity
	case core.BadRequest:
		res.Status = http.StatusBadRequest
	case core.Locked:
		res.Status = http.StatusLocked
	case core.Forbidden:
		res.Status = http.StatusForbidden
	case core.Unavailable:
		res.Status, res.Body = http.StatusServiceUnavailable, exception{"Service Unavailable: " + e.Message}
	case core.Internal:
		res.Status, res.Body = http.StatusInternalServerError, exception{"Internal Server Error"}
	}
	return res
}

// missingAs words a NotFound error as the endpoint does, and leaves others alone.
func missingAs(err error, text string) error {
	if core.CodeOf(err) == core.NotFound {
		return refusal(http.StatusNotFound, text)
	}
	return err
}

// missingException is missingAs for endpoints that answer with an exception message.
func missingException(err error, text string) error {
	if core.CodeOf(err) == core.NotFound {
		return worded{http.StatusNotFound, exception{text}}
	}
	return err
}
