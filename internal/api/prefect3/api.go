package prefect3

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

// Config is what the dialect needs.
type Config struct {
	Engine *engine.Engine
	// Now is the clock.
	Now func() time.Time
	// Log receives what clients are not told; nil discards it.
	Log *slog.Logger
	// Auth guards all but the health checks.
	Auth api.Auth
	// CSRF asks clients for tokens; its zero value does not.
	CSRF CSRF
	// BodyLimit is the size in bytes of the largest body; 0 is api.DefaultBodyLimit.
	BodyLimit int64
	// Settings are shown by GET /admin/settings: values by paths such as "server.api.port".
	Settings map[string]any
	// Clear empties the database for POST /admin/database/clear; nil when that is not allowed.
	Clear func(ctx context.Context) error
	// TouchEvery is how often an open event socket counts as a sign of life of
	// the flow runs behind it; 0 means 20 seconds.
	TouchEvery time.Duration
	// Done ends websockets when the server stops, with a close frame; Drain waits for that.
	Done <-chan struct{}
}

// API serves the dialect under /api.
type API struct {
	Config
	store   core.Store
	router  *api.Router
	workers taskWorkers
	hooks   *api.Router
}

// prefectVersion is the version that clients are told: that of the Prefect
// server whose API this is.
const prefectVersion = "3.8.8"

// apiVersion is the version of that API.
const apiVersion = "0.8.4"

// New returns the dialect.
func New(cfg Config) *API {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.TouchEvery <= 0 {
		cfg.TouchEvery = 20 * time.Second
	}
	a := &API{Config: cfg, store: cfg.Engine.Store()}
	d := Dialect(cfg.Log)
	d.BodyLimit = cfg.BodyLimit
	a.router = api.NewRouter(d, "/api")
	a.router.Guard, a.router.Alias = a.guard, withoutScope
	for _, routes := range []func(*api.Router){
		a.healthRoutes, a.flowRoutes, a.flowRunRoutes, a.taskRunRoutes, a.taskQueueRoutes, a.stateRoutes, a.logRoutes, a.eventRoutes,
		a.runHistoryRoutes, a.runBulkRoutes, a.flowRunGraphRoutes, a.logDownloadRoutes, a.eventCountRoutes, a.uiRoutes, a.taskWorkerRoutes,
		a.settingsRoutes, a.deploymentRoutes, a.workPoolRoutes, a.poolQueueRoutes, a.workQueueRoutes,
		a.concurrencyRoutes, a.tagLimitRoutes, a.variableRoutes, a.artifactRoutes, a.blockTypeRoutes, a.blockSchemaRoutes,
		a.blockDocumentRoutes, a.inputRoutes, a.automationRoutes, a.savedSearchRoutes, a.webhookRoutes, a.adminRoutes, a.collectionRoutes, a.importRoutes, a.templateRoutes,
	} {
		routes(a.router)
	}
	a.hooks = a.newHooks()
	return a
}

// Dialect words answers as the Prefect API does.
func Dialect(log *slog.Logger) *api.Dialect { return &api.Dialect{Error: respond, Log: log} }

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.router.ServeHTTP(w, r) }

// Drain waits until all handlers have returned, or ctx ends, and lists the
// routes of those that have not. Websockets end once Done is closed.
func (a *API) Drain(ctx context.Context) (left []string) {
	return append(a.router.Drain(ctx), a.hooks.Drain(ctx)...)
}

// Routes lists what is served, such as "POST /api/flows/".
func (a *API) Routes() []string { return a.router.Routes() }

// Operations describes what is served by the types that are read and written.
func (a *API) Operations() []api.Operation { return a.router.Operations() }

// guard checks who asks, and with which version of the API.
func (a *API) guard(r *http.Request) error {
	if err := a.checkCSRF(r); err != nil {
		return err
	}
	if err := checkVersion(r.Header.Get("X-Prefect-Api-Version")); err != nil {
		return err
	}
	return a.Auth.Check(r)
}

// checkVersion refuses versions of the API that are too old, as the reference does.
func checkVersion(version string) error {
	if version == "" {
		return nil
	}
	parts := strings.SplitN(version, ".", 3)
	numbers := make([]int, 0, 3)
	for _, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil {
			break
		}
		numbers = append(numbers, n)
	}
	if len(numbers) != 3 {
		return refusal(http.StatusBadRequest, "Invalid X-PREFECT-API-VERSION header format.Expected header in format 'x.y.z' but received "+version)
	}
	if numbers[0] == 0 && numbers[1] < 8 {
		return refusal(http.StatusBadRequest, "The request specified API version "+version+" but this server requires version 0.8.0 or higher.")
	}
	return nil
}

// workspace is the workspace that a request is about: there is only the
// default one until workspaces can be made.
func (a *API) workspace(context.Context) core.WorkspaceID { return core.DefaultWorkspace }

// view reads in the request's workspace.
func (a *API) view(ctx context.Context, fn func(core.Tx) error) error {
	return a.store.View(ctx, a.workspace(ctx), fn)
}

// read reads one value in the request's workspace.
func read[T any](ctx context.Context, a *API, fn func(core.Tx) (T, error)) (out T, err error) {
	err = a.view(ctx, func(tx core.Tx) (err error) {
		out, err = fn(tx)
		return err
	})
	return out, err
}

// clientOf reads what the proposer of a state says of itself.
func clientOf(r *http.Request) engine.Client {
	return engine.ParseClient(r.UserAgent(), r.Header.Get("X-Prefect-Api-Version"))
}
