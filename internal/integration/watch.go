package integration

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/value"
)

// maxFailedLooks is how often in a row a service may refuse to tell of a job.
const maxFailedLooks = 10

// pollers is how many calls one Poll makes at once.
const pollers = 16

// Poll looks at jobs: ECS tasks of a cluster together, others one by one. The
// progress of a watch stands at its place.
func (r *Runner) Poll(ctx context.Context, watches []Watch) []Progress {
	out := make([]Progress, len(watches))
	var tasks []int
	var wg sync.WaitGroup
	slots := make(chan struct{}, pollers)
	for i := range watches {
		if watches[i].Service == "ecs" {
			tasks = append(tasks, i)
			continue
		}
		wg.Add(1)
		slots <- struct{}{}
		go func() {
			defer wg.Done()
			out[i] = r.poll(ctx, watches[i])
			<-slots
		}()
	}
	r.pollTasks(ctx, watches, tasks, out)
	wg.Wait()
	for i := range out {
		if out[i].Done && out[i].Error == nil {
			t := Task{Resource: Resource{Service: watches[i].Service}}
			if err := r.tooLarge(&t, out[i].Output); err != nil {
				out[i].Output, out[i].Error = nil, err
			}
		}
	}
	return out
}

func (r *Runner) poll(ctx context.Context, w Watch) Progress {
	switch w.Service {
	case "states":
		return r.pollExecution(ctx, w)
	case "flow":
		if r.cfg.Flows == nil {
			return w.broken()
		}
		return r.cfg.Flows.FlowProgress(ctx, w)
	}
	if w.Service == "eks" && w.Action == "runJob" {
		return r.pollClusterJob(ctx, w)
	}
	return r.pollJob(ctx, w)
}

// again is a job that is not done.
func (w Watch) again(after time.Duration) Progress {
	w.Looks++
	return Progress{Watch: w, After: after}
}

// broken is a watch that this program does not know how to follow.
func (w Watch) broken() Progress {
	return Progress{Done: true, Watch: w, Error: &TaskError{Error: errRuntime, Cause: "a job of " + w.Service + ":" + w.Action + " cannot be followed"}}
}

// failedLook is a look that failed. A job goes on whether or not it can be seen,
// so that only refusals that last end the state.
func (w Watch) failedLook(e *TaskError, err error) Progress {
	var refusal *awscall.Error
	if errors.As(err, &refusal) && refusal.Client && refusal.Status != http.StatusTooManyRequests {
		w.Failures++
	}
	if w.Failures >= maxFailedLooks {
		return Progress{Done: true, Watch: w, Error: e}
	}
	return w.again(min(30*time.Second, time.Second<<min(w.Looks, 5)))
}

// Stop ends the jobs of a state that was aborted. A job that is gone already is
// no error.
func (r *Runner) Stop(ctx context.Context, w Watch, cause string) error {
	var failures []error
	for _, id := range w.IDs {
		service, operation, params := "", "", (*value.Object)(nil)
		switch w.Service {
		case "ecs":
			service, operation, params = "ecs", "stopTask", value.Of("cluster", w.Parent, "task", id, "reason", shorten(cause, 1024))
		case "states":
			service, operation, params = "sfn", "stopExecution", value.Of("executionArn", id, "cause", cause)
		case "flow":
			if r.cfg.Flows != nil {
				failures = append(failures, r.cfg.Flows.StopFlow(ctx, w, cause))
			}
			continue
		case "eks":
			if w.Action == "runJob" {
				failures = append(failures, r.stopClusterJob(ctx, &w, id))
			}
			continue
		default:
			j, ok := jobOf(w.Service, w.Action)
			if !ok || j.stop == nil {
				continue
			}
			s, _ := serviceOf(w.Service)
			service = s.call
			operation, params = j.stop(w.Parent, id, cause)
		}
		_, _, err := r.cfg.Caller.Call(ctx, w.request(service, operation, params))
		var refusal *awscall.Error
		if errors.As(err, &refusal) && refusal.Client && refusal.Status != http.StatusTooManyRequests {
			err = nil // it has ended, or never was
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

func shorten(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
