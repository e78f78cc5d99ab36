package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

// concurrency is the suite of limits and leases.
func concurrency(t *testing.T, open Opener) {
	s := open(t)
	now := noon()
	limit := func(name string, max int) *core.ConcurrencyLimit {
		l := &core.ConcurrencyLimit{
			ID: core.NewID(now), Created: now, Updated: now, Name: name, Limit: max, Active: true, AvgSlotOccupancySeconds: 2,
		}
		update(t, s, func(tx core.Tx) error { return tx.InsertConcurrencyLimit(l) })
		return l
	}
	b, a := limit("b", 2), limit("a", 1)
	limit("tag:x", 3)
	names := func(sel core.LimitSelect) (out []string) {
		for _, l := range must(t, s, func(tx core.Tx) ([]*core.ConcurrencyLimit, error) { return tx.ConcurrencyLimits(sel, now) }) {
			out = append(out, l.Name)
		}
		return out
	}
	for _, tt := range []struct {
		what string
		sel  core.LimitSelect
		want []string
	}{
		{"all are listed by name", core.LimitSelect{}, []string{"a", "b", "tag:x"}},
		{"a prefix selects", core.LimitSelect{Prefix: "tag:"}, []string{"tag:x"}},
		{"names select", core.LimitSelect{Names: []string{"b", "none", "a"}}, []string{"a", "b"}},
		{"no names select nothing", core.LimitSelect{Names: []string{}}, nil},
		{"ids select", core.LimitSelect{IDs: []core.ID{b.ID}}, []string{"b"}},
		{"pages", core.LimitSelect{Limit: 1, Offset: 1}, []string{"b"}},
	} {
		if diff := cmp.Diff(tt.want, names(tt.sel)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.what, diff)
		}
	}
	lease := &core.ConcurrencyLease{
		ID: core.NewID(now), Created: now, Expires: now.Add(time.Minute), Slots: 2, Holder: &core.LeaseHolder{Type: "flow_run", ID: a.ID},
		Limits: []core.LeasedLimit{{LimitID: a.ID, Counted: true}, {LimitID: b.ID}},
	}
	update(t, s, func(tx core.Tx) error { return tx.InsertConcurrencyLease(lease) })
	leased := func(id core.ID, at time.Time) int {
		return must(t, s, func(tx core.Tx) (*core.ConcurrencyLimit, error) { return tx.ConcurrencyLimit(id, at) }).LeasedSlots
	}
	if got := [3]int{leased(a.ID, now), leased(b.ID, now), leased(a.ID, lease.Expires)}; got != [3]int{2, 0, 0} {
		t.Errorf("leased slots = %v: counted rows count until they expire, others never", got)
	}
	stored := must(t, s, func(tx core.Tx) (*core.ConcurrencyLease, error) { return tx.ConcurrencyLease(lease.ID) })
	if diff := cmp.Diff(lease.Holder, stored.Holder); diff != "" || len(stored.Limits) != 2 || stored.Slots != 2 {
		t.Errorf("lease = %+v", stored)
	}
	expired := func(at time.Time) int {
		return len(must(t, s, func(tx core.Tx) ([]core.ID, error) { return tx.ExpiredLeases(at, 10) }))
	}
	if expired(now) != 0 || expired(lease.Expires) != 1 {
		t.Error("a lease is expired at its end, not before")
	}
	update(t, s, func(tx core.Tx) error {
		if err := tx.SetLeaseExpiry(lease.ID, now.Add(time.Hour)); err != nil {
			return err
		}
		return tx.UncountLeases(a.ID)
	})
	if expired(lease.Expires) != 0 || leased(a.ID, now) != 0 {
		t.Error("a renewed lease lives, and uncounted slots are not counted")
	}
	holders := must(t, s, func(tx core.Tx) ([]*core.ConcurrencyLease, error) { return tx.LimitLeases(b.ID, now) })
	if len(holders) != 1 || holders[0].ID != lease.ID {
		t.Errorf("leases of a limit = %v", holders)
	}
	attendance(t, s, lease, now.Add(time.Hour))
	b.Limit, b.Slots, b.Updated = 5, 3, now.Add(time.Second)
	update(t, s, func(tx core.Tx) error {
		if err := tx.UpdateConcurrencyLimit(b); err != nil {
			return err
		}
		if _, err := tx.DeleteConcurrencyLimit(a.ID); err != nil {
			return err
		}
		_, err := tx.DeleteConcurrencyLease(lease.ID)
		return err
	})
	got := must(t, s, func(tx core.Tx) (*core.ConcurrencyLimit, error) { return tx.ConcurrencyLimitByName("b", now) })
	if diff := cmp.Diff(b, got); diff != "" {
		t.Errorf("updated limit (-want +got)\n%s", diff)
	}
	update(t, s, func(tx core.Tx) error {
		if _, err := tx.ConcurrencyLimit(a.ID, now); core.CodeOf(err) != core.NotFound {
			t.Errorf("a deleted limit: %v", err)
		}
		if _, err := tx.ConcurrencyLease(lease.ID); core.CodeOf(err) != core.NotFound {
			t.Errorf("a deleted lease: %v", err)
		}
		return nil
	})
}

// attendance is the suite of what is known about who could renew leases. The
// lease is the only one, and ends then.
func attendance(t *testing.T, s core.Store, lease *core.ConcurrencyLease, end time.Time) {
	t.Helper()
	until := func(lock bool) (at time.Time, err error) {
		err = s.Update(t.Context(), ws, func(tx core.Tx) (err error) {
			at, err = tx.LeasesAttended(lock)
			return err
		})
		return at, err
	}
	if _, err := until(true); core.CodeOf(err) != core.NotFound {
		t.Errorf("attendance that was never noted gives %v", err)
	}
	for _, at := range []time.Time{end.Add(123456 * time.Microsecond), end.Add(-time.Hour)} {
		update(t, s, func(tx core.Tx) error { return tx.AttendLeases(at) })
		for _, lock := range []bool{false, true} {
			if got, err := until(lock); err != nil || got.Sub(at).Abs() > time.Microsecond {
				t.Errorf("noted until %s, %v, want %s", got, err, at)
			}
		}
	}
	next := func(after time.Time) (at time.Time, err error) {
		err = s.View(t.Context(), ws, func(tx core.Tx) (err error) {
			at, err = tx.NextLeaseEnd(after)
			return err
		})
		return at, err
	}
	if got, err := next(end.Add(-time.Second)); err != nil || !got.Equal(end) {
		t.Errorf("the next lease ends %s, %v, want %s", got, err, end)
	}
	if _, err := next(end); core.CodeOf(err) != core.NotFound {
		t.Errorf("no lease ends later, got %v", err)
	}
	prolong := func(after, before time.Time) (n int) {
		update(t, s, func(tx core.Tx) (err error) {
			n, err = tx.ProlongLeases(after, before, time.Minute)
			return err
		})
		return n
	}
	if n := prolong(end, end.Add(time.Hour)) + prolong(end.Add(-time.Hour), end); n != 0 {
		t.Errorf("%d leases were prolonged that end elsewhere", n)
	}
	if n := prolong(end.Add(-time.Second), end.Add(time.Second)); n != 1 {
		t.Errorf("%d leases were prolonged, want 1", n)
	}
	if got := must(t, s, func(tx core.Tx) (*core.ConcurrencyLease, error) { return tx.ConcurrencyLease(lease.ID) }); !got.Expires.Equal(end.Add(time.Minute)) {
		t.Errorf("the lease ends %s, want a minute later than before", got.Expires)
	}
}
