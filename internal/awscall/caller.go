package awscall

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/leat-dev/leat/internal/value"
)

// Config is what a Caller is made of.
type Config struct {
	// Load gives region, credentials and endpoints; nil takes them as the SDKs do
	// from the process's environment, shared files and the machine it runs on. It
	// is asked once, at the first call.
	Load func(context.Context) (aws.Config, error)
	// HTTP sends requests; nil is a client of its own.
	HTTP *http.Client
	// Now is the clock.
	Now func() time.Time
	// Handlers answer services, by Service.Name, in this process.
	Handlers map[string]http.Handler
	// Attempts is how often a call is tried in all; 0 is 3, as in the SDKs.
	Attempts int
	// Backoff is how long to wait after an attempt, counted from 1; nil is the
	// SDKs' exponential wait of at most 20 s.
	Backoff func(attempt int) time.Duration
}

// Caller calls services. It may be used by many goroutines.
type Caller struct {
	cfg     Config
	catalog catalog

	loadMu sync.Mutex
	loaded *aws.Config

	rolesMu sync.Mutex
	roles   map[string]roleCredentials
}

// New makes a Caller; it reads no model and makes no call yet.
func New(cfg Config) (*Caller, error) {
	if cfg.Now == nil {
		return nil, errors.New("awscall: a clock is needed")
	}
	if cfg.HTTP == nil {
		cfg.HTTP = newHTTPClient()
	}
	if cfg.Attempts == 0 {
		cfg.Attempts = 3
	}
	if cfg.Backoff == nil {
		cfg.Backoff = backoff
	}
	if cfg.Load == nil {
		cfg.Load = func(ctx context.Context) (aws.Config, error) { return config.LoadDefaultConfig(ctx) }
	}
	return &Caller{cfg: cfg, roles: map[string]roleCredentials{}}, nil
}

// newHTTPClient follows no redirects, sends HTTP/1.1 and leaves bodies as they
// come; how long a call may take is its context's matter.
func newHTTPClient() *http.Client {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConns: 512, MaxIdleConnsPerHost: 64, IdleConnTimeout: 60 * time.Second, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Request is one call.
type Request struct {
	// Service is Step Functions' name of the service: sfn, dynamodb.
	Service string
	// Operation is its name with the first letter in either case.
	Operation string
	Params    *value.Object
	// Region is the region to call; empty is the configuration's.
	Region string
	// AccountID is the account on whose behalf the call is made. Real credentials
	// belong to an account anyhow; it matters to handlers in this process and to
	// emulators, which read it from the access key id.
	AccountID string
	// RoleARN is a role to assume first; empty is none.
	RoleARN string
	// SessionName names the session of that role.
	SessionName string
}

// Meta is what is known of an answer besides its members.
type Meta struct {
	Status    int
	Header    http.Header
	RequestID string
	Attempts  int
	// URL is where the request was sent.
	URL string
}

// Lookup finds an operation; false if the service or the operation is unknown.
func (c *Caller) Lookup(service, operation string) (*Operation, bool) {
	s, err := c.catalog.service(service)
	if err != nil || s == nil {
		return nil, false
	}
	op, ok := s.operations[strings.ToLower(operation)]
	return op, ok
}

// Region is the configuration's region, empty if it has none.
func (c *Caller) Region(ctx context.Context) (string, error) {
	cfg, err := c.config(ctx)
	if err != nil {
		return "", err
	}
	return cfg.Region, nil
}

// Call makes a call and returns the members of the answer under the service's
// own names: times in ISO 8601, blobs as text. The error is an *Error if the
// service refuses, a *ParameterError if the call cannot be made.
func (c *Caller) Call(ctx context.Context, r Request) (*value.Object, Meta, error) {
	op, a, meta, err := c.exchange(ctx, &r)
	if err != nil {
		return nil, meta, err
	}
	out, err := decode(op, a)
	if err != nil {
		return nil, meta, err
	}
	return out, meta, nil
}

// Body makes a call and returns the body of the answer as it came, for objects
// that are no text.
func (c *Caller) Body(ctx context.Context, r Request) ([]byte, Meta, error) {
	_, a, meta, err := c.exchange(ctx, &r)
	if err != nil {
		return nil, meta, err
	}
	return a.body, meta, nil
}

func (c *Caller) exchange(ctx context.Context, r *Request) (*Operation, *answer, Meta, error) {
	op, ok := c.Lookup(r.Service, r.Operation)
	if !ok {
		return nil, nil, Meta{}, fmt.Errorf("no operation %s of a service %s", r.Operation, r.Service)
	}
	if op.Service.protocol == "" {
		return op, nil, Meta{}, fmt.Errorf("service %s speaks no protocol known here", r.Service)
	}
	params := r.Params
	if params == nil {
		params = value.NewObject(0)
	}
	w, err := encode(op, params, NewID)
	if err != nil {
		return op, nil, Meta{}, err
	}
	w.checksums(op)
	t, err := c.target(ctx, op, r, w)
	if err != nil {
		return op, nil, Meta{}, err
	}
	a, meta, err := c.send(ctx, op, w, t)
	return op, a, meta, err
}

// NewID is a random UUID, as request ids and tokens are.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// config loads the configuration once; a failure is not remembered.
func (c *Caller) config(ctx context.Context) (*aws.Config, error) {
	c.loadMu.Lock()
	defer c.loadMu.Unlock()
	if c.loaded != nil {
		return c.loaded, nil
	}
	cfg, err := c.cfg.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", err)
	}
	c.loaded = &cfg
	return c.loaded, nil
}
