package prefect3

import (
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

func (a *API) stateRoutes(r *api.Router) {
	r.Handle("GET", "/flow_run_states/", api.Handle(http.StatusOK, get[byFlowRun](a, each(core.Tx.FlowRunStates, client.StateOf))))
	r.Handle("GET", "/flow_run_states/{id:uuid}", api.Handle(http.StatusOK, get[byID](a, one(core.Tx.FlowRunState, client.StateOf))))
	r.Handle("GET", "/task_run_states/", api.Handle(http.StatusOK, get[byTaskRun](a, each(core.Tx.TaskRunStates, client.StateOf))))
	r.Handle("GET", "/task_run_states/{id:uuid}", api.Handle(http.StatusOK, get[byID](a, one(core.Tx.TaskRunState, client.StateOf))))
}

type byFlowRun struct {
	RunID core.ID `query:"flow_run_id" wire:"required"`
}

func (in byFlowRun) key() core.ID { return in.RunID }

type byTaskRun struct {
	RunID core.ID `query:"task_run_id" wire:"required"`
}

func (in byTaskRun) key() core.ID { return in.RunID }
