package prefect3

import (
	"context"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

func (a *API) taskRunRoutes(r *api.Router) {
	r.Handle("POST", "/task_runs/", api.Handle(http.StatusCreated, a.createTaskRun))
	r.Handle("POST", "/task_runs/filter", api.Handle(http.StatusOK, a.filterTaskRuns))
	r.Handle("POST", "/task_runs/count", api.Handle(http.StatusOK, a.countTaskRuns))
	r.Handle("GET", "/task_runs/{id:uuid}", api.Handle(http.StatusOK, a.readTaskRun))
	r.Handle("PATCH", "/task_runs/{id:uuid}", api.Handle(http.StatusNoContent, a.updateTaskRun))
	r.Handle("DELETE", "/task_runs/{id:uuid}", api.Handle(http.StatusNoContent, a.deleteTaskRun))
	r.Handle("POST", "/task_runs/{id:uuid}/set_state", api.Handle(http.StatusCreated, a.setTaskRunState))
}

type createTaskRunIn struct {
	Body client.TaskRunCreate `body:""`
}

func (a *API) createTaskRun(ctx context.Context, in createTaskRunIn) (api.Response, error) {
	b := in.Body
	run := engine.NewTaskRun{Run: core.TaskRun{
		FlowRunID: b.FlowRunID, TaskKey: b.TaskKey, DynamicKey: b.DynamicKey, CacheKey: b.CacheKey, CacheExpiration: b.CacheExpiration.Ptr(),
		TaskVersion: b.TaskVersion, Policy: b.Policy.Core(), Tags: b.Tags, Labels: optRaw(b.Labels), TaskInputs: b.TaskInputs,
	}}
	if b.ID != nil {
		run.Run.ID = *b.ID
	}
	if b.Name != nil {
		run.Run.Name = *b.Name
	}
	if b.State != nil {
		s := b.State.Core()
		run.State = &s
	}
	out, created, err := a.Engine.CreateTaskRun(ctx, a.workspace(ctx), run)
	if err != nil {
		return api.Response{}, err
	}
	return made(created, a.taskRunOf(out)), nil
}

func (a *API) taskRunOf(r *core.TaskRun) client.TaskRun { return client.TaskRunOf(r, a.Now()) }

// taskRunSort is an order of task runs.
type taskRunSort string

// Enum lists the values.
func (taskRunSort) Enum() []string {
	return []string{
		"ID_DESC", "EXPECTED_START_TIME_ASC", "EXPECTED_START_TIME_DESC", "NAME_ASC", "NAME_DESC", "NEXT_SCHEDULED_START_TIME_ASC",
		"END_TIME_DESC",
	}
}

type filterTaskRunsIn struct {
	Body struct {
		_    struct{}    `wire:"embed"`
		Sort taskRunSort `json:"sort" wire:"default=ID_DESC"`
		page
		filters
	} `body:""`
}

func (a *API) filterTaskRuns(ctx context.Context, in filterTaskRunsIn) ([]client.TaskRun, error) {
	q, err := query(in.Body.filters, string(in.Body.Sort), in.Body.page)
	if err != nil {
		return nil, err
	}
	runs, err := read(ctx, a, func(tx core.Tx) ([]*core.TaskRun, error) { return tx.FilterTaskRuns(q) })
	return mapped(runs, a.taskRunOf), err
}

func (a *API) countTaskRuns(ctx context.Context, in filtersIn) (int, error) {
	return read(ctx, a, func(tx core.Tx) (int, error) { return tx.CountTaskRuns(core.Query{Where: in.Body.where()}) })
}

func (a *API) readTaskRun(ctx context.Context, in byID) (out client.TaskRun, err error) {
	err = a.view(ctx, func(tx core.Tx) error {
		r, err := tx.TaskRun(in.ID)
		if err == nil {
			out = a.taskRunOf(r)
		}
		return err
	})
	return out, missingAs(err, "Task not found")
}

type updateTaskRunIn struct {
	ID   core.ID              `path:"id"`
	Body client.TaskRunUpdate `body:""`
}

func (a *API) updateTaskRun(ctx context.Context, in updateTaskRunIn) (struct{}, error) {
	if in.Body.Name == nil {
		_, err := a.readTaskRun(ctx, byID{in.ID})
		return struct{}{}, err
	}
	return struct{}{}, a.Engine.UpdateTaskRun(ctx, a.workspace(ctx), in.ID, *in.Body.Name)
}

func (a *API) deleteTaskRun(ctx context.Context, in byID) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteTaskRun(ctx, a.workspace(ctx), in.ID)
}

func (a *API) setTaskRunState(ctx context.Context, in setStateIn) (out client.Orchestration, err error) {
	got, err := a.Engine.SetTaskRunState(ctx, a.workspace(ctx), in.ID, engine.Proposal{
		State: in.Body.State.Core(), Force: in.Body.Force, Client: clientOf(in.Request),
	})
	if err != nil {
		return out, missingException(err, "Task run with id "+in.ID.String()+" not found")
	}
	return orchestration(got.Decision, got.Run.State), nil
}
