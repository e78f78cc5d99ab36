package storetest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

// schedule stores a schedule of the deployment, made so many seconds after now.
func (y *yard) schedule(after int, p core.SchedulePolicy) *core.DeploymentSchedule {
	y.t.Helper()
	at := y.now.Add(time.Duration(after) * time.Second)
	s := &core.DeploymentSchedule{
		ID: core.NewID(at), Created: at, Updated: at, DeploymentID: y.deployment.ID, Schedule: json.RawMessage(`{"interval":60}`),
		Active: true, Parameters: json.RawMessage("{}"), Policy: p,
	}
	y.update(func(tx core.Tx) error { return tx.InsertSchedules([]*core.DeploymentSchedule{s}) })
	return s
}

// runOf stores a run of the schedule in the state, due after so long.
func (y *yard) runOf(s *core.DeploymentSchedule, state core.StateType, after time.Duration, edit func(*core.FlowRun)) core.ScheduleRun {
	y.t.Helper()
	at := y.now.Add(after)
	r := &core.FlowRun{
		ID: core.NewID(y.now), Created: y.now, Updated: y.now, Name: "run", FlowID: y.flow.ID, FlowName: "flow", AutoScheduled: true,
		DeploymentID: &y.deployment.ID, WorkQueueID: &y.queue.ID, ScheduleID: &s.ID, ExpectedStartTime: &at,
		State: &core.State{ID: core.NewID(y.now), Type: state, Name: state.DefaultName(), Timestamp: y.now},
	}
	if state == core.Scheduled {
		r.NextScheduledStartTime = &at
	}
	if edit != nil {
		edit(r)
	}
	y.update(func(tx core.Tx) error { return tx.InsertFlowRun(r) })
	return core.ScheduleRun{ID: r.ID, ScheduleID: s.ID, Due: at, Type: state, Started: r.StartTime != nil}
}

