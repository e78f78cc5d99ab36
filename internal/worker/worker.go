// Package worker polls a work pool and runs what is due: it claims a run, makes
// its job from the pool's template, hands it to a launcher, watches it, and says
// how it ended. It speaks the Prefect REST API only, so that it works with any
// server of it.
package worker

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/launch"
)

// Config says what a worker does.
type Config struct {
	// Client speaks to the server.
	Client *client.Client
	// Launcher runs the jobs.
	Launcher launch.Launcher
	// Pool is the name of the work pool; it is created if there is none.
	Pool string
	// Queues are the names of the queues to poll; none means all.
	Queues []string
	// Name tells workers of a pool apart.
	Name string
	// Type is the kind of infrastructure of the launcher, like process.
	Type string
	// Containers is true when the launcher runs jobs as containers: they are made of
	// the image and the other settings of the job's configuration, and inherit
	// nothing of this machine's environment.
	Containers bool
	// Tasks is true when the launcher runs jobs as tasks of Amazon ECS: they are
	// made of the configuration's task definition and request, and inherit nothing
	// of this machine's environment either.
	Tasks bool
	// Limit is how many runs may be under way at once; 0 is any number.
	Limit int
	// Prefetch is how long before its time a run is claimed.
	Prefetch time.Duration
	// PollEvery is how often the pool is asked for runs; 0 means 2 seconds.
	PollEvery time.Duration
	// HeartbeatEvery is how often the worker says that it lives; 0 means 30 seconds.
	HeartbeatEvery time.Duration
	// CancelEvery is how often it is asked for cancelled runs, besides the events
	// that tell of them at once; 0 means 10 seconds.
	CancelEvery time.Duration
	// Grace is how long a job may take to end when it is asked to; 0 means 30 seconds.
	Grace time.Duration
	// Environ is the environment that jobs inherit, as name=value.
	Environ []string
	// Output receives what jobs write.
	Output io.Writer
	// Log receives what the worker has to tell.
	Log *slog.Logger
	// Now is the clock.
	Now func() time.Time
	// Version is leat's version.
	Version string
	// Started is called once the pool is there and polling begins; nil is allowed.
	Started func()
}

// Worker polls one work pool.
type Worker struct {
	cfg     Config
	events  *emitter
	control *control // nil where jobs can't reach it

	mu       sync.Mutex
	pool     client.WorkPool
	inFlight map[core.ID]*attempt
	changed  chan struct{} // closed and replaced when an attempt ends

	cancels sync.WaitGroup // cancellations under way
}

// New returns a worker that has sent nothing yet. A name that does not fit into a
// path is an error.
func New(cfg Config) (*Worker, error) {
	if strings.ContainsAny(cfg.Name, "/%") {
		return nil, fmt.Errorf("the worker's name %q contains / or %%", cfg.Name)
	}
	for value, otherwise := range map[*time.Duration]time.Duration{
		&cfg.PollEvery: 2 * time.Second, &cfg.HeartbeatEvery: 30 * time.Second, &cfg.CancelEvery: 10 * time.Second, &cfg.Grace: 30 * time.Second,
	} {
		if *value == 0 {
			*value = otherwise
		}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	w := &Worker{cfg: cfg, inFlight: map[core.ID]*attempt{}, changed: make(chan struct{})}
	w.events = newEmitter(cfg.Client, cfg.Log)
	return w, nil
}

// Run polls until ctx ends. Then it asks the jobs under way to end, says that
// their runs crashed, and returns.
func (w *Worker) Run(ctx context.Context) error {
	return w.session(ctx, func(ctx, jobs context.Context) error {
		wait := w.cfg.PollEvery
		tell := complaint{log: w.cfg.Log.With("work_pool", w.cfg.Pool), while: "polling the work pool"}
		for ctx.Err() == nil {
			wait = w.pause(wait, tell.note(ctx, w.poll(ctx, jobs)))
			w.rest(ctx, wait)
		}
		return nil
	})
}

// pause is how long to rest after an attempt that failed or not, when the last pause was so long.
func (w *Worker) pause(last time.Duration, failed bool) time.Duration {
	if failed {
		return min(2*last, max(w.cfg.PollEvery, maxWait))
	}
	return w.cfg.PollEvery
}

// maxWait is how long a worker rests at most while the server can't be reached.
const maxWait = 30 * time.Second

// rest waits, but not longer than until ctx ends, or an attempt that others wait for.
func (w *Worker) rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-w.freed():
	}
}

// RunOnce polls once, waits until what it got has ended, and returns.
func (w *Worker) RunOnce(ctx context.Context) error {
	return w.session(ctx, func(ctx, jobs context.Context) error {
		if err := w.poll(ctx, jobs); err != nil {
			return err
		}
		for {
			w.mu.Lock()
			left, changed := len(w.inFlight), w.changed
			w.mu.Unlock()
			if left == 0 {
				return nil
			}
			select {
			case <-ctx.Done():
				return nil
			case <-changed:
			}
		}
	})
}

