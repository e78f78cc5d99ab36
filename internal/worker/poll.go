package worker

import (
	"context"
	"maps"
	"sync"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

// poll asks for due runs and begins an attempt at each as far as the limit
// allows; the attempts live in jobs.
func (w *Worker) poll(ctx, jobs context.Context) error {
	if w.free() == 0 {
		return nil
	}
	due, err := w.cfg.Client.DueFlowRuns(ctx, w.cfg.Pool, w.cfg.Queues, w.cfg.Now().Add(w.cfg.Prefetch))
	if client.IsNotFound(err) {
		// The pool was deleted; the next heartbeat makes it anew.
		return nil
	}
	if err != nil {
		return err
	}
	for i := range due {
		run := due[i].FlowRun.FlowRun
		run.JobVariables = due[i].FlowRun.JobVariables
		a := w.take(run)
		if a == nil {
			continue
		}
		go func() {
			defer w.release(a)
			a.execute(jobs)
		}()
	}
	return nil
}

// free returns how many attempts may begin; below zero is any number.
func (w *Worker) free() int {
	if w.cfg.Limit == 0 {
		return -1
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return max(0, w.cfg.Limit-len(w.inFlight))
}

// take notes an attempt at a run; nil if there is one already, or no room.
func (w *Worker) take(run client.FlowRun) *attempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.inFlight[run.ID]; ok || (w.cfg.Limit > 0 && len(w.inFlight) >= w.cfg.Limit) {
		return nil
	}
	a := &attempt{w: w, run: run, over: make(chan struct{})}
	w.inFlight[run.ID] = a
	return a
}

func (w *Worker) release(a *attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.inFlight, a.run.ID)
	close(a.over)
	close(w.changed)
	w.changed = make(chan struct{})
}

// freed is closed when an attempt ends and others wait for its room; without a
// limit nobody waits.
func (w *Worker) freed() <-chan struct{} {
	if w.cfg.Limit == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// attempts lists what is under way.
func (w *Worker) attempts() map[core.ID]*attempt {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.inFlight)
}

// stopJobs ends what is under way and waits until it has ended.
func (w *Worker) stopJobs(ctx context.Context) {
	var group sync.WaitGroup
	for _, a := range w.attempts() {
		group.Go(func() {
			a.stop(ctx)
			<-a.over
		})
	}
	group.Wait()
}
