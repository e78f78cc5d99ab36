package engine

import (
	"context"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/value"
)

// maxRaces bounds how often a step is made anew because another replica was faster.
const maxRaces = 20

// AdvanceExecution gives inputs to an execution, and stores what comes of it in
// one transaction. An execution that has ended takes none, and none is taken
// for what it does not wait for: then it reports false.
func (e *Engine) AdvanceExecution(ctx context.Context, ws core.WorkspaceID, runID core.ID, inputs ...asl.Input) (bool, error) {
	return e.advanceExecution(ctx, ws, runID, nil, inputs...)
}

// advanceExecution is AdvanceExecution; with, unless it is nil, adds to what is written.
func (e *Engine) advanceExecution(ctx context.Context, ws core.WorkspaceID, runID core.ID, with func(*core.ExecutionChange), inputs ...asl.Input) (bool, error) {
	defer e.runs.lock(runID)()
	for range maxRaces {
		taken, done, err := e.advance(ctx, ws, runID, with, inputs)
		if done || err != nil {
			return taken, err
		}
	}
	return false, core.Errorf(core.Unavailable, "execution %s is changed by others all the time", runID)
}

// advance makes one step; done is false when somebody else made one meanwhile.
func (e *Engine) advance(ctx context.Context, ws core.WorkspaceID, runID core.ID, with func(*core.ExecutionChange), inputs []asl.Input) (taken, done bool, err error) {
	p := e.runs.take(runID)
	if p == nil {
		err := e.store.View(ctx, ws, func(tx core.Tx) error {
			row, err := tx.Execution(runID)
			if err == nil {
				p, err = e.load(tx, row)
			}
			return err
		})
		if err != nil {
			return false, false, err
		}
	}
	now := e.now()
	res := p.x.Step(now, inputs...)
	if len(res.Events) == 0 && len(inputs) > 0 && !res.More && len(res.Actions) == 0 && len(res.Cancelled) == 0 && !p.x.Changed() {
		e.runs.keep(p)
		return false, true, nil // nobody waited for it
	}
	s := e.newStep(p, res, now)
	if len(inputs) == 0 {
		s.change.Delete = append(s.change.Delete, keyGo)
	}
	if with != nil {
		with(s.change)
	}
	written := false
	err = e.store.Update(ctx, ws, func(tx core.Tx) (err error) {
		if written, err = tx.ChangeExecution(s.change); err != nil || !written {
			return err
		}
		if err := e.settle(tx, p, s, now); err != nil || !s.result.Ended || p.row.MapRunID == nil {
			return err
		}
		return countInMapRun(tx, p.row, s.result.Status, now)
	})
	if err != nil || !written {
		return false, false, err
	}
	s.change.Execution.Version++ // as ChangeExecution has
	e.stored(ws, p, s)
	return true, true, nil
}

// step is what is written of one step of an execution.
type step struct {
	change  *core.ExecutionChange
	result  *asl.Result
	actions []*core.ExecutionAction // in hand of this process
}

// newStep prepares what is to be written.
func (e *Engine) newStep(p *standing, res *asl.Result, now time.Time) *step {
	row := *p.row
	s := &step{result: res}
	s.change = &core.ExecutionChange{Execution: &row, Delete: res.Finished, Stop: res.Cancelled, Due: now}
	row.Events = p.x.Events()
	row.Status = string(res.Status)
	if n := p.x.Redrives(); n > row.Redrives {
		row.Redrives, row.Redriven = n, &now
	}
	if n := len(res.Events); n > 0 {
		s.change.First, s.change.Last = res.Events[0].ID, res.Events[n-1].ID
		if !row.Express {
			s.change.Events = eventsText(res.Events)
		}
	}
	if res.Ended {
		row.Stopped = &now
		switch res.Status {
		case asl.Succeeded:
			out := value.String(res.Output)
			row.Output = &out
		default:
			row.Error, row.Cause = textOrNil(res.Failure.Error), textOrNil(res.Failure.Cause)
		}
	} else {
		row.Stopped, row.Output, row.Error, row.Cause = nil, nil, nil, nil
	}
	s.change.Clean = res.Ended && res.Status == asl.Succeeded
	changes := p.x.Changes()
	if !s.change.Clean {
		s.change.Pieces = changes
	} else {
		s.change.Delete = nil // all go
	}
	for _, a := range res.Actions {
		// What the same step began and gave up again is nobody's.
		if !res.Ended && !slices.Contains(res.Cancelled, a.Key) {
			s.insert(e.newAction(&row, a, now))
		}
	}
	if res.More {
		s.insert(e.inHand(&core.ExecutionAction{RunID: row.RunID, Kind: core.ActionGo, Created: now}, now))
	}
	return s
}

