package integration

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/value"
)

// StatusChange is a change of an execution's status, as EventBridge tells it.
type StatusChange struct {
	ExecutionARN string
	At           time.Time
	Detail       string
}

// TellsStatusChanges reports whether changes of status can be told: AWS itself
// takes no events of its services from others, an emulator of it does.
func (r *Runner) TellsStatusChanges(ctx context.Context) bool {
	custom, err := r.cfg.Caller.Custom(ctx, "eventbridge", "putEvents")
	return custom && err == nil
}

// TellStatusChange puts a change on the default bus of the execution's account.
// The event is that of
// https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
func (r *Runner) TellStatusChange(ctx context.Context, c StatusChange) error {
	parts := strings.SplitN(c.ExecutionARN, ":", 6)
	if len(parts) != 6 {
		return fmt.Errorf("%s is no ARN of an execution", c.ExecutionARN)
	}
	entry := value.Of("Source", "aws.states", "DetailType", "Step Functions Execution Status Change", "Detail", c.Detail,
		"Resources", []any{c.ExecutionARN}, "Time", c.At.UTC().Format(time.RFC3339))
	out, _, err := r.cfg.Caller.Call(ctx, awscall.Request{
		Service: "eventbridge", Operation: "putEvents", Params: value.Of("Entries", []any{entry}), Region: parts[3], AccountID: parts[4],
	})
	if err != nil {
		return err
	}
	failed, _ := out.Get("FailedEntryCount")
	if n, ok := value.Integer(failed); ok && n > 0 {
		return fmt.Errorf("the event was not taken: %s", value.String(out))
	}
	return nil
}

// putEvents is events:putEvents. Events tell by their resources which execution
// sent them.
func (r *Runner) putEvents(ctx context.Context, t *Task, s service, params *value.Object) (Outcome, *TaskError) {
	if list, ok := entries(params); ok {
		out := make([]any, len(list))
		for i, v := range list {
			entry, ok := v.(*value.Object)
			if !ok {
				out[i] = v
				continue
			}
			entry = asTexts(entry, "Detail").Clone()
			given, _ := entry.Get("Resources")
			resources, _ := given.([]any)
			resources = append(append([]any{}, resources...), t.MachineARN, t.ExecutionARN)
			entry.Set("Resources", resources)
			out[i] = entry
		}
		params = params.Clone()
		params.Set("Entries", out)
	}
	out, raw, err := r.call(ctx, t, s, "putEvents", params)
	if err != nil {
		return Outcome{}, err
	}
	failed, _ := raw.Get("FailedEntryCount")
	if n, ok := value.Integer(failed); ok && n > 0 {
		return Outcome{}, &TaskError{Error: "EventBridge.FailedEntry", Cause: value.String(out)}
	}
	return Outcome{Output: out}, nil
}

func entries(params *value.Object) ([]any, bool) {
	v, _ := params.Get("Entries")
	list, ok := v.([]any)
	return list, ok
}
