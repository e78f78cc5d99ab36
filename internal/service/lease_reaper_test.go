package service_test

import (
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/service"
	"github.com/leat-dev/leat/internal/store/storetest"
)

func TestLeaseReaperEndsExpiredLeasesAndWakesWaiters(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	at := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	e := engine.New(engine.Config{Store: s, Now: func() time.Time { return at }})
	ctx, ws := t.Context(), core.DefaultWorkspace
	// Slots of a limit with decay are in its own counter, so that only the reaper
	// gives them back.
	_, err := e.CreateConcurrencyLimit(ctx, ws, engine.NewConcurrencyLimit{Name: "x", Limit: 200, Active: true, SlotDecayPerSecond: 1e-9})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 120 { // more than one batch
		lease := time.Minute
		if i == 0 {
			lease = time.Hour
		}
		if _, err := e.AcquireConcurrencySlots(ctx, ws, engine.AcquireSlots{Names: []string{"x"}, Slots: 1, Lease: lease}); err != nil {
			t.Fatal(err)
		}
	}
	slots := func() int {
		l, err := e.ConcurrencyLimit(ctx, ws, engine.LimitRef{Name: "x"})
		if err != nil {
			t.Fatal(err)
		}
		return l.ActiveSlots(at)
	}
	reaper := service.LeaseReaper{Engine: e}
	if err := reaper.Tick(ctx); err != nil || slots() != 120 {
		t.Fatalf("%d slots after a round before the end, %v", slots(), err)
	}
	woken, stop := s.Subscribe(core.TopicScheduledRuns)
	defer stop()
	at = at.Add(2 * time.Minute)
	if err := reaper.Tick(ctx); err != nil {
		t.Fatal(err)
	}
	if n := slots(); n != 1 {
		t.Errorf("%d slots are taken, want that of the living lease", n)
	}
	select {
	case <-woken:
	default:
		t.Error("nobody was woken")
	}
}
