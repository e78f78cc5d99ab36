package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/schedule"
)

// Horizon says how far ahead runs are made.
type Horizon struct {
	// From is the earliest time of a run, To the latest; a zero To is no bound.
	From, To time.Time
	// MinRuns runs are made at least, and as many as reach until From plus MinTime,
	// but never more than MaxRuns.
	MinRuns, MaxRuns int
	MinTime          time.Duration
	// Partial tells that only the first runs are wanted now and the others soon.
	Partial bool
}

// MaxHorizon is how far ahead runs are made at most.
const MaxHorizon = 100 * 24 * time.Hour

// DefaultHorizon is the reference's: three runs and one hour ahead at least, a
// hundred runs at most.
func DefaultHorizon(now time.Time) Horizon {
	return Horizon{From: now, To: now.Add(MaxHorizon), MinRuns: 3, MaxRuns: 100, MinTime: time.Hour}
}

// dates lists when the schedule is due within the horizon. more reports whether
// there may be later dates.
func (h Horizon) dates(s schedule.Schedule) (dates []time.Time, more bool) {
	// An error says only why there are fewer dates than there might be.
	all, _ := s.Dates(h.From, h.To, max(h.MaxRuns, 1))
	for i, at := range all {
		if i+1 >= h.MinRuns && !at.Before(h.From.Add(h.MinTime)) {
			return all[:i+1], true
		}
	}
	return all, len(all) >= h.MaxRuns
}

// nextFill is when runs are to be made again: when fewer than MinRuns lie ahead
// or the last one comes nearer than MinTime.
func (h Horizon) nextFill(dates []time.Time) time.Time {
	last := dates[len(dates)-1]
	next := last.Add(-h.MinTime)
	if k := len(dates) - h.MinRuns; k >= 0 && k < len(dates) && dates[k].Before(next) {
		next = dates[k]
	}
	// A schedule that ran into MaxRuns is not filled again before its first run is due.
	if first := dates[0]; next.Before(first) {
		next = first
	}
	return next.Add(time.Microsecond)
}

// FillSchedule makes the runs of one schedule that lie within the horizon and
// are not there yet, and notes when to do so again. It does nothing for a
// deployment that is paused or a schedule that is gone or changes meanwhile.
func (e *Engine) FillSchedule(ctx context.Context, ws core.WorkspaceID, due core.DueSchedule, h Horizon) error {
	d, s, err := e.scheduleToFill(ctx, ws, due)
	if err != nil || s == nil {
		return err
	}
	// The dates are found before the transaction: a strange rule may take a while,
	// and nobody else should wait for it.
	parsed, err := schedule.Load(s.Schedule)
	if err != nil {
		e.log.WarnContext(ctx, "schedule cannot be read", "deployment_id", d.ID, "schedule_id", s.ID, "error", err)
		return e.store.Update(ctx, ws, func(tx core.Tx) error { return tx.SetScheduleDue(s.ID, nil) })
	}
	dates, more := h.dates(parsed)
	again, until := h.again(dates, more), h.From
	if len(dates) > 0 {
		until = dates[len(dates)-1]
	}
	dates = append(h.missed(parsed, s.Policy, due), dates...)
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		d, err := tx.Deployment(due.DeploymentID)
		if missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		current := scheduleOf(d, due.ScheduleID)
		if d.Paused || current == nil || !current.Active || !current.Updated.Equal(s.Updated) {
			return nil
		}
		if err := insertScheduled(tx, e.now(), d, current, kindName(parsed), dates); err != nil {
			return err
		}
		return tx.SetScheduleFilled(s.ID, until, again)
	})
}

// again is when the schedule is to be filled next, after the dates were.
func (h Horizon) again(dates []time.Time, more bool) time.Time {
	switch {
	case h.Partial:
		return h.From
	case len(dates) == 0:
		return h.From.Add(24 * time.Hour) // dates may come into the horizon yet
	case more:
		return h.nextFill(dates)
	}
	return dates[len(dates)-1]
}

