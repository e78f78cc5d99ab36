package ecslocal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/launch"
)

// taskRun is the life of a task. One goroutine drives it; what others see of the
// task is changed under the server's lock.
type taskRun struct {
	server  *Server
	site    *site
	task    *task
	def     *definition
	place   placement
	images  []Image          // by container, once pulled
	ended   chan int         // receives the index of a container that has ended; room for all
	waiters sync.WaitGroup   // goroutines that wait for containers
	asked   chan stopRequest // holds the first request to stop
	stopped bool             // a request was made; under the server's lock
	grace   time.Duration    // between SIGTERM and SIGKILL for all containers; below zero each has its own
	live    []bool           // by container: started and not ended; the driver's own
	counted bool             // its end was told to its service; under the lock
}

// closeGrace is the time between SIGTERM and SIGKILL when the endpoint itself stops.
const closeGrace = 5 * time.Second

// stopRequest is why and how a task is to stop.
type stopRequest struct {
	code, reason string
	grace        *time.Duration // overrides the containers' stop timeouts
}

func newTaskRun(s *Server, st *site, t *task, p *placement) *taskRun {
	n := len(p.def.Containers)
	return &taskRun{
		server: s, site: st, task: t, def: p.def, place: *p, images: make([]Image, n), ended: make(chan int, n),
		asked: make(chan stopRequest, 1), live: make([]bool, n), grace: -1,
	}
}

// askToStop asks a task to stop; a second request changes nothing. The caller
// holds the lock.
func (r *taskRun) askToStop(q stopRequest, now time.Time) {
	if r.stopped {
		return
	}
	r.stopped = true
	r.task.DesiredStatus = statusStopped
	r.task.StopCode, r.task.StoppedReason, r.task.StoppingAt = q.code, q.reason, at(now)
	r.asked <- q
}

// update changes the task under the lock.
func (r *taskRun) update(change func(t *task, now time.Time)) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	change(r.task, r.server.cfg.Now())
}

// enter moves the task to a status, and tells of it.
func (r *taskRun) enter(status string, change func(t *task, now time.Time)) {
	r.update(func(t *task, now time.Time) {
		t.LastStatus = status
		t.Version++
		if change != nil {
			change(t, now)
		}
		r.server.taskEvent(r.site, t, now)
		r.server.reconcile(r.site, r.place.service)
	})
	r.server.store.changed()
}

// errAsked says that a task is to stop.
var errAsked = errors.New("the task is to stop")

// pause waits, unless the task is to stop before.
func (r *taskRun) pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case q := <-r.asked:
		r.note(q)
		return errAsked
	case <-ctx.Done():
		return ctx.Err()
	}
}

// note keeps how a task is to stop.
func (r *taskRun) note(q stopRequest) {
	if q.grace != nil {
		r.grace = *q.grace
	}
}

// drive runs the task to its end.
func (r *taskRun) drive(ctx context.Context) {
	err := r.begin(ctx)
	if err == nil {
		err = r.watch(ctx)
	}
	r.end(ctx, err)
}

// begin brings the task to RUNNING.
func (r *taskRun) begin(ctx context.Context) error {
	stage := r.server.cfg.StageTime
	if r.def.NetworkMode == "awsvpc" {
		if err := r.pause(ctx, stage); err != nil {
			return err
		}
		r.enter(statusPending, func(t *task, now time.Time) {
			t.attach(len(r.site.Tasks))
			t.Connectivity, t.ConnectivityAt = "CONNECTED", at(now)
		})
	} else {
		r.update(func(t *task, now time.Time) { t.Connectivity, t.ConnectivityAt = "CONNECTED", at(now) })
	}
	if err := r.pause(ctx, stage+r.server.startDelay()); err != nil {
		return err
	}
	if err := r.pull(ctx); err != nil {
		return err
	}
	if r.place.activate {
		r.enter(statusActivating, nil)
		if err := r.pause(ctx, stage); err != nil {
			return err
		}
	}
	if err := r.startAll(ctx); err != nil {
		return err
	}
	r.enter(statusRunning, func(t *task, now time.Time) { t.StartedAt = at(now) })
	return nil
}

// taskError is why a task could not be started.
type taskError struct{ container, reason string }

// Error implements error.
func (e *taskError) Error() string { return e.reason }

