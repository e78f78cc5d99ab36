package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/integration"
)

const (
	// ActionHold is how long a replica has an action in hand without renewing it.
	ActionHold = 30 * time.Second
	// claimBatch is how many due actions are taken at once.
	claimBatch = 200
	// maxIdle bounds the sleep of the loop, as clocks of replicas may differ.
	maxIdle = time.Minute
)

// States performs what executions of state machines ask for: timers, calls of
// services, jobs to look after, map runs. What is waited for lies in the
// database and costs nothing until it is due.
type States struct {
	Engine *engine.Engine
	Calls  *integration.Runner
	Log    *slog.Logger
	Now    func() time.Time
	// Owner names this replica.
	Owner string
	// Parallel bounds the calls under way at once.
	Parallel int
	// Items reads the items of distributed Map states and writes their results.
	Items Items
	// Journal takes the events of executions for the logs of their machines, Herald
	// those that change an execution's status; nil takes none.
	Journal, Herald func(ws core.WorkspaceID, x *core.Execution, logging core.MachineLogging, events []*asl.Event)

	mu      sync.Mutex
	queue   []*core.ExecutionAction
	running int
	ctx     context.Context //nolint:containedctx // of Run, for what Perform is handed between calls
	done    sync.WaitGroup
}

// Perform implements engine.Performer.
func (s *States) Perform(ws core.WorkspaceID, actions []*core.ExecutionAction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil || s.ctx.Err() != nil {
		return // another replica, or the next start, takes them when they are due
	}
	for _, a := range actions {
		a.Workspace = ws
		s.queue = append(s.queue, a)
		if s.running < s.Parallel {
			s.running++
			s.done.Go(s.work)
		}
	}
}

// Happened implements engine.Performer.
func (s *States) Happened(ws core.WorkspaceID, x *core.Execution, logging core.MachineLogging, events []*asl.Event) {
	if s.Journal != nil {
		s.Journal(ws, x, logging, events)
	}
	if s.Herald != nil {
		s.Herald(ws, x, logging, events)
	}
}

// work performs actions until none waits.
func (s *States) work() {
	for {
		s.mu.Lock()
		if len(s.queue) == 0 || s.ctx.Err() != nil {
			s.running--
			s.mu.Unlock()
			return
		}
		a := s.queue[0]
		s.queue[0] = nil
		s.queue = s.queue[1:]
		ctx := s.ctx
		s.mu.Unlock()
		if err := s.guarded(ctx, a); err != nil && ctx.Err() == nil {
			s.Log.Error("an action of an execution failed and will be tried again", "flow_run_id", a.RunID, "action", a.Key, "kind", a.Kind, "error", err)
		}
	}
}

// Run performs actions until ctx ends; it returns when those under way have ended.
func (s *States) Run(ctx context.Context) error {
	store := s.Engine.Store()
	if err := s.begin(ctx); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	defer s.done.Wait()
	wake, stop := store.Subscribe(core.TopicActions)
	defer stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	keep := time.NewTicker(ActionHold / 3)
	defer keep.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-keep.C:
			if s.busy() {
				if err := store.KeepActions(ctx, s.Owner, s.Now().Add(ActionHold)); err != nil && ctx.Err() == nil {
					s.Log.Error("the hold on actions of executions was not renewed", "error", err)
				}
			}
			continue
		case <-wake:
		case <-timer.C:
		}
		timer.Reset(s.round(ctx))
	}
}

// begin makes due what nobody has in hand any more. Whoever asks meanwhile waits:
// what was stored before is due then, and what is stored later is taken in hand.
func (s *States) begin(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.Engine.Store().KeepActions(ctx, "", s.Now()); err != nil {
		return err
	}
	s.ctx = ctx
	return nil
}

func (s *States) busy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running > 0
}

// round takes what is due and returns how long nothing will be.
func (s *States) round(ctx context.Context) time.Duration {
	now := s.Now()
	due, next, err := s.Engine.Store().ClaimActions(ctx, s.Owner, now, now.Add(ActionHold), claimBatch)
	if err != nil {
		if ctx.Err() == nil {
			s.Log.Error("actions of executions were not claimed", "error", err)
		}
		return time.Second
	}
	var watched []*core.ExecutionAction
	for _, a := range due {
		if a.Kind == core.ActionTask && isWatch(a.Watch) && !passed(a.Deadline, now) {
			watched = append(watched, a)
			continue
		}
		s.Perform(a.Workspace, []*core.ExecutionAction{a})
	}
	if len(watched) > 0 {
		s.done.Go(func() { s.look(ctx, watched) })
	}
	if next == nil {
		return maxIdle
	}
	return min(max(next.Sub(s.Now()), 0), maxIdle)
}