func (e *Engine) scheduleToFill(ctx context.Context, ws core.WorkspaceID, due core.DueSchedule) (
	d *core.Deployment, s *core.DeploymentSchedule, err error,
) {
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		d, err = tx.Deployment(due.DeploymentID)
		return err
	})
	if missing(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return d, scheduleOf(d, due.ScheduleID), nil
}

func scheduleOf(d *core.Deployment, id core.ID) *core.DeploymentSchedule {
	for _, s := range d.Schedules {
		if s.ID == id {
			return s
		}
	}
	return nil
}

// FillDeployment makes the runs of all active schedules of a deployment that
// lie within the horizon, paused or not; an unknown deployment is no error.
// Prefect REST: POST /deployments/{id}/schedule.
func (e *Engine) FillDeployment(ctx context.Context, ws core.WorkspaceID, id core.ID, h Horizon) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		d, err := tx.Deployment(id)
		if missing(err) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, s := range d.Schedules {
			if !s.Active {
				continue
			}
			parsed, err := schedule.Load(s.Schedule)
			if err != nil {
				return fmt.Errorf("schedule %s: %w", s.ID, err)
			}
			dates, _ := h.dates(parsed)
			if err := insertScheduled(tx, now, d, s, kindName(parsed), dates); err != nil {
				return err
			}
		}
		return nil
	})
}

// insertScheduled makes a run for each date that has none yet. The deployment is
// locked, so two replicas do not meet here.
func insertScheduled(tx core.Tx, now time.Time, d *core.Deployment, s *core.DeploymentSchedule, kind string, dates []time.Time) error {
	keys := make([]string, len(dates))
	for i, at := range dates {
		keys[i] = fmt.Sprintf("scheduled %s %s %s", d.ID, s.ID, pythonTime(at))
	}
	known, err := tx.KnownRunKeys(d.FlowID, keys)
	if err != nil || len(known) == len(keys) {
		return err
	}
	flow, err := tx.Flow(d.FlowID)
	if err != nil {
		return err
	}
	display := kind
	if slug := deref(s.Slug); slug != "" {
		display = slug
	}
	createdBy := object("id", s.ID.String(), "type", "SCHEDULE", "display_value", display)
	in := NewFlowRun{
		FlowID: d.FlowID, Deployment: d, DeploymentVersion: d.Version, WorkQueueID: d.WorkQueueID, QueueName: d.QueueName,
		Parameters: mergeObjects(d.Parameters, s.Parameters), Context: json.RawMessage("{}"),
		Tags: append([]string{"auto-scheduled"}, d.Tags...), JobVariables: json.RawMessage("{}"), CreatedBy: createdBy,
		InfrastructureDocumentID: d.InfrastructureDocumentID, AutoScheduled: true, ScheduleID: &s.ID,
		Policy: core.RunPolicy{Resuming: new(bool)},
	}
	for i, at := range dates {
		if known[keys[i]] {
			continue
		}
		in.IdempotencyKey = &keys[i]
		if err := tx.InsertFlowRun(scheduledRun(now, flow, in, at)); err != nil {
			return err
		}
	}
	tx.Wake(core.TopicScheduledRuns)
	return nil
}

// scheduledRun is a run for one date. Its first state does not name the run, as
// in the reference.
func scheduledRun(now time.Time, flow *core.Flow, in NewFlowRun, at time.Time) *core.FlowRun {
	at = at.UTC()
	message := "Flow run scheduled"
	run := newFlowRun(now, flow, in)
	state := core.State{
		ID: core.NewID(now), Type: core.Scheduled, Name: core.Scheduled.DefaultName(), Timestamp: now, Message: &message,
		Details: core.StateDetails{ScheduledTime: &at, Deferred: new(bool)},
	}
	Decide(run, state, Facts{Now: now, Force: true}).Apply(run)
	return run
}

// pythonTime writes a time as Python's str does.
func pythonTime(t time.Time) string {
	if t.Nanosecond() < 1000 {
		return t.Format("2006-01-02 15:04:05-07:00")
	}
	return t.Format("2006-01-02 15:04:05.000000-07:00")
}
