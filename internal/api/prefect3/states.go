package prefect3

import (
	"context"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

func (a *API) stateRoutes(r *api.Router) {
	r.Handle("GET", "/flow_run_states/", api.Handle(http.StatusOK, a.flowRunStates))
	r.Handle("GET", "/flow_run_states/{id:uuid}", api.Handle(http.StatusOK, a.flowRunState))
	r.Handle("GET", "/task_run_states/", api.Handle(http.StatusOK, a.taskRunStates))
	r.Handle("GET", "/task_run_states/{id:uuid}", api.Handle(http.StatusOK, a.taskRunState))
}

type flowRunStatesIn struct {
	RunID core.ID `query:"flow_run_id" wire:"required"`
}

func (a *API) flowRunStates(ctx context.Context, in flowRunStatesIn) ([]*client.State, error) {
	return a.states(ctx, func(tx core.Tx) ([]*core.State, error) { return tx.FlowRunStates(in.RunID) })
}

type taskRunStatesIn struct {
	RunID core.ID `query:"task_run_id" wire:"required"`
}

func (a *API) taskRunStates(ctx context.Context, in taskRunStatesIn) ([]*client.State, error) {
	return a.states(ctx, func(tx core.Tx) ([]*core.State, error) { return tx.TaskRunStates(in.RunID) })
}

func (a *API) states(ctx context.Context, list func(core.Tx) ([]*core.State, error)) ([]*client.State, error) {
	states, err := read(ctx, a, list)
	return mapped(states, client.StateOf), err
}

func (a *API) flowRunState(ctx context.Context, in byID) (*client.State, error) {
	return a.state(ctx, func(tx core.Tx) (*core.State, error) { return tx.FlowRunState(in.ID) })
}

func (a *API) taskRunState(ctx context.Context, in byID) (*client.State, error) {
	return a.state(ctx, func(tx core.Tx) (*core.State, error) { return tx.TaskRunState(in.ID) })
}

func (a *API) state(ctx context.Context, one func(core.Tx) (*core.State, error)) (*client.State, error) {
	s, err := read(ctx, a, one)
	return client.StateOf(s), err
}
