package prefect3

import (
	"context"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

func (a *API) runBulkRoutes(r *api.Router) {
	r.Handle("POST", "/flow_runs/bulk_delete", api.Handle(http.StatusOK, a.deleteFlowRuns))
	r.Handle("POST", "/flow_runs/bulk_set_state", api.Handle(http.StatusOK, a.setFlowRunStates))
	r.Handle("POST", "/flows/bulk_delete", api.Handle(http.StatusOK, a.deleteFlows))
}

// deleteFlowRunsBody is the body of POST /flow_runs/bulk_delete.
type deleteFlowRunsBody struct {
	_        struct{}           `wire:"embed"`
	FlowRuns *filter[ofFlowRun] `json:"flow_runs"`
	Limit    int                `json:"limit" wire:"default=50,ge=1,le=50"`
}

func (a *API) deleteFlowRuns(ctx context.Context, in bodyIn[deleteFlowRunsBody]) (client.Deleted, error) {
	q := core.Query{Where: where(in.Body.FlowRuns), Sort: "ID_DESC", Limit: in.Body.Limit}
	ids, err := a.Engine.DeleteFlowRuns(ctx, a.workspace(ctx), q)
	return client.Deleted{Deleted: client.NotNil(ids)}, err
}

// deleteFlowsBody is the body of POST /flows/bulk_delete.
type deleteFlowsBody struct {
	_     struct{}        `wire:"embed"`
	Flows *filter[ofFlow] `json:"flows"`
	Limit int             `json:"limit" wire:"default=50,ge=1,le=50"`
}

func (a *API) deleteFlows(ctx context.Context, in bodyIn[deleteFlowsBody]) (client.Deleted, error) {
	ids, err := a.Engine.DeleteFlows(ctx, a.workspace(ctx), core.Query{Where: where(in.Body.Flows), Limit: in.Body.Limit})
	return client.Deleted{Deleted: client.NotNil(ids)}, err
}

type setFlowRunStatesIn struct {
	Body struct {
		_        struct{}           `wire:"embed"`
		FlowRuns *filter[ofFlowRun] `json:"flow_runs"`
		State    client.StateCreate `json:"state" wire:"required"`
		Force    bool               `json:"force"`
		Limit    int                `json:"limit" wire:"default=50,ge=1,le=50"`
	} `body:""`
	Request *http.Request
}

// setFlowRunStates proposes a state to many runs; what goes wrong with one is
// told as an abort. Prefect REST: POST /flow_runs/bulk_set_state.
func (a *API) setFlowRunStates(ctx context.Context, in setFlowRunStatesIn) (out client.OrchestrationResults, err error) {
	b := &in.Body
	q := core.Query{Where: where(b.FlowRuns), Sort: "ID_DESC", Limit: b.Limit}
	done, err := a.Engine.SetFlowRunStates(ctx, a.workspace(ctx), q, engine.Proposal{
		State: b.State.Core(), Force: b.Force, Client: clientOf(in.Request), Worker: in.Request.Header.Get("X-Prefect-Worker-Name"),
	})
	out.Results = mapped(done, func(d engine.BulkOutcome) client.OrchestrationResult {
		var o client.Orchestration
		switch {
		case core.CodeOf(d.Err) == core.NotFound:
			o = client.OrchestrationOf(nil, string(engine.Abort), "Flow run with id "+d.RunID.String()+" not found", 0, http.StatusOK)
		case d.Err != nil:
			a.Log.ErrorContext(ctx, "a state of many was not set", "flow_run_id", d.RunID, "error", d.Err)
			o = client.OrchestrationOf(nil, string(engine.Abort), "Internal Server Error", 0, http.StatusOK)
		default:
			o = orchestration(d.Decision, d.Run.State)
		}
		return client.OrchestrationResult{FlowRunID: d.RunID, Status: o.Status, State: o.State, Details: o.Details}
	})
	return out, err
}
