package engine_test

import (
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

// serve passes time in which a server notes that it is there.
func serve(t *testing.T, e *engine.Engine, c *clock, d time.Duration) {
	t.Helper()
	for range int(d / time.Second) {
		c.advance(time.Second)
		if err := e.AttendLeases(t.Context(), ws); err != nil {
			t.Fatal(err)
		}
	}
}

func TestALeaseGetsBackTheTimeInWhichNobodyServed(t *testing.T) {
	t.Parallel()
	const lasts = time.Minute
	tests := map[string]struct {
		served, away, servedAfter time.Duration
		// lives tells whether the holder, which never renewed, still has its slot.
		lives bool
	}{
		"a lease that is not renewed ends while the server serves": {served: 61 * time.Second},
		"a lease lives until its end":                              {served: 59 * time.Second, lives: true},
		"an absence longer than the lease does not end it":         {served: 20 * time.Second, away: time.Hour, lives: true},
		"after the absence the holder has the rest of its time": {
			served: 20 * time.Second, away: time.Hour, servedAfter: 35 * time.Second, lives: true,
		},
		"a holder that died during the absence loses its slot after that": {
			served: 20 * time.Second, away: time.Hour, servedAfter: 50 * time.Second,
		},
		"what ended before the absence stays ended":          {served: 80 * time.Second, away: time.Hour},
		"a restart that takes a moment changes nothing much": {served: 55 * time.Second, away: 4 * time.Second, servedAfter: 2 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			e, c := setup(t)
			serve(t, e, c, time.Second)
			c.advance(24 * time.Hour) // no lease asks for notes
			if _, err := e.CreateConcurrencyLimit(ctx, ws, engine.NewConcurrencyLimit{Name: "x", Limit: 1, Active: true}); err != nil {
				t.Fatal(err)
			}
			request := engine.AcquireSlots{Names: []string{"x"}, Slots: 1, Lease: lasts}
			first, err := e.AcquireConcurrencySlots(ctx, ws, request)
			if err != nil {
				t.Fatal(err)
			}
			serve(t, e, c, tt.served)
			c.advance(tt.away)
			serve(t, e, c, tt.servedAfter)
			// The other client comes before any note or the holder does.
			_, err = e.AcquireConcurrencySlots(ctx, ws, request)
			if lives := core.CodeOf(err) == core.Locked; lives != tt.lives {
				t.Fatalf("the slot's holder lives: %t (%v), want %t", lives, err, tt.lives)
			}
			renewed := e.RenewConcurrencyLease(ctx, ws, *first.LeaseID, lasts)
			if (renewed == nil) != tt.lives {
				t.Errorf("renewing gives %v", renewed)
			}
		})
	}
}

func TestTheReaperSparesLeasesThatNobodyCouldRenew(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	e, c := setup(t)
	if err := e.AttendLeases(ctx, ws); err != nil {
		t.Fatal(err)
	}
	if _, err := e.CreateConcurrencyLimit(ctx, ws, engine.NewConcurrencyLimit{Name: "x", Limit: 1, Active: true}); err != nil {
		t.Fatal(err)
	}
	got, err := e.AcquireConcurrencySlots(ctx, ws, engine.AcquireSlots{Names: []string{"x"}, Slots: 1, Lease: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	c.advance(time.Hour)
	if n, err := e.ReapLeases(ctx, ws, 10); n != 0 || err != nil {
		t.Errorf("the first round after an absence ended %d leases, %v", n, err)
	}
	if err := e.RenewConcurrencyLease(ctx, ws, *got.LeaseID, time.Minute); err != nil {
		t.Error(err)
	}
}

// A time in which one replica is away and another serves is no absence.
func TestAnotherReplicaThatServesMakesNoAbsence(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	one, c := setup(t)
	other := engine.New(engine.Config{Store: one.Store(), Now: c.now})
	if _, err := one.CreateConcurrencyLimit(ctx, ws, engine.NewConcurrencyLimit{Name: "x", Limit: 1, Active: true}); err != nil {
		t.Fatal(err)
	}
	if err := one.AttendLeases(ctx, ws); err != nil {
		t.Fatal(err)
	}
	request := engine.AcquireSlots{Names: []string{"x"}, Slots: 1, Lease: time.Minute}
	if _, err := one.AcquireConcurrencySlots(ctx, ws, request); err != nil {
		t.Fatal(err)
	}
	for range 21 {
		c.advance(3 * time.Second)
		if err := other.AttendLeases(ctx, ws); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := one.AcquireConcurrencySlots(ctx, ws, request); err != nil {
		t.Errorf("the slot of a holder that died is not free: %v", err)
	}
}
