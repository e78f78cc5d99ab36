package ecslocal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Tasks of a service that end before steadyTime make the service wait before it
// starts others: a second, then twice as long each time, up to a minute.
const (
	steadyTime = 10 * time.Second
	firstWait  = time.Second
	longWait   = time.Minute
)

// tasksOf lists the tasks of a deployment that are to run.
func (st *site) tasksOf(d *deployment) []*task {
	var tasks []*task
	for _, t := range st.Tasks {
		if t.StartedBy == d.ID && t.DesiredStatus == statusRunning {
			tasks = append(tasks, t)
		}
	}
	slices.SortFunc(tasks, func(a, b *task) int { return a.CreatedAt.Compare(b.CreatedAt.Time) })
	return tasks
}

func (st *site) countTasks(d *deployment) (running, pending int) {
	for _, t := range st.Tasks {
		switch {
		case t.StartedBy != d.ID:
		case t.LastStatus == statusRunning:
			running++
		case t.LastStatus == statusProvisioning || t.LastStatus == statusPending || t.LastStatus == statusActivating:
			pending++
		}
	}
	return running, pending
}

// reconcileAll looks after the services of a site, as after a restart.
func (s *Server) reconcileAll(st *site) {
	for _, svc := range st.Services {
		s.reconcile(st, svc)
	}
}

// reconcile starts and stops tasks of a service until there are as many as
// desired. It is called whenever one of them or the service has changed, with the
// lock held; nil is no service.
func (s *Server) reconcile(st *site, svc *ecsService) {
	if svc == nil || s.closed || svc.Status == inactive {
		return
	}
	now := s.cfg.Now()
	s.countFailed(st, svc, now)
	primary := svc.primary()
	current := st.tasksOf(primary)
	if surplus := len(current) - svc.Desired; surplus > 0 {
		s.stopTasks(svc, primary, current[:surplus], now)
	}
	if missing := svc.Desired - len(current); missing > 0 {
		s.startMissing(st, svc, missing, now)
	}
	running, _ := st.countTasks(primary)
	if running < svc.Desired {
		return
	}
	// The new deployment stands: the tasks of older ones go.
	for _, old := range svc.Deployments[1:] {
		s.stopTasks(svc, old, st.tasksOf(old), now)
	}
	svc.Deployments = slices.DeleteFunc(svc.Deployments, func(d *deployment) bool {
		running, pending := st.countTasks(d)
		return d != primary && running+pending == 0
	})
	if primary.Rollout == "IN_PROGRESS" && len(svc.Deployments) == 1 {
		primary.Rollout, primary.RolloutReason = "COMPLETED", "ECS deployment "+primary.ID+" completed."
		primary.UpdatedAt = at(now)
		svc.say(now, "has reached a steady state.")
	}
	if svc.Status == draining && running == 0 && len(current) == 0 {
		svc.Status = inactive
	}
}

// countFailed notes tasks that ended by themselves soon after their start.
func (s *Server) countFailed(st *site, svc *ecsService, now time.Time) {
	for _, t := range st.Tasks {
		if t.run == nil || t.run.counted || t.run.place.service != svc || t.DesiredStatus != statusStopped {
			continue
		}
		t.run.counted = true
		if t.StopCode != stopEssential && t.StopCode != stopFailedToStart {
			continue
		}
		if t.StartedAt != nil && now.Sub(t.StartedAt.Time) >= steadyTime {
			svc.failed = 0
			continue
		}
		svc.failed++
		svc.primary().Failed++
		svc.notBefore = now.Add(min(firstWait<<min(svc.failed-1, 10), longWait))
	}
}

// startMissing starts tasks, at once or when the service has waited.
func (s *Server) startMissing(st *site, svc *ecsService, missing int, now time.Time) {
	if wait := svc.notBefore.Sub(now); wait > 0 {
		s.lookAgain(st, svc, wait)
		return
	}
	c := &call{site: st, server: s, ctx: context.Background(), now: now}
	p, err := svc.placement(c)
	if err != nil {
		svc.say(now, "was unable to place a task. Reason: %s.", asAPIError(err).Message)
		return
	}
	p.by = svc.primary().ID
	out := c.launch(p, svc.Strategy, missing)
	var ids []string
	for _, t := range out.Tasks {
		ids = append(ids, "(task "+t.id()+")")
	}
	if len(ids) > 0 {
		svc.say(now, "has started %d tasks: %s.", len(ids), strings.Join(ids, " "))
	}
	if len(out.Failures) > 0 {
		svc.say(now, "was unable to place a task. Reason: %s.", out.Failures[0].Reason)
		s.lookAgain(st, svc, firstWait)
	}
}

// lookAgain reconciles a service later.
func (s *Server) lookAgain(st *site, svc *ecsService, wait time.Duration) {
	if svc.again != nil {
		svc.again.Stop()
	}
	svc.again = time.AfterFunc(wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.reconcile(st, svc)
	})
}

func (s *Server) stopTasks(svc *ecsService, d *deployment, tasks []*task, now time.Time) {
	var ids []string
	for _, t := range tasks {
		if t.run != nil {
			t.run.askToStop(stopRequest{code: stopScheduler, reason: fmt.Sprintf("Scaling activity initiated by (deployment %s)", d.ID)}, now)
			ids = append(ids, "(task "+t.id()+")")
		}
	}
	if len(ids) > 0 {
		svc.say(now, "has stopped %d running tasks: %s.", len(ids), strings.Join(ids, " "))
	}
}
