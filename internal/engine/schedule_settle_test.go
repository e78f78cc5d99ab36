package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

// policyBench is a deployment in a pool with a schedule of a run a minute.
type policyBench struct {
	*pollBench
	deployment core.ID
	from       time.Time
}

func every(seconds int, p engine.PolicyFields) engine.ScheduleFields {
	return engine.ScheduleFields{Schedule: fmt.Appendf(nil, `{"interval":%d,"anchor_date":"2030-01-01T00:00:00Z"}`, seconds), Policy: p}
}

func overlap(o core.Overlap) engine.PolicyFields { return engine.PolicyFields{Overlap: wire.Some(o)} }

func newPolicyBench(t *testing.T, p engine.PolicyFields) *policyBench {
	t.Helper()
	b := &policyBench{pollBench: newPollBench(t)}
	b.from = b.now()
	b.put(every(60, p))
	b.fill(engine.Horizon{From: b.now(), MinRuns: 10, MaxRuns: 10})
	return b
}

// put makes or changes the deployment.
func (b *policyBench) put(s ...engine.ScheduleFields) *core.Deployment {
	b.t.Helper()
	d, _, err := b.PutDeployment(b.t.Context(), ws, b.flow, "policed", engine.DeploymentFields{
		WorkPoolName: wire.Some("pool"), Schedules: wire.Some(s),
	})
	b.must(err)
	b.deployment = d.ID
	return d
}

func (b *policyBench) fill(h engine.Horizon) {
	b.t.Helper()
	b.must(b.FillDeployment(b.t.Context(), ws, b.deployment, h))
}

// offered lists what a worker is offered that asks ten seconds ahead, in minutes
// since the beginning; a served deployment must be offered the same.
func (b *policyBench) offered() []int {
	b.t.Helper()
	before := b.now().Add(10 * time.Second)
	due, err := b.PollPool(b.t.Context(), ws, engine.PoolPoll{Pool: "pool", Before: &before, Limit: 200})
	b.must(err)
	served, err := b.PollDeployments(b.t.Context(), ws, []core.ID{b.deployment}, &before, 200)
	b.must(err)
	minutes, same := []int{}, []int{}
	for _, r := range due {
		minutes = append(minutes, b.minute(r.Run))
	}
	for _, r := range served {
		same = append(same, b.minute(r))
	}
	if diff := cmp.Diff(minutes, same); diff != "" {
		b.t.Errorf("a worker and a served deployment are not offered the same (-worker +served)\n%s", diff)
	}
	return minutes
}

func (b *policyBench) minute(r *core.FlowRun) int {
	return int(r.ExpectedStartTime.Sub(b.from) / time.Minute)
}

// run is the run of the minute.
func (b *policyBench) run(minute int) *core.FlowRun {
	b.t.Helper()
	var found *core.FlowRun
	b.must(b.Store().View(b.t.Context(), ws, func(tx core.Tx) error {
		q := core.On(core.EntityFlowRun, core.Cond{Field: "deployment_id", Op: core.OpAny, Value: []core.ID{b.deployment}})
		q.Limit = 200
		runs, err := tx.FilterFlowRuns(q)
		for _, r := range runs {
			if b.minute(r) == minute {
				found = r
			}
		}
		return err
	}))
	if found == nil {
		b.t.Fatalf("there is no run of minute %d", minute)
	}
	return found
}

// propose proposes a state for the run of the minute and returns the status.
func (b *policyBench) propose(minute int, kind core.StateType) engine.Status {
	b.t.Helper()
	out, err := b.SetFlowRunState(b.t.Context(), ws, b.run(minute).ID, engine.Proposal{State: core.NewState(kind, nil)})
	b.must(err)
	return out.Status
}

// states lists the names of the states of the runs from minute 0.
func (b *policyBench) states(n int) []string {
	b.t.Helper()
	var names []string
	for i := range n {
		names = append(names, b.run(i).State.Name)
	}
	return names
}

func (b *policyBench) settle() {
	b.t.Helper()
	var unsettled []core.DueSchedule
	b.must(b.Store().View(b.t.Context(), ws, func(tx core.Tx) (err error) {
		unsettled, err = engine.UnsettledSchedules(tx, b.now())
		return err
	}))
	for _, s := range unsettled {
		b.must(b.SettleSchedule(b.t.Context(), ws, s))
	}
	b.must(b.Store().View(b.t.Context(), ws, func(tx core.Tx) error {
		left, err := engine.UnsettledSchedules(tx, b.now())
		if len(left) > 0 {
			b.t.Errorf("unsettled after it was settled: %v", left)
		}
		return err
	}))
}

func (b *policyBench) check(what string, want, got any) {
	b.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		b.t.Errorf("%s (-want +got)\n%s", what, diff)
	}
}

