package engine

import (
	"context"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// settleBatch is how many schedules UnsettledSchedules looks at in one query.
const settleBatch = 200

// UnsettledSchedules lists the schedules whose policy asks to end runs that have
// not ended yet.
func UnsettledSchedules(tx core.Tx, now time.Time) ([]core.DueSchedule, error) {
	var unsettled []core.DueSchedule
	var after core.ID
	for {
		found, err := tx.RestrictedSchedules(now, after, settleBatch)
		if err != nil || len(found) == 0 {
			return unsettled, err
		}
		after = found[len(found)-1].ScheduleID
		ids := make([]core.ID, len(found))
		for i, s := range found {
			ids[i] = s.ScheduleID
		}
		rulings, err := rulings(tx, now, ids, now)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			if slices.ContainsFunc(rulings[s.ScheduleID], Ruling.ends) {
				unsettled = append(unsettled, s)
			}
		}
	}
}

// ends reports whether the ruling is carried out by ending the run.
func (r Ruling) ends() bool { return r.Verdict == Skip || r.Verdict == CancelRun }

// rulings asks the policies of those of the schedules that have one, about runs
// that were taken or are due up to the time.
func rulings(tx core.Tx, now time.Time, ids []core.ID, due time.Time) (map[core.ID][]Ruling, error) {
	policies, err := tx.SchedulePolicies(ids)
	if err != nil || len(policies) == 0 {
		return nil, err
	}
	ids = slices.DeleteFunc(slices.Clone(ids), func(id core.ID) bool { return !policies[id].Restricts() })
	live, err := tx.LiveScheduleRuns(ids, due)
	if err != nil {
		return nil, err
	}
	bySchedule := map[core.ID][]core.ScheduleRun{}
	for _, r := range live {
		bySchedule[r.ScheduleID] = append(bySchedule[r.ScheduleID], r)
	}
	made := map[core.ID][]Ruling{}
	for id, runs := range bySchedule {
		made[id] = RuleSchedule(policies[id], now, runs)
	}
	return made, nil
}

// SettleSchedule ends the runs of a schedule that its policy does not let start
// or go on. The deployment is locked, so two replicas do it one after the other;
// a run that a worker takes at the same moment is locked by whoever comes first,
// and the other finds it changed.
func (e *Engine) SettleSchedule(ctx context.Context, ws core.WorkspaceID, s core.DueSchedule) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		if _, err := tx.Deployment(s.DeploymentID); err != nil {
			return ignored(err)
		}
		now := e.now()
		all, err := rulings(tx, now, []core.ID{s.ScheduleID}, now)
		if err != nil {
			return err
		}
		for _, r := range all[s.ScheduleID] {
			if !r.ends() {
				continue
			}
			if err := e.carryOut(tx, now, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// ignored drops the error of something that was deleted meanwhile.
func ignored(err error) error {
	if missing(err) {
		return nil
	}
	return err
}

// carryOut ends the run unless it changed since the ruling.
func (e *Engine) carryOut(tx core.Tx, now time.Time, r Ruling) error {
	run, err := tx.FlowRun(r.Run.ID)
	if err != nil {
		return ignored(err)
	}
	if run.State == nil || run.State.Type.Terminal() || waiting(run) != r.Run.Waiting() {
		return nil
	}
	s := core.NewState(core.Cancelling, &r.Reason)
	if r.Verdict == Skip {
		s.Type, s.Name = core.Cancelled, core.NameSkipped
	}
	e.log.Info("a schedule's policy ended a flow run", "flow_run_id", run.ID, "schedule_id", run.ScheduleID, "reason", r.Reason)
	_, err = e.propose(tx, now, run, Proposal{State: s})
	return err
}

// waiting reports whether nobody has taken the run of a schedule yet.
func waiting(run *core.FlowRun) bool { return run.State.Is(core.Scheduled) && run.StartTime == nil }

// ruling is what the policy of the run's schedule says of taking it; nil when
// there is none or the run was taken before.
func ruling(tx core.Tx, now time.Time, run *core.FlowRun) (*Ruling, error) {
	if run.ScheduleID == nil || run.ExpectedStartTime == nil || !waiting(run) {
		return nil, nil
	}
	all, err := rulings(tx, now, []core.ID{*run.ScheduleID}, latest(now, *run.ExpectedStartTime))
	if err != nil {
		return nil, err
	}
	of := all[*run.ScheduleID]
	if i := slices.IndexFunc(of, func(r Ruling) bool { return r.Run.ID == run.ID }); i >= 0 {
		return &of[i], nil
	}
	return nil, nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// startable lists runs that are due as DueFlowRuns does, without those that
// their schedules do not let start.
func startable(tx core.Tx, now time.Time, q core.DueRuns) ([]*core.FlowRun, error) {
	var found []*core.FlowRun
	for wanted := q.Limit; ; q.Offset += q.Limit {
		runs, err := tx.DueFlowRuns(q)
		if err != nil {
			return nil, err
		}
		full := len(runs) == q.Limit
		free, err := withoutHeld(tx, now, runs)
		if err != nil {
			return nil, err
		}
		found = append(found, free...)
		if !full || q.Limit <= 0 || len(found) >= wanted {
			return found[:min(len(found), max(wanted, 0))], nil
		}
	}
}

// withoutHeld leaves out the runs that may not be taken now.
func withoutHeld(tx core.Tx, now time.Time, runs []*core.FlowRun) ([]*core.FlowRun, error) {
	var ids []core.ID
	seen, due := map[core.ID]bool{}, now
	for _, r := range runs {
		if r.ScheduleID == nil || r.ExpectedStartTime == nil || !waiting(r) {
			continue
		}
		due = latest(due, *r.ExpectedStartTime)
		if !seen[*r.ScheduleID] {
			seen[*r.ScheduleID] = true
			ids = append(ids, *r.ScheduleID)
		}
	}
	all, err := rulings(tx, now, ids, due)
	if err != nil || len(all) == 0 {
		return runs, err
	}
	held := map[core.ID]bool{}
	for _, of := range all {
		for _, r := range of {
			held[r.Run.ID] = r.Verdict == Hold || r.Verdict == Skip
		}
	}
	return slices.DeleteFunc(runs, func(r *core.FlowRun) bool { return held[r.ID] }), nil
}
