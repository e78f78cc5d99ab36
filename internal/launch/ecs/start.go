package ecs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/launch"
)

// start runs a job as a task, unless one runs already, and returns where it logs to
// and from when on that is wanted.
func (l *Launcher) start(ctx context.Context, w *work, job launch.Job) (*stream, time.Time, error) {
	switch {
	case job.Task == nil || job.Task.Container == "":
		return nil, time.Time{}, errNoTask
	case len(job.Command) == 0:
		return nil, time.Time{}, errors.New("the job has no command")
	}
	s := &starting{l: l, run: job.Run, job: job, at: place{job.Task.Region, job.Task.Role}, began: l.Now(), token: w.token}
	s.cluster, _ = job.Task.Request["cluster"].(string)
	if s.token == "" {
		s.token = nextToken(startedBy(job.Run), s.cluster)
	}
	t, err := s.find(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	if t != nil {
		w.take(s.at, t, t.program())
		w.since = s.began
		return l.logsOf(ctx, w, t), s.began, nil
	}
	if t, err = s.start(ctx); err != nil {
		return nil, time.Time{}, err
	}
	w.take(s.at, t, job.Task.Container)
	w.since = l.Now()
	if s.isNew && job.Task.Deregister {
		w.definition = s.def.TaskDefinitionArn
	}
	if s.found {
		return l.logsOf(ctx, w, t), s.began, nil
	}
	w.token = s.token
	return s.def.logs(w), time.Time{}, nil
}

// starting is one start.
type starting struct {
	l       *Launcher
	run     string
	job     launch.Job
	at      place
	cluster string
	began   time.Time
	token   string
	def     *definition
	isNew   bool // the definition was registered for this start
	found   bool // another launcher's task was found
	renewed bool // the definition was made anew once
}

// nextToken is the client token that follows one by whose use came something. All
// launchers find the same tokens, so that two that start a run at once, or one
// whose answer was lost, start one task; and a start after a task's end has
// another.
func nextToken(token, came string) string {
	sum := sha256.Sum256([]byte(token + " " + came))
	return hex.EncodeToString(sum[:16])
}

// find finds the run's task that is under way.
func (s *starting) find(ctx context.Context) (t *task, err error) {
	err = s.l.patiently(ctx, func() (err error) {
		t, err = s.l.underWay(ctx, s.at, s.cluster, s.run)
		return err
	})
	switch {
	case isCode(err, "ClusterNotFoundException") && s.cluster == "":
		return nil, nil // RunTask makes the default cluster
	case isCode(err, "ClusterNotFoundException"):
		return nil, fmt.Errorf("there is no cluster %s: %w", s.cluster, err)
	}
	if t != nil && (t.LastStatus == statusStopped || t.StartedBy != startedBy(s.run)) {
		t = nil
	}
	return t, err
}

// maxTokens is how many client tokens a start goes through at most: a token is left
// behind by each task that the run had within a day.
const maxTokens = 1000

// start runs the task, again while there is no capacity or calls are throttled.
func (s *starting) start(ctx context.Context) (*task, error) {
	for attempt := 1; ; attempt++ {
		t, wait, err := s.try(ctx)
		switch {
		case t != nil:
			return t, nil
		case err == nil && !wait && attempt < maxTokens:
			continue // with another token
		case err == nil && !wait:
			return nil, fmt.Errorf("all of %d client tokens have been used", attempt)
		case err != nil && !wait:
			return nil, err
		}
		if s.l.Now().Sub(s.began) > s.l.patience() {
			return nil, fmt.Errorf("tried %d times: %w", attempt, err)
		}
		s.l.log().Info("starting a task has to wait", "run", s.run, "attempt", attempt, "reason", err)
		if err := s.l.rest(ctx, s.l.backoff(attempt)); err != nil {
			return nil, err
		}
	}
}

// try makes one attempt. Without a task it says whether to wait before the next, and
// why; neither task nor error stands for another attempt at once.
func (s *starting) try(ctx context.Context) (t *task, wait bool, err error) {
	request, err := s.request(ctx)
	if err != nil {
		return nil, transient(err), err
	}
	var out tasks
	err = s.l.call(ctx, s.at, "ecs", "runTask", request, &out)
	switch {
	case isCode(err, "ConflictException"):
		return s.conflict(ctx, err)
	case err != nil:
		return nil, s.again(err), err
	case len(out.Failures) > 0:
		f := out.Failures[0]
		s.token = nextToken(s.token, "failure")
		return nil, noCapacity(f.Reason), fmt.Errorf("run the task: %s", strings.TrimSpace(f.Reason+" "+f.Detail))
	case len(out.Tasks) == 0: // a token of a task that is long gone
		s.token = nextToken(s.token, "gone")
		return nil, false, nil
	}
	return s.fresh(ctx, &out.Tasks[0])
}

// staleAfter is how old a task that RunTask returns is at least when an earlier
// use of its token started it; the clocks may differ by so much.
const staleAfter = time.Minute

// fresh tells a task that was started from one that was started by an earlier use
// of the token and has ended since.
func (s *starting) fresh(ctx context.Context, t *task) (*task, bool, error) {
	arn := t.TaskArn
	if t.CreatedAt.Before(s.began.Add(-staleAfter)) {
		now, err := s.l.describeTask(ctx, s.at, t.ClusterArn, arn)
		if err != nil {
			return nil, transient(err), err
		}
		if t = now; t != nil {
			s.found = true
		}
	}
	switch {
	case t == nil || t.LastStatus == statusStopped:
		s.token = nextToken(s.token, arn)
		return nil, false, nil
	case t.DesiredStatus == statusStopped:
		return nil, true, fmt.Errorf("the task %s of the run is still ending", arn)
	}
	return t, false, nil
}

// conflict finds the task that an unlike request with the same token started. ECS
// names it.
func (s *starting) conflict(ctx context.Context, refused error) (*task, bool, error) {
	var e *awscall.Error
	errors.As(refused, &e)
	if ids, ok := e.Fields.Get("resourceIds"); ok {
		if list, _ := ids.([]any); len(list) > 0 {
			arn, _ := list[0].(string)
			t, err := s.l.describeTask(ctx, s.at, s.cluster, arn)
			if err != nil {
				return nil, transient(err), err
			}
			if t == nil {
				t = &task{TaskArn: arn, LastStatus: statusStopped}
			}
			s.found = true
			t.CreatedAt = s.began // it was just described
			return s.fresh(ctx, t)
		}
	}
	t, err := s.find(ctx)
	if t == nil && err == nil {
		s.token = nextToken(s.token, "conflict")
	}
	s.found = t != nil
	return t, false, err
}

// again tells whether a refusal is one to try again after, and forgets what has
// turned out to be no longer there.
func (s *starting) again(err error) bool {
	text := strings.ToLower(err.Error())
	switch {
	case s.renewed:
	case isCode(err, "ClientException") && strings.Contains(text, "taskdefinition") && s.job.Task.Definition != nil:
		s.renewed = true
		s.l.forget(s.def.TaskDefinitionArn)
		s.def = nil
		return true
	case strings.Contains(text, "subnet"):
		s.renewed = true
		s.l.forgetNetworks()
		return true
	}
	return transient(err)
}

// request makes the request of RunTask.
func (s *starting) request(ctx context.Context) (map[string]any, error) {
	t := s.job.Task
	if s.def == nil {
		d, isNew, err := s.l.definition(ctx, s.at, t)
		if err != nil {
			return nil, err
		}
		s.def, s.isNew = d, isNew
	}
	request, err := clone(t.Request)
	if err != nil {
		return nil, err
	}
	if request == nil {
		request = map[string]any{}
	}
	request["taskDefinition"] = s.def.TaskDefinitionArn
	request["startedBy"], request["clientToken"] = startedBy(s.run), s.token
	request["count"] = 1
	if s.def.NetworkMode == "awsvpc" && request["networkConfiguration"] == nil {
		if request["networkConfiguration"], err = s.l.network(ctx, s.at, t.VPC); err != nil {
			return nil, err
		}
	}
	overrides, _ := request["overrides"].(map[string]any)
	if overrides == nil {
		overrides = map[string]any{}
		request["overrides"] = overrides
	}
	overrides["containerOverrides"] = s.containers(overrides)
	return request, nil
}

// containers are the overrides of containers with the job's program.
func (s *starting) containers(overrides map[string]any) []any {
	all, _ := overrides["containerOverrides"].([]any)
	var own map[string]any
	kept := []any{}
	for _, item := range all {
		o, ok := item.(map[string]any)
		if !ok || len(o) == 0 {
			continue
		}
		if o["name"] == s.job.Task.Container {
			own = o
		}
		kept = append(kept, o)
	}
	if own == nil {
		own = map[string]any{"name": s.job.Task.Container}
		kept = append(kept, own)
	}
	env := []any{}
	for _, v := range s.job.Env {
		if name, value, ok := strings.Cut(v, "="); ok && name != "" {
			env = append(env, map[string]any{"name": name, "value": value})
		}
	}
	own["command"], own["environment"] = s.job.Command, env
	return kept
}
