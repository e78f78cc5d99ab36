package sfn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

// Config is what the dialect needs.
type Config struct {
	Engine *engine.Engine
	// Now is the clock against which signatures are checked.
	Now func() time.Time
	// Log is told of the server's own failures; nil for nobody.
	Log *slog.Logger
	// Account is the 12-digit number of the default workspace; "" means DefaultAccount.
	Account string
	// Region is used where a request names none; "" means DefaultRegion.
	Region string
	// AuthString is "id:secret", the key pair with which requests must be signed;
	// "" takes every request as it is.
	AuthString string
	// BodyLimit is the size in bytes of the largest request; 0 means 4 MiB.
	BodyLimit int64
	// MaxPayload is the length of the longest input or output; 0 means the service's own limit, 262,144.
	MaxPayload int
}

// The defaults of Config, as the emulators have them.
const (
	DefaultAccount = "000000000000"
	DefaultRegion  = "us-east-1"
)

const defaultBodyLimit = 4 << 20

// API answers requests.
type API struct {
	cfg     Config
	model   *model
	actions map[string]action
	// workspaces holds the core.WorkspaceID of accounts that were met.
	workspaces sync.Map
}

// action answers one operation. body is an object that was checked.
type action func(ctx context.Context, c *call, body []byte) (any, error)

// call is one request.
type call struct {
	core.Place
	operation string
}

// New returns the dialect.
func New(cfg Config) *API {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Account == "" {
		cfg.Account = DefaultAccount
	}
	if cfg.Region == "" {
		cfg.Region = DefaultRegion
	}
	if cfg.BodyLimit <= 0 {
		cfg.BodyLimit = defaultBodyLimit
	}
	a := &API{cfg: cfg, model: loadModel(cfg.MaxPayload)}
	a.actions = a.operations()
	return a
}

// handle makes an action of a function.
func handle[In, Out any](fn func(ctx context.Context, c *call, in In) (Out, error)) action {
	return func(ctx context.Context, c *call, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, &badRequest{err.Error()}
		}
		return fn(ctx, c, in)
	}
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := core.NewID(a.cfg.Now()).String()
	w.Header().Set("x-amzn-RequestId", id)
	out, err := a.answer(r)
	if err != nil {
		a.fail(w, r, id, err)
		return
	}
	body, err := wire.Marshal(out)
	if err != nil {
		a.fail(w, r, id, fmt.Errorf("encode %T: %w", out, err))
		return
	}
	write(w, http.StatusOK, body)
}

func (a *API) fail(w http.ResponseWriter, r *http.Request, id string, err error) {
	f := failureOf(err)
	if f.status >= http.StatusInternalServerError {
		a.cfg.Log.ErrorContext(r.Context(), "request failed", "operation", r.Header.Get("X-Amz-Target"), "status", f.status,
			"error", err.Error(), "request_id", id)
	}
	body, err := wire.Marshal(struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{f.name, f.message})
	if err != nil { // two strings always marshal
		body = nil
	}
	write(w, f.status, body)
}

func write(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the client has gone
}

// answer carries out a request. A panic becomes an error.
func (a *API) answer(r *http.Request) (out any, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, a.cfg.BodyLimit))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, &failure{http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "Request size exceeded the limit"}
		}
		return nil, &badRequest{"The request's body could not be read"}
	}
	target := r.Header.Get("X-Amz-Target")
	operation, ours := strings.CutPrefix(target, "AWSStepFunctions.")
	act, known := a.actions[operation]
	if !ours || !known {
		return nil, refuse("UnknownOperationException", unknownText(target))
	}
	c := &call{operation: operation}
	if c.Place, err = a.place(r, body); err != nil {
		return nil, err
	}
	if body, err = a.check(operation, body); err != nil {
		return nil, err
	}
	return act(r.Context(), c, body)
}

func unknownText(target string) string {
	if target == "" {
		return "The request has no X-Amz-Target"
	}
	return "Unknown operation: " + target
}

// check returns the body if it is an object that the operation takes.
func (a *API) check(operation string, body []byte) ([]byte, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	if !utf8.Valid(body) {
		return nil, &badRequest{"The request's body is not UTF-8"}
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil || dec.InputOffset() < int64(len(bytes.TrimRight(body, " \t\r\n"))) {
		return nil, &badRequest{"The request's body is not JSON"}
	}
	s := a.model.Shapes[a.model.Operations[operation]]
	c := checker{model: a.model}
	if err := c.check(s, "", v); err != nil {
		return nil, err
	}
	if text := c.message(); text != "" {
		return nil, refuse("ValidationException", text)
	}
	if !c.unknown {
		return body, nil
	}
	// encoding/json takes keys in any case; the service does not.
	return wire.Marshal(a.model.known(s, v))
}

var account = regexp.MustCompile(`^[0-9]{12}$`)

// insideKey marks the context of a request that the server makes itself.
type insideKey struct{}

// Inside answers the requests that executions make of this server: they are
// not signed with anybody's key, and their key id is an account.
func (a *API) Inside() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), insideKey{}, true)))
	})
}

// place finds the account and the region of a request, and checks its signature.
func (a *API) place(r *http.Request, body []byte) (core.Place, error) {
	p := core.Place{Account: a.cfg.Account, Region: a.cfg.Region}
	sig, err := parseSignature(r)
	inside, _ := r.Context().Value(insideKey{}).(bool)
	if a.cfg.AuthString != "" && !inside {
		if err != nil {
			return p, err
		}
		if err := sig.verify(r, body, a.cfg.AuthString, a.cfg.Now()); err != nil {
			return p, err
		}
	} else if err == nil && account.MatchString(sig.id) {
		p.Account = sig.id
	}
	if err == nil && sig.region != "" {
		p.Region = sig.region
	}
	p.Workspace, err = a.Workspace(r.Context(), p.Account)
	return p, err
}

// Workspace returns the account's workspace, made if need be.
func (a *API) Workspace(ctx context.Context, account string) (core.WorkspaceID, error) {
	if account == a.cfg.Account {
		return core.DefaultWorkspace, nil
	}
	if id, ok := a.workspaces.Load(account); ok {
		return id.(core.WorkspaceID), nil
	}
	id, err := a.cfg.Engine.Store().Workspace(ctx, account)
	if err == nil {
		a.workspaces.Store(account, id)
	}
	return id, err
}