func schedulePolicies(t *testing.T, open Opener) {
	minute, three := time.Minute, 3
	full := core.SchedulePolicy{CatchupWindow: &minute, Overlap: core.OverlapBufferOne, MaxWaiting: &three}
	t.Run("a policy is read as it was stored and changed", func(t *testing.T) {
		t.Parallel()
		y := newYard(t, open)
		s := y.schedule(0, full)
		read := func() core.SchedulePolicy {
			return must(t, y.store, func(tx core.Tx) (core.SchedulePolicy, error) {
				d, err := tx.Deployment(y.deployment.ID)
				return d.Schedules[0].Policy, err
			})
		}
		if diff := cmp.Diff(full, read()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		s.Policy = core.SchedulePolicy{}
		y.update(func(tx core.Tx) error { return tx.UpdateSchedule(s) })
		if diff := cmp.Diff(s.Policy, read()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
	t.Run("only policies that restrict runs are listed", func(t *testing.T) {
		t.Parallel()
		y := newYard(t, open)
		free, allow := y.schedule(0, core.SchedulePolicy{}), y.schedule(1, core.SchedulePolicy{Overlap: core.OverlapAllow})
		skip, all := y.schedule(2, core.SchedulePolicy{Overlap: core.OverlapSkip}), y.schedule(3, full)
		got := must(t, y.store, func(tx core.Tx) (map[core.ID]core.SchedulePolicy, error) {
			return tx.SchedulePolicies([]core.ID{free.ID, allow.ID, skip.ID, all.ID, core.NewID(y.now)})
		})
		want := map[core.ID]core.SchedulePolicy{skip.ID: {Overlap: core.OverlapSkip}, all.ID: full}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		view(t, y.store, func(tx core.Tx) error {
			none, err := tx.SchedulePolicies(nil)
			if len(none) != 0 {
				t.Errorf("%v of no schedules", none)
			}
			return err
		})
	})
	t.Run("those are restricted that have a run waiting which is due", func(t *testing.T) {
		t.Parallel()
		restrictedSchedules(t, newYard(t, open))
	})
	t.Run("live are the runs that were taken or are due", func(t *testing.T) {
		t.Parallel()
		liveRuns(t, newYard(t, open))
	})
	t.Run("a schedule knows up to when it was filled until it changes", func(t *testing.T) {
		t.Parallel()
		y := newYard(t, open)
		s := y.schedule(0, full)
		until := y.now.Add(time.Hour)
		y.update(func(tx core.Tx) error { return tx.SetScheduleFilled(s.ID, until, y.now.Add(time.Second)) })
		due := func() []core.DueSchedule {
			return must(t, y.store, func(tx core.Tx) ([]core.DueSchedule, error) { return tx.DueSchedules(y.now.Add(time.Minute), 10) })
		}
		want := core.DueSchedule{DeploymentID: y.deployment.ID, ScheduleID: s.ID, Filled: &until}
		if diff := cmp.Diff([]core.DueSchedule{want}, due()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		y.update(func(tx core.Tx) error { return tx.UpdateSchedule(s) })
		if got := due(); len(got) != 1 || !got[0].Fresh {
			t.Errorf("after a change: %v", got)
		}
	})
}

func restrictedSchedules(t *testing.T, y *yard) {
	skip := core.SchedulePolicy{Overlap: core.OverlapSkip}
	first, second, later, free := y.schedule(1, skip), y.schedule(2, skip), y.schedule(3, skip), y.schedule(4, core.SchedulePolicy{})
	y.runOf(first, core.Scheduled, -time.Second, nil)
	y.runOf(second, core.Scheduled, 0, nil)
	y.runOf(later, core.Scheduled, time.Second, nil)
	y.runOf(later, core.Running, -time.Minute, nil)
	y.runOf(free, core.Scheduled, -time.Minute, nil)
	list := func(after core.ID, limit int) (ids []core.ID) {
		view(t, y.store, func(tx core.Tx) error {
			found, err := tx.RestrictedSchedules(y.now, after, limit)
			for _, s := range found {
				if s.DeploymentID != y.deployment.ID {
					t.Errorf("deployment %s", s.DeploymentID)
				}
				ids = append(ids, s.ScheduleID)
			}
			return err
		})
		return ids
	}
	if diff := cmp.Diff([]core.ID{first.ID, second.ID}, list(core.ID{}, 10)); diff != "" {
		t.Errorf("all (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]core.ID{first.ID}, list(core.ID{}, 1)); diff != "" {
		t.Errorf("one (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]core.ID{second.ID}, list(first.ID, 10)); diff != "" {
		t.Errorf("after the first (-want +got)\n%s", diff)
	}
}

func liveRuns(t *testing.T, y *yard) {
	a, b := y.schedule(1, core.SchedulePolicy{}), y.schedule(2, core.SchedulePolicy{})
	started := func(r *core.FlowRun) { r.StartTime = &y.now }
	ended := func(r *core.FlowRun) { r.StartTime, r.EndTime = &y.now, &y.now }
	paused := y.runOf(a, core.Paused, -time.Hour, started)
	retrying := y.runOf(a, core.Scheduled, -time.Minute, started)
	due := y.runOf(a, core.Scheduled, 0, nil)
	pending := y.runOf(a, core.Pending, time.Minute, nil)
	y.runOf(a, core.Scheduled, time.Minute, nil)
	y.runOf(a, core.Completed, -time.Minute, ended)
	other := y.runOf(b, core.Running, -2*time.Hour, started)
	list := func(ids ...core.ID) []core.ScheduleRun {
		return must(t, y.store, func(tx core.Tx) ([]core.ScheduleRun, error) { return tx.LiveScheduleRuns(ids, y.now) })
	}
	if diff := cmp.Diff([]core.ScheduleRun{paused, retrying, due, pending}, list(a.ID)); diff != "" {
		t.Errorf("of one (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]core.ScheduleRun{other, paused, retrying, due, pending}, list(b.ID, a.ID)); diff != "" {
		t.Errorf("of two (-want +got)\n%s", diff)
	}
	c := y.schedule(3, core.SchedulePolicy{})
	y.update(func(tx core.Tx) error { return tx.MoveScheduleRuns(b.ID, c.ID) })
	other.ScheduleID = c.ID
	if diff := cmp.Diff([]core.ScheduleRun{other}, list(b.ID, c.ID)); diff != "" {
		t.Errorf("of one that takes another's place (-want +got)\n%s", diff)
	}
	view(t, y.store, func(tx core.Tx) error {
		run, err := tx.FlowRun(other.ID)
		if run.ScheduleID == nil || *run.ScheduleID != c.ID {
			t.Errorf("the run's schedule is %v", run.ScheduleID)
		}
		return err
	})
}
