// Package storetest is the conformance suite of the store: what every database
// must do, run against each of them. It is the store's specification.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Opener opens a fresh, empty store that ends with the test.
type Opener func(t *testing.T) core.Store

// Exercise runs every suite.
func Exercise(t *testing.T, open Opener) {
	t.Helper()
	suites := []struct {
		name string
		run  func(*testing.T, Opener)
	}{
		{"transactions", transactions},
		{"flows", flows},
		{"flow runs", flowRuns},
		{"task runs", taskRuns},
		{"logs", logs},
		{"events", events},
		{"imports", imports},
		{"followers", followers},
		{"a cleared store", cleared},
		{"concurrency limits", concurrency},
		{"variables", variables},
		{"artifacts", artifacts},
		{"inputs", inputs},
		{"automations", automations},
		{"triggers", triggers},
		{"blocks", blocks},
		{"deployments", deployment},
		{"schedule policies", schedulePolicies},
		{"work pools", workPool},
		{"state machines", stateMachines},
		{"activities", activities},
		{"executions", executions},
		{"workspaces", workspaces},
		{"retention", retention},
		{"run reads", runReads},
		{"run tally", runTally},
		{"webhooks", webhooks},
	}
	for _, s := range suites {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.run(t, open)
		})
	}
}

// ws is the workspace of the suites.
const ws = core.DefaultWorkspace

// noon is the time of the suites.
func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 123456000, time.UTC) }

// update runs fn in a transaction that must succeed.
func update(t *testing.T, s core.Store, fn func(core.Tx) error) {
	t.Helper()
	if err := s.Update(context.WithoutCancel(t.Context()), ws, fn); err != nil {
		t.Fatal(err)
	}
}

// view reads, which must succeed.
func view(t *testing.T, s core.Store, fn func(core.Tx) error) {
	t.Helper()
	if err := s.View(context.WithoutCancel(t.Context()), ws, fn); err != nil {
		t.Fatal(err)
	}
}

// must reads one value.
func must[T any](t *testing.T, s core.Store, fn func(core.Tx) (T, error)) T {
	t.Helper()
	var out T
	view(t, s, func(tx core.Tx) (err error) {
		out, err = fn(tx)
		return err
	})
	return out
}

// state makes a state.
func state(kind core.StateType, at time.Time) *core.State {
	return &core.State{ID: core.NewID(at), Type: kind, Name: kind.DefaultName(), Timestamp: at}
}

// newFlow stores a flow.
func newFlow(t *testing.T, s core.Store, name string, tags ...string) *core.Flow {
	t.Helper()
	f := &core.Flow{ID: core.NewID(noon()), Created: noon(), Updated: noon(), Name: name, Tags: tags}
	update(t, s, func(tx core.Tx) error { return tx.InsertFlow(f) })
	return f
}

// newRun stores a flow run, which change may edit before.
func newRun(t *testing.T, s core.Store, f *core.Flow, change func(*core.FlowRun)) *core.FlowRun {
	t.Helper()
	at := noon()
	r := &core.FlowRun{
		ID: core.NewID(at), Created: at, Updated: at, Name: "run", FlowID: f.ID, FlowName: f.Name, FlowTags: f.Tags,
		ExpectedStartTime: &at, State: state(core.Pending, at),
	}
	if change != nil {
		change(r)
	}
	update(t, s, func(tx core.Tx) error { return tx.InsertFlowRun(r) })
	return r
}
