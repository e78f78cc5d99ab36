package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/api/prefect3"
	"github.com/leat-dev/leat/internal/api/sfn"
	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/service"
	"github.com/leat-dev/leat/internal/store"
)

// Environment is the outside world of a server.
type Environment struct {
	// Log receives the log.
	Log io.Writer
	// Now is the clock.
	Now func() time.Time
	// Version is leat's own.
	Version string
	// Ready is called with the address once requests are answered; nil is allowed.
	Ready func(addr string)
}

// Run serves until ctx ends, then finishes what was accepted and closes the
// store. What takes longer than Config.StopTimeout is cut off; the error says
// what that was, and the process should end.
func Run(ctx context.Context, cfg Config, env Environment) error {
	if err := cfg.complete(); err != nil {
		return err
	}
	log := newLogger(cfg, env.Log)
	if cfg.AuthString == "" && !cfg.loopback() {
		log.Warn("ANYBODY WHO REACHES THIS ADDRESS CAN READ AND CHANGE EVERYTHING: the server listens beyond this machine without a password; " +
			"set --auth-string user:password (PREFECT_API_AUTH_STRING at the clients)")
	}
	metrics := newMetrics()
	db, err := store.Open(ctx, store.Config{
		Database: cfg.Database, Log: log, Now: env.Now, Observe: metrics.commit, BackupBeforeUpgrade: cfg.BackupBeforeUpgrade,
	})
	if err != nil {
		return err
	}
	p, err := assemble(ctx, cfg, env, log, db, metrics)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	return p.run(ctx, env.Ready)
}

// parts are what a server is made of.
type parts struct {
	log      *slog.Logger
	grace    time.Duration
	listener net.Listener
	http     *http.Server
	dialect  *prefect3.API
	done     chan struct{} // closed to end websockets
	services []background
	db       core.Store
}

// assemble makes the parts of a server. Nothing runs yet.
func assemble(ctx context.Context, cfg Config, env Environment, log *slog.Logger, db core.Store, metrics *metrics) (*parts, error) {
	seal, err := sealer(cfg)
	if err != nil {
		return nil, err
	}
	var inside lateHandler
	var flows lateFlows
	calls, err := newCalls(env, &inside, &flows)
	if err != nil {
		return nil, err
	}
	eng := engine.New(engine.Config{
		Store: db, Now: env.Now, Log: log, SlotWait: cfg.SlotWait, Observe: metrics.transition, ObserveEvents: metrics.events, Sealer: seal,
		MaxMachines: cfg.MaxMachines, CheckResource: checkResource(calls), Prepare: prepareTask, Trial: trial{calls},
		Limits: asl.Limits{Events: cfg.MaxEvents, Payload: cfg.MaxPayload},
	})
	if err := eng.InstallBlockTypes(ctx, core.DefaultWorkspace); err != nil {
		return nil, err
	}
	// Holders of leases get back the time in which nobody served, before others ask.
	if err := (service.LeaseAttendant{Engine: eng}).Tick(ctx); err != nil {
		return nil, err
	}
	listen := net.ListenConfig{KeepAliveConfig: keepAlive(cfg)}
	listener, err := listen.Listen(ctx, "tcp", net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.Port)))
	if err != nil {
		return nil, fmt.Errorf("listen: %w (another server may use the port; choose one by --port)", err)
	}
	metrics.watch(db, env.Now)
	done := make(chan struct{})
	prefect := prefect3.Config{
		Engine: eng, Now: env.Now, Log: log, BodyLimit: cfg.MaxBody, Done: done, TouchEvery: touchEvery(cfg),
		Auth:     api.Auth{Secret: cfg.AuthString, Open: []string{"/api/health", "/api/ready"}},
		Settings: cfg.prefectSettings(),
	}
	prefect.CSRF = prefect3.CSRF{Enabled: cfg.CSRF, Lifetime: cfg.CSRFLifetime}
	if cfg.AllowDatabaseClear {
		prefect.Clear = db.Clear
	}
	dialect := prefect3.New(prefect)
	states := sfn.New(sfn.Config{
		Engine: eng, Now: env.Now, Log: log, Account: cfg.AWSAccount, Region: cfg.AWSRegion, AuthString: cfg.AuthString,
		BodyLimit: cfg.MaxBody, MaxPayload: cfg.MaxPayload,
	})
	inside.handler = states.Inside()
	flows.Flows = service.Flows{Engine: eng, Now: env.Now, Workspace: states.Workspace}
	runner := &service.States{Engine: eng, Calls: calls, Log: log, Now: env.Now, Parallel: parallelCalls, Items: integration.Items{Runner: calls}}
	srv := &http.Server{
		Handler: handler(dialect, states, db, env, log, metrics), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 120 * time.Second,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), ConnContext: api.WithConn,
	}
	log.Info("listening", "address", listener.Addr().String(), "database", store.Redacted(cfg.Database), "version", env.Version)
	return &parts{log, cfg.StopTimeout, listener, srv, dialect, done, services(cfg, env, log, eng, db, runner), db}, nil
}

// run serves until ctx ends or the listener fails, and stops.
func (p *parts) run(ctx context.Context, isReady func(addr string)) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	working := supervise(background, p.log, p.services)
	failed := make(chan error, 1)
	go func() { failed <- p.http.Serve(p.listener) }()
	if isReady != nil {
		isReady(p.listener.Addr().String())
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	return errors.Join(err, p.stop(ctx, func(last context.Context) []string {
		stop()
		return working(last)
	}))
}

// touchEvery is how often an open event socket counts as a sign of life: often
// enough that no limit passes in between.
func touchEvery(cfg Config) time.Duration {
	every := 20 * time.Second
	if cfg.HeartbeatTimeout > 0 {
		every = min(every, cfg.HeartbeatTimeout/3)
	}
	return every
}

func newLogger(cfg Config, w io.Writer) *slog.Logger {
	if w == nil {
		return slog.New(slog.DiscardHandler)
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		level = slog.LevelInfo // complete has checked it
	}
	options := &slog.HandlerOptions{Level: level}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// handler puts the dialects and the server's own pages under one address.
func handler(prefect *prefect3.API, states http.Handler, db core.Store, env Environment, log *slog.Logger, m *metrics) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", prefect)
	mux.Handle("GET /openapi.json", http.RedirectHandler("/api/openapi.json", http.StatusTemporaryRedirect))
	mux.Handle("/hooks/", prefect.Hooks())
	mux.Handle("POST /{$}", states)
	mux.Handle("GET /metrics", m.handler())
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "true") })
	mux.HandleFunc("GET /ready", func(w http.ResponseWriter, r *http.Request) {
		if err := db.Ping(r.Context()); err != nil {
			answer(w, http.StatusServiceUnavailable, `{"message":"Database is not available"}`)
			return
		}
		answer(w, http.StatusOK, `{"message":"OK"}`)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusNotFound, `{"detail":"Not Found"}`) })
	observer := api.Observer{Dialect: prefect3.Dialect(log), Log: log, Now: env.Now}
	return observer.Wrap(m.count(api.CORS(mux)))
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // an error means that the client has gone
}
