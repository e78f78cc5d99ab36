package ecs

import (
	"context"
	"io"
	"strings"
	"time"
)

// stream is where a container's output is in CloudWatch Logs.
type stream struct {
	at          place
	group, name string
}

// follow copies a task's logs until the task has stopped and they are silent.
// Whoever reads a run's output once the run has ended finds all of it.
func (l *Launcher) follow(w *work, s *stream, from time.Time, out io.Writer) {
	defer l.over(w)
	ctx := context.Background()
	r := &reader{l: l, stream: s, out: out}
	if !from.IsZero() {
		r.from = from.UnixMilli()
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for wait := l.pollMin(); ; {
		select {
		case <-timer.C:
			wait = min(2*wait, l.pollMax())
			if r.read(ctx) {
				wait = l.pollMin()
			}
			timer.Reset(wait)
		case <-w.stopped:
			l.drain(ctx, r)
			return
		}
	}
}

// drain reads what arrives late.
func (l *Launcher) drain(ctx context.Context, r *reader) {
	r.read(ctx)
	step := max(l.logLag()/4, time.Millisecond)
	for silent := time.Duration(0); silent < l.logLag(); silent += step {
		if l.rest(ctx, step) != nil {
			return
		}
		if r.read(ctx) {
			silent = 0
		}
	}
}

// reader reads a stream from where it was left.
type reader struct {
	l      *Launcher
	stream *stream
	out    io.Writer
	from   int64 // milliseconds since 1970 before which events are not wanted
	token  string
	failed bool
}

// read copies what is new, and reports whether there was any. The stream need not
// be there yet.
func (r *reader) read(ctx context.Context) (found bool) {
	for {
		in := map[string]any{"logGroupName": r.stream.group, "logStreamName": r.stream.name, "startFromHead": true}
		if r.token != "" {
			in["nextToken"] = r.token
		}
		if r.from > 0 {
			in["startTime"] = r.from
		}
		var out struct {
			Events           []struct{ Message string }
			NextForwardToken string
		}
		err := r.l.call(ctx, r.stream.at, "cloudwatchlogs", "getLogEvents", in, &out)
		if err != nil {
			if !isCode(err, "ResourceNotFoundException") && !r.failed {
				r.failed = true // once is enough to tell
				r.l.log().Warn("reading a task's logs", "group", r.stream.group, "stream", r.stream.name, "error", err)
			}
			return found
		}
		var text strings.Builder
		for _, e := range out.Events {
			text.WriteString(strings.TrimSuffix(e.Message, "\n") + "\n")
		}
		if text.Len() > 0 {
			found = true
			_, _ = io.WriteString(r.out, text.String())
		}
		more := len(out.Events) > 0 && out.NextForwardToken != r.token
		if out.NextForwardToken == "" { // which no service says
			return found
		}
		r.token = out.NextForwardToken
		if !more {
			return found
		}
	}
}

// logsOf finds where a task's container writes to; nil if that can't be read.
func (l *Launcher) logsOf(ctx context.Context, w *work, t *task) *stream {
	d, err := l.describeDefinition(ctx, w.at, t.TaskDefinitionArn)
	if err != nil {
		l.log().Warn("finding a task's logs", "task", w.arn, "error", err)
		return nil
	}
	return d.logs(w)
}

// logs finds where a task of the definition writes to.
func (d *definition) logs(w *work) *stream {
	for _, c := range d.ContainerDefinitions {
		l := c.LogConfiguration
		if c.Name != w.container || l.LogDriver != "awslogs" || l.Options["awslogs-stream-prefix"] == "" {
			continue
		}
		id := w.arn[strings.LastIndexByte(w.arn, '/')+1:]
		s := &stream{at: w.at, group: l.Options["awslogs-group"], name: l.Options["awslogs-stream-prefix"] + "/" + c.Name + "/" + id}
		if region := l.Options["awslogs-region"]; region != "" {
			s.at.region = region
		}
		return s
	}
	return nil
}
