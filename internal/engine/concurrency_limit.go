package engine

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// NewConcurrencyLimit describes a limit to make.
type NewConcurrencyLimit struct {
	Name               string
	Limit              int
	Active             bool
	ActiveSlots        int
	DeniedSlots        int
	SlotDecayPerSecond float64
}

// ConcurrencyLimitChange names what is to change in a limit; nil leaves it.
type ConcurrencyLimitChange struct {
	Name               *string
	Limit              *int
	Active             *bool
	ActiveSlots        *int
	DeniedSlots        *int
	SlotDecayPerSecond *float64
	// Nulls tells that something that must have a value is to have none, which is a Conflict.
	Nulls bool
}

// LimitRef names a limit by its id, or by its name when the id is zero.
type LimitRef struct {
	ID   core.ID
	Name string
}

// ParseLimitRef reads an id or a name.
func ParseLimitRef(s string) LimitRef {
	if id, err := core.ParseID(s); err == nil {
		return LimitRef{ID: id}
	}
	return LimitRef{Name: s}
}

func (r LimitRef) find(tx core.Tx, now time.Time) (*core.ConcurrencyLimit, error) {
	if r.ID.IsZero() {
		return tx.ConcurrencyLimitByName(r.Name, now)
	}
	return tx.ConcurrencyLimit(r.ID, now)
}

// CreateConcurrencyLimit makes a limit. A name that is taken gives a Conflict error.
func (e *Engine) CreateConcurrencyLimit(ctx context.Context, ws core.WorkspaceID, in NewConcurrencyLimit) (*core.ConcurrencyLimit, error) {
	now := e.now()
	l := newLimit(now, in.Name, in.Limit)
	l.Active, l.Slots, l.DeniedSlots, l.SlotDecayPerSecond = in.Active, in.ActiveSlots, in.DeniedSlots, in.SlotDecayPerSecond
	return l, e.store.Update(ctx, ws, func(tx core.Tx) error {
		if _, err := tx.ConcurrencyLimitByName(in.Name, now); !missing(err) {
			return orConflict(err)
		}
		if err := tx.InsertConcurrencyLimit(l); err != nil {
			return err
		}
		return tellLimit(tx, now, "created", l)
	})
}

// orConflict is for a look-up that should have found nothing.
func orConflict(err error) error {
	if err == nil {
		return integrityConflict()
	}
	return err
}

func tellLimit(tx core.Tx, now time.Time, what string, l *core.ConcurrencyLimit) error {
	return tellChange(tx, now, "concurrency-limit", what, l.ID, l.Name, struct {
		Name   string  `json:"name"`
		Limit  int     `json:"limit"`
		Active bool    `json:"active"`
		Decay  float64 `json:"slot_decay_per_second"`
	}{l.Name, l.Limit, l.Active, l.SlotDecayPerSecond})
}

// ConcurrencyLimit returns a limit with its counters of now.
func (e *Engine) ConcurrencyLimit(ctx context.Context, ws core.WorkspaceID, ref LimitRef) (l *core.ConcurrencyLimit, err error) {
	now := e.now()
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		l, err = ref.find(tx, now)
		return err
	})
	if err == nil {
		l.Slots, l.DeniedSlots = l.ActiveSlots(now)-l.LeasedSlots, l.Denied(now)
	}
	return l, err
}

// ConcurrencyLimits lists limits by name, with their counters of now.
func (e *Engine) ConcurrencyLimits(ctx context.Context, ws core.WorkspaceID, sel core.LimitSelect) (found []*core.ConcurrencyLimit, err error) {
	now := e.now()
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		found, err = tx.ConcurrencyLimits(sel, now)
		return err
	})
	for _, l := range found {
		l.Slots, l.DeniedSlots = l.ActiveSlots(now)-l.LeasedSlots, l.Denied(now)
	}
	return found, err
}

// UpdateConcurrencyLimit changes a limit. It wakes those who wait for slots.
func (e *Engine) UpdateConcurrencyLimit(ctx context.Context, ws core.WorkspaceID, ref LimitRef, change ConcurrencyLimitChange) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		l, err := ref.find(tx, now)
		if err != nil {
			return err
		}
		if change.Nulls {
			return integrityConflict()
		}
		if change.Name != nil && *change.Name != l.Name {
			if _, err := tx.ConcurrencyLimitByName(*change.Name, now); !missing(err) {
				return orConflict(err)
			}
		}
		if change.ActiveSlots != nil {
			// The number given is to be the whole truth, so leases no longer add to it.
			if err := tx.UncountLeases(l.ID); err != nil {
				return err
			}
		}
		applyLimitChange(l, change, now)
		if err := tx.UpdateConcurrencyLimit(l); err != nil {
			return err
		}
		tx.Wake(core.TopicScheduledRuns)
		return tellLimit(tx, now, "updated", l)
	})
}

