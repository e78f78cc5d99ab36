package prefect3

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

func (a *API) taskRunRoutes(r *api.Router) {
	r.Handle("POST", "/task_runs/", api.Handle(http.StatusCreated, a.createTaskRun))
	r.Handle("POST", "/task_runs/filter", api.Handle(http.StatusOK, list[taskRunList](a, each(core.Tx.FilterTaskRuns, a.taskRunOf))))
	r.Handle("POST", "/task_runs/count", api.Handle(http.StatusOK, count[runFilters](a, core.Tx.CountTaskRuns)))
	r.Handle("GET", "/task_runs/{id:uuid}", api.Handle(http.StatusOK, get[byID](a, one(taskRun, a.taskRunOf))))
	r.Handle("PATCH", "/task_runs/{id:uuid}", api.Handle(http.StatusNoContent, a.updateTaskRun))
	r.Handle("DELETE", "/task_runs/{id:uuid}", api.Handle(http.StatusNoContent, do[byID](a, a.Engine.DeleteTaskRun)))
	r.Handle("POST", "/task_runs/{id:uuid}/set_state", api.Handle(http.StatusCreated, a.setTaskRunState))
}

func (a *API) createTaskRun(ctx context.Context, in bodyIn[client.TaskRunCreate]) (api.Reply[client.TaskRun], error) {
	b := in.Body
	run := engine.NewTaskRun{Run: core.TaskRun{
		Name: string(b.Name), FlowRunID: b.FlowRunID, TaskKey: b.TaskKey, DynamicKey: b.DynamicKey, CacheKey: (*string)(b.CacheKey), CacheExpiration: b.CacheExpiration.Ptr(),
		TaskVersion: b.TaskVersion, Policy: b.Policy.Core(), Tags: b.Tags, Labels: optRaw(b.Labels), TaskInputs: json.RawMessage(b.TaskInputs),
	}}
	if b.ID != nil {
		run.Run.ID = *b.ID
	}
	if b.State != nil {
		s := b.State.Core()
		run.State = &s
	}
	out, created, err := a.Engine.CreateTaskRun(ctx, a.workspace(ctx), run)
	return made(out, created, err, a.taskRunOf)
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

// taskRunList is the body of a list of task runs.
type taskRunList struct {
	Sort taskRunSort `json:"sort" wire:"default=ID_DESC"`
	page
	runFilters
}

func (b taskRunList) order() string { return string(b.Sort) }

func taskRun(tx core.Tx, id core.ID) (*core.TaskRun, error) {
	r, err := tx.TaskRun(id)
	return r, missingAs(err, "Task not found")
}

func (a *API) updateTaskRun(ctx context.Context, in idIn[client.TaskRunUpdate]) (struct{}, error) {
	name, given := in.Body.Name.Get()
	if !given {
		_, err := read(ctx, a, func(tx core.Tx) (*core.TaskRun, error) { return tx.TaskRun(in.ID) })
		return struct{}{}, err
	}
	return struct{}{}, a.Engine.UpdateTaskRun(ctx, a.workspace(ctx), in.ID, string(name))
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
