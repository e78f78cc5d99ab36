package engine

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
)

func noExecution(arn string) *core.Error {
	return core.Errorf(core.NotFound, "Execution Does Not Exist: '%s'", arn).Because("ExecutionDoesNotExist")
}

func invalidToken() *core.Error {
	return core.Errorf(core.Invalid, "Invalid Token: 'Invalid token'").Because("InvalidToken")
}

func taskGone() *core.Error {
	return core.Errorf(core.Conflict, "Task Timed Out: 'Provided task does not exist anymore'").Because("TaskTimedOut")
}

// AnswerTask gives the outcome of the task that the token is of: an
// InputSucceeded or an InputFailed. Step Functions: SendTaskSuccess, SendTaskFailure.
func (e *Engine) AnswerTask(ctx context.Context, ws core.WorkspaceID, token string, in asl.Input) error {
	a, err := e.tokenAction(ctx, ws, token, nil)
	if err != nil {
		return err
	}
	in.Key, in.ByToken = a.Key, true
	taken, err := e.AdvanceExecution(ctx, ws, a.RunID, in)
	if err == nil && !taken {
		err = taskGone()
	}
	return err
}

// BeatTask tells that the task that the token is of is still at work.
// Step Functions: SendTaskHeartbeat.
func (e *Engine) BeatTask(ctx context.Context, ws core.WorkspaceID, token string) error {
	_, err := e.tokenAction(ctx, ws, token, func(tx core.Tx, a *core.ExecutionAction) error {
		spec, err := DecodeSpec(a)
		if err != nil || spec.Heartbeat == 0 {
			return err
		}
		at := e.now().Add(time.Duration(spec.Heartbeat) * time.Second)
		a.Beat = &at
		if a.Owner == "" {
			a.Due = a.Next()
		}
		return tx.UpdateExecutionAction(a)
	})
	return err
}

// tokenAction finds the action that waits for an answer by the token; with
// change it is changed in the same transaction.
func (e *Engine) tokenAction(ctx context.Context, ws core.WorkspaceID, token string, change func(core.Tx, *core.ExecutionAction) error) (*core.ExecutionAction, error) {
	runID, key, raw, ok := readToken(token)
	if !ok {
		return nil, invalidToken()
	}
	var a *core.ExecutionAction
	find := func(tx core.Tx) error {
		row, err := tx.Execution(runID)
		if err != nil {
			return or(err, invalidToken())
		}
		if !provesToken(row, raw) {
			return invalidToken()
		}
		a, err = tx.ExecutionAction(runID, key)
		if err != nil {
			return or(err, taskGone())
		}
		if a.Kind == core.ActionStop || a.Kind == core.ActionActivity && a.Resource != "" {
			return taskGone()
		}
		if change != nil {
			return change(tx, a)
		}
		return nil
	}
	if change != nil {
		return a, e.store.Update(ctx, ws, find)
	}
	return a, e.store.View(ctx, ws, find)
}

// activityWait is how long GetActivityTask waits for a task, as in AWS.
const activityWait = 60 * time.Second

// FetchActivityTask gives the oldest task of an activity that nobody has
// fetched, and waits for one for a minute; token "" tells that none came.
// Step Functions: GetActivityTask.
func (e *Engine) FetchActivityTask(ctx context.Context, ws core.WorkspaceID, arn, worker string) (token string, input any, err error) {
	if err := e.store.View(ctx, ws, func(tx core.Tx) error {
		_, err := tx.ActivityByARN(arn)
		return or(err, noActivity(arn))
	}); err != nil {
		return "", nil, err
	}
	came, stop := e.store.Subscribe(core.TopicActivities)
	defer stop()
	limit, cancel := context.WithTimeout(ctx, activityWait)
	defer cancel()
	for {
		a, row, err := e.claimActivityTask(ctx, ws, arn)
		if err != nil {
			return "", nil, err
		}
		if a != nil {
			spec, err := DecodeSpec(a)
			if err != nil {
				return "", nil, err
			}
			_, err = e.AdvanceExecution(ctx, ws, a.RunID, asl.Input{Kind: asl.InputWorker, Key: a.Key, Text: worker})
			return taskToken(row, a.Key), spec.Parameters, err
		}
		select {
		case <-came:
		case <-limit.Done():
			return "", nil, ctx.Err()
		}
	}
}

