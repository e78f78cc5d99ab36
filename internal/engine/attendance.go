package engine

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// attendanceLasts is how long a note vouches that holders of leases could renew
// them. An absence that is shorter goes unnoticed: clients renew when a quarter
// of a lease is left, and no lease of theirs is shorter than a minute.
const attendanceLasts = 10 * time.Second

// attendanceNoted is how much of a note must be left for no new one to be written.
const attendanceNoted = 6 * time.Second

// AttendLeases notes that holders of leases on concurrency limits can renew
// them now. Every replica calls it every few seconds, so that a time without
// notes is one in which nobody served; makeUpForAbsence gives it back to the
// holders. While no lease waits for its renewal nothing is written.
func (e *Engine) AttendLeases(ctx context.Context, ws core.WorkspaceID) error {
	now := e.now()
	needed := false
	err := e.store.View(ctx, ws, func(tx core.Tx) error {
		until, err := tx.LeasesAttended(false)
		if missing(err) {
			needed = true
			return nil
		}
		if err != nil || until.Sub(now) >= attendanceNoted {
			return err
		}
		end, err := tx.NextLeaseEnd(until.Add(-attendanceLasts))
		if missing(err) {
			return nil
		}
		needed = end.Before(endless(now))
		return err
	})
	if err != nil || !needed {
		return err
	}
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		if err := makeUpForAbsence(tx, now); err != nil {
			return err
		}
		return tx.AttendLeases(now.Add(attendanceLasts))
	})
}

// makeUpForAbsence prolongs leases by the time in which their holders could not
// renew them, since neither a server nor its database was there. Whoever judges
// leases by the clock calls it first, in the same transaction: between the end of
// an absence and the first note, a slot must not go to somebody else. It does
// nothing where attendance is not noted at all.
func makeUpForAbsence(tx core.Tx, now time.Time) error {
	until, err := tx.LeasesAttended(false)
	if missing(err) || err == nil && now.Before(until) {
		return nil
	}
	if err != nil {
		return err
	}
	// Others may do the same; the one that gets the row does it.
	if until, err = tx.LeasesAttended(true); err != nil || now.Before(until) {
		return err
	}
	since := until.Add(-attendanceLasts)
	if _, err := tx.ProlongLeases(since, endless(now), now.Sub(since)); err != nil {
		return err
	}
	return tx.AttendLeases(now.Add(attendanceLasts))
}

// endless is a time after the end of every lease that its holder can renew.
func endless(now time.Time) time.Time { return now.Add(forever / 2) }
