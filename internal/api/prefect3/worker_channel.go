package prefect3

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/coder/websocket"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

// The protocol between the server and a worker that is connected to it.
const (
	channelVersion      = "work_pool_worker_channel.v1"
	heartbeatCapability = "worker_heartbeat.v1"
	snapshotCapability  = "work_pool_snapshot.v1"
	// poolCheck is how often a connection looks whether its pool has changed.
	poolCheck = 5 * time.Second
)

// channelRefusal ends a worker channel; its text is the reason of the close frame.
type channelRefusal struct {
	code   websocket.StatusCode
	reason string
}

func (r channelRefusal) Error() string { return r.reason }

func unauthorized() error {
	return channelRefusal{websocket.StatusPolicyViolation, "authorization_failed"}
}

func protocolError() error {
	return channelRefusal{websocket.StatusProtocolError, "protocol_error"}
}

// frame is a message of the channel.
type frame[P any] struct {
	Type    string    `json:"type"`
	ID      core.ID   `json:"id"`
	SentAt  wire.Time `json:"sent_at"`
	Payload P         `json:"payload"`
}

func frameOf[P any](now time.Time, kind string, payload P) frame[P] {
	return frame[P]{Type: kind, ID: core.NewID(now), SentAt: wire.FromTime(now), Payload: payload}
}

// hello is how a worker introduces itself.
type hello struct {
	ConsumerID        core.ID            `json:"consumer_id" wire:"required"`
	Name              string             `json:"worker_name" wire:"required,min=1"`
	Type              string             `json:"worker_type" wire:"required,min=1"`
	Interval          int                `json:"heartbeat_interval_seconds" wire:"required,gt=0"`
	Versions          []string           `json:"supported_channel_versions" wire:"required,min=1"`
	Capabilities      []string           `json:"requested_capabilities" wire:"required,min=1"`
	Queues            []string           `json:"work_queue_names"`
	CreatePool        bool               `json:"create_pool_if_not_found"`
	DefaultTemplate   client.JobTemplate `json:"default_base_job_template"`
	CleanupKinds      []string           `json:"handled_cleanup_kinds"`
	CleanupConcurrent int                `json:"max_cleanup_concurrency"`
}

// ready is the answer to hello.
type ready struct {
	ConsumerID   core.ID        `json:"consumer_id"`
	WorkerID     *core.ID       `json:"worker_id"`
	Version      string         `json:"selected_channel_version"`
	Interval     int            `json:"effective_heartbeat_interval_seconds"`
	Accepted     []string       `json:"accepted_capabilities"`
	Rejected     []string       `json:"rejected_capabilities"`
	CleanupLimit int            `json:"effective_max_cleanup_concurrency"`
	Queues       []channelQueue `json:"resolved_work_queues"`
	Snapshot     poolSnapshot   `json:"initial_snapshot"`
}

type channelQueue struct {
	ID   core.ID `json:"id"`
	Name string  `json:"name"`
}

// poolSnapshot tells a worker what its pool looks like.
type poolSnapshot struct {
	Sequence int         `json:"snapshot_sequence"`
	Reason   string      `json:"reason"`
	Pool     channelPool `json:"work_pool"`
}

// channelPool is a pool as the channel shows it.
type channelPool struct {
	ID               core.ID                     `json:"id"`
	Created          wire.Time                   `json:"created"`
	Updated          wire.Time                   `json:"updated"`
	Name             string                      `json:"name"`
	Description      *string                     `json:"description"`
	Type             string                      `json:"type"`
	BaseJobTemplate  json.RawMessage             `json:"base_job_template"`
	IsPaused         bool                        `json:"is_paused"`
	ConcurrencyLimit *int                        `json:"concurrency_limit"`
	Status           *core.Readiness             `json:"status"`
	Storage          client.StorageConfiguration `json:"storage_configuration"`
	DefaultQueueID   *core.ID                    `json:"default_queue_id"`
}

func channelPoolOf(p *core.WorkPool) channelPool {
	shown := client.WorkPoolOf(p, nil)
	return channelPool{
		ID: shown.ID, Created: shown.Created, Updated: shown.Updated, Name: shown.Name, Description: shown.Description, Type: shown.Type,
		BaseJobTemplate: shown.BaseJobTemplate, IsPaused: shown.IsPaused, ConcurrencyLimit: shown.ConcurrencyLimit, Status: shown.Status,
		Storage: shown.Storage, DefaultQueueID: shown.DefaultQueueID,
	}
}

// workerChannel keeps in touch with one worker: it hears its heartbeats and
// tells it of changes of the pool. Prefect REST: WS /work_pools/{name}/workers/connect.
func (a *API) workerChannel(w http.ResponseWriter, r *http.Request) {
	pool := r.PathValue("name")
	s := a.accept(w, r, api.SocketOptions{Required: true, ReadLimit: 16 << 20})
	if s == nil {
		return
	}
	defer s.cancel()
	err := a.serveWorker(s, pool)
	if refused, ok := err.(channelRefusal); ok { //nolint:errorlint // made here, never wrapped
		s.refuse(refused.code, refused.reason)
		return
	}
	if s.ctx.Err() == nil && websocket.CloseStatus(err) < 0 {
		a.Log.Warn("worker channel broke", "work_pool", pool, "error", err)
		s.refuse(websocket.StatusInternalError, "transient_server_error")
		return
	}
	s.refuse(websocket.StatusNormalClosure, "")
}

