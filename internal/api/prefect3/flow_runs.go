package prefect3

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

func (a *API) flowRunRoutes(r *api.Router) {
	r.Handle("POST", "/flow_runs/", api.Handle(http.StatusCreated, a.createFlowRun))
	r.Handle("POST", "/flow_runs/filter", api.Handle(http.StatusOK, a.filterFlowRuns))
	r.Handle("POST", "/flow_runs/count", api.Handle(http.StatusOK, a.countFlowRuns))
	r.Handle("POST", "/flow_runs/paginate", api.Handle(http.StatusOK, a.paginateFlowRuns))
	r.Handle("GET", "/flow_runs/{id:uuid}", api.Handle(http.StatusOK, a.readFlowRun))
	r.Handle("PATCH", "/flow_runs/{id:uuid}", api.Handle(http.StatusNoContent, a.updateFlowRun))
	r.Handle("DELETE", "/flow_runs/{id:uuid}", api.Handle(http.StatusNoContent, a.deleteFlowRun))
	r.Handle("PATCH", "/flow_runs/{id:uuid}/labels", api.Handle(http.StatusNoContent, a.labelFlowRun))
	r.Handle("POST", "/flow_runs/{id:uuid}/set_state", api.Handle(http.StatusCreated, a.setFlowRunState))
	r.Handle("POST", "/flow_runs/{id:uuid}/resume", api.Handle(http.StatusCreated, a.resumeFlowRun))
}

type createFlowRunIn struct {
	Body client.FlowRunCreate `body:""`
}

func (a *API) createFlowRun(ctx context.Context, in createFlowRunIn) (api.Response, error) {
	b := in.Body
	run := engine.NewFlowRun{
		FlowID: b.FlowID, FlowVersion: b.FlowVersion, Parameters: b.Parameters, Context: b.Context, Policy: b.Policy.Core(),
		Tags: b.Tags, Labels: optRaw(b.Labels), IdempotencyKey: b.IdempotencyKey, ParentTaskRunID: b.ParentTaskRunID,
		InfrastructureDocumentID: b.InfrastructureDocumentID,
	}
	if b.Name != nil {
		run.Name = *b.Name
	}
	if !isNull(b.JobVariables) {
		run.JobVariables = b.JobVariables
	}
	if b.State != nil {
		s := b.State.Core()
		run.State = &s
	}
	out, created, err := a.Engine.CreateFlowRunIn(ctx, a.workspace(ctx), run, engine.Place{
		Deployment: b.DeploymentID, WorkPool: b.WorkPoolName, WorkQueue: b.WorkQueueName,
	})
	if err != nil {
		return api.Response{}, err
	}
	return made(created, client.FlowRunOf(out, a.Now())), nil
}

// flowRunSort is an order of flow runs.
type flowRunSort string

// Enum lists the values.
func (flowRunSort) Enum() []string {
	return []string{
		"ID_DESC", "START_TIME_ASC", "START_TIME_DESC", "EXPECTED_START_TIME_ASC", "EXPECTED_START_TIME_DESC", "NAME_ASC", "NAME_DESC",
		"NEXT_SCHEDULED_START_TIME_ASC", "END_TIME_DESC",
	}
}

type filterFlowRunsIn struct {
	Body struct {
		_    struct{}    `wire:"embed"`
		Sort flowRunSort `json:"sort" wire:"default=ID_DESC"`
		page
		filters
	} `body:""`
}

func (a *API) filterFlowRuns(ctx context.Context, in filterFlowRunsIn) ([]client.FlowRun, error) {
	q, err := query(in.Body.filters, string(in.Body.Sort), in.Body.page)
	if err != nil {
		return nil, err
	}
	return a.listFlowRuns(ctx, q)
}

func (a *API) listFlowRuns(ctx context.Context, q core.Query) ([]client.FlowRun, error) {
	runs, err := read(ctx, a, func(tx core.Tx) ([]*core.FlowRun, error) { return tx.FilterFlowRuns(q) })
	return mapped(runs, a.flowRunOf), err
}

func (a *API) flowRunOf(r *core.FlowRun) client.FlowRun { return client.FlowRunOf(r, a.Now()) }

func (a *API) countFlowRuns(ctx context.Context, in filtersIn) (int, error) {
	return a.numberOfFlowRuns(ctx, core.Query{Where: in.Body.where()})
}

func (a *API) numberOfFlowRuns(ctx context.Context, q core.Query) (int, error) {
	return read(ctx, a, func(tx core.Tx) (int, error) { return tx.CountFlowRuns(q) })
}

