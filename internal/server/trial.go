package server

import (
	"context"
	"errors"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/engine"
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
		return nil //nolint:nilerr // the definition was checked; nothing is known of what it answers
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
func (t trial) Call(ctx context.Context, c engine.TrialCall) (out engine.TrialAnswer) {
	r, err := t.calls.Recognize(c.Action.Resource)
	if err != nil {
		out.Failure = &asl.Failure{Error: "States.Runtime", Cause: err.Error()}
		return out
	}
	most := trialTime
	if own := time.Duration(c.Action.Timeout) * time.Second; own > 0 {
		most = min(most, own)
	}
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	ctx = integration.WitnessHTTP(ctx, c.RevealSecrets, func(x integration.HTTPExchange) { out.Request, out.Response = x.Request, x.Response })
	out.Output, out.Failure = t.outcome(ctx, integration.Task{
		Resource: r, Parameters: c.Action.Parameters, ExecutionARN: c.Info.ExecutionARN, ExecutionName: c.Info.Name, MachineARN: c.Info.MachineARN,
		State: c.Action.State, Region: c.Place.Region, Account: c.Place.Account, RoleARN: c.Action.RoleARN,
	})
	if out.Failure != nil && out.Failure.Error != "States.Timeout" && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		out.Failure = &asl.Failure{Error: "States.Timeout"}
	}
	return out
}

// outcome makes a call and waits for the end of the job that it began, if it did.
func (t trial) outcome(ctx context.Context, task integration.Task) (any, *asl.Failure) {
	out, failure := t.calls.Start(ctx, task)
	switch {
	case failure != nil:
		return nil, &asl.Failure{Error: failure.Error, Cause: failure.Cause}
	case out.Watch == nil:
		return out.Output, nil
	}
	return t.follow(ctx, *out.Watch)
}

// stopTime bounds the call that ends a job.
const stopTime = 10 * time.Second

// follow waits for the end of a job, which is stopped when there is no time left.
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
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
			defer cancel()
			failure := &asl.Failure{Error: "States.Timeout"}
			if err := t.calls.Stop(ctx, w, "The trial of the state has ended."); err != nil {
				failure.Cause = "The job goes on: " + err.Error()
			}
			return nil, failure
		}
	}
}