// serveWorker returns why the channel ended, never nil.
func (a *API) serveWorker(s *socket, pool string) error {
	h, err := receiveHello(s)
	if err != nil {
		return err
	}
	if !slices.Contains(h.Versions, channelVersion) {
		return channelRefusal{websocket.StatusPolicyViolation, "unsupported_version"}
	}
	p, queues, err := a.admitWorker(s.ctx, pool, h)
	if err != nil {
		return err
	}
	answer := ready{
		ConsumerID: h.ConsumerID, Version: channelVersion, Interval: h.Interval, Accepted: []string{heartbeatCapability, snapshotCapability},
		Rejected: []string{}, Queues: []channelQueue{}, Snapshot: poolSnapshot{1, "initial", channelPoolOf(p)},
	}
	for _, c := range h.Capabilities {
		if !slices.Contains(answer.Accepted, c) && !slices.Contains(answer.Rejected, c) {
			answer.Rejected = append(answer.Rejected, c)
		}
	}
	for _, q := range queues {
		answer.Queues = append(answer.Queues, channelQueue{q.ID, q.Name})
	}
	if err := s.send(frameOf(a.Now(), "worker.ready.v1", answer)); err != nil {
		return err
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		err := a.watchPool(s, p)
		if refused, ok := err.(channelRefusal); ok { //nolint:errorlint // made here, never wrapped
			s.refuse(refused.code, refused.reason)
		}
	}()
	err = a.hearWorker(s, pool, h)
	s.cancel()
	<-watched
	return err
}

func receiveHello(s *socket) (hello, error) {
	var first frame[hello]
	_, data, err := s.Read(s.ctx)
	if err != nil {
		return hello{}, err
	}
	if wire.Decode(data, &first) != nil || first.Type != "worker.hello.v1" {
		return hello{}, protocolError()
	}
	return first.Payload, nil
}

// admitWorker finds or makes the pool, finds the queues and records the worker.
func (a *API) admitWorker(ctx context.Context, pool string, h hello) (*core.WorkPool, []*core.WorkQueue, error) {
	p, queues, err := a.Engine.AdmitWorker(ctx, a.workspace(ctx), engine.Arrival{
		Pool: pool, Worker: h.Name, Type: h.Type, Interval: h.Interval, Life: h.ConsumerID.String(), Queues: h.Queues, CreatePool: h.CreatePool,
		Template: template(h.DefaultTemplate),
	})
	switch core.CodeOf(err) {
	case core.NotFound, core.Forbidden:
		return nil, nil, unauthorized()
	case core.Invalid:
		return nil, nil, protocolError()
	default:
		return p, queues, err
	}
}

// hearWorker records heartbeats until the worker leaves.
func (a *API) hearWorker(s *socket, pool string, h hello) error {
	for {
		var m frame[struct {
			ConsumerID core.ID `json:"consumer_id"`
			Name       string  `json:"worker_name"`
			Interval   int     `json:"heartbeat_interval_seconds"`
		}]
		_, data, err := s.Read(s.ctx)
		if err != nil {
			return err
		}
		if json.Unmarshal(data, &m) != nil || m.Type != "worker.heartbeat.v1" || m.Payload.ConsumerID != h.ConsumerID ||
			m.Payload.Name != h.Name || m.Payload.Interval <= 0 {
			return protocolError()
		}
		err = a.Engine.BeatWorker(s.ctx, a.workspace(s.ctx), pool, h.Name, h.ConsumerID.String(), &m.Payload.Interval)
		switch {
		case core.CodeOf(err) == core.NotFound:
			return unauthorized()
		case err != nil && s.ctx.Err() == nil:
			return channelRefusal{websocket.StatusInternalError, "heartbeat_persistence_failed"}
		case err != nil:
			return err
		}
	}
}

// watchPool tells the worker of changes of its pool until the socket ends. It
// looks at intervals, since changes are rare and a few seconds do no harm.
func (a *API) watchPool(s *socket, p *core.WorkPool) error {
	tick := time.NewTicker(poolCheck)
	defer tick.Stop()
	updated, sequence := p.Updated, 1
	for {
		select {
		case <-tick.C:
		case <-s.ctx.Done():
			return s.ctx.Err()
		}
		var current *core.WorkPool
		err := a.view(s.ctx, func(tx core.Tx) (err error) {
			current, err = tx.WorkPool(p.ID)
			return err
		})
		switch {
		case core.CodeOf(err) == core.NotFound:
			return unauthorized()
		case err != nil:
			continue // the database is away for a moment
		case current.Updated.Equal(updated):
			continue
		}
		updated, sequence = current.Updated, sequence+1
		snapshot := poolSnapshot{sequence, "work_pool_updated", channelPoolOf(current)}
		if err := s.send(frameOf(a.Now(), "work_pool.snapshot.v1", snapshot)); err != nil {
			return err
		}
	}
}