// session is what lies around polling: the pool, heartbeats, cancellation,
// events, and the end of jobs that are still under way.
func (w *Worker) session(ctx context.Context, work func(ctx, jobs context.Context) error) error {
	if err := w.connect(ctx); err != nil {
		return err
	}
	if err := w.checkQueues(ctx); err != nil {
		return err
	}
	var control *control
	if !w.remote() { // which could not reach it
		var err error
		if control, err = listenControl(ctx); err != nil {
			w.cfg.Log.Warn("cancelled flows won't run their on_cancellation hooks", "error", err)
		}
	}
	w.control = control
	// What happens to jobs outlives the polling, and ends with the session.
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var group sync.WaitGroup
	group.Go(func() { w.events.run(background) })
	group.Go(func() { w.heartbeats(background) })
	group.Go(func() { w.followCancelling(background) })
	group.Go(func() { w.pollCancelling(background) })
	if control != nil {
		group.Go(control.serve)
	}
	if w.cfg.Started != nil {
		w.cfg.Started()
	}
	started := w.emit("prefect.worker.started", nil, nil)
	err := work(ctx, background)
	w.stopJobs(background)
	w.cancels.Wait()
	w.emit("prefect.worker.stopped", nil, &started)
	w.events.flush(background)
	stop()
	if control != nil {
		control.close()
	}
	group.Wait()
	return err
}

// connect reads the pool, creates it if there is none, and says that the worker
// lives. While the server can't be reached it tries again.
func (w *Worker) connect(ctx context.Context) error {
	tell := complaint{log: w.cfg.Log, while: "starting the worker"}
	wait := time.Second
	for {
		err := w.sync(ctx)
		if !unreachable(err) {
			tell.note(ctx, nil)
			return err
		}
		tell.note(ctx, err)
		if sleep(ctx, wait) != nil {
			return err
		}
		wait = min(2*wait, maxWait)
	}
}

func (w *Worker) sync(ctx context.Context) error {
	pool, err := w.cfg.Client.WorkPool(ctx, w.cfg.Pool)
	if client.IsNotFound(err) {
		pool, err = w.createPool(ctx)
	}
	if err != nil {
		return fmt.Errorf("work pool %s: %w", w.cfg.Pool, err)
	}
	if err := w.cfg.Client.Heartbeat(ctx, w.cfg.Pool, w.cfg.Name, w.cfg.HeartbeatEvery); err != nil {
		return fmt.Errorf("heartbeat: %w", err)
	}
	w.mu.Lock()
	before := w.pool.Type
	w.pool = pool
	w.mu.Unlock()
	if before != pool.Type && pool.Type != w.cfg.Type {
		w.cfg.Log.Warn("the work pool is made for workers of another type", "work_pool", pool.Name, "work_pool_type", pool.Type, "worker_type", w.cfg.Type)
	}
	return nil
}

// checkQueues finds the queues to poll that are not there.
func (w *Worker) checkQueues(ctx context.Context) error {
	if len(w.cfg.Queues) == 0 {
		return nil
	}
	queues, err := w.cfg.Client.WorkQueues(ctx, w.cfg.Pool, client.Query{})
	if err != nil {
		return err
	}
	var names []string
	for i := range queues {
		names = append(names, queues[i].Name)
	}
	for _, name := range w.cfg.Queues {
		if !slices.Contains(names, name) {
			return fmt.Errorf("work pool %s has no queue %q; it has: %s", w.cfg.Pool, name, strings.Join(names, ", "))
		}
	}
	return nil
}

func (w *Worker) createPool(ctx context.Context) (client.WorkPool, error) {
	template, err := w.cfg.Client.DefaultJobTemplate(ctx, w.cfg.Type)
	if err != nil {
		return client.WorkPool{}, err
	}
	if template == nil {
		return client.WorkPool{}, fmt.Errorf("there is no such pool, and the server knows no template for type %q to create it by", w.cfg.Type)
	}
	pool, err := w.cfg.Client.CreateWorkPool(ctx, client.WorkPoolCreate{
		Name: client.PoolName(w.cfg.Pool), Type: w.cfg.Type, BaseJobTemplate: client.JobTemplate(template),
	})
	if client.IsStatus(err, 409) { // another worker was faster
		return w.cfg.Client.WorkPool(ctx, w.cfg.Pool)
	}
	if err == nil {
		w.cfg.Log.Info("work pool created", "work_pool", pool.Name, "work_pool_type", pool.Type)
	}
	return pool, err
}

// beatAgain is how soon a heartbeat that failed is tried again.
const beatAgain = 5 * time.Second

// heartbeats says that the worker lives and keeps up with changes of the pool.
func (w *Worker) heartbeats(ctx context.Context) {
	tell := complaint{log: w.cfg.Log.With("work_pool", w.cfg.Pool), while: "sending the worker's heartbeat"}
	wait := w.cfg.HeartbeatEvery
	for sleep(ctx, wait) == nil {
		// A heartbeat that failed is made up for soon, before the worker counts as gone.
		if wait = w.cfg.HeartbeatEvery; tell.note(ctx, w.sync(ctx)) {
			wait = min(wait, beatAgain)
		}
	}
}

// workPool returns the pool as it was last seen.
func (w *Worker) workPool() client.WorkPool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pool
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