// isWatch tells a job to look after from a token that is waited for.
func isWatch(watch json.RawMessage) bool { return len(watch) > 0 && string(watch) != "null" }

func passed(at *time.Time, now time.Time) bool { return at != nil && !at.After(now) }

// guarded keeps a fault in one action from ending the others.
func (s *States) guarded(ctx context.Context, a *core.ExecutionAction) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return s.perform(ctx, a)
}

func (s *States) perform(ctx context.Context, a *core.ExecutionAction) error {
	switch a.Kind {
	case core.ActionGo:
		_, err := s.Engine.AdvanceExecution(ctx, a.Workspace, a.RunID)
		return s.unless(ctx, a, err)
	case core.ActionTimer:
		return s.give(ctx, a, asl.Input{Kind: asl.InputTimer, Key: a.Key})
	case core.ActionTask:
		if a.Watch == nil && !passed(a.Deadline, s.Now()) {
			return s.call(ctx, a)
		}
		return s.overdue(ctx, a)
	case core.ActionActivity:
		return s.overdue(ctx, a)
	case core.ActionMapRun:
		return s.mapRun(ctx, a)
	case core.ActionStop:
		return s.stopJob(ctx, a)
	case core.ActionControl:
		return s.Engine.PerformControl(ctx, a.Workspace, a)
	}
	s.Log.Error("an execution asks for what this version does not know", "kind", a.Kind, "flow_run_id", a.RunID)
	return nil
}

// give hands an input to the execution; an action that it does not wait for goes.
func (s *States) give(ctx context.Context, a *core.ExecutionAction, in asl.Input) error {
	taken, err := s.Engine.AdvanceExecution(ctx, a.Workspace, a.RunID, in)
	if err == nil && !taken {
		return s.Engine.DropAction(ctx, a.Workspace, a)
	}
	return s.unless(ctx, a, err)
}

// unless drops the action of an execution that is gone.
func (s *States) unless(ctx context.Context, a *core.ExecutionAction, err error) error {
	if core.CodeOf(err) == core.NotFound {
		return s.Engine.DropAction(ctx, a.Workspace, a)
	}
	return err
}

// overdue ends a task whose time is over, or puts off one whose heartbeat came meanwhile.
func (s *States) overdue(ctx context.Context, a *core.ExecutionAction) error {
	now := s.Now()
	if passed(a.Deadline, now) || passed(a.Beat, now) {
		return s.give(ctx, a, asl.Input{Kind: asl.InputTimedOut, Key: a.Key})
	}
	return s.Engine.RestAction(ctx, a.Workspace, a)
}

// call makes a task's call.
func (s *States) call(ctx context.Context, a *core.ExecutionAction) error {
	spec, err := engine.DecodeSpec(a)
	if err != nil {
		return err
	}
	task, failure, err := s.task(ctx, a, spec)
	if err != nil {
		return s.unless(ctx, a, err)
	}
	var out integration.Outcome
	if failure == nil {
		limited := ctx
		if a.Deadline != nil {
			var cancel context.CancelFunc
			limited, cancel = context.WithDeadlineCause(ctx, *a.Deadline, errDeadline)
			defer cancel()
		}
		out, failure = s.Calls.Start(limited, task)
		if ctx.Err() != nil {
			return nil // the server stops: the call is made again
		}
		if errors.Is(context.Cause(limited), errDeadline) {
			return s.give(ctx, a, asl.Input{Kind: asl.InputTimedOut, Key: a.Key})
		}
	}
	switch {
	case failure != nil:
		return s.give(ctx, a, asl.Input{Kind: asl.InputFailed, Key: a.Key, Failure: failureOf(failure)})
	case out.Watch == nil && task.Resource.Pattern == integration.RequestResponse:
		return s.give(ctx, a, asl.Input{Kind: asl.InputSucceeded, Key: a.Key, Output: out.Output})
	case out.Watch == nil:
		_, err := s.Engine.TaskSubmitted(ctx, a.Workspace, a, nil, nil, out.Output)
		return err
	}
	watch, err := json.Marshal(out.Watch)
	if err != nil {
		return err
	}
	look := s.Now().Add(firstLook)
	there, err := s.Engine.TaskSubmitted(ctx, a.Workspace, a, watch, &look, out.Output)
	if err == nil && !there {
		a.Watch = watch // its state was given up while the job began
		return s.stopJob(ctx, a)
	}
	return err
}

