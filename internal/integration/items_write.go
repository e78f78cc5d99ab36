package integration

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/value"
)

// maxResultFile is at how many bytes a file of results ends and the next begins.
const maxResultFile = 32 << 20

// Pending is the status of a result whose execution was never started.
const Pending = "PENDING"

// Write writes the results of a map run by its ResultWriter and returns the
// state's result: where they are, or, without a bucket, the results themselves
// in the form that WriterConfig asks for. The error is States.ResultWriterFailed.
func (i Items) Write(ctx context.Context, t Task, to *asl.Transfer, run *core.MapRun, results []*core.Execution) (any, *TaskError) {
	form := member(to.Config, "Transformation")
	if to.Resource == "" {
		if form == "" {
			form = "COMPACT"
		}
		return asResult(form, results)
	}
	if action, ok := storage(to.Resource); !ok || action != "putObject" {
		return nil, unwritten(Unrecognized(to.Resource))
	}
	params, _ := to.Parameters.(*value.Object)
	w := writing{runner: i.Runner, task: t, bucket: member(params, "Bucket"), form: form, lines: member(to.Config, "OutputType") == "JSONL"}
	if w.bucket == "" {
		return nil, unwritten("The Bucket of the ResultWriter must be a string that is not empty")
	}
	if w.prefix = member(params, "Prefix"); w.prefix != "" && !strings.HasSuffix(w.prefix, "/") {
		w.prefix += "/"
	}
	w.prefix += run.ARN[strings.LastIndexByte(run.ARN, ':')+1:] + "/"
	files := value.NewObject(3)
	for _, kind := range []string{"FAILED", Pending, "SUCCEEDED"} {
		list, failure := w.files(ctx, kind, results)
		if failure != nil {
			return nil, failure
		}
		files.Set(kind, list)
	}
	key := w.prefix + "manifest.json"
	manifest := value.String(value.Of("DestinationBucket", w.bucket, "MapRunArn", run.ARN, "ResultFiles", files))
	if failure := w.put(ctx, key, manifest); failure != nil {
		return nil, failure
	}
	return value.Of("MapRunArn", run.ARN, "ResultWriterDetails", value.Of("Bucket", w.bucket, "Key", key)), nil
}

func unwritten(cause string) *TaskError { return &TaskError{Error: errResultWriter, Cause: cause} }

// asResult gives results the form in which they are the state's own result.
func asResult(form string, results []*core.Execution) (any, *TaskError) {
	out := make([]any, 0, len(results))
	for _, x := range results {
		if x.Output == nil {
			continue
		}
		if form == "NONE" {
			out = append(out, shown(x))
			continue
		}
		v, err := value.Parse([]byte(*x.Output))
		if err != nil {
			return nil, unwritten("The output of " + x.ARN + " is no JSON")
		}
		if list, ok := v.([]any); ok && form == "FLATTEN" {
			out = append(out, list...)
			continue
		}
		out = append(out, v)
	}
	return out, nil
}

// writing is one writing of results.
type writing struct {
	runner         *Runner
	task           Task
	bucket, prefix string
	form           string
	lines          bool
}

// kindOf is the files in which an execution's result is written.
func kindOf(x *core.Execution) string {
	switch x.Status {
	case string(asl.Succeeded):
		return "SUCCEEDED"
	case Pending, string(asl.Running):
		return Pending
	}
	return "FAILED"
}

// files writes the results of a kind and lists the files as the manifest does.
func (w *writing) files(ctx context.Context, kind string, results []*core.Execution) ([]any, *TaskError) {
	list := []any{}
	var text []byte
	flush := func() *TaskError {
		if len(text) == 0 {
			return nil
		}
		extension := "json"
		if w.lines {
			extension = "jsonl"
		} else {
			text = append(text, ']')
		}
		key := fmt.Sprintf("%s%s_%d.%s", w.prefix, kind, len(list), extension)
		list = append(list, value.Of("Key", key, "Size", int64(len(text))))
		failure := w.put(ctx, key, string(text))
		text = text[:0]
		return failure
	}
	for _, x := range results {
		if kindOf(x) != kind {
			continue
		}
		entries, failure := w.entries(x)
		if failure != nil {
			return nil, failure
		}
		for _, v := range entries {
			switch {
			case w.lines:
			case len(text) == 0:
				text = append(text, '[')
			default:
				text = append(text, ',')
			}
			text = value.Append(text, v)
			if w.lines {
				text = append(text, '\n')
			}
			if len(text) >= maxResultFile {
				if failure := flush(); failure != nil {
					return nil, failure
				}
			}
		}
	}
	return list, flush()
}

// entries are what is written of an execution. Those that did not succeed are
// written whole in every form.
func (w *writing) entries(x *core.Execution) ([]any, *TaskError) {
	if x.Output == nil || w.form == "" || w.form == "NONE" {
		return []any{shown(x)}, nil
	}
	list, failure := asResult(w.form, []*core.Execution{x})
	if failure != nil {
		return nil, failure
	}
	entries, _ := list.([]any)
	return entries, nil
}

func (w *writing) put(ctx context.Context, key, body string) *TaskError {
	if failure := w.runner.PutObject(ctx, w.task, w.bucket, key, body); failure != nil {
		return unwritten(failure.Cause)
	}
	return nil
}

// shown is an execution as result files have it.
func shown(x *core.Execution) *value.Object {
	included := value.Of("Included", true)
	o := value.Of("ExecutionArn", x.ARN, "Input", x.Input, "InputDetails", included, "Name", x.Name)
	if x.Error != nil {
		o.Set("Error", *x.Error)
	}
	if x.Cause != nil {
		o.Set("Cause", *x.Cause)
	}
	if x.Output != nil {
		o.Set("Output", *x.Output)
	}
	o.Set("OutputDetails", included)
	o.Set("RedriveCount", int64(x.Redrives))
	status, reason := "REDRIVABLE", ""
	switch {
	case x.Status == string(asl.Succeeded):
		status, reason = "NOT_REDRIVABLE", "Execution is SUCCEEDED and cannot be redriven"
	case x.Express:
		status = "REDRIVABLE_BY_MAP_RUN"
	}
	o.Set("RedriveStatus", status)
	if reason != "" {
		o.Set("RedriveStatusReason", reason)
	}
	if !x.Started.IsZero() {
		o.Set("StartDate", written(x.Started))
	}
	o.Set("StateMachineArn", x.MachineARN)
	o.Set("Status", x.Status)
	if x.Stopped != nil {
		o.Set("StopDate", written(*x.Stopped))
	}
	return o
}

func written(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
