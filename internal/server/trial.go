package server

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/integration"
)

// trial lets states that are tried on their own call services.
type trial struct{ calls *integration.Runner }

// trialTime is how long a tried state may take, as in AWS.
const trialTime = 5 * time.Minute

// CheckMock implements engine.TaskTrial.
func (t trial) CheckMock(resource string, result any, mode string) error {
	r, err := t.calls.Recognize(resource)
	if err != nil || r.Kind == integration.Activity {
		return nil // the definition was checked; nothing is known of what it answers
	}
	if mode == "" {
		mode = string(integration.MockStrict)
	}
	return t.calls.CheckMock(r, result, integration.MockMode(mode))
}

// GivenItems implements engine.TaskTrial.
func (t trial) GivenItems(from *asl.Transfer, data string) (asl.ItemsRead, *asl.Failure) {
	read, failure := integration.GivenItems(from, data)
	if failure != nil {
		return read, &asl.Failure{Error: failure.Error, Cause: failure.Cause}
	}
	return read, nil
}

// Call implements engine.TaskTrial.
func (t trial) Call(ctx context.Context, p core.Place, info asl.Info, a asl.Action) (any, *asl.Failure) {
	r, err := t.calls.Recognize(a.Resource)
	if err != nil {
		return nil, &asl.Failure{Error: "States.Runtime", Cause: err.Error()}
	}
	if r.Kind == integration.Activity || r.Pattern == integration.WaitForToken {
		return nil, &asl.Failure{Error: "States.Runtime", Cause: "TestState does not wait for activities or task tokens without a mock"}
	}
	ctx, cancel := context.WithTimeout(ctx, trialTime)
	defer cancel()
	out, failure := t.calls.Start(ctx, integration.Task{
		Resource: r, Parameters: a.Parameters, ExecutionARN: info.ExecutionARN, ExecutionName: info.Name, MachineARN: info.MachineARN,
		State: a.State, Region: p.Region, Account: p.Account, RoleARN: a.RoleARN,
	})
	if failure != nil {
		return nil, &asl.Failure{Error: failure.Error, Cause: failure.Cause}
	}
	if out.Watch == nil {
		return out.Output, nil
	}
	return t.follow(ctx, *out.Watch)
}

// follow waits for the end of a job.
func (t trial) follow(ctx context.Context, w integration.Watch) (any, *asl.Failure) {
	for {
		p := t.calls.Poll(ctx, []integration.Watch{w})[0]
		switch {
		case p.Done && p.Error != nil:
			return nil, &asl.Failure{Error: p.Error.Error, Cause: p.Error.Cause}
		case p.Done:
			return p.Output, nil
		}
		w = p.Watch
		select {
		case <-time.After(p.After):
		case <-ctx.Done():
			return nil, &asl.Failure{Error: "States.Timeout"}
		}
	}
}