// firstLook is when a job is looked at for the first time.
const firstLook = 100 * time.Millisecond

var errDeadline = errors.New("the state's time is over")

// task is the call that an action stands for.
func (s *States) task(ctx context.Context, a *core.ExecutionAction, spec *asl.Action) (integration.Task, *integration.TaskError, error) {
	x, err := s.execution(ctx, a)
	if err != nil {
		return integration.Task{}, nil, err
	}
	t := integration.Task{
		Parameters: spec.Parameters, Token: spec.Token, ExecutionARN: x.ARN, ExecutionName: x.Name, MachineARN: x.MachineARN,
		State: spec.State, RoleARN: spec.RoleARN, Call: engine.CallID(a),
	}
	if arn, ok := core.ParseARN(x.ARN); ok {
		t.Region, t.Account = arn.Region, arn.Account
	}
	t.Resource, err = s.Calls.Recognize(spec.Resource)
	if err != nil {
		return t, &integration.TaskError{Error: "States.Runtime", Cause: err.Error()}, nil //nolint:nilerr // the task fails, not the server
	}
	return t, nil, nil
}

func (s *States) execution(ctx context.Context, a *core.ExecutionAction) (x *core.Execution, err error) {
	err = s.Engine.Store().View(ctx, a.Workspace, func(tx core.Tx) error {
		x, err = tx.Execution(a.RunID)
		return err
	})
	return x, err
}

func failureOf(e *integration.TaskError) asl.Failure {
	f := asl.Failure{Error: e.Error, Cause: e.Cause}
	if e.Parameters {
		return f.OfState()
	}
	return f
}

// look asks how jobs stand, all of them in as few calls as the services allow.
func (s *States) look(ctx context.Context, actions []*core.ExecutionAction) {
	watches := make([]integration.Watch, len(actions))
	for i, a := range actions {
		if err := json.Unmarshal(a.Watch, &watches[i]); err != nil {
			s.Log.Error("a stored job cannot be read", "flow_run_id", a.RunID, "error", err)
		}
	}
	for i, p := range s.Calls.Poll(ctx, watches) {
		if ctx.Err() != nil {
			return
		}
		if err := s.progress(ctx, actions[i], p); err != nil && ctx.Err() == nil {
			s.Log.Error("a job's progress was not stored and is asked for again", "flow_run_id", actions[i].RunID, "error", err)
		}
	}
}

func (s *States) progress(ctx context.Context, a *core.ExecutionAction, p integration.Progress) error {
	switch {
	case p.Done && p.Error != nil:
		return s.give(ctx, a, asl.Input{Kind: asl.InputFailed, Key: a.Key, Failure: failureOf(p.Error)})
	case p.Done:
		return s.give(ctx, a, asl.Input{Kind: asl.InputSucceeded, Key: a.Key, Output: p.Output})
	case passed(a.Beat, s.Now()):
		return s.overdue(ctx, a)
	case p.Over:
		return s.Engine.WatchLater(ctx, a.Workspace, a, []byte("null"), nil)
	}
	watch, err := json.Marshal(p.Watch)
	if err != nil {
		return err
	}
	next := s.Now().Add(p.After)
	return s.Engine.WatchLater(ctx, a.Workspace, a, watch, &next)
}

// stopJob ends a job that nobody waits for any more.
func (s *States) stopJob(ctx context.Context, a *core.ExecutionAction) error {
	if isWatch(a.Watch) {
		if id, ok := engine.WatchedMapRun(a); ok {
			return s.stopMapRun(ctx, a, id)
		}
		var w integration.Watch
		if err := json.Unmarshal(a.Watch, &w); err != nil {
			return err
		}
		if err := s.Calls.Stop(ctx, w, "The execution that waited for the job has ended or gone on"); err != nil {
			s.Log.Warn("a job that nobody waits for was not stopped", "flow_run_id", a.RunID, "service", w.Service, "ids", w.IDs, "error", err)
		}
	}
	return s.Engine.DropAction(ctx, a.Workspace, a)
}
