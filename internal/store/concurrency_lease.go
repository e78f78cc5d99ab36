package store

import (
	"errors"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

const leaseColumns = "l.id, l.created, l.expires, l.slots, l.holder_type, l.holder_id"

func scanLease(r rows) (*core.ConcurrencyLease, error) {
	l := &core.ConcurrencyLease{}
	var kind *string
	var holder core.ID
	err := r.Scan(&l.ID, timeInto{&l.Created}, timeInto{&l.Expires}, &l.Slots, &kind, &holder)
	if kind != nil {
		l.Holder = &core.LeaseHolder{Type: *kind, ID: holder}
	}
	return l, err
}

// InsertConcurrencyLease implements core.ConcurrencyLeaseTx.
func (t *tx) InsertConcurrencyLease(l *core.ConcurrencyLease) error {
	var kind, holder any
	if l.Holder != nil {
		kind, holder = l.Holder.Type, l.Holder.ID
	}
	err := t.exec(`INSERT INTO concurrency_lease (id, ws, created, expires, slots, holder_type, holder_id) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		l.ID, int64(t.ws), micros(l.Created), micros(l.Expires), l.Slots, kind, holder)
	for _, s := range l.Limits {
		err = errors.Join(err, t.exec("INSERT INTO concurrency_lease_slot (lease_id, limit_id, ws, counted) VALUES (?, ?, ?, ?)",
			l.ID, s.LimitID, int64(t.ws), s.Counted))
	}
	return err
}

// ConcurrencyLease implements core.ConcurrencyLeaseTx.
func (t *tx) ConcurrencyLease(id core.ID) (*core.ConcurrencyLease, error) {
	l, err := one(t, core.Errorf(core.NotFound, "Lease not found - it may have expired or been revoked"), scanLease,
		"SELECT "+leaseColumns+" FROM concurrency_lease l WHERE l.ws + 0 = ? AND l.id = ?"+t.lock("l"), int64(t.ws), id)
	if err != nil {
		return nil, err
	}
	l.Limits, err = list(t, func(r rows) (s core.LeasedLimit, err error) { return s, r.Scan(&s.LimitID, &s.Counted) },
		"SELECT limit_id, counted FROM concurrency_lease_slot WHERE ws = ? AND lease_id = ? ORDER BY limit_id", int64(t.ws), id)
	return l, err
}

// SetLeaseExpiry implements core.ConcurrencyLeaseTx.
func (t *tx) SetLeaseExpiry(id core.ID, expires time.Time) error {
	return t.exec("UPDATE concurrency_lease SET expires = ? WHERE ws + 0 = ? AND id = ?", micros(expires), int64(t.ws), id)
}

// UncountLeases implements core.ConcurrencyLeaseTx.
func (t *tx) UncountLeases(limitID core.ID) error {
	return t.exec("UPDATE concurrency_lease_slot SET counted = ? WHERE ws = ? AND limit_id = ?", false, int64(t.ws), limitID)
}

// DeleteConcurrencyLease implements core.ConcurrencyLeaseTx.
func (t *tx) DeleteConcurrencyLease(id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM concurrency_lease WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.exec("DELETE FROM concurrency_lease_slot WHERE ws = ? AND lease_id = ?", int64(t.ws), id)
}

// ExpiredLeases implements core.ConcurrencyLeaseTx.
func (t *tx) ExpiredLeases(now time.Time, limit int) ([]core.ID, error) {
	lock := t.lock("l")
	if lock != "" {
		lock += t.d.skipLocked
	}
	return list(t, scanID, "SELECT l.id FROM concurrency_lease l WHERE l.ws = ? AND l.expires <= ? ORDER BY l.expires LIMIT ?"+lock,
		int64(t.ws), micros(now), limit)
}

// LimitLeases implements core.ConcurrencyLeaseTx.
func (t *tx) LimitLeases(limitID core.ID, now time.Time) ([]*core.ConcurrencyLease, error) {
	return list(t, scanLease, "SELECT "+leaseColumns+` FROM concurrency_lease_slot s JOIN concurrency_lease l ON l.id = s.lease_id
		WHERE s.ws = ? AND s.limit_id = ? AND l.expires > ? ORDER BY l.created, l.id`, int64(t.ws), limitID, micros(now))
}