func TestOnlyRunsWithinTheCatchUpWindowStart(t *testing.T) {
	t.Parallel()
	b := newPolicyBench(t, engine.PolicyFields{CatchupWindow: wire.Some(90 * time.Second)})
	b.check("ahead of its time", []int{0}, b.offered())
	b.advance(4 * time.Minute) // nobody asked, as when the server was down
	b.check("only what is within the window is offered", []int{3, 4}, b.offered())
	b.check("one that is too late cannot be claimed", engine.Reject, b.propose(0, core.Pending))
	b.check("nor started without a claim", engine.Reject, b.propose(1, core.Running))
	b.check("what was refused is skipped", []string{"Skipped", "Skipped", "Scheduled", "Scheduled"}, b.states(4))
	b.settle()
	b.check("the others are skipped", []string{"Skipped", "Skipped", "Skipped", "Scheduled"}, b.states(4))
	s := b.run(2).State
	b.check("as cancelled", core.Cancelled, s.Type)
	b.check("with the reason", "Skipped: it did not start within the catch-up window of 1m30s after its scheduled time.", *s.Message)
	b.check("one within it is claimed", engine.Accept, b.propose(3, core.Pending))
	b.advance(5 * time.Minute)
	b.settle()
	b.check("and is not skipped afterwards", "Pending", b.run(3).State.Name)
	out, err := b.SetFlowRunState(t.Context(), ws, b.run(0).ID, engine.Proposal{State: core.NewState(core.Scheduled, nil), Force: true})
	b.must(err)
	b.check("a skipped run can be started again by hand", core.Scheduled, out.Run.State.Type)
	b.settle()
	b.check("and nothing skips it then", engine.Accept, b.propose(0, core.Pending))
}

func TestTheNextRunIsSkippedWhileTheFormerRuns(t *testing.T) {
	t.Parallel()
	b := newPolicyBench(t, overlap(core.OverlapSkip))
	b.check("the first", []int{0}, b.offered())
	b.check("is claimed", engine.Accept, b.propose(0, core.Pending))
	b.check("and runs", engine.Accept, b.propose(0, core.Running))
	b.advance(55 * time.Second)
	b.check("the second is not offered ahead of its time", []int{}, b.offered())
	b.check("nor can it be claimed", engine.Abort, b.propose(1, core.Pending))
	b.check("it may still start", "Scheduled", b.run(1).State.Name)
	b.advance(5 * time.Second)
	b.check("nor is it offered when it is due", []int{}, b.offered())
	b.settle()
	b.check("but skipped", []string{"Running", "Skipped", "Scheduled"}, b.states(3))
	b.check("the first ends", engine.Accept, b.propose(0, core.Completed))
	b.advance(time.Minute)
	b.settle()
	b.check("then the third starts", []int{2}, b.offered())
}

func TestOneRunWaitsForTheFormerToEnd(t *testing.T) {
	t.Parallel()
	b := newPolicyBench(t, overlap(core.OverlapBufferOne))
	b.propose(0, core.Pending)
	b.propose(0, core.Running)
	b.advance(3 * time.Minute)
	b.settle()
	b.check("one waits", []string{"Running", "Scheduled", "Skipped", "Skipped"}, b.states(4))
	b.check("it is not offered", []int{}, b.offered())
	b.must(b.MarkLate(t.Context(), ws, b.run(1).ID))
	why, err := b.Why(t.Context(), ws, b.run(1).ID)
	b.must(err)
	b.check("that it waits is told", "Another run of the schedule must end before this one starts. It is 2m0s late.", why)
	b.propose(0, core.Completed)
	b.check("until the former has ended", []int{1}, b.offered())
	b.check("then it is claimed", engine.Accept, b.propose(1, core.Pending))
}

func TestTheFormerRunMakesWay(t *testing.T) {
	t.Parallel()
	b := newPolicyBench(t, overlap(core.OverlapCancelOther))
	b.propose(0, core.Pending)
	b.propose(0, core.Running)
	b.advance(55 * time.Second)
	b.settle()
	b.check("nothing happens before the next is due", []string{"Running", "Scheduled"}, b.states(2))
	b.advance(5 * time.Second)
	b.settle()
	b.check("then the former is told to end", []string{"Cancelling", "Scheduled"}, b.states(2))
	b.check("the next waits for that", []int{}, b.offered())
	b.propose(0, core.Cancelled)
	b.check("and starts", []int{1}, b.offered())
	b.advance(2 * time.Minute)
	b.settle()
	b.check("of those that nobody takes the last is left", []string{"Cancelled", "Skipped", "Skipped", "Scheduled"}, b.states(4))
}

func TestTheOldestOfTooManyAreSkipped(t *testing.T) {
	t.Parallel()
	b := newPolicyBench(t, engine.PolicyFields{MaxWaiting: wire.Some(2)})
	b.advance(4 * time.Minute)
	b.check("only the newest are offered", []int{3, 4}, b.offered())
	b.settle()
	b.check("the others are skipped", []string{"Skipped", "Skipped", "Skipped", "Scheduled", "Scheduled"}, b.states(5))
}

