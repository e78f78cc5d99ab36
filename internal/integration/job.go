package integration

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/value"
)

// job says how an action's job is known, followed and stopped.
type job struct {
	// id and parent are paths in the answer that started the job, or, behind a $,
	// in the parameters.
	id, parent string
	// describe asks about a job.
	describe func(parent, id string) (operation string, params *value.Object)
	// object is the path of the job in that answer, status that of its status in
	// the job.
	object, status string
	good, bad      []string
	// whole tells that the result is the answer and not the job within it.
	whole bool
	// gone tells that a job that is not found is one that has ended well.
	gone bool
	stop func(parent, id, cause string) (operation string, params *value.Object)
}

func jobOf(service, action string) (job, bool) {
	switch service {
	case "batch", "glue", "databrew", "athena", "mediaconvert", "bedrock", "emr-containers":
		return dataJob(service, action)
	case "codebuild":
		return buildJob(action)
	case "sagemaker":
		return modelJob(action)
	case "elasticmapreduce":
		return emrJob(action)
	case "eks":
		return eksJob(action)
	case "emr-serverless":
		return serverlessJob(action)
	}
	return job{}, false
}

// startJob makes the call of an action, and follows the job if the state waits.
func (r *Runner) startJob(ctx context.Context, t *Task, s service, params *value.Object) (Outcome, *TaskError) {
	a := s.actions[t.Resource.Action]
	operation := a.operation
	if operation == "" {
		operation = t.Resource.Action
	}
	call := s
	if t.Resource.Service == "bedrock" && t.Resource.Action == "invokeModel" {
		call.call = "bedrockruntime"
		params = asTexts(params, "Body")
	}
	params = emrParameters(t.Resource, params)
	out, raw, err := r.call(ctx, t, call, operation, params)
	if err != nil {
		return Outcome{}, err
	}
	if t.Resource.Service == "bedrock" && t.Resource.Action == "invokeModel" {
		out = modelAnswer(out)
	}
	if t.Resource.Pattern == RequestResponse {
		return Outcome{Output: out}, nil
	}
	j, ok := jobOf(t.Resource.Service, t.Resource.Action)
	if !ok {
		return Outcome{}, &TaskError{Error: errRuntime, Cause: Unrecognized(t.Resource.ARN)}
	}
	id := at(j.id, raw, params)
	if id == "" {
		return Outcome{}, &TaskError{Error: errTaskFailed, Cause: value.String(out)}
	}
	return Outcome{Output: out, Watch: r.watch(t, at(j.parent, raw, params), id)}, nil
}

// modelAnswer shows a model's answer as JSON if it is some.
func modelAnswer(out *value.Object) *value.Object {
	if text, ok := pick(out, "Body").(string); ok {
		out.Set("Body", parsed(text))
	}
	return out
}

// emrParameters turns one step into the list that the service takes.
func emrParameters(res Resource, params *value.Object) *value.Object {
	if res.Service != "elasticmapreduce" {
		return params
	}
	rename := func(from, to string) *value.Object {
		v, ok := params.Get(from)
		if !ok {
			return params
		}
		p := params.Clone()
		p.Delete(from)
		p.Set(to, []any{v})
		return p
	}
	switch res.Action {
	case "addStep":
		p := rename("Step", "Steps")
		if v, ok := p.Get("ClusterId"); ok {
			p = p.Clone()
			p.Delete("ClusterId")
			p.Set("JobFlowId", v)
		}
		return p
	case "cancelStep":
		return rename("StepId", "StepIds")
	case "terminateCluster":
		return rename("ClusterId", "JobFlowIds")
	case "setClusterTerminationProtection":
		return rename("ClusterId", "JobFlowIds")
	}
	return params
}

// at follows a path: names and numbers between dots, names in either case.
func at(path string, answer, params *value.Object) string {
	if path == "" {
		return ""
	}
	from := answer
	if rest, ok := strings.CutPrefix(path, "$"); ok {
		path, from = rest, params
	}
	s, _ := walk(path, from).(string)
	return s
}

func walk(path string, v any) any {
	if path == "" {
		return v
	}
	for part := range strings.SplitSeq(path, ".") {
		switch c := v.(type) {
		case []any:
			if len(c) == 0 {
				return nil
			}
			v = c[0] // the lists here are asked for one element
		case *value.Object:
			v = nil
			for k, x := range c.All() {
				if strings.EqualFold(k, part) {
					v = x
					break
				}
			}
		default:
			return nil
		}
	}
	return v
}

// jobWait grows from one second to half a minute.
func jobWait(looks int) time.Duration { return min(30*time.Second, time.Second<<min(looks/3, 5)) }

func (r *Runner) pollJob(ctx context.Context, w Watch) Progress {
	s, known := serviceOf(w.Service)
	j, ok := jobOf(w.Service, w.Action)
	if !known || !ok || len(w.IDs) == 0 {
		return w.broken()
	}
	operation, params := j.describe(w.Parent, w.IDs[0])
	op, ok := r.cfg.Caller.Lookup(s.call, operation)
	if !ok {
		return w.broken()
	}
	raw, meta, err := r.cfg.Caller.Call(ctx, w.request(s.call, operation, params))
	if err != nil {
		if j.gone && isGone(err) {
			return Progress{Done: true, Watch: w, Output: value.NewObject(0)}
		}
		return w.failedLook(fault(s, op, params, err), err)
	}
	w.Failures = 0
	status, _ := walk(j.status, walk(j.object, raw)).(string)
	shown := any(s.renderer().structure(op.Output, raw))
	if j.whole {
		if o, ok := shown.(*value.Object); ok && s.sdk != "" {
			shown = withMetadata(o, meta)
		}
	} else {
		shown = walk(j.object, shown)
	}
	switch {
	case slices.Contains(j.good, status):
		return Progress{Done: true, Watch: w, Output: shown}
	case slices.Contains(j.bad, status):
		return Progress{Done: true, Watch: w, Error: &TaskError{Error: errTaskFailed, Cause: value.String(shown)}}
	}
	return w.again(jobWait(w.Looks))
}

// isGone tells that a service does not know what it was asked about.
func isGone(err error) bool {
	var e *awscall.Error
	return errors.As(err, &e) && (e.Status == http.StatusNotFound || strings.Contains(e.Code, "NotFound"))
}
