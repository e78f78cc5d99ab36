package prefect3

import (
	"context"
	"net/http"
	"slices"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

// uiRoutes are asked by the reference's UI only.
func (a *API) uiRoutes(r *api.Router) {
	r.Handle("POST", "/ui/flow_runs/count-task-runs", api.Handle(http.StatusOK, a.countTasksOfRuns))
	r.Handle("POST", "/ui/flows/count-deployments", api.Handle(http.StatusOK, a.countDeploymentsOfFlows))
	r.Handle("POST", "/ui/flows/next-runs", api.Handle(http.StatusOK, a.nextFlowRuns))
	r.Handle("GET", "/ui/task_runs/{id:uuid}", api.Handle(http.StatusOK, get[byID](a, a.namedTaskRun)))
	r.Handle("POST", "/ui/schemas/validate", api.Handle(http.StatusOK, a.validateValues))
	r.Handle("POST", "/task_runs/paginate", api.Handle(http.StatusOK, paginate[taskRunPages](a, each(core.Tx.FilterTaskRuns, a.listedTaskRun), core.Tx.CountTaskRuns)))
}

// flowRunIDs and flowIDs are bodies that name what is asked about.
type (
	flowRunIDs struct {
		_   struct{}  `wire:"embed"`
		IDs []core.ID `json:"flow_run_ids" wire:"required"`
	}
	flowIDs struct {
		_   struct{}  `wire:"embed"`
		IDs []core.ID `json:"flow_ids" wire:"required"`
	}
)

// eachOnce returns ids without repetitions.
func eachOnce(ids []core.ID) []core.ID {
	seen := make(map[core.ID]bool, len(ids))
	return slices.DeleteFunc(slices.Clone(ids), func(id core.ID) bool {
		again := seen[id]
		seen[id] = true
		return again
	})
}

// counted asks for a number for each id, a few at a time; those without one have 0.
func counted(ctx context.Context, a *API, ids []core.ID, count func(core.Tx, []core.ID) (map[core.ID]int, error)) (map[core.ID]int, error) {
	out := make(map[core.ID]int, len(ids))
	for part := range slices.Chunk(eachOnce(ids), maxLimit) {
		n, err := read(ctx, a, func(tx core.Tx) (map[core.ID]int, error) { return count(tx, part) })
		if err != nil {
			return nil, err
		}
		for _, id := range part {
			out[id] = n[id]
		}
	}
	return out, nil
}

func (a *API) countTasksOfRuns(ctx context.Context, in bodyIn[flowRunIDs]) (map[core.ID]int, error) {
	return counted(ctx, a, in.Body.IDs, core.Tx.CountTasksOfRuns)
}

func (a *API) countDeploymentsOfFlows(ctx context.Context, in bodyIn[flowIDs]) (map[core.ID]int, error) {
	return counted(ctx, a, in.Body.IDs, core.Tx.CountDeploymentsOfFlows)
}

// nextFlowRuns answers with each flow's run that is due first, null where there
// is none. Prefect REST: POST /ui/flows/next-runs.
func (a *API) nextFlowRuns(ctx context.Context, in bodyIn[flowIDs]) (map[core.ID]*client.NextFlowRun, error) {
	ids := eachOnce(in.Body.IDs)
	out := make(map[core.ID]*client.NextFlowRun, len(ids))
	for part := range slices.Chunk(ids, maxLimit) {
		found, err := read(ctx, a, func(tx core.Tx) ([]core.NextFlowRun, error) { return tx.NextFlowRuns(part) })
		if err != nil {
			return nil, err
		}
		for _, id := range part {
			out[id] = nil
		}
		for _, r := range found {
			shown := client.NextFlowRunOf(r)
			out[r.FlowID] = &shown
		}
	}
	return out, nil
}

// namedTaskRun shows a task run with its flow run's name. Prefect REST: GET /ui/task_runs/{id}.
func (a *API) namedTaskRun(tx core.Tx, id core.ID) (out client.NamedTaskRun, err error) {
	r, err := taskRun(tx, id)
	if err != nil {
		return out, err
	}
	out.TaskRun = a.taskRunOf(r)
	if r.FlowRunID == nil {
		return out, nil
	}
	run, err := tx.FlowRun(*r.FlowRunID)
	switch {
	case core.CodeOf(err) == core.NotFound:
		return out, nil
	case err == nil && run.Name != "":
		out.FlowRunName = &run.Name
	}
	return out, err
}

// taskRunPages is the body of POST /task_runs/paginate.
type taskRunPages struct {
	Sort taskRunSort `json:"sort" wire:"default=ID_DESC"`
	numbered
	runFilters
}

func (b taskRunPages) order() string { return string(b.Sort) }

func (a *API) listedTaskRun(r *core.TaskRun) client.ListedTaskRun {
	return client.ListedTaskRunOf(r, a.Now())
}
