// Package ecslocal is an Amazon ECS endpoint that really runs tasks on this
// machine: one HTTP handler answers the calls to ECS, EC2, CloudWatch Logs, STS,
// SQS and EventBridge that whoever uses ECS makes, and containers are run by a
// launch.Launcher. Each account and region is a world of its own, named by the
// credentials that a request is signed with; signatures are not checked.
package ecslocal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/launch"
)

// Config says how an endpoint behaves.
type Config struct {
	// Launcher runs the containers of tasks, each as a job.
	Launcher launch.Launcher
	// Images tells what a container image runs.
	Images Images
	// URL is how this machine reaches the endpoint, without a slash at its end.
	URL string
	// ContainerURL is how containers reach it; "" means URL.
	ContainerURL string
	// LocalNames refuses requests that call this machine by any other name than
	// localhost, host.docker.internal or an address: a page in a browser whose
	// host's address was changed to ours would.
	LocalNames bool
	// Account and Region are those of requests whose credentials name none. The
	// zero values stand for 000000000000 and us-east-1.
	Account, Region string
	// Data is the directory that clusters, definitions, services, queues, rules
	// and logs are kept in; "" keeps them in memory.
	Data string
	// BaseEnv is what each container's environment begins with, as name=value.
	BaseEnv []string
	// Env is set in every container, as name=value, unless its task sets the name.
	Env []string
	// StageTime is how long a task stays in PROVISIONING, in PENDING, in
	// DEACTIVATING and in DEPROVISIONING at least; 0 means 100 ms.
	StageTime time.Duration
	// StopTimeout is the time between SIGTERM and SIGKILL of containers that set
	// none; 0 means 30 s, as on AWS.
	StopTimeout time.Duration
	// Faults are the faults from the start on.
	Faults Faults
	// Output receives what containers without the awslogs log driver write.
	Output io.Writer
	// Log receives what there is to tell; nil drops it.
	Log *slog.Logger
	// Now is the clock.
	Now func() time.Time
}

// Server is the endpoint. It is an http.Handler; Close ends what it runs.
type Server struct {
	cfg     Config
	actions map[string]dialect
	store   *store

	// tasks is cancelled to end all tasks, and drivers waits for them.
	tasks   context.Context
	stop    context.CancelFunc
	drivers sync.WaitGroup

	outMu sync.Mutex // one line of output at a time

	mu     sync.Mutex
	closed bool
	sites  map[siteKey]*site
	faults Faults
}

// New returns an endpoint that knows what its data directory holds.
func New(cfg Config) (*Server, error) {
	if cfg.Launcher == nil || cfg.Images == nil || cfg.Now == nil {
		return nil, errors.New("a local ECS needs a launcher, images and a clock")
	}
	if cfg.Account == "" {
		cfg.Account = "000000000000"
	}
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	if cfg.ContainerURL == "" {
		cfg.ContainerURL = cfg.URL
	}
	if cfg.StageTime == 0 {
		cfg.StageTime = 100 * time.Millisecond
	}
	if cfg.StopTimeout == 0 {
		cfg.StopTimeout = 30 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Output == nil {
		cfg.Output = io.Discard
	}
	s := &Server{cfg: cfg, sites: map[siteKey]*site{}, faults: cfg.Faults}
	s.actions = allActions()
	s.tasks, s.stop = context.WithCancel(context.Background())
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("read %s: %w", cfg.Data, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.sites {
		s.reconcileAll(st)
	}
	return s, nil
}

// Close ends all tasks as a service that shuts down does, and keeps the state.
// Requests that arrive later are refused.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	for _, st := range s.sites {
		st.wakeAll()
	}
	s.mu.Unlock()
	s.stop()
	done := make(chan struct{})
	go func() {
		s.drivers.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		return fmt.Errorf("tasks are still ending: %w", ctx.Err())
	}
	return s.store.close()
}

// site returns the world of an account and region; the caller holds the lock.
func (s *Server) site(key siteKey) *site {
	st := s.sites[key]
	if st == nil {
		st = newSite(key)
		s.sites[key] = st
	}
	return st
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil {
			s.cfg.Log.Error("a request failed", "panic", fmt.Sprint(p), "target", r.Header.Get("X-Amz-Target"))
			writeJSONError(w, "", &apiError{Code: "ServerException", Message: "An internal error occurred.", Status: http.StatusInternalServerError})
		}
	}()
	if s.cfg.LocalNames && !localName(r.Host) {
		writeJSONError(w, "", &apiError{Code: "AccessDeniedException", Message: "The local ECS is not called " + r.Host + ".", Status: http.StatusForbidden})
		return
	}
	switch {
	case r.URL.Path == "/_leat/health":
		writeJSON(w, "application/json", map[string]any{"ok": true})
	case r.URL.Path == "/_leat/faults":
		s.serveFaults(w, r)
	case len(r.URL.Path) > 4 && r.URL.Path[:4] == "/v4/":
		s.serveMetadata(w, r)
	default:
		s.serveAWS(w, r)
	}
}

// localName tells whether a request's host is a name of this machine for itself,
// for its containers, or an address.
func localName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "host.docker.internal" || net.ParseIP(host) != nil
}
