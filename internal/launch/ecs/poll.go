package ecs

import (
	"context"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/launch"
)

// batch is how many tasks DescribeTasks takes at once.
const batch = 100

// missingFor is how long a task that was just started may be unknown to
// DescribeTasks, which lags behind.
const missingFor = time.Minute

// watch sees to it that a work's end is noticed, and what it writes copied.
func (l *Launcher) watch(w *work, logs *stream, from time.Time, out io.Writer) {
	if logs != nil && out != nil {
		go l.follow(w, logs, from, out)
	} else {
		go func() {
			<-w.stopped
			l.over(w)
		}()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.active == nil {
		l.active, l.wake = map[string]*work{}, make(chan struct{}, 1)
	}
	l.active[w.arn] = w
	if !l.polling {
		l.polling = true
		go l.poll()
		return
	}
	l.wakeUp()
}

// over ends a work once nothing is left to do.
func (l *Launcher) over(w *work) {
	if w.definition != "" {
		l.deregister(w)
	}
	w.End(w.exit)
}

// nudge makes the poll loop look soon.
func (l *Launcher) nudge() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wakeUp()
}

func (l *Launcher) wakeUp() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// poll looks at all tasks until none is left.
func (l *Launcher) poll() {
	ctx := context.Background() // tasks outlive whoever started them
	for wait := l.pollMin(); ; {
		wait = l.pause(wait)
		l.mu.Lock()
		works := slices.Collect(maps.Values(l.active))
		l.mu.Unlock()
		changed, failed := l.look(ctx, works)
		l.mu.Lock()
		l.polling = len(l.active) > 0
		more := l.polling
		l.mu.Unlock()
		switch {
		case !more:
			return
		case failed:
			wait = min(2*wait, 3*l.pollMax())
		case changed:
			wait = l.pollMin()
		default:
			wait = min(2*wait, l.pollMax())
		}
	}
}

// pause waits, but only the least time once somebody wants news, and returns how
// long it was to be.
func (l *Launcher) pause(wait time.Duration) time.Duration {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return wait
		case <-l.wake:
			if wait > l.pollMin() {
				wait = l.pollMin()
				timer.Reset(wait)
			}
		}
	}
}

// look describes tasks, as many as a call takes at once, and tells whether any has
// changed and whether a call failed.
func (l *Launcher) look(ctx context.Context, works []*work) (changed, failed bool) {
	type group struct {
		place
		cluster string
	}
	groups := map[group][]*work{}
	for _, w := range works {
		key := group{w.at, w.cluster}
		groups[key] = append(groups[key], w)
	}
	for key, all := range groups {
		for len(all) > 0 {
			n := min(batch, len(all))
			moved, err := l.lookAt(ctx, key.place, key.cluster, all[:n])
			if err != nil {
				l.log().Warn("asking how tasks are", "cluster", key.cluster, "tasks", n, "error", err)
			}
			changed, failed = changed || moved, failed || err != nil
			all = all[n:]
		}
	}
	return changed, failed
}

// lookAt describes tasks of one cluster.
func (l *Launcher) lookAt(ctx context.Context, at place, cluster string, works []*work) (changed bool, err error) {
	arns := make([]string, len(works))
	for i, w := range works {
		arns[i] = w.arn
	}
	var out tasks
	err = l.call(ctx, at, "ecs", "describeTasks", map[string]any{"cluster": cluster, "tasks": arns}, &out)
	if isCode(err, "ClusterNotFoundException") {
		err = nil // and so are its tasks
	}
	if err != nil {
		return false, err
	}
	seen := map[string]*task{}
	for i := range out.Tasks {
		seen[out.Tasks[i].TaskArn] = &out.Tasks[i]
	}
	for _, w := range works {
		t := seen[w.arn]
		switch {
		case t == nil && l.Now().Sub(w.since) > missingFor:
			l.stopped(w, launch.Exit{Unknown: true, Reason: "ECS does not know the task " + w.arn + " any more."})
			changed = true
		case t == nil:
		case t.LastStatus == statusStopped:
			l.stopped(w, t.exit(w.container))
			changed = true
		case t.LastStatus != w.status:
			w.status, changed = t.LastStatus, true
		}
	}
	return changed, nil
}

// stopped notes how a task ended.
func (l *Launcher) stopped(w *work, exit launch.Exit) {
	l.mu.Lock()
	delete(l.active, w.arn)
	l.mu.Unlock()
	w.exit = exit
	close(w.stopped)
}
