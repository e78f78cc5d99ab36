package prefect3

import (
	"bytes"
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
	runs := each(core.Tx.FilterFlowRuns, a.flowRunOf)
	r.Handle("POST", "/flow_runs/", api.Handle(http.StatusCreated, a.createFlowRun))
	r.Handle("POST", "/flow_runs/filter", api.Handle(http.StatusOK, list[flowRunList](a, runs)))
	r.Handle("POST", "/flow_runs/count", api.Handle(http.StatusOK, count[filters](a, core.Tx.CountFlowRuns)))
	r.Handle("POST", "/flow_runs/paginate", api.Handle(http.StatusOK, paginate[flowRunPages](a, runs, core.Tx.CountFlowRuns)))
	r.Handle("GET", "/flow_runs/{id:uuid}", api.Handle(http.StatusOK, get[byID](a, one(core.Tx.FlowRun, a.flowRunOf))))
	r.Handle("PATCH", "/flow_runs/{id:uuid}", api.Handle(http.StatusNoContent, a.updateFlowRun))
	r.Handle("DELETE", "/flow_runs/{id:uuid}", api.Handle(http.StatusNoContent, do[byID](a, a.Engine.DeleteFlowRun)))
	r.Handle("PATCH", "/flow_runs/{id:uuid}/labels", api.Handle(http.StatusNoContent, a.labelFlowRun))
	r.Handle("POST", "/flow_runs/{id:uuid}/set_state", api.Handle(http.StatusCreated, a.setFlowRunState))
	r.Handle("POST", "/flow_runs/{id:uuid}/resume", api.Handle(http.StatusCreated, a.resumeFlowRun))
}

func (a *API) createFlowRun(ctx context.Context, in bodyIn[client.FlowRunCreate]) (api.Reply[client.FlowRun], error) {
	b := in.Body
	run := engine.NewFlowRun{
		Name: string(b.Name), FlowID: b.FlowID, FlowVersion: b.FlowVersion, Parameters: b.Parameters, Context: b.Context, Policy: b.Policy.Core(),
		Tags: b.Tags, Labels: optRaw(b.Labels), IdempotencyKey: b.IdempotencyKey, ParentTaskRunID: b.ParentTaskRunID,
		InfrastructureDocumentID: b.InfrastructureDocumentID,
	}
	if !isNull(b.JobVariables) {
		run.JobVariables = b.JobVariables
	}
	if b.State != nil {
		s := b.State.Core()
		run.State = &s
	}
	out, created, err := a.Engine.CreateFlowRunIn(ctx, a.workspace(ctx), run, engine.Place{
		Deployment: b.DeploymentID, WorkPool: notEmpty(b.WorkPoolName), WorkQueue: b.WorkQueueName,
	})
	return made(out, created, err, a.flowRunOf)
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

// flowRunOrder is the part of a body that orders flow runs.
type flowRunOrder struct {
	Sort flowRunSort `json:"sort" wire:"default=ID_DESC"`
}

func (o flowRunOrder) order() string { return string(o.Sort) }

type (
	flowRunList struct {
		flowRunOrder
		page
		filters
	}
	flowRunPages struct {
		flowRunOrder
		numbered
		filters
	}
)

func (a *API) flowRunOf(r *core.FlowRun) client.FlowRun { return client.FlowRunOf(r, a.Now()) }

func (a *API) updateFlowRun(ctx context.Context, in idIn[client.FlowRunUpdate]) (struct{}, error) {
	b := in.Body
	change := func(r *core.FlowRun) {
		if name, ok := b.Name.Get(); ok {
			r.Name = string(name)
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
	}
	if v, ok := b.JobVariables.Get(); ok {
		return struct{}{}, a.Engine.UpdateFlowRunVariables(ctx, a.workspace(ctx), in.ID, v, change)
	}
	return struct{}{}, a.Engine.UpdateFlowRun(ctx, a.workspace(ctx), in.ID, change)
}

// notEmpty is nil for "", which names nothing.
func notEmpty(s *string) *string {
	if s != nil && *s == "" {
		return nil
	}
	return s
}

// setPtr sets a field that a body names, to nil for null.
func setPtr[T any](field **T, o wire.Opt[T]) {
	if o.Set {
		*field = o.Ptr()
	}
}

func (a *API) labelFlowRun(ctx context.Context, in idIn[json.RawMessage]) (struct{}, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(in.Body), []byte{'{'}) {
		return struct{}{}, &api.InvalidRequest{Body: in.Body, Errors: []wire.FieldError{{
			Type: "dict_type", Loc: []any{"body"}, Msg: "Input should be a valid dictionary", Input: in.Body,
		}}}
	}
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
