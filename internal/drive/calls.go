package drive

import (
	"context"
	"fmt"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/integration"
)

// firstLook is when a job is looked at for the first time.
const firstLook = 100 * time.Millisecond

// Calls is a Performer that really calls the services.
type Calls struct {
	Runner *integration.Runner
	// Region and Account are the machine's.
	Region, Account string
}

// Begin implements Performer. Task tokens and activities are refused: there is no
// server to which anybody could send the answer.
func (c *Calls) Begin(call *Call) (Work, error) {
	if call.Kind == asl.ActionActivity {
		return Work{}, fmt.Errorf("the state %q waits for a worker of an activity, which only a server can offer it: mock it", call.State)
	}
	resource, err := c.Runner.Recognize(call.Resource)
	if err != nil {
		return Work{Answer: Answer{Failure: &asl.Failure{Error: "States.Runtime", Cause: err.Error()}}}, nil //nolint:nilerr // the state fails, not the drive
	}
	if resource.Pattern == integration.WaitForToken {
		return Work{}, fmt.Errorf("the state %q waits for its task token, which can be sent to a server only: mock it", call.State)
	}
	t := c.task(call)
	t.Resource = resource
	return Work{Do: func(ctx context.Context, submitted func(any)) (Answer, error) { return c.call(ctx, t, submitted), nil }}, nil
}

// task is the call that an action stands for, without its resource.
func (c *Calls) task(call *Call) integration.Task {
	return integration.Task{
		Parameters: call.Parameters, Token: call.Token, ExecutionARN: call.Execution.ExecutionARN, ExecutionName: call.Execution.Name,
		MachineARN: call.Execution.MachineARN, State: call.State, RoleARN: call.RoleARN, Region: c.Region, Account: c.Account,
	}
}

// call makes a task's call and follows the job that it starts, if any.
func (c *Calls) call(ctx context.Context, t integration.Task, submitted func(any)) Answer {
	out, failure := c.Runner.Start(ctx, t)
	if failure != nil {
		return failed(failure)
	}
	if out.Watch == nil {
		return Answer{Output: out.Output}
	}
	submitted(out.Output)
	watch, after := *out.Watch, firstLook
	for {
		timer := time.NewTimer(after)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			c.stop(ctx, watch)
			return Answer{}
		}
		p := c.Runner.Poll(ctx, []integration.Watch{watch})[0]
		switch {
		case ctx.Err() != nil:
			c.stop(ctx, watch)
			return Answer{}
		case p.Done && p.Error != nil:
			return failed(p.Error)
		case p.Done:
			return Answer{Output: p.Output}
		case p.Over:
			return Answer{Failure: &asl.Failure{
				Error: "States.Runtime", Cause: "The job has ended and the state waits for its task token, which can be sent to a server only.",
			}}
		}
		watch, after = p.Watch, p.After
	}
}

// stopTimeout bounds the call that ends a job which nobody waits for any more.
const stopTimeout = 10 * time.Second

func (c *Calls) stop(ctx context.Context, w integration.Watch) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	// Whoever interrupted the run has gone; a job that goes on can be seen at its service.
	_ = c.Runner.Stop(ctx, w, "The execution that waited for the job has ended or gone on")
}

func failed(e *integration.TaskError) Answer {
	f := asl.Failure{Error: e.Error, Cause: e.Cause}
	if e.Parameters {
		f = f.OfState()
	}
	return Answer{Failure: &f}
}
