package engine

import (
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/schedule"
	"github.com/leat-dev/leat/internal/wire"
)

// PolicyFields is what a client says of a schedule's policy; what is not set is
// left as it is, and null restricts nothing.
type PolicyFields struct {
	CatchupWindow wire.Opt[time.Duration]
	Overlap       wire.Opt[core.Overlap]
	MaxWaiting    wire.Opt[int]
}

// said reports whether the client said anything of it.
func (f PolicyFields) said() bool { return f.CatchupWindow.Set || f.Overlap.Set || f.MaxWaiting.Set }

// over lays the fields over a policy.
func (f PolicyFields) over(p core.SchedulePolicy) core.SchedulePolicy {
	assign(&p.CatchupWindow, f.CatchupWindow)
	assign(&p.MaxWaiting, f.MaxWaiting)
	if f.Overlap.Set {
		p.Overlap = f.Overlap.Or("")
	}
	return p
}

// succession is a schedule that takes the place of another.
type succession struct{ from, to core.ID }

// succeed gives new schedules the policies of those whose place they take, where
// the client said nothing of them: the reference's clients send a deployment's
// schedules anew with every deploy, and know no policies. made are the schedules
// of given, in its order. It returns those whose runs under way concern their
// policies.
func succeed(old []*core.DeploymentSchedule, given []ScheduleFields, made []*core.DeploymentSchedule) []succession {
	var all []succession
	gone := map[core.ID]bool{}
	for i, s := range made {
		for _, o := range old {
			if gone[o.ID] || !sameSchedule(o, s, given[i].Replaces) {
				continue
			}
			gone[o.ID] = true
			if !given[i].Policy.said() {
				s.Policy = o.Policy
			}
			if s.Policy.Restricts() {
				all = append(all, succession{from: o.ID, to: s.ID})
			}
			break
		}
	}
	return all
}

// sameSchedule tells by their slugs, or where neither has one by what they say,
// whether a new schedule stands for an old one.
func sameSchedule(old, s *core.DeploymentSchedule, replaces *string) bool {
	if name := deref(replaces); name != "" {
		return deref(old.Slug) == name
	}
	if deref(old.Slug) != "" || deref(s.Slug) != "" {
		return deref(old.Slug) == deref(s.Slug)
	}
	return timeless(old.Schedule) == timeless(s.Schedule)
}

// timeless is a schedule without its anchor, which clients that give none set to
// the present.
func timeless(raw json.RawMessage) string {
	var m map[string]any
	if json.Unmarshal(raw, &m) != nil {
		return string(raw)
	}
	delete(m, "anchor_date")
	b, err := json.Marshal(m)
	if err != nil {
		return string(raw)
	}
	return string(b)
}

// moveRuns gives the successors the runs that have not ended.
func moveRuns(tx core.Tx, all []succession) error {
	for _, s := range all {
		if err := tx.MoveScheduleRuns(s.from, s.to); err != nil {
			return err
		}
	}
	return nil
}

// missedAtMost bounds how many dates are looked at to find the last missed ones.
const missedAtMost = 1000

// missed lists the dates that went by since the schedule was filled last, as when
// the server was down for longer than it makes runs ahead, and that are still
// within its catch-up window: at most MaxRuns, the last ones.
func (h Horizon) missed(s schedule.Schedule, p core.SchedulePolicy, due core.DueSchedule) []time.Time {
	if p.CatchupWindow == nil || due.Fresh || due.Filled == nil || !due.Filled.Before(h.From) {
		return nil
	}
	from, to := latest(due.Filled.Add(time.Microsecond), h.From.Add(-*p.CatchupWindow)), h.From.Add(-time.Microsecond)
	for from.Before(to) {
		// An error says only why there are fewer dates than there might be.
		all, _ := s.Dates(from, to, missedAtMost)
		if len(all) < missedAtMost {
			return all[max(0, len(all)-max(h.MaxRuns, 1)):]
		}
		from = all[len(all)-1]
	}
	return nil
}
