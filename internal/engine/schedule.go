package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/schedule"
)

// ScheduleFields is what a client says of a schedule; nil is not said.
type ScheduleFields struct {
	// Schedule is the wire form as the client sent it.
	Schedule         json.RawMessage
	Active           *bool
	MaxScheduledRuns *int
	Parameters       json.RawMessage
	Slug             *string
	// Replaces is the slug of the schedule that this one takes the place of.
	Replaces *string
	Policy   PolicyFields
}

// normal is the schedule as it is stored, with all that the server fills.
func (f ScheduleFields) normal(now time.Time) (json.RawMessage, error) {
	s, err := schedule.Parse(f.Schedule, now)
	if err != nil {
		return nil, core.Errorf(core.Invalid, "%s", err)
	}
	return s.MarshalJSON()
}

// change returns the schedule with what the client said. Its parameters are
// those of the client even if it named none, as in the reference.
func (f ScheduleFields) change(now time.Time, old *core.DeploymentSchedule) (*core.DeploymentSchedule, error) {
	s := *old
	s.Updated, s.Parameters = now, json.RawMessage("{}")
	if f.Schedule != nil {
		raw, err := f.normal(now)
		if err != nil {
			return nil, err
		}
		s.Schedule = raw
	}
	if f.Active != nil {
		s.Active = *f.Active
	}
	if f.MaxScheduledRuns != nil {
		s.MaxScheduledRuns = f.MaxScheduledRuns
	}
	if f.Parameters != nil {
		s.Parameters = f.Parameters
	}
	if f.Slug != nil {
		s.Slug = f.Slug
	}
	s.Policy = f.Policy.over(s.Policy)
	return &s, nil
}

// newSchedules makes schedules. Each is a microsecond younger than the one
// before, so that they are listed in a stable order.
func newSchedules(now time.Time, given []ScheduleFields) ([]*core.DeploymentSchedule, error) {
	seen := map[string]bool{}
	made := make([]*core.DeploymentSchedule, 0, len(given))
	for i, f := range given {
		if f.Slug != nil && seen[*f.Slug] {
			return nil, integrityConflict()
		}
		seen[deref(f.Slug)] = true
		raw, err := f.normal(now)
		if err != nil {
			return nil, err
		}
		at := now.Add(time.Duration(i) * time.Microsecond)
		s := &core.DeploymentSchedule{
			ID: core.NewID(at), Created: at, Updated: at, Schedule: raw, Active: f.Active == nil || *f.Active,
			MaxScheduledRuns: f.MaxScheduledRuns, Parameters: f.Parameters, Slug: f.Slug, Policy: f.Policy.over(core.SchedulePolicy{}),
		}
		if s.Parameters == nil {
			s.Parameters = json.RawMessage("{}")
		}
		made = append(made, s)
	}
	return made, nil
}

// replaceSchedules makes the schedules all that the deployment has.
func replaceSchedules(tx core.Tx, deploymentID core.ID, schedules []*core.DeploymentSchedule, moved []succession) error {
	if err := tx.DeleteSchedules(deploymentID); err != nil {
		return err
	}
	for _, s := range schedules {
		s.DeploymentID = deploymentID
		s.MaxScheduledRuns = nil // the reference loses it on this way
	}
	if err := tx.InsertSchedules(schedules); err != nil {
		return err
	}
	return moveRuns(tx, moved)
}

// AddSchedules gives a deployment more schedules. A slug that is taken is a
// Conflict. Prefect REST: POST /deployments/{id}/schedules.
func (e *Engine) AddSchedules(ctx context.Context, ws core.WorkspaceID, deploymentID core.ID, given []ScheduleFields) (
	made []*core.DeploymentSchedule, err error,
) {
	now := e.now()
	return made, e.store.Update(ctx, ws, func(tx core.Tx) error {
		d, err := tx.Deployment(deploymentID)
		if missing(err) {
			return errDeploymentGone()
		}
		if err != nil {
			return err
		}
		if made, err = newSchedules(now, given); err != nil {
			return err
		}
		for _, s := range made {
			s.DeploymentID = deploymentID
			for _, old := range d.Schedules {
				if s.Slug != nil && old.Slug != nil && *s.Slug == *old.Slug {
					return integrityConflict()
				}
			}
		}
		return tx.InsertSchedules(made)
	})
}

// UpdateSchedule changes a schedule and removes the deployment's future
// scheduled runs. Prefect REST: PATCH /deployments/{id}/schedules/{id}.
func (e *Engine) UpdateSchedule(ctx context.Context, ws core.WorkspaceID, deploymentID, id core.ID, in ScheduleFields) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		old, err := findSchedule(tx, deploymentID, id)
		if err != nil {
			return err
		}
		s, err := in.change(now, old)
		if err != nil {
			return err
		}
		if err := tx.UpdateSchedule(s); err != nil {
			return err
		}
		return tx.DeleteScheduledRuns(deploymentID, core.ScheduledRuns{Auto: true, After: &now})
	})
}

// DeleteSchedule removes a schedule and the deployment's scheduled runs.
// Prefect REST: DELETE /deployments/{id}/schedules/{id}.
func (e *Engine) DeleteSchedule(ctx context.Context, ws core.WorkspaceID, deploymentID, id core.ID) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		if _, err := findSchedule(tx, deploymentID, id); err != nil {
			return err
		}
		if _, err := tx.DeleteSchedule(deploymentID, id); err != nil {
			return err
		}
		return tx.DeleteScheduledRuns(deploymentID, core.ScheduledRuns{Auto: true})
	})
}

func findSchedule(tx core.Tx, deploymentID, id core.ID) (*core.DeploymentSchedule, error) {
	d, err := tx.Deployment(deploymentID)
	if missing(err) {
		return nil, errDeploymentGone()
	}
	if err != nil {
		return nil, err
	}
	for _, s := range d.Schedules {
		if s.ID == id {
			return s, nil
		}
	}
	return nil, core.Errorf(core.NotFound, "Schedule not found.")
}

// kindName is the reference's name for a kind of schedule.
func kindName(s schedule.Schedule) string {
	switch s.(type) {
	case *schedule.Interval:
		return "IntervalSchedule"
	case *schedule.Cron:
		return "CronSchedule"
	case *schedule.RRule:
		return "RRuleSchedule"
	}
	return fmt.Sprintf("%T", s)
}