type paginateFlowRunsIn struct {
	Body struct {
		_    struct{}    `wire:"embed"`
		Sort flowRunSort `json:"sort" wire:"default=ID_DESC"`
		numbered
		filters
	} `body:""`
}

func (a *API) paginateFlowRuns(ctx context.Context, in paginateFlowRunsIn) (out pages[client.FlowRun], err error) {
	p, size, err := in.Body.offset()
	if err != nil {
		return out, err
	}
	q, err := query(in.Body.filters, string(in.Body.Sort), p)
	if err != nil {
		return out, err
	}
	list, err := a.listFlowRuns(ctx, q)
	if err != nil {
		return out, err
	}
	n, err := a.numberOfFlowRuns(ctx, q)
	return pagesOf(list, n, size, in.Body.Page), err
}

func (a *API) readFlowRun(ctx context.Context, in byID) (out client.FlowRun, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		r, err := tx.FlowRun(in.ID)
		if err == nil {
			out = a.flowRunOf(r)
		}
		return err
	})
	return out, err
}

type updateFlowRunIn struct {
	ID   core.ID              `path:"id"`
	Body client.FlowRunUpdate `body:""`
}

func (a *API) updateFlowRun(ctx context.Context, in updateFlowRunIn) (struct{}, error) {
	b := in.Body
	return struct{}{}, a.Engine.UpdateFlowRun(ctx, a.workspace(ctx), in.ID, func(r *core.FlowRun) {
		if b.Name != nil {
			r.Name = *b.Name
		}
		setPtr(&r.FlowVersion, b.FlowVersion)
		setPtr(&r.InfrastructurePID, b.InfrastructurePID)
		if b.Parameters != nil {
			r.Parameters = b.Parameters
		}
		if p, ok := b.Policy.Get(); ok {
			r.Policy = p.Core()
		}
		if tags, ok := b.Tags.Get(); ok {
			r.Tags = tags
		}
		if v, ok := b.JobVariables.Get(); ok {
			r.JobVariables = v
		}
	})
}

// setPtr sets a field that a body names, to nil for null.
func setPtr[T any](field **T, o wire.Opt[T]) {
	if o.Set {
		*field = o.Ptr()
	}
}

func (a *API) deleteFlowRun(ctx context.Context, in byID) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteFlowRun(ctx, a.workspace(ctx), in.ID)
}

type labelFlowRunIn struct {
	ID   core.ID         `path:"id"`
	Body json.RawMessage `body:"" wire:"object"`
}

func (a *API) labelFlowRun(ctx context.Context, in labelFlowRunIn) (struct{}, error) {
	err := a.Engine.MergeFlowRunLabels(ctx, a.workspace(ctx), in.ID, in.Body)
	return struct{}{}, missingException(err, "Flow run with id "+in.ID.String()+" not found")
}

type setStateIn struct {
	ID      core.ID         `path:"id"`
	Body    client.SetState `body:""`
	Request *http.Request
}

func (a *API) setFlowRunState(ctx context.Context, in setStateIn) (out client.Orchestration, err error) {
	got, err := a.Engine.SetFlowRunState(ctx, a.workspace(ctx), in.ID, engine.Proposal{
		State: in.Body.State.Core(), Force: in.Body.Force, Client: clientOf(in.Request),
		Worker: in.Request.Header.Get("X-Prefect-Worker-Name"),
	})
	if err != nil {
		return out, missingException(err, "Flow run with id "+in.ID.String()+" not found")
	}
	return orchestration(got.Decision, got.Run.State), nil
}

// orchestration shows what became of a proposal: 201 when a state was written.
func orchestration(d engine.Decision, s *core.State) client.Orchestration {
	code := http.StatusOK
	if d.State != nil {
		code = http.StatusCreated
	}
	return client.OrchestrationOf(s, string(d.Status), d.Reason, d.Delay, code)
}

type resumeIn struct {
	ID   core.ID `path:"id"`
	Body struct {
		_     struct{}        `wire:"embed"`
		Input json.RawMessage `json:"run_input" wire:"object"`
	} `body:""`
	Request *http.Request
}

func (a *API) resumeFlowRun(ctx context.Context, in resumeIn) (out client.Orchestration, err error) {
	got, err := a.Engine.ResumeFlowRun(ctx, a.workspace(ctx), in.ID, in.Body.Input, clientOf(in.Request))
	if err != nil {
		return out, missingAs(err, "Flow run not found")
	}
	if !got.Asked {
		return client.OrchestrationOf(nil, string(engine.Abort), got.Reason, 0, http.StatusOK), nil
	}
	return orchestration(got.Decision, got.Run.State), nil
}