func TestAPollPassesOverWhatAScheduleHolds(t *testing.T) {
	t.Parallel()
	b := newPolicyBench(t, overlap(core.OverlapBufferOne))
	b.advance(9 * time.Minute)
	other, _, err := b.CreateDeploymentRun(t.Context(), ws, b.deployment, engine.DeploymentRun{})
	b.must(err)
	due, err := b.PollPool(t.Context(), ws, engine.PoolPoll{Pool: "pool", Limit: 2})
	b.must(err)
	var got []core.ID
	for _, r := range due {
		got = append(got, r.Run.ID)
	}
	b.check("the first of the schedule and the one by hand", []core.ID{b.run(0).ID, other.ID}, got)
}

func TestASchedulesPolicyIsKeptByTheNextDeploy(t *testing.T) {
	t.Parallel()
	b := newPolicyBench(t, overlap(core.OverlapSkip))
	b.propose(0, core.Pending)
	d := b.put(every(60, engine.PolicyFields{}), every(300, engine.PolicyFields{}))
	policies := map[string]core.SchedulePolicy{}
	for _, s := range d.Schedules {
		policies[string(s.Schedule)[:15]] = s.Policy
	}
	b.check("by the schedule that is the same", map[string]core.SchedulePolicy{
		`{"interval":60.`: {Overlap: core.OverlapSkip}, `{"interval":300`: {},
	}, policies)
	b.fill(engine.Horizon{From: b.from.Add(time.Minute), MinRuns: 3, MaxRuns: 3})
	b.advance(time.Minute)
	b.settle()
	b.check("and a run of before counts", []string{"Pending", "Skipped"}, b.states(2))
	d = b.put(every(60, engine.PolicyFields{Overlap: wire.Null[core.Overlap]()}))
	b.check("what is said holds", core.SchedulePolicy{}, d.Schedules[0].Policy)
}

// A server that was down for longer than it makes runs ahead makes up for what
// is still within the window, and for nothing that was made before.
func TestMissedRunsAreMadeUpForWithinTheWindow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		policy engine.PolicyFields
		want   []int
	}{
		{"within the window", engine.PolicyFields{CatchupWindow: wire.Some(150 * time.Second)}, []int{298, 299, 300, 301, 302}},
		{"without a window none are, as in the reference", engine.PolicyFields{}, []int{300, 301, 302}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := newPolicyBench(t, tt.policy)
			b.put(every(60, tt.policy))
			fill := func() {
				h := engine.Horizon{From: b.now(), To: b.now().Add(time.Hour), MinRuns: 3, MaxRuns: 100}
				var due []core.DueSchedule
				b.must(b.Store().View(t.Context(), ws, func(tx core.Tx) (err error) {
					due, err = tx.DueSchedules(b.now(), 10)
					return err
				}))
				for _, d := range due {
					b.must(b.FillSchedule(t.Context(), ws, d, h))
				}
			}
			fill()
			b.advance(5 * time.Hour)
			fill()
			fill()
			var got []int
			b.must(b.Store().View(t.Context(), ws, func(tx core.Tx) error {
				q := core.On(core.EntityFlowRun, core.Cond{Field: "deployment_id", Op: core.OpAny, Value: []core.ID{b.deployment}})
				q.Limit, q.Sort = 200, "EXPECTED_START_TIME_ASC"
				runs, err := tx.FilterFlowRuns(q)
				for _, r := range runs {
					if b.minute(r) > 100 {
						got = append(got, b.minute(r))
					}
				}
				return err
			}))
			b.check("runs", tt.want, got)
		})
	}
}

func TestAPolicyIsSetAndTakenBack(t *testing.T) {
	t.Parallel()
	b := newPolicyBench(t, engine.PolicyFields{})
	id := b.run(0).ScheduleID
	update := func(p engine.PolicyFields) core.SchedulePolicy {
		b.must(b.UpdateSchedule(t.Context(), ws, b.deployment, *id, engine.ScheduleFields{Policy: p}))
		var got core.SchedulePolicy
		b.must(b.Store().View(t.Context(), ws, func(tx core.Tx) error {
			d, err := tx.Deployment(b.deployment)
			got = d.Schedules[0].Policy
			return err
		}))
		return got
	}
	hour, three := time.Hour, 3
	b.check("set", core.SchedulePolicy{CatchupWindow: &hour, MaxWaiting: &three},
		update(engine.PolicyFields{CatchupWindow: wire.Some(hour), MaxWaiting: wire.Some(three)}))
	b.check("a change of one leaves the others", core.SchedulePolicy{CatchupWindow: &hour, MaxWaiting: &three, Overlap: core.OverlapSkip},
		update(overlap(core.OverlapSkip)))
	b.check("null takes it back", core.SchedulePolicy{MaxWaiting: &three, Overlap: core.OverlapSkip},
		update(engine.PolicyFields{CatchupWindow: wire.Null[time.Duration]()}))
}