func (e *Engine) claimActivityTask(ctx context.Context, ws core.WorkspaceID, arn string) (a *core.ExecutionAction, row *core.Execution, err error) {
	waits := false
	look := func(tx core.Tx) error {
		a, err = tx.ActivityTask(arn)
		waits = err == nil
		return ignoring(err)
	}
	if err := e.store.View(ctx, ws, look); err != nil || !waits {
		return nil, nil, err
	}
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		if err := look(tx); err != nil || !waits {
			return err
		}
		spec, err := DecodeSpec(a)
		if err != nil {
			return err
		}
		if spec.Heartbeat > 0 {
			at := e.now().Add(time.Duration(spec.Heartbeat) * time.Second)
			a.Beat = &at
		}
		a.Resource, a.Due = "", a.Next()
		if row, err = tx.Execution(a.RunID); err != nil {
			return err
		}
		return tx.UpdateExecutionAction(a)
	})
	if err != nil || !waits {
		return nil, nil, err
	}
	return a, row, nil
}

// TaskSubmitted notes that a service accepted an action's work: watch is the job
// to be looked after from then on, nil when a token will come back. It reports
// false when nobody waits for it any more: then the job is the caller's to stop.
func (e *Engine) TaskSubmitted(ctx context.Context, ws core.WorkspaceID, a *core.ExecutionAction, watch []byte, look *time.Time, output any) (bool, error) {
	if watch == nil {
		watch = []byte("null")
	}
	there, err := e.putBack(ctx, ws, a, func(now *core.ExecutionAction) { now.Watch, now.Due = watch, now.Next(look) })
	if err != nil || !there {
		return false, err
	}
	_, err = e.AdvanceExecution(ctx, ws, a.RunID, asl.Input{Kind: asl.InputSubmitted, Key: a.Key, Output: output})
	return true, err
}

// putBack changes an action that a replica had in hand, and leaves it to whoever
// takes it when it is due. What became ActionStop meanwhile stays as it is: it
// reports false, as for an action that is gone.
func (e *Engine) putBack(ctx context.Context, ws core.WorkspaceID, a *core.ExecutionAction, change func(now *core.ExecutionAction)) (there bool, err error) {
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		now, err := tx.ExecutionAction(a.RunID, a.Key)
		there = err == nil && now.Kind == a.Kind
		if !there {
			return ignoring(err)
		}
		now.Owner = ""
		change(now)
		return tx.UpdateExecutionAction(now)
	})
	return there, err
}

// WatchLater puts off when a job is looked at again, and keeps what is known of
// it; look nil is for one that there is no more to know of.
func (e *Engine) WatchLater(ctx context.Context, ws core.WorkspaceID, a *core.ExecutionAction, watch []byte, look *time.Time) error {
	_, err := e.putBack(ctx, ws, a, func(now *core.ExecutionAction) { now.Watch, now.Due = watch, now.Next(look) })
	return err
}

// DelayAction puts an action back until a time.
func (e *Engine) DelayAction(ctx context.Context, ws core.WorkspaceID, a *core.ExecutionAction, until time.Time) error {
	_, err := e.putBack(ctx, ws, a, func(now *core.ExecutionAction) { now.Due = &until })
	return err
}

// RestAction puts an action back until its next time.
func (e *Engine) RestAction(ctx context.Context, ws core.WorkspaceID, a *core.ExecutionAction) error {
	_, err := e.putBack(ctx, ws, a, func(now *core.ExecutionAction) { now.Due = now.Next() })
	return err
}

// DropAction forgets an action that needs no more: a job that was stopped.
func (e *Engine) DropAction(ctx context.Context, ws core.WorkspaceID, a *core.ExecutionAction) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		return tx.WriteExecutionStep(&core.ExecutionChange{Execution: &core.Execution{RunID: a.RunID}, Delete: []int64{a.Key}})
	})
}
