package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

// runTally shows that what is counted by the tally is what is counted run by run.
func runTally(t *testing.T, open Opener) {
	t.Run("counts are the same with the tally and without, whatever happens to runs", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		w := newTallied(t, s, 1)
		for round := range 12 {
			for range 25 {
				w.change()
			}
			w.check(t, fmt.Sprintf("round %d", round))
			w.now = w.now.Add(time.Duration(w.rand.IntN(40)) * time.Minute)
			w.advance(t)
			w.check(t, fmt.Sprintf("round %d, advanced", round))
		}
		if mark, ok := tallyMark(t, s); !ok || w.now.Sub(mark) > 3*time.Minute {
			t.Errorf("the tally ends at %v, now is %v", mark, w.now)
		}
	})
	t.Run("the tally advances while others write", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		writers := make([]*tallied, 3)
		for i := range writers {
			writers[i] = newTallied(t, s, uint64(i+2))
		}
		var writing sync.WaitGroup
		stop := make(chan struct{})
		for _, w := range writers {
			writing.Go(func() {
				for range 150 {
					w.change()
				}
			})
		}
		go func() {
			writing.Wait()
			close(stop)
		}()
		for at := noon().Add(-5 * time.Hour); ; at = at.Add(17 * time.Minute) {
			if at.After(noon()) {
				at = noon()
			}
			_ = step(t, s, at)
			select {
			case <-stop:
			default:
				continue
			}
			break
		}
		writers[0].check(t, "before the last step")
		writers[0].advance(t)
		writers[0].check(t, "after it")
	})
	t.Run("a store that was cleared is counted anew", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		w := newTallied(t, s, 9)
		for range 40 {
			w.change()
		}
		w.advance(t)
		if err := s.Clear(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.check(t, "cleared")
		w = newTallied(t, s, 10)
		for range 40 {
			w.change()
		}
		w.advance(t)
		w.check(t, "filled again")
	})
}

// tallied writes runs at random.
type tallied struct {
	t           *testing.T
	s           core.Store
	rand        *rand.Rand
	now         time.Time
	flows       []*core.Flow
	deployments []core.ID
	mine        []core.ID
}

func newTallied(t *testing.T, s core.Store, seed uint64) *tallied {
	t.Helper()
	w := &tallied{t: t, s: s, rand: rand.New(rand.NewPCG(seed, 7)), now: noon()}
	for i := range 2 {
		w.flows = append(w.flows, newFlow(t, s, fmt.Sprintf("flow-%d-%d", seed, i)))
		w.deployments = append(w.deployments, core.NewID(noon()))
	}
	return w
}

// at is a time around which runs are expected; seldom there is none.
func (w *tallied) at() *time.Time {
	if w.rand.IntN(20) == 0 {
		return nil
	}
	at := w.now.Add(time.Duration(w.rand.Int64N(int64(6*time.Hour))) - 5*time.Hour).Truncate(time.Microsecond)
	if w.rand.IntN(4) == 0 {
		at = at.Truncate(time.Hour)
	}
	return &at
}

func (w *tallied) state() *core.State {
	kinds := core.StateTypes()
	s := state(kinds[w.rand.IntN(len(kinds))], w.now.Add(-time.Duration(w.rand.IntN(100_000))*time.Millisecond).Truncate(time.Microsecond))
	if w.rand.IntN(5) == 0 {
		s.Name = "Other"
	}
	return s
}

func (w *tallied) change() {
	err := w.s.Update(context.WithoutCancel(w.t.Context()), ws, func(tx core.Tx) error {
		kind := w.rand.IntN(10)
		if len(w.mine) == 0 {
			kind = 0
		}
		if kind < 4 {
			return w.insert(tx)
		}
		i := w.rand.IntN(len(w.mine))
		run, err := tx.FlowRun(w.mine[i])
		if err != nil {
			return err
		}
		was := run.Times()
		switch {
		case kind < 5:
			w.mine = slices.Delete(w.mine, i, i+1)
			_, err := tx.DeleteFlowRun(run.ID)
			return err
		case kind < 6:
			run.ExpectedStartTime = w.at()
			return tx.UpdateFlowRun(run)
		}
		run.State, run.Updated = w.state(), w.now
		if w.rand.IntN(2) == 0 {
			run.StartTime = w.at()
		}
		if w.rand.IntN(3) == 0 {
			run.ExpectedStartTime = w.at()
		}
		run.TotalRunTime += time.Duration(w.rand.IntN(5000)) * time.Millisecond
		return tx.SetFlowRunState(run, was)
	})
	if err != nil {
		w.t.Error(err)
	}
}

