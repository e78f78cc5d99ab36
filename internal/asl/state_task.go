package asl

import (
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// task schedules the work of a Task state.
func (x *Execution) task(f *frame) *Failure {
	s, v := f.State, f.Visit
	v.Submitted, v.Early, v.Token = false, nil, ""
	r := s.Task.parsed
	v.Key = x.serial()
	if r.submits() && x.info.Token != nil {
		v.Token = x.info.Token(v.Key)
	}
	act := &Action{Key: v.Key, Kind: ActionTask, State: s.Name, Resource: s.Task.Resource, Token: v.Token}
	if failure := x.describeTask(f, act); failure != nil {
		v.Key = 0
		return failure
	}
	bounds := value.NewObject(2)
	if act.Timeout > 0 {
		bounds.Set("timeoutInSeconds", act.Timeout)
	}
	if act.Heartbeat > 0 {
		bounds.Set("heartbeatInSeconds", act.Heartbeat)
	}
	if act.RoleARN != "" {
		bounds.Set("taskCredentials", value.Of("roleArn", act.RoleARN))
	}
	switch r.Kind {
	case ResourceLambda:
		x.emit(f, "LambdaFunctionScheduled", "lambdaFunctionScheduledEventDetails",
			merge(data(value.Of("resource", s.Task.Resource), "input", act.Parameters), bounds))
	case ResourceActivity:
		act.Kind = ActionActivity
		x.emit(f, "ActivityScheduled", "activityScheduledEventDetails",
			merge(data(value.Of("resource", s.Task.Resource), "input", act.Parameters), bounds))
	default:
		x.emit(f, "TaskScheduled", "taskScheduledEventDetails", merge(value.Of("resourceType", r.Type, "resource", r.Name,
			"region", region(x.info.ExecutionARN), "parameters", value.String(act.Parameters)), bounds))
	}
	v.Waits = waitsStart
	if act.Kind == ActionActivity {
		v.Waits = waitsTask
	}
	x.touch(f)
	x.act(act)
	if v.Waits == waitsStart {
		x.ready(f)
	}
	return nil
}

// describeTask evaluates what the action needs to know.
func (x *Execution) describeTask(f *frame, act *Action) (failure *Failure) {
	t := f.State.Task
	if act.Parameters, failure = x.arguments(f); failure != nil {
		return failure
	}
	if x.info.Prepare != nil {
		act.Parameters = x.info.Prepare(t.Resource, act.Parameters)
	}
	sc := x.scope(f, f.Input)
	if f.State.Language == JSONPath {
		if in, failure := x.effectiveInput(f); failure == nil {
			sc = sc.on(in)
		}
	}
	for _, bound := range []struct {
		from *scalar
		into *int64
	}{{t.Timeout, &act.Timeout}, {t.Heartbeat, &act.Heartbeat}} {
		if bound.from == nil {
			continue
		}
		if *bound.into, failure = bound.from.seconds(sc); failure != nil {
			return failure
		}
	}
	if t.Credentials == nil {
		return nil
	}
	c, failure := t.Credentials.eval(sc, "Credentials")
	if failure != nil {
		return failure
	}
	if o, ok := c.(*value.Object); ok {
		role, _ := o.Get("RoleArn")
		act.RoleARN, _ = role.(string)
	}
	return nil
}

// merge adds the members of b to a.
func merge(a, b *value.Object) *value.Object {
	for k, v := range b.All() {
		a.Set(k, v)
	}
	return a
}

// startTask tells that the scheduled work begins.
func (x *Execution) startTask(f *frame) {
	r := f.State.Task.parsed
	if r.Kind == ResourceLambda {
		x.emit(f, "LambdaFunctionStarted", "", nil)
	} else {
		x.emit(f, "TaskStarted", "taskStartedEventDetails", value.Of("resourceType", r.Type, "resource", r.Name))
	}
	f.Visit.Waits = waitsTask
	x.touch(f)
}

// taskEvent names an event of the frame's task: "Succeeded" is TaskSucceeded,
// LambdaFunctionSucceeded or ActivitySucceeded.
func (x *Execution) taskEvent(f *frame, what string, details *value.Object) {
	kind := "Task"
	switch r := f.State.Task.parsed; r.Kind {
	case ResourceLambda:
		kind = "LambdaFunction"
	case ResourceActivity:
		kind = "Activity"
	default:
		details = merge(value.Of("resourceType", r.Type, "resource", r.Name), details)
	}
	key := strings.ToLower(kind[:1]) + kind[1:] + what + "EventDetails"
	x.emit(f, kind+what, key, details)
}

// taskInput moves a Task state by what came of its action. A job whose container
// answers by the task token goes on to its own end.
func (x *Execution) taskInput(f *frame, in Input) {
	v := f.Visit
	r := f.State.Task.parsed
	switch in.Kind {
	case InputSubmitted:
		if r.submits() && !v.Submitted {
			v.Submitted = true
			x.touch(f)
			x.taskEvent(f, "Submitted", data(value.NewObject(2), "output", in.Output))
			if early := v.Early; early != nil {
				v.Early = nil
				x.taskInput(f, *early)
			}
		}
	case InputWorker:
		if v.Submitted {
			return // a worker has it: told twice
		}
		v.Submitted = true
		details := value.NewObject(1)
		if in.Text != "" {
			details.Set("workerName", in.Text)
		}
		x.emit(f, "ActivityStarted", "activityStartedEventDetails", details)
		x.touch(f)
	case InputSucceeded:
		x.taskSucceeded(f, r, in)
	case InputFailed:
		if r.submits() && !v.Submitted && in.ByToken {
			v.Early = &in
			x.touch(f)
			return
		}
		x.finished(f)
		in.Failure = x.located(f, in.Failure)
		what := "Failed"
		switch {
		case in.StartFailed && r.Pattern != "":
			what = "SubmitFailed"
		case in.StartFailed:
			what = "StartFailed"
		}
		if r.Kind == ResourceActivity || r.Kind == ResourceLambda && what == "SubmitFailed" {
			what = "Failed"
		}
		x.taskEvent(f, what, failureDetails(in.Failure))
		x.fails(f, in.Failure)
	case InputTimedOut:
		x.cancel(f)
		failure := Failure{Error: "States.Timeout"}
		x.taskEvent(f, "TimedOut", failureDetails(failure))
		x.fails(f, failure)
	default: // nothing else is about a task
	}
}

func (x *Execution) taskSucceeded(f *frame, r Resource, in Input) {
	if r.submits() && !f.Visit.Submitted {
		if in.ByToken {
			f.Visit.Early = &in
			x.touch(f)
			return
		}
		x.taskInput(f, Input{Kind: InputSubmitted, Output: in.Output})
	}
	x.finished(f)
	if failure := x.overlarge(f, in.Output); failure != nil {
		x.taskEvent(f, "Failed", failureDetails(*failure))
		x.fails(f, *failure)
		return
	}
	x.taskEvent(f, "Succeeded", data(value.NewObject(2), "output", in.Output))
	if failure := x.finish(f, in.Output, true); failure != nil {
		x.fails(f, *failure)
	}
}

// overlarge is the failure of a task whose result is larger than a payload may be.
func (x *Execution) overlarge(f *frame, output any) *Failure {
	if len(value.String(output)) <= x.payloadLimit() {
		return nil
	}
	what := f.State.Task.Resource
	if r := f.State.Task.parsed; r.Kind == ResourceService {
		what = r.Type
	}
	return x.tooLarge(what)
}
