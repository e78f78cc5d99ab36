package store

import (
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

const concurrencyLimitColumns = `cl.id, cl.created, cl.updated, cl.name, cl.slot_limit, cl.active, cl.slots, cl.denied_slots,
	cl.slot_decay_per_second, cl.avg_slot_occupancy_seconds`

func scanConcurrencyLimit(r rows) (*core.ConcurrencyLimit, error) {
	l := &core.ConcurrencyLimit{}
	return l, r.Scan(&l.ID, timeInto{&l.Created}, timeInto{&l.Updated}, &l.Name, &l.Limit, &l.Active, &l.Slots, &l.DeniedSlots,
		&l.SlotDecayPerSecond, &l.AvgSlotOccupancySeconds)
}

// InsertConcurrencyLimit implements core.ConcurrencyLimitTx.
func (t *tx) InsertConcurrencyLimit(l *core.ConcurrencyLimit) error {
	return t.exec(`INSERT INTO concurrency_limit (id, ws, created, updated, name, slot_limit, active, slots, denied_slots,
		slot_decay_per_second, avg_slot_occupancy_seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		l.ID, int64(t.ws), micros(l.Created), micros(l.Updated), l.Name, l.Limit, l.Active, l.Slots, l.DeniedSlots,
		l.SlotDecayPerSecond, l.AvgSlotOccupancySeconds)
}

// ConcurrencyLimit implements core.ConcurrencyLimitTx.
func (t *tx) ConcurrencyLimit(id core.ID, now time.Time) (*core.ConcurrencyLimit, error) {
	return t.concurrencyLimit(core.LimitSelect{IDs: []core.ID{id}}, now)
}

// ConcurrencyLimitByName implements core.ConcurrencyLimitTx.
func (t *tx) ConcurrencyLimitByName(name string, now time.Time) (*core.ConcurrencyLimit, error) {
	return t.concurrencyLimit(core.LimitSelect{Names: []string{name}}, now)
}

func (t *tx) concurrencyLimit(sel core.LimitSelect, now time.Time) (*core.ConcurrencyLimit, error) {
	found, err := t.ConcurrencyLimits(sel, now)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, core.Errorf(core.NotFound, "Concurrency Limit not found")
	}
	return found[0], nil
}

// ConcurrencyLimits implements core.ConcurrencyLimitTx. What leases hold is read
// by a second statement: on Postgres the first one waits for the locks, and only
// a later statement sees what those who held them have committed.
func (t *tx) ConcurrencyLimits(sel core.LimitSelect, now time.Time) ([]*core.ConcurrencyLimit, error) {
	var q strings.Builder
	q.WriteString("SELECT " + concurrencyLimitColumns + " FROM concurrency_limit cl WHERE cl.ws = ?")
	args := []any{int64(t.ws)}
	if sel.IDs != nil {
		q.WriteString(" AND cl.id IN (" + placeholders(len(sel.IDs)) + ")")
		for _, id := range sel.IDs {
			args = append(args, id)
		}
	}
	if sel.Names != nil {
		q.WriteString(" AND cl.name IN (" + placeholders(len(sel.Names)) + ")")
		for _, name := range sel.Names {
			args = append(args, name)
		}
	}
	if sel.Prefix != "" {
		q.WriteString(" AND substr(cl.name, 1, ?) = ?")
		args = append(args, len([]rune(sel.Prefix)), sel.Prefix)
	}
	q.WriteString(" ORDER BY cl.name")
	if sel.Limit > 0 {
		q.WriteString(" LIMIT ? OFFSET ?")
		args = append(args, sel.Limit, sel.Offset)
	}
	if sel.IDs != nil && len(sel.IDs) == 0 || sel.Names != nil && len(sel.Names) == 0 {
		return nil, nil
	}
	found, err := listOnce(t, scanConcurrencyLimit, q.String()+t.lock("cl"), args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found, t.countLeased(found, now)
}

// countLeased fills in what living leases hold of the limits.
func (t *tx) countLeased(limits []*core.ConcurrencyLimit, now time.Time) error {
	byID := make(map[core.ID]*core.ConcurrencyLimit, len(limits))
	args := []any{micros(now)}
	for _, l := range limits {
		byID[l.ID] = l
		args = append(args, l.ID)
	}
	type sum struct {
		id core.ID
		n  int
	}
	sums, err := listOnce(t, func(r rows) (s sum, err error) { return s, r.Scan(&s.id, &s.n) },
		`SELECT s.limit_id, CAST(sum(l.slots) AS BIGINT) FROM concurrency_lease_slot s JOIN concurrency_lease l ON l.id = s.lease_id
		WHERE s.counted AND l.expires > ? AND s.limit_id IN (`+placeholders(len(limits))+") GROUP BY s.limit_id", args...)
	for _, s := range sums {
		byID[s.id].LeasedSlots = s.n
	}
	return err
}

// UpdateConcurrencyLimit implements core.ConcurrencyLimitTx.
func (t *tx) UpdateConcurrencyLimit(l *core.ConcurrencyLimit) error {
	return t.exec(`UPDATE concurrency_limit SET updated = ?, name = ?, slot_limit = ?, active = ?, slots = ?, denied_slots = ?,
		slot_decay_per_second = ?, avg_slot_occupancy_seconds = ? WHERE ws + 0 = ? AND id = ?`,
		micros(l.Updated), l.Name, l.Limit, l.Active, l.Slots, l.DeniedSlots, l.SlotDecayPerSecond, l.AvgSlotOccupancySeconds,
		int64(t.ws), l.ID)
}

// DeleteConcurrencyLimit implements core.ConcurrencyLimitTx.
func (t *tx) DeleteConcurrencyLimit(id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM concurrency_limit WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
	if err != nil || n == 0 {
		return false, err
	}
	return true, t.exec("DELETE FROM concurrency_lease_slot WHERE ws = ? AND limit_id = ?", int64(t.ws), id)
}
