package engine

import (
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// clockwork is the part of a run that every written state moves, in flow runs
// and task runs alike.
type clockwork struct {
	state     **core.State
	policy    *core.RunPolicy
	runCount  *int
	expected  **time.Time
	next      **time.Time
	start     **time.Time
	end       **time.Time
	totalTime *time.Duration
}

func flowRunClockwork(r *core.FlowRun) clockwork {
	return clockwork{&r.State, &r.Policy, &r.RunCount, &r.ExpectedStartTime, &r.NextScheduledStartTime, &r.StartTime, &r.EndTime, &r.TotalRunTime}
}

func taskRunClockwork(r *core.TaskRun) clockwork {
	return clockwork{&r.State, &r.Policy, &r.RunCount, &r.ExpectedStartTime, &r.NextScheduledStartTime, &r.StartTime, &r.EndTime, &r.TotalRunTime}
}

// advance makes s the run's state and keeps the run's books. Two states of one
// run never have the same time, so that their order is always known.
func (c clockwork) advance(s *core.State) {
	old := *c.state
	if old != nil && !s.Timestamp.After(old.Timestamp) {
		s.Timestamp = old.Timestamp.Add(time.Microsecond)
	}
	at := s.Timestamp
	if s.Type == core.Running && *c.start == nil {
		*c.start = &at
	}
	switch wasOver := old != nil && old.Type.Terminal(); {
	case s.Type.Terminal() && *c.end == nil:
		if *c.start == nil {
			*c.start = &at
		}
		*c.end = &at
	case wasOver && !s.Type.Terminal():
		*c.end = nil
	}
	if old.Is(core.Running) {
		*c.totalTime += at.Sub(old.Timestamp)
	}
	due := &at
	if s.Type == core.Scheduled && s.Details.ScheduledTime != nil {
		due = s.Details.ScheduledTime
	}
	if *c.expected == nil {
		*c.expected = due
	}
	*c.next = nil
	if s.Type == core.Scheduled {
		*c.next = due
	}
	resuming := c.policy.Resuming != nil && *c.policy.Resuming
	if s.Type == core.Running && !resuming {
		*c.runCount++
	}
	if c.policy.Resuming != nil && (s.Type == core.Running || s.Type.Terminal()) {
		no := false
		c.policy.Resuming = &no
	}
	*c.state = s
}
