package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
)

// The keys of actions that no state asked for.
const (
	keyGo      = 0
	keyAbort   = -1
	keyRedrive = -2
	keyTokens  = -3
)

// ExecutionDetails is an execution with what it was started as.
type ExecutionDetails struct {
	*core.Execution
	Revision *core.StateMachineRevision
	Machine  *core.StateMachine
	MapRun   *core.MapRun
	// events is the length at which a history is full; 0 is AWS' own.
	events int64
}

// DescribeExecution returns an execution, or an ExecutionDoesNotExist error.
// Step Functions: DescribeExecution, DescribeStateMachineForExecution.
func (e *Engine) DescribeExecution(ctx context.Context, ws core.WorkspaceID, arn string) (*ExecutionDetails, error) {
	d := &ExecutionDetails{events: e.runs.limits.Events}
	err := e.store.View(ctx, ws, func(tx core.Tx) (err error) {
		if d.Execution, err = tx.ExecutionByARN(arn); err != nil {
			return or(err, noExecution(arn))
		}
		if d.Revision, err = tx.StateMachineRevision(d.RevisionID); err != nil {
			return err
		}
		if d.Machine, err = tx.StateMachine(d.MachineID); ignoring(err) != nil {
			return err
		}
		if d.MapRunID != nil {
			d.MapRun, err = tx.MapRun(*d.MapRunID)
		}
		return ignoring(err)
	})
	return d, err
}

// StopExecution aborts a standard execution and returns when it stopped. One
// that has ended stays as it is. Step Functions: StopExecution.
func (e *Engine) StopExecution(ctx context.Context, ws core.WorkspaceID, arn string, why asl.Failure) (time.Time, error) {
	d, err := e.DescribeExecution(ctx, ws, arn)
	if err != nil {
		return time.Time{}, err
	}
	if d.Stopped != nil {
		return *d.Stopped, nil
	}
	now := e.now()
	_, err = e.AdvanceExecution(ctx, ws, d.RunID, asl.Input{Kind: asl.InputAbort, Failure: why})
	return now, err
}

// PerformControl does an action that no state asked for: it ends an execution
// whose run was cancelled, or goes on with one whose run is tried again.
func (e *Engine) PerformControl(ctx context.Context, ws core.WorkspaceID, a *core.ExecutionAction) error {
	in := asl.Input{Kind: asl.InputAbort, Failure: asl.Failure{Error: "Cancelled", Cause: "the flow run was cancelled"}}
	if a.Key == keyRedrive {
		in = asl.Input{Kind: asl.InputRedrive}
	}
	if _, err := e.AdvanceExecution(ctx, ws, a.RunID, in); err != nil && !missing(err) {
		return err
	}
	return e.DropAction(ctx, ws, a)
}

// steer makes of what somebody wants of an execution's run what the execution can
// do: it ends before its run is Cancelled, and is tried again only where it can
// be. Any other state is refused. It reports whether the run is an execution at all, as clients may give any
// run the infrastructure of one.
func steer(tx core.Tx, now time.Time, run *core.FlowRun, state *core.State) (bool, error) {
	row, err := tx.Execution(run.ID)
	if err != nil {
		return false, ignoring(err)
	}
	switch {
	case state.Type == core.Cancelled || state.Type == core.Cancelling:
		*state = core.State{ID: state.ID, Type: core.Cancelling, Name: core.Cancelling.DefaultName(), Timestamp: state.Timestamp, Message: state.Message}
	case state.Type == core.Scheduled && run.State != nil && run.State.Type.Terminal():
		d := ExecutionDetails{Execution: row}
		if d.Machine, err = tx.StateMachine(row.MachineID); ignoring(err) != nil {
			return true, err
		}
		return true, d.checkRedrive(now)
	case state.Type == core.Scheduled && run.State.Is(core.Scheduled):
		// It waits to be redriven, and may be marked late.
	default:
		return true, core.Errorf(core.Conflict, "Flow run %s is an execution of a state machine, which alone decides its state; it can be cancelled, and retried", run.ID)
	}
	return true, nil
}

// control has an execution do what its run's new state asks for.
func control(tx core.Tx, now time.Time, run *core.FlowRun, from *core.State) error {
	key := int64(0)
	switch {
	case run.State.Type == core.Cancelled || run.State.Type == core.Cancelling:
		key = keyAbort
	case run.State.Type == core.Scheduled && from != nil && from.Type.Terminal():
		key = keyRedrive
	default:
		return nil
	}
	return tx.WriteExecutionStep(&core.ExecutionChange{
		Execution: &core.Execution{RunID: run.ID}, Delete: []int64{keyAbort, keyRedrive},
		Insert: []*core.ExecutionAction{{RunID: run.ID, Key: key, Kind: core.ActionControl, Due: &now, Created: now}},
	})
}

// ExecutionEvents returns the events with the numbers, each as JSON; those that
// are not there are left out. Step Functions: GetExecutionHistory.
func (e *Engine) ExecutionEvents(ctx context.Context, ws core.WorkspaceID, runID core.ID, first, last int64) ([]json.RawMessage, error) {
	var out []json.RawMessage
	err := e.store.View(ctx, ws, func(tx core.Tx) error {
		chunks, err := tx.ExecutionHistory(runID, first, last)
		out = make([]json.RawMessage, 0, min(last-first+1, 1000))
		for _, c := range chunks {
			id := c.First
			for ev := range splitArray(c.Events) {
				if id >= first && id <= last {
					out = append(out, json.RawMessage(ev))
				}
				id++
			}
		}
		return err
	})
	return out, err
}

// splitArray yields the objects of a JSON array without reading them.
func splitArray(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		depth, start, quoted := 0, 0, false
		for i := 1; i < len(text); i++ {
			switch c := text[i]; {
			case quoted:
				switch c {
				case '\\':
					i++
				case '"':
					quoted = false
				}
			case c == '"':
				quoted = true
			case c == '{':
				if depth == 0 {
					start = i
				}
				depth++
			case c == '}':
				if depth--; depth == 0 && !yield(text[start:i+1]) {
					return
				}
			}
		}
	}
}
