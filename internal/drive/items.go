package drive

import (
	"context"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

// SimulatedItems answers for distributed Map states without reading or writing
// anything: what is read is given by the name of the state.
type SimulatedItems map[string][]any

// Read implements Items.
func (s SimulatedItems) Read(_ context.Context, c *Call, _ int64) ([]any, *asl.Failure, error) {
	items, ok := s[c.State]
	if !ok {
		return nil, nil, &UnansweredError{State: c.State, Resource: c.Run.Reader.Resource, Items: true}
	}
	return items, nil, nil
}

// Write implements Items: the result is what the service tells of the files that
// it would have written, or, when none are asked for, the results themselves.
func (SimulatedItems) Write(ctx context.Context, c *Call, run *MapRun) (any, *asl.Failure, error) {
	if c.Run.Writer.Resource == "" {
		return write(ctx, integration.Items{}, integration.Task{}, c, run)
	}
	bucket, prefix := "", ""
	if parameters, ok := c.Run.Writer.Parameters.(*value.Object); ok {
		b, _ := parameters.Get("Bucket")
		bucket, _ = b.(string)
		p, _ := parameters.Get("Prefix")
		if prefix, _ = p.(string); prefix != "" {
			prefix += "/"
		}
	}
	id := run.ARN[len(run.ARN)-36:]
	return value.Of("MapRunArn", run.ARN, "ResultWriterDetails", value.Of("Bucket", bucket, "Key", prefix+id+"/manifest.json")), nil, nil
}

// CalledItems really reads items and writes results; a state whose items are
// simulated reads those.
type CalledItems struct {
	Calls     *Calls
	Simulated SimulatedItems
}

// Read implements Items.
func (i *CalledItems) Read(ctx context.Context, c *Call, most int64) ([]any, *asl.Failure, error) {
	if items, ok := i.Simulated[c.State]; ok {
		return items, nil, nil
	}
	items, failure := integration.Items{Runner: i.Calls.Runner}.Read(ctx, i.Calls.task(c), c.Run.Reader, most)
	if failure != nil {
		return nil, failed(failure).Failure, context.Cause(ctx)
	}
	return items, nil, nil
}

// Write implements Items.
func (i *CalledItems) Write(ctx context.Context, c *Call, run *MapRun) (any, *asl.Failure, error) {
	return write(ctx, integration.Items{Runner: i.Calls.Runner}, i.Calls.task(c), c, run)
}

func write(ctx context.Context, items integration.Items, t integration.Task, c *Call, run *MapRun) (any, *asl.Failure, error) {
	results := make([]*core.Execution, 0, len(run.Executions)+len(run.Unstarted))
	for i, x := range run.Executions {
		results = append(results, x.row(c.Run.ExecutionType == "EXPRESS", i))
	}
	for _, in := range run.Unstarted {
		results = append(results, &core.Execution{Status: integration.Pending, Input: value.String(in), Item: len(results)})
	}
	out, failure := items.Write(ctx, t, c.Run.Writer, &core.MapRun{ARN: run.ARN, State: run.State}, results)
	if failure != nil {
		return nil, failed(failure).Failure, context.Cause(ctx)
	}
	return out, nil, nil
}

// row is an execution of a map run as a server would have stored it.
func (x *Execution) row(express bool, item int) *core.Execution {
	row := &core.Execution{
		ARN: x.ARN, Name: x.Name, Express: express, Status: string(x.Status), Started: x.Started, Input: value.String(x.Input),
		Events: int64(len(x.Events)), Item: item, MachineARN: x.machineARN,
	}
	if !x.Stopped.IsZero() {
		row.Stopped = &x.Stopped
	}
	if x.Status == asl.Succeeded {
		out := value.String(x.Output)
		row.Output = &out
	}
	if x.Failure.Error != "" {
		row.Error = &x.Failure.Error
	}
	if x.Failure.Cause != "" {
		row.Cause = &x.Failure.Cause
	}
	return row
}
