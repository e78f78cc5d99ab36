package engine_test

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

const ws = core.DefaultWorkspace

func TestSlotsOfLimits(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e, clock := setup(t)
	l, err := e.CreateConcurrencyLimit(ctx, ws, engine.NewConcurrencyLimit{Name: "db", Limit: 2, Active: true})
	if err != nil {
		t.Fatal(err)
	}
	holder := &core.LeaseHolder{Type: "flow_run", ID: core.NewID(clock.now())}
	lease := engine.AcquireSlots{Names: []string{"db", "unknown"}, Slots: 1, Lease: time.Minute, Holder: holder}
	first, err := e.AcquireConcurrencySlots(ctx, ws, lease)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.AcquireConcurrencySlots(ctx, ws, engine.AcquireSlots{Names: []string{"db"}, Slots: 1}); err != nil {
		t.Fatal(err)
	}
	if got := activeSlots(t, e, "db", clock); got != 2 {
		t.Errorf("active slots = %d, want one by lease and one without", got)
	}
	_, err = e.AcquireConcurrencySlots(ctx, ws, lease)
	if core.CodeOf(err) != core.Locked {
		t.Fatalf("a full limit answers %v, want locked", err)
	}
	held, err := e.LeaseHolders(ctx, ws, engine.LimitRef{ID: l.ID})
	if err != nil || len(held) != 1 || !cmp.Equal(held[0].Holder, holder) {
		t.Errorf("holders = %v, %v, want the flow run", held, err)
	}
	clock.advance(50 * time.Second)
	if err := e.RenewConcurrencyLease(ctx, ws, *first.LeaseID, time.Minute); err != nil {
		t.Fatal(err)
	}
	clock.advance(59 * time.Second)
	if got := activeSlots(t, e, "db", clock); got != 2 {
		t.Errorf("active slots = %d, want 2: the lease was renewed", got)
	}
	clock.advance(2 * time.Second)
	if got := activeSlots(t, e, "db", clock); got != 1 {
		t.Errorf("active slots = %d, want 1: an expired lease counts as free at once", got)
	}
	if err := e.RenewConcurrencyLease(ctx, ws, *first.LeaseID, time.Minute); core.CodeOf(err) != core.NotFound {
		t.Errorf("renewing an expired lease gives %v", err)
	}
	if n, err := e.ReapLeases(ctx, ws, 10); n != 1 || err != nil {
		t.Errorf("reaped %d, %v, want 1", n, err)
	}
	if _, err := e.ReleaseConcurrencySlots(ctx, ws, []string{"db"}, 5, time.Second); err != nil {
		t.Fatal(err)
	}
	if got := activeSlots(t, e, "db", clock); got != 0 {
		t.Errorf("active slots = %d, want 0", got)
	}
}

