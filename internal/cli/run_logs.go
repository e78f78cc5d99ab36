package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

func runLogsCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "logs RUN", Short: "Show a flow run's log",
		Example: "  leat run logs 01a20225 --follow",
	}
	out := addOutput(env, cmd)
	follow := cmd.Flags().BoolP("follow", "f", false, "show lines as they come, until the run has ended")
	return onRun(env, cmd, func(ctx context.Context, c *client.Client, run client.FlowRun) error {
		if *follow {
			if out.format == "json" {
				return usagef("--follow and -o json do not go together")
			}
			_, err := newLogFollower(env, c, run).follow(ctx)
			return err
		}
		if out.format == "json" {
			lines := []client.Log{}
			err := eachLog(ctx, c, run.ID, nil, func(l client.Log) { lines = append(lines, l) })
			if err != nil {
				return err
			}
			return out.show(lines, nil)
		}
		return eachLog(ctx, c, run.ID, nil, func(l client.Log) { printLog(env.Stdout, l) })
	})
}

// eachLog visits a run's lines in order, those after a time if one is given.
func eachLog(ctx context.Context, c *client.Client, run core.ID, after *time.Time, visit func(client.Log)) error {
	const page = 200
	filter := object{"flow_run_id": object{"any_": []string{run.String()}}}
	if after != nil {
		filter["timestamp"] = object{"after_": *after}
	}
	for offset := 0; ; offset += page {
		lines, err := c.Logs(ctx, client.Query{"logs": filter, "sort": "TIMESTAMP_ASC", "limit": page, "offset": offset})
		if err != nil {
			return err
		}
		for _, l := range lines {
			visit(l)
		}
		if len(lines) < page {
			return nil
		}
	}
}

func printLog(w io.Writer, l client.Log) {
	_, _ = fmt.Fprintf(w, "%s %-8s %s\n", l.Timestamp.UTC().Format("2006-01-02 15:04:05.000"), levelName(l.Level), l.Message)
}

// levelName is Python's name of a log level.
func levelName(level int) string {
	switch {
	case level >= 50:
		return "CRITICAL"
	case level >= 40:
		return "ERROR"
	case level >= 30:
		return "WARNING"
	case level >= 20:
		return "INFO"
	}
	return "DEBUG"
}

// logFollower prints a run's lines as they come. They come by websocket at once;
// what the websocket missed (before it was open, or when it broke) is read by
// queries, and each line is printed once, by its id.
type logFollower struct {
	env     *Env
	c       *client.Client
	run     client.FlowRun
	seen    map[core.ID]bool
	latest  time.Time // the newest line's time
	printed time.Time // when the last line was printed
	queried time.Time // when the stored lines were last read
	// poll is how often the run's state is read, settle how long nothing has to
	// come after its end before the log counts as complete: programs send the last
	// lines after the last state.
	poll, settle time.Duration
	// changed is told of each new state of the run; nil is allowed.
	changed func(run client.FlowRun)
}

func newLogFollower(env *Env, c *client.Client, run client.FlowRun) *logFollower {
	return &logFollower{env: env, c: c, run: run, seen: map[core.ID]bool{}, poll: 500 * time.Millisecond, settle: 2 * time.Second}
}

// overlap is how far behind the newest line a query looks for lines that were
// stored late.
const overlap = 30 * time.Second

// follow prints until the run has ended and its lines are complete, and returns
// the run as it ended.
func (f *logFollower) follow(ctx context.Context) (client.FlowRun, error) {
	if ended(f.run, f.env.Now().Add(-10*time.Second)) {
		return f.run, f.query(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	lines := make(chan client.Log)
	stopped := make(chan struct{})
	defer func() { cancel(); <-stopped }()
	go func() {
		defer close(stopped)
		// When the connection breaks, the queries go on alone.
		_ = f.c.FollowLogs(ctx, f.run.ID, f.env.Now().Add(-overlap), func(l client.Log) {
			select {
			case lines <- l:
			case <-ctx.Done():
			}
		})
	}()
	f.printed = f.env.Now()
	if err := f.query(ctx); err != nil {
		return f.run, err
	}
	ticker := time.NewTicker(f.poll)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return f.run, context.Cause(ctx)
		case l := <-lines:
			f.print(l)
		case <-ticker.C:
			run, err := f.c.FlowRun(ctx, f.run.ID)
			if err != nil {
				return f.run, err
			}
			if stateText(run.State) != stateText(f.run.State) && f.changed != nil {
				f.changed(run)
			}
			f.run = run
			if f.env.Now().Sub(f.printed) > f.settle && ended(run, f.env.Now().Add(-f.settle)) {
				return run, f.query(ctx)
			}
			if f.due(stopped) {
				if err := f.query(ctx); err != nil {
					return run, err
				}
			}
		}
	}
}

// due reports whether to read stored lines: now and then while the websocket
// brings new ones, always when it has broken.
func (f *logFollower) due(broken <-chan struct{}) bool {
	select {
	case <-broken:
		return true
	default:
		return f.env.Now().Sub(f.queried) > 5*time.Second
	}
}

// ended reports whether a run is in a terminal state since before a time.
func ended(run client.FlowRun, before time.Time) bool {
	return run.State != nil && run.State.Type.Terminal() && run.State.Timestamp.Before(before)
}

// query prints the stored lines that were not printed yet.
func (f *logFollower) query(ctx context.Context) error {
	f.queried = f.env.Now()
	var after *time.Time
	if !f.latest.IsZero() {
		t := f.latest.Add(-overlap)
		after = &t
	}
	return eachLog(ctx, f.c, f.run.ID, after, f.print)
}

func (f *logFollower) print(l client.Log) {
	if f.seen[l.ID] {
		return
	}
	f.seen[l.ID] = true
	if l.Timestamp.After(f.latest) {
		f.latest = l.Timestamp.Time
	}
	f.printed = f.env.Now()
	printLog(f.env.Stdout, l)
}