func (w *tallied) insert(tx core.Tx) error {
	f := w.flows[w.rand.IntN(2)]
	r := &core.FlowRun{ID: core.NewID(w.now), Created: w.now, Updated: w.now, Name: "r", FlowID: f.ID, FlowName: f.Name, ExpectedStartTime: w.at()}
	if w.rand.IntN(15) > 0 {
		r.State = w.state()
	}
	if w.rand.IntN(2) == 0 {
		r.DeploymentID = &w.deployments[w.rand.IntN(2)]
	}
	w.mine = append(w.mine, r.ID)
	return tx.InsertFlowRun(r)
}

// step does one step of the tally.
func step(t *testing.T, s core.Store, before time.Time) (more bool) {
	t.Helper()
	update(t, s, func(tx core.Tx) (err error) {
		more, err = tx.AdvanceRunTally(before)
		return err
	})
	return more
}

// advance brings the tally up to now.
func (w *tallied) advance(t *testing.T) {
	t.Helper()
	for range 10_000 {
		mark, ok := tallyMark(t, w.s)
		if more := step(t, w.s, w.now); !more && ok && w.now.Sub(mark) < time.Minute {
			return
		}
	}
	t.Fatal("the tally does not advance")
}

func tallyMark(t *testing.T, s core.Store) (at time.Time, ok bool) {
	t.Helper()
	view(t, s, func(tx core.Tx) (err error) {
		at, ok, err = tx.RunTallyMark()
		return err
	})
	return at, ok
}

// check compares counts with what the runs themselves say.
func (w *tallied) check(t *testing.T, when string) {
	t.Helper()
	all := must(t, w.s, func(tx core.Tx) ([]*core.FlowRun, error) { return tx.FilterFlowRuns(core.Query{Limit: 100_000}) })
	for range 12 {
		conds, keep := w.filter()
		q := core.On(core.EntityFlowRun, conds...)
		if w.rand.IntN(4) == 0 {
			flow := w.flows[0].ID
			q.Where[core.EntityFlow] = &core.Filter{Conds: []core.Cond{{Field: "id", Op: core.OpAny, Value: []core.ID{flow, flow}}}}
			inner := keep
			keep = func(r *core.FlowRun) bool { return inner(r) && r.FlowID == flow }
		}
		b := core.Buckets{Start: w.now.Add(-time.Duration(w.rand.Int64N(int64(6 * time.Hour)))).Truncate(time.Microsecond), Count: 1 + w.rand.IntN(30)}
		b.Width = time.Duration(1+w.rand.IntN(150_000)) * 100 * time.Millisecond
		if w.rand.IntN(2) == 0 {
			b.Start, b.Width = b.Start.Truncate(time.Hour), 30*time.Minute
		}
		n, counts := 0, map[string]core.RunCount{}
		var late, runs float64
		for _, r := range all {
			if !keep(r) {
				continue
			}
			n++
			runs++
			late += w.lateness(r).Seconds()
			w.tell(counts, b, r)
		}
		view(t, w.s, func(tx core.Tx) error {
			got, err := tx.CountFlowRuns(q)
			if err != nil || got != n {
				t.Errorf("%s: %d runs, want %d, %v: %v", when, got, n, err, conds)
			}
			history, err := tx.FlowRunHistory(q, b, w.now)
			if err != nil {
				return err
			}
			if diff := cmp.Diff(sorted(counts), history); diff != "" && len(history)+len(counts) > 0 {
				t.Errorf("%s: history of %v from %v by %v (-want +got)\n%s", when, conds, b.Start, b.Width, diff)
			}
			average, err := tx.FlowRunLateness(q, w.now)
			if err == nil && (average == nil) != (n == 0) || average != nil && max(*average-late/runs, late/runs-*average) > 1e-6 {
				t.Errorf("%s: lateness %v, want %v of %v", when, average, late, runs)
			}
			return err
		})
	}
}