// pull gets all images, unless the task is to stop meanwhile.
func (r *taskRun) pull(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.update(func(t *task, now time.Time) { t.PullStartedAt = at(now) })
	var err error
	pulled := make(chan struct{})
	go func() {
		defer close(pulled)
		err = r.pullAll(ctx)
	}()
	select {
	case <-pulled:
		if err == nil {
			r.update(func(t *task, now time.Time) { t.PullStoppedAt = at(now) })
		}
		return err
	case q := <-r.asked:
		r.note(q)
		cancel()
		<-pulled
		return errAsked
	}
}

func (r *taskRun) pullAll(ctx context.Context) error {
	for i := range r.def.Containers {
		d := &r.def.Containers[i]
		err := r.server.pullFails(d.Image)
		if err == nil {
			r.images[i], err = r.server.cfg.Images.Pull(ctx, d.Image)
		}
		if err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil && r.images[i].Host && len(r.command(i)) == 0 {
			err = fmt.Errorf("pull image manifest has been retried 1 time(s): failed to resolve ref %s: tasks run as processes here, neither the task nor a map says what this image runs: "+
				"start leat ecs-local with --map '%s=DIR:COMMAND'", d.Image, d.Image)
		}
		if err != nil {
			return &taskError{d.Name, "CannotPullContainerError: " + err.Error()}
		}
		r.update(func(t *task, _ time.Time) { t.Containers[i].ImageDigest = r.images[i].Digest })
	}
	return nil
}

// startAll starts the containers in the order of their dependencies.
func (r *taskRun) startAll(ctx context.Context) error {
	started := make([]bool, len(r.def.Containers))
	for left := len(started); left > 0; {
		progress := false
		for i := range r.def.Containers {
			if started[i] {
				continue
			}
			ready, err := r.ready(&r.def.Containers[i])
			if err != nil {
				return err
			}
			if !ready {
				continue
			}
			if err := r.start(ctx, i); err != nil {
				return err
			}
			started[i], progress = true, true
			left--
		}
		if progress || left == 0 {
			continue
		}
		// What is left waits for a container to end.
		if err := r.await(ctx); err != nil {
			return err
		}
	}
	return nil
}

// ready tells whether all that a container depends on has come true.
func (r *taskRun) ready(d *containerDefinition) (bool, error) {
	r.server.mu.Lock()
	defer r.server.mu.Unlock()
	for _, dep := range d.DependsOn {
		on := r.task.container(dep.ContainerName)
		switch dep.Condition {
		case "COMPLETE", "SUCCESS":
			if on.ExitCode == nil {
				return false, nil
			}
			if dep.Condition == "SUCCESS" && *on.ExitCode != 0 {
				return false, &taskError{d.Name, fmt.Sprintf("ContainerDependencyError: dependency of container %s did not succeed: container %s exited with code %d", d.Name, on.Name, *on.ExitCode)}
			}
		default: // START, and HEALTHY too, for health checks are not imitated
			if on.LastStatus == statusPending {
				return false, nil
			}
		}
	}
	return true, nil
}

