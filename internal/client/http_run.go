package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// Query is the body of a …/filter request: filters by entity, sort, limit, offset.
type Query map[string]any

// FlowRun reads a flow run. Prefect REST: GET /flow_runs/{id}.
func (c *Client) FlowRun(ctx context.Context, id core.ID) (FlowRun, error) {
	return get[FlowRun](ctx, c, "/flow_runs/"+id.String())
}

// FlowRuns lists flow runs. Prefect REST: POST /flow_runs/filter.
func (c *Client) FlowRuns(ctx context.Context, q Query) ([]FlowRun, error) {
	return post[[]FlowRun](ctx, c, "/flow_runs/filter", q)
}

// SetFlowRunState proposes a state, or enforces it. Prefect REST: POST /flow_runs/{id}/set_state.
func (c *Client) SetFlowRunState(ctx context.Context, id core.ID, state StateCreate, force bool) (Orchestration, error) {
	if !state.Details.Deferred.Set {
		state.Details.Deferred = wire.Null[bool]()
	}
	return post[Orchestration](ctx, c, "/flow_runs/"+id.String()+"/set_state", SetState{State: state, Force: force})
}

// UpdateFlowRun changes fields of a flow run. Prefect REST: PATCH /flow_runs/{id}.
func (c *Client) UpdateFlowRun(ctx context.Context, id core.ID, change FlowRunUpdate) error {
	return c.Do(ctx, http.MethodPatch, "/flow_runs/"+id.String(), change, nil)
}

// AddFlowRunLabels merges labels into a flow run's. Prefect REST: PATCH /flow_runs/{id}/labels.
func (c *Client) AddFlowRunLabels(ctx context.Context, id core.ID, labels map[string]string) error {
	return c.Do(ctx, http.MethodPatch, "/flow_runs/"+id.String()+"/labels", labels, nil)
}

// Why says in one sentence why a flow run is where it is. leat's own route: GET /flow_runs/{id}/why.
func (c *Client) Why(ctx context.Context, id core.ID) (string, error) {
	out, err := get[struct {
		Reason string `json:"reason"`
	}](ctx, c, "/flow_runs/"+id.String()+"/why")
	return out.Reason, err
}

// TaskRuns lists task runs. Prefect REST: POST /task_runs/filter.
func (c *Client) TaskRuns(ctx context.Context, q Query) ([]TaskRun, error) {
	return post[[]TaskRun](ctx, c, "/task_runs/filter", q)
}

// Logs lists lines. Prefect REST: POST /logs/filter.
func (c *Client) Logs(ctx context.Context, q Query) ([]Log, error) {
	return post[[]Log](ctx, c, "/logs/filter", q)
}

// WriteLogs stores lines. Prefect REST: POST /logs/.
func (c *Client) WriteLogs(ctx context.Context, lines []LogCreate) error {
	return c.Do(ctx, http.MethodPost, "/logs/", lines, nil)
}

// Flow reads a flow. Prefect REST: GET /flows/{id}.
func (c *Client) Flow(ctx context.Context, id core.ID) (Flow, error) {
	return get[Flow](ctx, c, "/flows/"+id.String())
}

// Flows lists flows. Prefect REST: POST /flows/filter.
func (c *Client) Flows(ctx context.Context, q Query) ([]Flow, error) {
	return post[[]Flow](ctx, c, "/flows/filter", q)
}

// ServerVersion reads the version that the server claims. Prefect REST: GET /admin/version.
func (c *Client) ServerVersion(ctx context.Context) (string, error) {
	return get[string](ctx, c, "/admin/version")
}

// Health reports whether the server is well. Prefect REST: GET /health.
func (c *Client) Health(ctx context.Context) (bool, error) { return get[bool](ctx, c, "/health") }

// escape makes a name fit for a path.
func escape(name string) string { return url.PathEscape(name) }
