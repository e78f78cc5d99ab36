package integration

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/value"
)

// startExecution is states:startExecution: a machine that starts another.
func (r *Runner) startExecution(ctx context.Context, t *Task, s service, params *value.Object) (Outcome, *TaskError) {
	out, raw, err := r.call(ctx, t, s, "startExecution", asTexts(params, "Input"))
	if err != nil {
		return Outcome{}, err
	}
	if t.Resource.Pattern&(Sync|Sync2) == 0 {
		return Outcome{Output: out}, nil
	}
	id, _ := raw.Get("executionArn")
	arn, _ := id.(string)
	return Outcome{Output: out, Watch: r.watch(t, "", arn)}, nil
}

// pollExecution looks at an execution that a state waits for.
func (r *Runner) pollExecution(ctx context.Context, w Watch) Progress {
	op, ok := r.cfg.Caller.Lookup("sfn", "describeExecution")
	if !ok || len(w.IDs) == 0 {
		return w.broken()
	}
	raw, _, err := r.cfg.Caller.Call(ctx, w.request("sfn", "describeExecution", value.Of("executionArn", w.IDs[0])))
	s, _ := serviceOf("states")
	if err != nil {
		return w.failedLook(fault(s, op, nil, err), err)
	}
	out := s.renderer().structure(op.Output, raw)
	for _, name := range []string{"RedriveCount", "RedriveStatus", "RedriveStatusReason"} {
		out.Delete(name) // recordings of a state's result have none of them
	}
	status, _ := out.Get("Status")
	switch status {
	case "RUNNING", "PENDING_REDRIVE":
		return w.again(executionWait(w.Looks))
	case "SUCCEEDED":
		if w.Pattern == Sync2 {
			for _, name := range []string{"Input", "Output"} {
				if v, ok := out.Get(name); ok {
					text, _ := v.(string)
					out.Set(name, parsed(text))
				}
			}
		}
		return Progress{Done: true, Output: out, Watch: w}
	}
	return Progress{Done: true, Error: &TaskError{Error: errTaskFailed, Cause: value.String(out)}, Watch: w}
}

// executionWait grows from 50 ms to 5 s: executions are often short, and near.
func executionWait(looks int) time.Duration {
	return min(5*time.Second, 50*time.Millisecond<<min(looks, 10))
}

// request is a call on behalf of the state that waits.
func (w *Watch) request(service, operation string, params *value.Object) awscall.Request {
	return awscall.Request{Service: service, Operation: operation, Params: params, Region: w.Region, AccountID: w.Account, RoleARN: w.RoleARN}
}