func applyLimitChange(l *core.ConcurrencyLimit, change ConcurrencyLimitChange, now time.Time) {
	l.Settle(now)
	set(&l.Name, change.Name)
	set(&l.Limit, change.Limit)
	set(&l.Active, change.Active)
	set(&l.Slots, change.ActiveSlots)
	set(&l.DeniedSlots, change.DeniedSlots)
	set(&l.SlotDecayPerSecond, change.SlotDecayPerSecond)
}

// set assigns a value that was given.
func set[T any](dst, value *T) {
	if value != nil {
		*dst = *value
	}
}

// DeleteConcurrencyLimit removes a limit, whoever holds slots of it.
func (e *Engine) DeleteConcurrencyLimit(ctx context.Context, ws core.WorkspaceID, ref LimitRef) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		l, err := ref.find(tx, now)
		if err != nil {
			return err
		}
		if _, err := tx.DeleteConcurrencyLimit(l.ID); err != nil {
			return err
		}
		tx.Wake(core.TopicScheduledRuns)
		return tellLimit(tx, now, "deleted", l)
	})
}

// AcquireConcurrencySlots takes slots of all the named limits or gives a Locked
// error that says when to ask again.
func (e *Engine) AcquireConcurrencySlots(ctx context.Context, ws core.WorkspaceID, req AcquireSlots) (Acquired, error) {
	now := e.now()
	req.CountDenial = true
	var got Acquired
	err := e.store.Update(ctx, ws, func(tx core.Tx) (err error) {
		got, err = acquireSlots(tx, now, req)
		return err
	})
	if err == nil && !got.OK() {
		return got, &core.Error{Code: core.Locked, Message: "Locked", RetryAfter: scattered(got.RetryAfter)}
	}
	return got, err
}

// ReleaseConcurrencySlots gives back slots that were taken without a lease.
func (e *Engine) ReleaseConcurrencySlots(
	ctx context.Context, ws core.WorkspaceID, names []string, slots int, held time.Duration,
) (limits []*core.ConcurrencyLimit, err error) {
	now := e.now()
	err = e.store.Update(ctx, ws, func(tx core.Tx) (err error) {
		limits, err = releaseSlots(tx, now, names, slots, held)
		return err
	})
	return limits, err
}

// ReleaseConcurrencyLease ends a lease; one that is gone is no error.
func (e *Engine) ReleaseConcurrencyLease(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error { return releaseLease(tx, now, id) })
}

// RenewConcurrencyLease makes a lease last from now on; one that is gone gives a NotFound error.
func (e *Engine) RenewConcurrencyLease(ctx context.Context, ws core.WorkspaceID, id core.ID, lasts time.Duration) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error { return renewLease(tx, now, id, lasts) })
}

// LeaseHolders lists the living leases on a limit, the oldest first: who holds
// it and since when. Slots taken without a lease have no known holder.
func (e *Engine) LeaseHolders(ctx context.Context, ws core.WorkspaceID, limit LimitRef) (held []*core.ConcurrencyLease, err error) {
	now := e.now()
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		l, err := limit.find(tx, now)
		if err != nil {
			return err
		}
		held, err = tx.LimitLeases(l.ID, now)
		return err
	})
	return held, err
}

// ReapLeases ends at most limit leases of the workspace that expired, and
// returns how many it ended.
func (e *Engine) ReapLeases(ctx context.Context, ws core.WorkspaceID, limit int) (n int, err error) {
	now := e.now()
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		if err := makeUpForAbsence(tx, now); err != nil {
			return err
		}
		ids, err := tx.ExpiredLeases(now, limit)
		if err != nil || len(ids) == 0 {
			n = 0
			return err
		}
		leases := make([]*core.ConcurrencyLease, 0, len(ids))
		for _, id := range ids {
			lease, err := tx.ConcurrencyLease(id)
			if err != nil {
				return err
			}
			leases = append(leases, lease)
		}
		n = len(leases)
		return releaseLeases(tx, now, leases)
	})
	return n, err
}
