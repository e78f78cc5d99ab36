// Package ecs launches work as tasks of Amazon ECS, on Fargate or on machines of
// the account. A task carries its run's id as what started it, by which another
// launcher finds it again. All tasks of a launcher are watched by one loop.
package ecs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/launch"
)

// Launcher runs jobs as tasks. All that it asks of AWS goes through Caller.
type Launcher struct {
	// Caller calls ECS, EC2 and CloudWatch Logs.
	Caller *awscall.Caller
	// Output receives what adopted tasks write, if they write it to CloudWatch
	// Logs; nil drops it.
	Output io.Writer
	// Log receives what goes wrong beside the work; nil drops it.
	Log *slog.Logger
	// Now is the clock.
	Now func() time.Time
	// Grace is how long a program gets between SIGTERM and SIGKILL: it becomes the
	// stop timeout of definitions that set none, for a task that runs can't be told
	// another. 0 leaves it to ECS, as do the 30 s that are its default.
	Grace time.Duration
	// Patience is how long a start is tried again while there is no capacity or
	// calls are throttled; 0 means 2 minutes.
	Patience time.Duration
	// Backoff is how long to wait after an attempt, counted from 1; nil doubles from
	// 1 s to 30 s, less a random part.
	Backoff func(attempt int) time.Duration
	// PollMin and PollMax bound the time between two looks at the tasks: it is the
	// least after a change and doubles while nothing changes. 0 means 1 s and 10 s.
	PollMin, PollMax time.Duration
	// LogLag is how long the logs of a task that has stopped have to be silent to be
	// complete; 0 means 2 s.
	LogLag time.Duration

	works launch.Works[*work]

	mu      sync.Mutex
	active  map[string]*work // by task, those that have not ended
	polling bool
	wake    chan struct{} // has room for one

	defining    sync.Mutex // one definition at a time is registered
	definitions map[string]*registered
	described   map[string]*definition
	networks    map[string]any
}

var _ launch.Launcher = (*Launcher)(nil)

// work is one run's task.
type work struct {
	launch.Work // it ends when all is over

	// Set before the work begins.
	at         place
	cluster    string
	arn        string
	container  string
	token      string // the client token that started it, "" if another launcher did
	definition string // to be taken back at the end, "" if none
	since      time.Time

	stopped chan struct{} // closed when the task has stopped
	exit    launch.Exit

	status string // as last seen; the poll loop's own
}

func newWork(run string) *work {
	return &work{Work: launch.NewWork(run), stopped: make(chan struct{})}
}

// identifier is what Prefect's own worker stores for a task.
func (w *work) identifier() string { return w.cluster + "::" + w.arn }

// startedBy is how a task names its run. ECS takes 128 letters, digits, hyphens,
// slashes and underscores; for any other id its hash stands.
func startedBy(run string) string {
	if !regexp.MustCompile(`^[A-Za-z0-9/_-]{1,120}$`).MatchString(run) {
		return "leat/" + nextToken(run, "")
	}
	return "leat/" + run
}

// Start implements launch.Launcher; the identifier is CLUSTER::TASK with the ARNs
// of both.
func (l *Launcher) Start(ctx context.Context, job launch.Job) (string, error) {
	w := newWork(job.Run)
	before, ok := l.works.Claim(w)
	if !ok {
		if err := before.Begun(ctx); err != nil {
			return "", err
		}
		return before.identifier(), nil
	}
	if before != nil && before.token != "" {
		w.token = nextToken(before.token, before.arn)
	}
	logs, from, err := l.start(ctx, w, job)
	if err != nil {
		l.works.Fail(w, err)
		return "", err
	}
	w.Begin()
	l.watch(w, logs, from, job.Output)
	return w.identifier(), nil
}

// Adopt implements launch.Launcher.
func (l *Launcher) Adopt(ctx context.Context, run, identifier string) error {
	gone := fmt.Errorf("%w: task %s of run %s", launch.ErrNotFound, identifier, run)
	cluster, arn, at, ok := parseIdentifier(identifier)
	if !ok {
		return gone
	}
	t, err := l.describeTask(ctx, at, cluster, arn)
	switch {
	case isCode(err, "ClusterNotFoundException", "InvalidParameterException"):
		return gone
	case err != nil:
		return err
	case t == nil || t.StartedBy != startedBy(run) || t.LastStatus == statusStopped:
		return gone
	}
	w := newWork(run)
	w.take(at, t, t.program())
	logs := l.logsOf(ctx, w, t)
	w.since = l.Now()
	w.Begin()
	if _, ok := l.works.Claim(w); !ok {
		return nil
	}
	l.watch(w, logs, w.since, l.Output)
	return nil
}

// parseIdentifier reads CLUSTER::TASK, where the cluster is a name or an ARN.
func parseIdentifier(identifier string) (cluster, arn string, at place, ok bool) {
	cluster, arn, found := strings.Cut(identifier, "::")
	parts := strings.SplitN(arn, ":", 6)
	if !found || len(parts) != 6 || parts[0] != "arn" || parts[2] != "ecs" || !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(parts[3]) {
		return "", "", place{}, false
	}
	return cluster, arn, place{region: parts[3]}, true
}

// take notes the task that runs the work.
func (w *work) take(at place, t *task, container string) {
	w.at, w.cluster, w.arn, w.container = at, t.ClusterArn, t.TaskArn, container
}

// Wait implements launch.Launcher.
func (l *Launcher) Wait(ctx context.Context, run string) (launch.Exit, error) {
	return l.works.Wait(ctx, run)
}

// Kill implements launch.Launcher by StopTask. The time between SIGTERM and
// SIGKILL is that of the task's definition, see Launcher.Grace.
func (l *Launcher) Kill(ctx context.Context, run string, _ time.Duration) error {
	w, err := l.works.Find(ctx, run)
	if err != nil {
		return err
	}
	if w.Ended() {
		return nil
	}
	for attempt := 1; ; attempt++ {
		err := l.call(ctx, w.at, "ecs", "stopTask", map[string]any{"cluster": w.cluster, "task": w.arn, "reason": "Stopped by leat"}, nil)
		if isCode(err, "InvalidParameterException") {
			err = nil // there is no such task any more, which the poll loop will see
		}
		if err == nil {
			break
		}
		if !transient(err) {
			return fmt.Errorf("stop the task %s: %w", w.arn, err)
		}
		if err := l.rest(ctx, l.backoff(attempt)); err != nil {
			return err
		}
	}
	l.nudge()
	_, err = w.Wait(ctx)
	return err
}

func (l *Launcher) log() *slog.Logger {
	if l.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l.Log
}

// errNoTask says that a job does not say how it runs on ECS.
var errNoTask = errors.New("the job says nothing of a task")