func (s *step) insert(a *core.ExecutionAction) {
	s.change.Insert = append(s.change.Insert, a)
	if a.Owner != "" {
		s.actions = append(s.actions, a)
	}
}

// newAction is an action as it is stored.
func (e *Engine) newAction(row *core.Execution, a *asl.Action, now time.Time) *core.ExecutionAction {
	out := &core.ExecutionAction{RunID: row.RunID, Key: a.Key, Created: now, Spec: encodeSpec(a)}
	if a.Timeout > 0 {
		at := now.Add(time.Duration(a.Timeout) * time.Second)
		out.Deadline = &at
	}
	if a.Heartbeat > 0 {
		at := now.Add(time.Duration(a.Heartbeat) * time.Second)
		out.Beat = &at
	}
	switch a.Kind {
	case asl.ActionTimer:
		out.Kind, out.Due = core.ActionTimer, &a.At
	case asl.ActionActivity:
		out.Kind, out.Resource = core.ActionActivity, a.Resource
		out.Due, out.Beat = out.Deadline, nil // beats count from when a worker took it
	case asl.ActionMapRun:
		out.Kind = core.ActionMapRun
		e.inHand(out, now)
	case asl.ActionTask:
		out.Kind = core.ActionTask
		e.inHand(out, now)
	}
	return out
}

// inHand makes an action this process's own, or due for whoever performs.
func (e *Engine) inHand(a *core.ExecutionAction, now time.Time) *core.ExecutionAction {
	due := now
	if e.runs.performer != nil {
		a.Owner, due = e.runs.owner, now.Add(e.runs.hold)
	}
	a.Due = &due
	return a
}

// settle writes what a step means for the run: its state, its task runs, its
// logs, and whoever waits for its end.
func (e *Engine) settle(tx core.Tx, p *standing, s *step, now time.Time) error {
	if err := tx.RecordTaskRuns(visitRuns(p.row, s.result, now)); err != nil {
		return err
	}
	resumed := p.row.Status != string(asl.Running) && s.result.Status == asl.Running
	if p.row.Status == core.PendingRedrive {
		if err := countRedriven(tx, p.row); err != nil {
			return err
		}
	}
	if !s.result.Ended && !resumed {
		return nil
	}
	run, err := tx.FlowRun(p.row.RunID)
	if err != nil {
		return err
	}
	if resumed {
		_, err = e.propose(tx, now, run, Proposal{State: core.State{Type: core.Running, Name: core.NameRetrying}, Force: true, ofExecution: true})
		return err
	}
	return e.finishRun(tx, p, s, run, now)
}

// finishRun gives the run the state in which its execution ended.
func (e *Engine) finishRun(tx core.Tx, p *standing, s *step, run *core.FlowRun, now time.Time) error {
	if _, err := e.propose(tx, now, run, Proposal{State: endState(s.result), Force: true, ofExecution: true}); err != nil {
		return err
	}
	if err := tx.InsertLogs(endLogs(p.row, s.result, now)); err != nil {
		return err
	}
	tx.Wake(core.TopicExecutions)
	return nil
}

// ignoring drops the error of something that is gone.
func ignoring(err error) error {
	if missing(err) {
		return nil
	}
	return err
}

// stored is called after a step was committed: the position stays warm, and
// what the step asked for is taken in hand.
func (e *Engine) stored(ws core.WorkspaceID, p *standing, s *step) {
	row := s.change.Execution
	p.row = row
	if row.Status == string(asl.Running) {
		e.runs.keep(p)
	}
	perf := e.runs.performer
	if perf == nil {
		return
	}
	if logs := p.logging.Level != "" && p.logging.Level != "OFF"; len(s.result.Events) > 0 && (logs || changesStatus(s.result.Events)) {
		perf.Happened(ws, row, p.logging, s.result.Events)
	}
	if len(s.actions) > 0 {
		perf.Perform(ws, s.actions)
	}
}

// changesStatus reports whether an execution began or ended with events: that
// is the first or the last of them.
func changesStatus(events []*asl.Event) bool {
	switch events[0].Type {
	case asl.EventExecutionStarted, asl.EventExecutionRedriven:
		return true
	}
	switch events[len(events)-1].Type {
	case asl.EventExecutionSucceeded, asl.EventExecutionFailed, asl.EventExecutionTimedOut, asl.EventExecutionAborted:
		return true
	}
	return false
}

func eventsText(events []*asl.Event) string {
	b := make([]byte, 0, 256*len(events))
	b = append(b, '[')
	for i, ev := range events {
		if i > 0 {
			b = append(b, ',')
		}
		b = ev.Append(b)
	}
	return string(append(b, ']'))
}

func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
