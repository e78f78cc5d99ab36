package asl

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/value"
)

// The names of errors that match others.
const (
	errAll        = "States.ALL"
	errTaskFailed = "States.TaskFailed"
	errTimeout    = "States.Timeout"
	errHeartbeat  = "States.HeartbeatTimeout"
	errItemReader = "States.ItemReaderFailed"
)

// matchesError reports whether one of the names stands for the error. Runtime
// errors are the definition's own fault: States.ALL does not stand for them.
func matchesError(names []string, failure Failure) bool {
	for _, n := range names {
		switch {
		case n == failure.Error:
			return true
		case n == errAll:
			return failure.Error != errRuntime
		case n == errTaskFailed:
			if failure.Error != errTimeout && failure.Error != errHeartbeat && failure.Error != errRuntime {
				return true
			}
		case n == errTimeout && failure.Error == errHeartbeat:
			return true
		}
	}
	return false
}

// fails is called when the frame's state failed: it is tried again, goes on by
// a Catch, or fails what it is part of.
func (x *Execution) fails(f *frame, failure Failure) {
	failure = x.located(f, failure)
	if failure.Error == errQueryEvaluation {
		if f.Visit.Waits == "" {
			f.Pointer = f.Visit.Before // the entry and the evaluation are one decision
		}
		details := failureDetails(failure)
		if failure.Location != "" {
			details.Set("location", failure.Location)
		}
		details.Set("state", f.State.Name)
		x.emit(f, "EvaluationFailed", "evaluationFailedEventDetails", details)
	}
	x.handle(f, failure)
}

// located says in the cause in which state a failure happened that is the
// definition's own fault.
func (x *Execution) located(f *frame, failure Failure) Failure {
	if failure.runtime && x.seen == nil {
		failure.Cause = fmt.Sprintf("An error occurred while executing the state '%s' (entered at the event id #%d). %s",
			f.State.Name, f.Visit.Entered, failure.Cause)
	}
	failure.runtime = false
	return failure
}

// handle looks for a Retry, then for a Catch, and else hands the failure up.
func (x *Execution) handle(f *frame, failure Failure) {
	for i, r := range f.State.Retry {
		if !matchesError(r.ErrorEquals, failure) {
			continue
		}
		if f.Visit.Attempts[i] < r.MaxAttempts {
			x.retry(f, r, i, failure)
			return
		}
		break // the first retrier that matches decides
	}
	switch f.State.Type {
	case Map, Parallel:
		if failure.Error != errRuntime || f.Visit.Waits != "" { // else it ends the execution before the state has begun
			x.emit(f, string(f.State.Type)+"StateFailed", "", nil)
		}
	case Task, Pass, Choice, Wait, Succeed, Fail:
	}
	for i, c := range f.State.Catch {
		if matchesError(c.ErrorEquals, failure) {
			x.drop(f)
			f.Visit.Branch = fmt.Sprintf("Catch[%d]", i)
			x.seen.caught(i, failure)
			if bad := x.caught(f, c, failure); bad != nil {
				x.propagate(f, *bad)
			}
			return
		}
	}
	x.propagate(f, failure)
}

// retry lets the state be tried again after the retrier's delay.
func (x *Execution) retry(f *frame, r *Retrier, i int, failure Failure) {
	v := f.Visit
	x.cancel(f)
	x.drop(f)
	v.Run, v.RunRedrives = "", 0 // the next attempt has a map run of its own
	seconds := float64(r.IntervalSeconds) * math.Pow(r.BackoffRate, float64(v.Attempts[i]))
	if r.MaxDelaySeconds > 0 {
		seconds = min(seconds, float64(r.MaxDelaySeconds))
	}
	if r.FullJitter {
		seconds *= x.chance().Float64()
	}
	if x.seen.retried(i, seconds, failure) {
		return
	}
	v.Attempts[i]++
	v.Retries++
	x.touch(f)
	delay := time.Duration(min(seconds, float64(math.MaxInt32)) * float64(time.Second))
	if delay <= 0 {
		v.Waits = ""
		x.ready(f)
		return
	}
	v.Waits, v.Key = waitsRetry, x.serial()
	x.touch(f)
	x.act(&Action{Key: v.Key, Kind: ActionTimer, State: f.State.Name, At: x.now.Add(delay)})
}

// errorOutput is a failure as a Catch sees it.
func errorOutput(failure Failure) *value.Object {
	o := value.Of("Error", failure.Error, "Cause", failure.Cause)
	if failure.Nulls && failure.Error == "" {
		o.Set("Error", nil)
	}
	if failure.Nulls && failure.Cause == "" {
		o.Set("Cause", nil)
	}
	return o
}

// caught leaves the state by a Catch.
func (x *Execution) caught(f *frame, c *Catcher, failure Failure) *Failure {
	errOut := errorOutput(failure)
	var out any = errOut
	sc := x.scope(f, errOut).with("errorOutput", errOut)
	variables, bad := x.assigned(sc, c.Assign)
	if bad != nil {
		return bad
	}
	switch {
	case c.Output != nil:
		if out, bad = c.Output.eval(sc, "Output"); bad != nil {
			return bad
		}
	case c.ResultPath != nil:
		if out, bad = c.ResultPath.set(f.Input, errOut); bad != nil {
			return bad
		}
	}
	return x.exit(f, out, c.Next, variables)
}

// propagate fails what the frame is part of: its siblings end, and the state
// that they belong to fails. The execution's own frame fails the execution. When
// nothing retries or catches on the way, all frames stay where they are, for a redrive.
func (x *Execution) propagate(f *frame, failure Failure) {
	if x.seen.failed(failure) {
		return
	}
	x.visited(f, &failure, false)
	f.Visit.Failed = true
	x.touch(f)
	p := x.frames[f.Parent]
	if p == nil {
		x.end(Failed, nil, failure, f.Pointer)
		return
	}
	if p.State.Type == Map {
		x.aside(f.Pointer, "MapIterationFailed", "mapIterationFailedEventDetails", value.Of("name", p.State.Name, "index", int64(f.Slot)))
	}
	x.aborted(f, f.Pointer)
	for _, c := range x.children(p) {
		if c == f || c.Done {
			continue
		}
		if p.State.Type == Map {
			x.aside(f.Pointer, "MapIterationAborted", "mapIterationAbortedEventDetails", value.Of("name", p.State.Name, "index", int64(c.Slot)))
		}
		x.abortUnder(c, f.Pointer)
	}
	p.Pointer = f.Pointer
	x.touch(p)
	x.handle(p, failure)
}

// abortUnder tells that the frame's state, and those within it, were cut off.
func (x *Execution) abortUnder(f *frame, previous int64) {
	for _, c := range x.children(f) {
		if !c.Done {
			x.abortUnder(c, previous)
		}
	}
	if f.Visit == nil {
		return
	}
	x.cancel(f)
	x.aborted(f, previous)
}

// aborted tells that a state was left without an end.
func (x *Execution) aborted(f *frame, previous int64) {
	if f.Visit != nil && f.Visit.Waits == waitsRun && f.Visit.Submitted {
		previous = x.aside(previous, "MapRunAborted", "", nil)
	}
	if slices.Contains([]StateType{Task, Wait, Map, Parallel}, f.State.Type) {
		x.aside(previous, string(f.State.Type)+"StateAborted", "", nil)
	}
}
