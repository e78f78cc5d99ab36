package engine

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

// TestDecideTaskAgreesWithTheReference replays every recorded transition of a task run.
func TestDecideTaskAgreesWithTheReference(t *testing.T) {
	t.Parallel()
	for _, row := range readRows(t, "task_run.json") {
		t.Run(row.Case, func(t *testing.T) {
			t.Parallel()
			facts := row.facts()
			facts.Force = facts.Force || row.Call == "create"
			facts.Task = row.taskFacts()
			run := row.Run.taskRun()
			d := decideTask(run, *row.Proposed.state(rowNow), facts)
			want := strings.ReplaceAll(row.Reason, "<flow_run>", core.ID{0xf0}.String())
			if diff := cmp.Diff([]any{row.Status, want}, []any{string(d.Status), d.Reason}); diff != "" {
				t.Fatalf("answer (-reference +ours):\n%s", diff)
			}
			if d.State != nil {
				setTaskState(run, d.State)
			}
			row.compareState(t, d.State)
			row.compareRun(t, run.RunCount, run.Policy, run.StartTime, run.State)
		})
	}
}

func (r *transitionRow) taskFacts() *TaskFacts {
	f := &TaskFacts{}
	if r.Facts.FlowState != "" {
		kind, name, _ := strings.Cut(r.Facts.FlowState, "/")
		s := &rowState{Type: core.StateType(kind), Name: name}
		f.FlowRun = &core.FlowRun{ID: core.ID{0xf0}, RunCount: r.Facts.FlowRunCount, State: s.state(rowNow)}
		if d := &f.FlowRun.State.Details; f.FlowRun.State.Type == core.Paused {
			end := rowNow.Add(time.Minute)
			d.PauseTimeout, d.PauseReschedule = &end, name == core.NameSuspended
		}
	}
	if c := r.Facts.Cache; c == "valid" || c == "without expiry" {
		var want rowState
		r.decodeState(&want)
		f.Cached = &core.State{Type: core.Completed, Name: "Completed", Data: want.Data}
	}
	if r.Facts.Limit != nil && *r.Facts.Limit == 0 {
		f.ZeroTag = "none-allowed"
	}
	return f
}

func (r rowRun) taskRun() *core.TaskRun {
	id := core.ID{0xf0}
	flow := r.flowRun()
	return &core.TaskRun{
		ID: flow.ID, FlowRunID: &id, State: flow.State, Policy: flow.Policy, RunCount: flow.RunCount, StartTime: flow.StartTime,
		EndTime: flow.EndTime, NextScheduledStartTime: flow.NextScheduledStartTime, ExpectedStartTime: flow.ExpectedStartTime,
		FlowRunRunCount: r.FlowRunRunCount,
	}
}
