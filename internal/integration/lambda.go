package integration

import (
	"context"

	"github.com/leat-dev/leat/internal/value"
)

// invoke is lambda:invoke.
func (r *Runner) invoke(ctx context.Context, t *Task, s service, params *value.Object) (Outcome, *TaskError) {
	if payload, ok := params.Get("Payload"); ok {
		params = params.Clone()
		params.Set("Payload", value.String(payload))
		if payload == nil {
			params.Delete("Payload") // the function then gets {}
		}
	}
	out, raw, err := r.call(ctx, t, s, "invoke", params)
	if err != nil {
		return Outcome{}, err
	}
	payload, _ := raw.Get("Payload")
	text, _ := payload.(string)
	if _, failed := raw.Get("FunctionError"); failed {
		return Outcome{}, functionError(text)
	}
	out.Set("Payload", parsed(text))
	return Outcome{Output: out}, nil
}

// invokeFunction is a Task whose Resource is a function: the parameters are its
// event and its answer is the result.
func (r *Runner) invokeFunction(ctx context.Context, t Task) (Outcome, *TaskError) {
	s, _ := serviceOf("lambda")
	params := value.Of("FunctionName", t.Resource.ARN, "Payload", value.String(t.Parameters))
	if t.Resource.Region != "" {
		t.Region = t.Resource.Region
	}
	_, raw, err := r.call(ctx, &t, s, "invoke", params)
	if err != nil {
		return Outcome{}, err
	}
	payload, _ := raw.Get("Payload")
	text, _ := payload.(string)
	if _, failed := raw.Get("FunctionError"); failed {
		return Outcome{}, functionError(text)
	}
	return Outcome{Output: parsed(text)}, nil
}

// functionError is what a function threw: the error is its type, the cause its
// whole description.
func functionError(payload string) *TaskError {
	e := &TaskError{Error: "Lambda.Unknown", Cause: payload}
	if o, ok := parsed(payload).(*value.Object); ok {
		e.Cause = value.String(o) // however the function wrote it
		if name, _ := o.Get("errorType"); name != nil && name != "" {
			if name, ok := name.(string); ok {
				e.Error = name
			}
		}
	}
	return e
}

// parsed reads JSON; what is none stays a text, and nothing is null.
func parsed(text string) any {
	if text == "" {
		return nil
	}
	v, err := value.Parse([]byte(text))
	if err != nil {
		return text
	}
	return v
}