func (t *task) container(name string) *container {
	for _, c := range t.Containers {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// start starts a container.
func (r *taskRun) start(ctx context.Context, i int) error {
	d := &r.def.Containers[i]
	out, err := r.output(d)
	if err != nil {
		return &taskError{d.Name, err.Error()}
	}
	job, err := r.job(i, out)
	if err == nil {
		var identifier string
		identifier, err = r.server.cfg.Launcher.Start(ctx, job)
		if err == nil {
			r.update(func(t *task, now time.Time) {
				c := t.Containers[i]
				c.LastStatus, c.RuntimeID, c.started = statusRunning, runtimeID(t, i, identifier), at(now)
				if t.Jobs == nil {
					t.Jobs = map[string]string{}
				}
				t.Jobs[job.Run] = identifier
			})
		}
	}
	if err != nil {
		return &taskError{d.Name, "CannotStartContainerError: Error response from launcher: " + err.Error()}
	}
	r.live[i] = true
	r.waiters.Go(func() {
		// Ending the tasks is done by killing, so that the wait sees how they end.
		exit, err := r.server.cfg.Launcher.Wait(context.WithoutCancel(ctx), job.Run)
		if err != nil {
			exit = launch.Exit{Unknown: true}
		}
		// With its first process all of a container ends; of processes of this machine
		// some may be left.
		r.kill(i, 0)
		out.flush()
		r.update(func(t *task, now time.Time) { t.Containers[i].end(exit, now) })
		r.ended <- i
	})
	return nil
}

// end notes how a container ended.
func (c *container) end(exit launch.Exit, now time.Time) {
	code := exit.Code
	switch {
	case exit.Unknown:
		code = 255
		c.Reason = "The container is gone, and nobody saw how it ended."
	case code < 0:
		code = 128 - code
	}
	if exit.OutOfMemory {
		c.Reason = "OutOfMemoryError: Container killed due to memory usage"
	}
	c.ExitCode, c.LastStatus, c.finished = &code, statusStopped, at(now)
}

// runtimeID is what ECS shows as a container's id in its runtime.
func runtimeID(t *task, i int, identifier string) string {
	if len(identifier) == 64 {
		return identifier
	}
	return fmt.Sprintf("%s-%010d", t.id(), i)
}

// errEssential says that an essential container has ended.
var errEssential = errors.New("essential container in task exited")

// await waits for a container to end, or for a request to stop.
func (r *taskRun) await(ctx context.Context) error {
	select {
	case i := <-r.ended:
		r.live[i] = false
		if r.def.Containers[i].essential() {
			return errEssential
		}
		return nil
	case q := <-r.asked:
		r.note(q)
		return errAsked
	case <-ctx.Done():
		return ctx.Err()
	}
}

// watch returns when the task is to end.
func (r *taskRun) watch(ctx context.Context) error {
	for {
		if err := r.await(ctx); err != nil {
			return err
		}
	}
}

// end brings the task to STOPPED, after err has ended what it did.
func (r *taskRun) end(ctx context.Context, err error) {
	var failed *taskError
	begun := false
	r.update(func(t *task, now time.Time) {
		begun = t.StartedAt != nil
		code, reason := stopEssential, "Essential container in task exited"
		switch {
		case errors.As(err, &failed):
			code, reason = stopFailedToStart, failed.reason
			if c := t.container(failed.container); c != nil {
				c.Reason = failed.reason
			}
		case errors.Is(err, context.Canceled):
			code, reason = stopUser, "The local ECS was stopped."
			r.grace = min(r.server.cfg.StopTimeout, closeGrace)
		case errors.Is(err, errAsked):
			return
		}
		if !r.stopped {
			r.stopped = true
			t.DesiredStatus = statusStopped
			t.StopCode, t.StoppedReason, t.StoppingAt = code, reason, at(now)
		}
	})
	asked := errors.Is(err, errAsked)
	if asked && begun {
		r.enter(statusDeactivating, nil)
		r.rest(ctx)
		r.enter(statusStopping, nil)
	}
	r.killAll()
	if r.def.NetworkMode == "awsvpc" {
		r.enter(statusDeprovisioning, func(t *task, now time.Time) { t.ExecutionStoppedAt = at(now) })
		r.rest(ctx)
	}
	r.enter(statusStopped, func(t *task, now time.Time) {
		t.StoppedAt = at(now)
		if t.ExecutionStoppedAt == nil {
			t.ExecutionStoppedAt = t.StoppedAt
		}
		for i := range t.Attachments {
			t.Attachments[i].Type, t.Attachments[i].Status = "eni", "DELETED"
		}
		for _, c := range t.Containers {
			c.LastStatus = statusStopped
		}
	})
	r.update(func(t *task, _ time.Time) { t.run, t.Jobs = nil, nil })
	r.server.store.changed()
	r.server.cfg.Log.Info("task stopped", "task", r.task.id(), "reason", strings.TrimSpace(r.task.StoppedReason))
}

// rest waits for a stage's time, if the server does not stop.
func (r *taskRun) rest(ctx context.Context) {
	timer := time.NewTimer(r.server.cfg.StageTime)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// killAll ends the containers that still run, all at once.
func (r *taskRun) killAll() {
	var kills sync.WaitGroup
	for i, live := range r.live {
		if !live {
			continue
		}
		grace := r.server.cfg.StopTimeout
		if d := &r.def.Containers[i]; d.StopTimeout != nil {
			grace = time.Duration(*d.StopTimeout) * time.Second
		}
		if r.grace >= 0 {
			grace = r.grace
		}
		kills.Go(func() { r.kill(i, grace) })
	}
	kills.Wait()
	r.waiters.Wait()
}

// kill ends a container: the launcher's context is not the task's, which may have
// ended.
func (r *taskRun) kill(i int, grace time.Duration) {
	err := r.server.cfg.Launcher.Kill(context.Background(), r.jobRun(i), grace)
	if err != nil && !errors.Is(err, launch.ErrNotFound) {
		r.server.cfg.Log.Error("ending a container", "task", r.task.id(), "container", r.def.Containers[i].Name, "error", err)
	}
}