func TestSlotsAreNeverTakenTwice(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e, clock := setup(t)
	for _, name := range []string{"a", "b"} {
		if _, err := e.CreateConcurrencyLimit(ctx, ws, engine.NewConcurrencyLimit{Name: name, Limit: 3, Active: true}); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	taken := make(chan core.ID, 40)
	for i := range 40 {
		names := []string{"a", "b"}
		if i%2 == 0 {
			names = []string{"b", "a"}
		}
		wg.Go(func() {
			got, err := e.AcquireConcurrencySlots(ctx, ws, engine.AcquireSlots{Names: names, Slots: 1, Lease: time.Minute})
			if err == nil {
				taken <- *got.LeaseID
			} else if core.CodeOf(err) != core.Locked {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	close(taken)
	if len(taken) != 3 {
		t.Errorf("%d callers got a slot of 3", len(taken))
	}
	for id := range taken {
		for range 2 { // the second time there is nothing to give back
			if err := e.ReleaseConcurrencyLease(ctx, ws, id); err != nil {
				t.Error(err)
			}
		}
	}
	if got := activeSlots(t, e, "a", clock); got != 0 {
		t.Errorf("active slots = %d after all were released", got)
	}
}

func TestRateLimitsDecay(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e, clock := setup(t)
	_, err := e.CreateConcurrencyLimit(ctx, ws, engine.NewConcurrencyLimit{Name: "api", Limit: 2, Active: true, SlotDecayPerSecond: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	req := engine.AcquireSlots{Names: []string{"api"}, Slots: 2, RateLimit: true, Lease: time.Minute}
	if _, err := e.AcquireConcurrencySlots(ctx, ws, req); err != nil {
		t.Fatal(err)
	}
	req.Slots = 1
	if _, err := e.AcquireConcurrencySlots(ctx, ws, req); core.CodeOf(err) != core.Locked {
		t.Fatalf("full: %v", err)
	}
	clock.advance(2 * time.Second)
	if _, err := e.AcquireConcurrencySlots(ctx, ws, req); err != nil {
		t.Errorf("a slot should have decayed: %v", err)
	}
	if _, err := e.CreateConcurrencyLimit(ctx, ws, engine.NewConcurrencyLimit{Name: "steady", Limit: 2, Active: true}); err != nil {
		t.Fatal(err)
	}
	req.Names = []string{"steady"}
	if _, err := e.AcquireConcurrencySlots(ctx, ws, req); core.CodeOf(err) != core.Invalid {
		t.Errorf("a limit without decay used as a rate limit: %v", err)
	}
}

func TestSettingActiveSlotsIsTheWholeTruth(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e, clock := setup(t)
	if _, err := e.CreateConcurrencyLimit(ctx, ws, engine.NewConcurrencyLimit{Name: "x", Limit: 2, Active: true}); err != nil {
		t.Fatal(err)
	}
	got, err := e.AcquireConcurrencySlots(ctx, ws, engine.AcquireSlots{Names: []string{"x"}, Slots: 2, Lease: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.UpdateConcurrencyLimit(ctx, ws, engine.LimitRef{Name: "x"}, engine.ConcurrencyLimitChange{ActiveSlots: new(int)}); err != nil {
		t.Fatal(err)
	}
	if n := activeSlots(t, e, "x", clock); n != 0 {
		t.Errorf("active slots = %d, want 0 as set", n)
	}
	if err := e.ReleaseConcurrencyLease(ctx, ws, *got.LeaseID); err != nil {
		t.Fatal(err)
	}
	if n := activeSlots(t, e, "x", clock); n != 0 {
		t.Errorf("active slots = %d, want 0 after the lease ended", n)
	}
}

func TestTagLimits(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e, clock := setup(t)
	if _, made, err := e.PutTagLimit(ctx, ws, "db", 1); err != nil || !made {
		t.Fatal(made, err)
	}
	run := core.NewID(clock.now())
	if _, err := e.AcquireTagSlots(ctx, ws, []string{"db"}, run); err != nil {
		t.Fatal(err)
	}
	l, err := e.TagLimit(ctx, ws, engine.TagLimitRef("db"))
	if err != nil || !cmp.Equal(l.Holders, []core.ID{run}) {
		t.Errorf("holders = %v, %v", l, err)
	}
	if _, err := e.AcquireTagSlots(ctx, ws, []string{"db"}, run); core.CodeOf(err) != core.Locked {
		t.Errorf("full: %v", err)
	}
	other := core.NewID(clock.now())
	if err := e.ResetTagLimit(ctx, ws, "db", []core.ID{other}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.ReleaseTagSlots(ctx, ws, []string{"db"}, other); err != nil {
		t.Fatal(err)
	}
	if n := activeSlots(t, e, "tag:db", clock); n != 0 {
		t.Errorf("active slots = %d", n)
	}
}

func TestConcurrencyLimitCounters(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	l := core.ConcurrencyLimit{Limit: 5, Name: "x", Updated: at, Slots: 5, DeniedSlots: 4, AvgSlotOccupancySeconds: 2}
	if got := l.ActiveSlots(at.Add(time.Hour)); got != 5 {
		t.Errorf("slots without decay became %d", got)
	}
	if got := l.Denied(at.Add(3 * time.Second)); got != 3 {
		t.Errorf("denied = %d, want 3: one less every two seconds", got)
	}
	l.Observe(1, 12*time.Second)
	if math.Abs(l.AvgSlotOccupancySeconds-3) > 1e-9 {
		t.Errorf("average = %v, want 2 + (12-2)/10", l.AvgSlotOccupancySeconds)
	}
}

func activeSlots(t *testing.T, e *engine.Engine, name string, clock *clock) int {
	t.Helper()
	l, err := e.ConcurrencyLimit(t.Context(), ws, engine.LimitRef{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return l.ActiveSlots(clock.now())
}
