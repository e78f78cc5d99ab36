package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strconv"

	"github.com/leat-dev/leat/internal/wire"
)

// DefaultBodyLimit is the size in bytes of the largest body that is read unless
// a Dialect says otherwise.
const DefaultBodyLimit = 32 << 20

// Dialect is how one API words its answers.
type Dialect struct {
	// Error maps an error to an answer. Besides the errors of handlers it is given
	// *InvalidRequest, *StatusError, *Panic, *wire.TooDeep and *wire.BadEncoding.
	Error func(r *http.Request, err error) Response
	// BodyLimit in bytes; 0 is DefaultBodyLimit.
	BodyLimit int64
	// Log is told of answers of 500 and above; nil for nobody.
	Log *slog.Logger
}

// Response is an answer. A handler whose output it is chooses all of it.
type Response struct {
	// Status 0 is the one given to Handle.
	Status int
	Header http.Header
	// Body is written as JSON. A []byte is written as it is, with the content type
	// of Header, and a Stream writes by itself.
	Body any
}

// Stream writes a body that is too large to be held at once. An error, after
// which the answer cannot be mended, breaks the connection off.
type Stream func(w io.Writer) error

// Reply is a Response whose body has a known type.
type Reply[Body any] struct {
	// Status 0 is the one given to Handle.
	Status int
	Header http.Header
	Body   Body
}

// replied is a Reply of any type.
type replied interface {
	reply() (Response, reflect.Type)
}

func (r Reply[Body]) reply() (Response, reflect.Type) {
	return Response{Status: r.Status, Header: r.Header, Body: r.Body}, reflect.TypeFor[Body]()
}

// StatusCoder is an output that chooses its status by itself.
type StatusCoder interface{ StatusCode() int }

// InvalidRequest says that a request is not what the endpoint takes.
type InvalidRequest struct {
	// Errors have locations that begin with "body", "query" or "header".
	Errors []wire.FieldError
	// Body is the request's body as JSON: null for none, a string for what is no JSON.
	Body json.RawMessage
}

// Error implements error.
func (e *InvalidRequest) Error() string { return (&wire.Invalid{Errors: e.Errors}).Error() }

// StatusError is an error of HTTP itself: an unknown route, a method that is not
// allowed, a body that is too large, a request without leave.
type StatusError struct {
	Status int
	// Header goes with the answer, such as Allow.
	Header http.Header
}

// Error implements error.
func (e *StatusError) Error() string { return http.StatusText(e.Status) }

// Panic is what a handler panicked with.
type Panic struct {
	Value any
	Stack []byte
}

// Error implements error.
func (e *Panic) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

func (d *Dialect) logger() *slog.Logger {
	if d.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return d.Log
}

func (d *Dialect) bodyLimit() int64 {
	if d.BodyLimit == 0 {
		return DefaultBodyLimit
	}
	return d.BodyLimit
}

// statusGone is what logs and metrics call a request whose client left before
// its answer; there is nobody to read it.
const statusGone = 499

// Fail answers with an error and logs it if the server is to blame.
func (d *Dialect) Fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		w.WriteHeader(statusGone)
		return
	}
	res := d.Error(r, err)
	if res.Status >= http.StatusInternalServerError {
		attrs := []any{"method", r.Method, "path", shownPath(r), "status", res.Status, "error", err.Error()}
		if rec := recorderOf(w); rec != nil {
			attrs = append(attrs, "request_id", rec.id)
			w.Header().Set("X-Request-Id", rec.id)
		}
		if p, ok := errors.AsType[*Panic](err); ok {
			attrs = append(attrs, "stack", string(p.Stack))
		}
		d.logger().ErrorContext(r.Context(), "request failed", attrs...)
	}
	d.Write(w, r, res)
}

// Write sends an answer.
func (d *Dialect) Write(w http.ResponseWriter, r *http.Request, res Response) {
	header := w.Header()
	for key, values := range res.Header {
		header[http.CanonicalHeaderKey(key)] = values
	}
	status := res.Status
	if status == 0 {
		status = http.StatusOK
	}
	if status == http.StatusNoContent || status == http.StatusNotModified {
		w.WriteHeader(status)
		return
	}
	if stream, ok := res.Body.(Stream); ok {
		d.stream(w, r, status, stream)
		return
	}
	body, isBytes := res.Body.([]byte)
	if !isBytes {
		var err error
		if body, err = marshal(res.Body); err != nil {
			d.Fail(w, r, fmt.Errorf("encode %T: %w", res.Body, err))
			return
		}
		header.Set("Content-Type", "application/json")
	}
	body = compress(header, r, body)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		// An error means that the client has gone.
		_, _ = w.Write(body)
	}
}

// stream sends a body as it is made.
func (d *Dialect) stream(w http.ResponseWriter, r *http.Request, status int, body Stream) {
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if err := body(w); err != nil {
		if r.Context().Err() == nil {
			d.logger().ErrorContext(r.Context(), "an answer was broken off", "method", r.Method, "path", r.URL.Path, "error", err.Error())
		}
		panic(http.ErrAbortHandler) // the client must not take what it has for all
	}
}

// marshal writes a list without elements as [], also when it is nil, and an
// output without content as null.
func marshal(v any) ([]byte, error) {
	if _, empty := v.(struct{}); empty {
		return []byte("null"), nil
	}
	if value := reflect.ValueOf(v); value.Kind() == reflect.Slice && value.IsNil() {
		if _, raw := v.(json.RawMessage); !raw {
			return []byte("[]"), nil
		}
	}
	return wire.Marshal(v)
}
