package store

import (
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// LeasesAttended implements core.ConcurrencyLeaseTx.
func (t *tx) LeasesAttended(lock bool) (until time.Time, err error) {
	clause := ""
	if lock {
		clause = t.lock("a")
	}
	return one(t, core.Errorf(core.NotFound, "leases were never attended to"), func(r rows) (until time.Time, err error) {
		return until, r.Scan(timeInto{&until})
	}, "SELECT a.until FROM lease_attendance a WHERE a.ws = ?"+clause, int64(t.ws))
}

// AttendLeases implements core.ConcurrencyLeaseTx.
func (t *tx) AttendLeases(until time.Time) error {
	return t.exec("INSERT INTO lease_attendance (ws, until) VALUES (?, ?) ON CONFLICT (ws) DO UPDATE SET until = excluded.until",
		int64(t.ws), micros(until))
}

// NextLeaseEnd implements core.ConcurrencyLeaseTx.
func (t *tx) NextLeaseEnd(after time.Time) (time.Time, error) {
	return one(t, core.Errorf(core.NotFound, "no lease ends"), func(r rows) (end time.Time, err error) { return end, r.Scan(timeInto{&end}) },
		"SELECT l.expires FROM concurrency_lease l WHERE l.ws = ? AND l.expires > ? ORDER BY l.expires LIMIT 1", int64(t.ws), micros(after))
}

// ProlongLeases implements core.ConcurrencyLeaseTx.
func (t *tx) ProlongLeases(after, before time.Time, by time.Duration) (int, error) {
	n, err := t.execN("UPDATE concurrency_lease SET expires = expires + ? WHERE ws = ? AND expires > ? AND expires < ?",
		by.Microseconds(), int64(t.ws), micros(after), micros(before))
	return int(n), err
}
