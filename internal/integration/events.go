package integration

import (
	"context"

	"github.com/leat-dev/leat/internal/value"
)

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
