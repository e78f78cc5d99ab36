package client

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/leat-dev/leat/internal/wire"
)

// WorkPool reads a work pool. Prefect REST: GET /work_pools/{name}.
func (c *Client) WorkPool(ctx context.Context, name string) (WorkPool, error) {
	return get[WorkPool](ctx, c, "/work_pools/"+escape(name))
}

// WorkPools lists work pools. Prefect REST: POST /work_pools/filter.
func (c *Client) WorkPools(ctx context.Context, q Query) ([]WorkPool, error) {
	return post[[]WorkPool](ctx, c, "/work_pools/filter", q)
}

// CreateWorkPool makes a pool. Prefect REST: POST /work_pools/.
func (c *Client) CreateWorkPool(ctx context.Context, pool WorkPoolCreate) (WorkPool, error) {
	return post[WorkPool](ctx, c, "/work_pools/", pool)
}

// PauseWorkPool keeps workers from getting the pool's runs, or lets them again.
// Prefect REST: PATCH /work_pools/{name}.
func (c *Client) PauseWorkPool(ctx context.Context, name string, paused bool) error {
	change := map[string]bool{"is_paused": paused}
	return c.Do(ctx, http.MethodPatch, "/work_pools/"+escape(name), change, nil)
}

// WorkQueues lists a pool's queues. Prefect REST: POST /work_pools/{name}/queues/filter.
func (c *Client) WorkQueues(ctx context.Context, pool string, q Query) ([]WorkQueue, error) {
	return post[[]WorkQueue](ctx, c, "/work_pools/"+escape(pool)+"/queues/filter", q)
}

// CreateWorkQueue makes a queue in a pool. Prefect REST: POST /work_pools/{name}/queues.
func (c *Client) CreateWorkQueue(ctx context.Context, pool, name string) (WorkQueue, error) {
	return post[WorkQueue](ctx, c, "/work_pools/"+escape(pool)+"/queues", map[string]string{"name": name})
}

// Workers lists a pool's workers. Prefect REST: POST /work_pools/{name}/workers/filter.
func (c *Client) Workers(ctx context.Context, pool string, q Query) ([]Worker, error) {
	return post[[]Worker](ctx, c, "/work_pools/"+escape(pool)+"/workers/filter", q)
}

// Heartbeat says that a worker lives, and how often it says so. Prefect REST: POST /work_pools/{name}/workers/heartbeat.
func (c *Client) Heartbeat(ctx context.Context, pool, worker string, every time.Duration) error {
	body := map[string]any{"name": worker, "heartbeat_interval_seconds": int(every / time.Second)}
	return c.Do(ctx, http.MethodPost, "/work_pools/"+escape(pool)+"/workers/heartbeat", body, nil)
}

// DueFlowRuns lists the runs that a worker may start now, the most urgent first;
// no queues means all. Prefect REST: POST /work_pools/{name}/get_scheduled_flow_runs.
func (c *Client) DueFlowRuns(ctx context.Context, pool string, queues []string, before time.Time) ([]WorkerFlowRun, error) {
	body := map[string]any{"work_queue_names": NotNil(queues), "scheduled_before": wire.FromTime(before)}
	return post[[]WorkerFlowRun](ctx, c, "/work_pools/"+escape(pool)+"/get_scheduled_flow_runs", body)
}

// DefaultJobTemplate reads the base job template of a type of worker; null when
// the server knows none. Prefect REST: GET /collections/views/aggregate-worker-metadata.
func (c *Client) DefaultJobTemplate(ctx context.Context, workerType string) (json.RawMessage, error) {
	view, err := get[map[string]map[string]struct {
		Template json.RawMessage `json:"default_base_job_configuration"`
	}](ctx, c, "/collections/views/aggregate-worker-metadata")
	if err != nil {
		return nil, err
	}
	for _, types := range view {
		if w, ok := types[workerType]; ok && len(w.Template) > 0 {
			return w.Template, nil
		}
	}
	return nil, nil
}