// lateness is a run's in whole seconds, as the reference counts them.
func (w *tallied) lateness(r *core.FlowRun) time.Duration {
	switch {
	case r.ExpectedStartTime == nil:
		return 0
	case r.StartTime == nil && r.State != nil && !r.State.Type.Terminal() && !r.ExpectedStartTime.After(w.now):
		return time.Duration(w.now.Unix()-r.ExpectedStartTime.Unix()) * time.Second
	case r.StartTime == nil:
		return 0
	}
	return max(0, r.StartTime.Sub(*r.ExpectedStartTime)).Truncate(time.Second)
}

// tell adds a run to the bucket that it belongs to.
func (w *tallied) tell(counts map[string]core.RunCount, b core.Buckets, r *core.FlowRun) {
	at := r.ExpectedStartTime
	if at == nil || at.Before(b.Start) || !at.Before(b.End()) {
		return
	}
	var kind core.StateType
	name, runTime := "", r.TotalRunTime.Truncate(time.Second)
	if r.State != nil {
		kind, name = r.State.Type, r.State.Name
		if kind == core.Running {
			runTime += time.Duration(w.now.Unix()-r.State.Timestamp.Unix()) * time.Second
		}
	}
	bucket := int(at.Sub(b.Start) / b.Width)
	key := fmt.Sprintf("%06d %s %s", bucket, kind, name)
	c := counts[key]
	c.Bucket, c.StateType, c.StateName, c.Runs = bucket, kind, name, c.Runs+1
	c.RunTime += runTime
	c.Lateness += w.lateness(r)
	counts[key] = c
}

func sorted(counts map[string]core.RunCount) []core.RunCount {
	var out []core.RunCount
	for _, c := range counts {
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b core.RunCount) int {
		if a.Bucket != b.Bucket {
			return a.Bucket - b.Bucket
		}
		return strings.Compare(string(a.StateType)+"\x00"+a.StateName, string(b.StateType)+"\x00"+b.StateName)
	})
	return out
}

// filter makes conditions, and says what they hold for.
func (w *tallied) filter() ([]core.Cond, func(*core.FlowRun) bool) {
	var conds []core.Cond
	var keeps []func(*core.FlowRun) bool
	add := func(c core.Cond, keep func(*core.FlowRun) bool) {
		conds, keeps = append(conds, c), append(keeps, keep)
	}
	if w.rand.IntN(2) == 0 {
		kinds := []core.StateType{core.Running, core.Completed, core.Scheduled}
		add(core.Cond{Field: "state.type", Op: core.OpAny, Value: kinds}, func(r *core.FlowRun) bool {
			return r.State != nil && slices.Contains(kinds, r.State.Type)
		})
	}
	if w.rand.IntN(4) == 0 {
		add(core.Cond{Field: "state.name", Op: core.OpNotAny, Value: []string{"Other"}}, func(r *core.FlowRun) bool {
			return r.State == nil || r.State.Name != "Other"
		})
	}
	if at := w.at(); at != nil && w.rand.IntN(2) == 0 {
		add(core.Cond{Field: "expected_start_time", Op: core.OpAfter, Value: *at}, func(r *core.FlowRun) bool {
			return r.ExpectedStartTime != nil && !r.ExpectedStartTime.Before(*at)
		})
	}
	if at := w.at(); at != nil && w.rand.IntN(3) == 0 {
		add(core.Cond{Field: "expected_start_time", Op: core.OpBefore, Value: *at}, func(r *core.FlowRun) bool {
			return r.ExpectedStartTime != nil && !r.ExpectedStartTime.After(*at)
		})
	}
	switch w.rand.IntN(6) {
	case 0:
		ids := w.deployments[:1+w.rand.IntN(2)]
		add(core.Cond{Field: "deployment_id", Op: core.OpAny, Value: ids}, func(r *core.FlowRun) bool {
			return r.DeploymentID != nil && slices.Contains(ids, *r.DeploymentID)
		})
	case 1: // nothing that the tally can answer
		add(core.Cond{Field: "name", Op: core.OpAny, Value: []string{"r"}}, func(*core.FlowRun) bool { return true })
	}
	return conds, func(r *core.FlowRun) bool {
		return !slices.ContainsFunc(keeps, func(keep func(*core.FlowRun) bool) bool { return !keep(r) })
	}
}
