package engine

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// forever is the time of a lease whose holder cannot renew it.
const forever = 100 * 365 * 24 * time.Hour

// AcquireSlots asks for slots of all the named limits, or of none. Names
// without a limit do not bound anything, nor do limits that are not active.
type AcquireSlots struct {
	Names []string
	Slots int
	// RateLimit accepts only limits whose slots decay.
	RateLimit bool
	// Lease is how long the slots are held unless the lease is renewed; 0 takes
	// them without a lease, until they are given back.
	Lease  time.Duration
	Holder *core.LeaseHolder
	// LeaseID names the lease; the zero id lets one be made.
	LeaseID core.ID
	// CountDenial remembers a refusal, so that others wait longer.
	CountDenial bool
}

// Acquired is the answer to AcquireSlots.
type Acquired struct {
	// Limits are those that exist of the named ones, by name.
	Limits []*core.ConcurrencyLimit
	// Full are the limits that had too few slots; empty when all were taken.
	Full []*core.ConcurrencyLimit
	// LeaseID is the lease by which the slots were taken; nil without one.
	LeaseID *core.ID
	// RetryAfter is the average number of seconds after which a refused caller should ask again.
	RetryAfter float64
}

// OK reports whether the slots were taken.
func (a *Acquired) OK() bool { return len(a.Full) == 0 }

// acquireSlots takes slots within the transaction. The limits are locked in the
// order of their names. A refusal is no error: it may be counted, so the
// transaction must be committed. An Invalid error says that the slots can never be had.
func acquireSlots(tx core.Tx, now time.Time, req AcquireSlots) (Acquired, error) {
	if err := makeUpForAbsence(tx, now); err != nil {
		return Acquired{}, err
	}
	limits, err := tx.ConcurrencyLimits(core.LimitSelect{Names: nonNil(req.Names)}, now)
	if err != nil {
		return Acquired{}, err
	}
	got := Acquired{Limits: limits}
	active := slices.DeleteFunc(slices.Clone(limits), func(l *core.ConcurrencyLimit) bool { return !l.Active })
	if err := acquirable(active, req); err != nil {
		return Acquired{}, err
	}
	for _, l := range active {
		if l.ActiveSlots(now)+req.Slots > l.Limit {
			got.Full = append(got.Full, l)
		}
	}
	if !got.OK() {
		got.RetryAfter = retryInterval(active, req.Slots)
		if !req.CountDenial {
			return got, nil
		}
		for _, l := range active {
			l.Settle(now)
			l.DeniedSlots += req.Slots
			if err := tx.UpdateConcurrencyLimit(l); err != nil {
				return Acquired{}, err
			}
		}
		return got, nil
	}
	return got, takeSlots(tx, now, req, active, &got)
}

// acquirable refuses what the limits never allow.
func acquirable(active []*core.ConcurrencyLimit, req AcquireSlots) error {
	var steady []string
	for _, l := range active {
		if l.Limit < req.Slots {
			return core.Errorf(core.Invalid, "Slots requested is greater than the limit")
		}
		if l.SlotDecayPerSecond == 0 {
			steady = append(steady, l.Name)
		}
	}
	if req.RateLimit && len(steady) > 0 {
		return core.Errorf(core.Invalid, "Only concurrency limits with slot decay can be used for rate limiting. "+
			"The following limits do not have a decay configured: '%s'", strings.Join(steady, ","))
	}
	return nil
}

func takeSlots(tx core.Tx, now time.Time, req AcquireSlots, active []*core.ConcurrencyLimit, got *Acquired) error {
	lease := &core.ConcurrencyLease{
		ID: req.LeaseID, Created: now, Expires: now.Add(req.Lease), Slots: req.Slots, Holder: req.Holder,
	}
	if lease.ID.IsZero() {
		lease.ID = core.NewID(now)
	}
	for _, l := range active {
		counted := req.Lease > 0 && l.SlotDecayPerSecond == 0
		l.Settle(now)
		if !counted {
			l.Slots += req.Slots
		} else {
			l.LeasedSlots += req.Slots
		}
		lease.Limits = append(lease.Limits, core.LeasedLimit{LimitID: l.ID, Counted: counted})
		if err := tx.UpdateConcurrencyLimit(l); err != nil {
			return err
		}
	}
	if req.Lease <= 0 {
		return nil
	}
	got.LeaseID = &lease.ID
	return tx.InsertConcurrencyLease(lease)
}

// releaseSlots gives back slots that were taken without a lease; held is how
// long they were held, 0 when nobody knows.
func releaseSlots(tx core.Tx, now time.Time, names []string, slots int, held time.Duration) ([]*core.ConcurrencyLimit, error) {
	limits, err := tx.ConcurrencyLimits(core.LimitSelect{Names: nonNil(names)}, now)
	if err != nil {
		return nil, err
	}
	for _, l := range limits {
		if !l.Active {
			continue
		}
		l.Settle(now)
		l.Slots = max(0, l.Slots-slots)
		if held > 0 {
			l.Observe(slots, held)
		}
		if err := tx.UpdateConcurrencyLimit(l); err != nil {
			return nil, err
		}
	}
	tx.Wake(core.TopicScheduledRuns)
	return limits, nil
}

// releaseLease gives back what the lease holds and ends it. A lease that is
// gone, because it was released or expired before, is no error.
func releaseLease(tx core.Tx, now time.Time, leaseID core.ID) error {
	lease, err := tx.ConcurrencyLease(leaseID)
	if core.CodeOf(err) == core.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	return releaseLeases(tx, now, []*core.ConcurrencyLease{lease})
}

// releaseLeases locks the limits of all the leases in one order, so that
// replicas which release others do not wait for each other in a circle.
func releaseLeases(tx core.Tx, now time.Time, leases []*core.ConcurrencyLease) error {
	ids := []core.ID{}
	for _, lease := range leases {
		for _, held := range lease.Limits {
			if !slices.Contains(ids, held.LimitID) {
				ids = append(ids, held.LimitID)
			}
		}
	}
	limits, err := tx.ConcurrencyLimits(core.LimitSelect{IDs: ids}, now)
	if err != nil {
		return err
	}
	for _, l := range limits {
		l.Settle(now)
		for _, lease := range leases {
			giveBack(l, lease, now)
		}
		if err := tx.UpdateConcurrencyLimit(l); err != nil {
			return err
		}
	}
	for _, lease := range leases {
		if _, err := tx.DeleteConcurrencyLease(lease.ID); err != nil {
			return err
		}
	}
	tx.Wake(core.TopicScheduledRuns)
	return nil
}

// giveBack changes a settled limit's counters by the end of a lease.
func giveBack(l *core.ConcurrencyLimit, lease *core.ConcurrencyLease, now time.Time) {
	for _, held := range lease.Limits {
		if held.LimitID != l.ID {
			continue
		}
		if !held.Counted {
			l.Slots = max(0, l.Slots-lease.Slots)
		}
		if l.Active {
			l.Observe(lease.Slots, now.Sub(lease.Created))
		}
	}
}

// renewLease makes the lease last for the time from now. One that ended or is
// unknown gives a NotFound error: its slots may be another's by now.
func renewLease(tx core.Tx, now time.Time, leaseID core.ID, lasts time.Duration) error {
	if err := makeUpForAbsence(tx, now); err != nil {
		return err
	}
	lease, err := tx.ConcurrencyLease(leaseID)
	if err != nil {
		return err
	}
	if !lease.Expires.After(now) {
		return core.Errorf(core.NotFound, "Lease not found - it may have expired or been revoked")
	}
	return tx.SetLeaseExpiry(leaseID, now.Add(lasts))
}

// putLimit makes the named limit or changes its number of slots.
func putLimit(tx core.Tx, now time.Time, name string, slots int) (*core.ConcurrencyLimit, error) {
	l, err := tx.ConcurrencyLimitByName(name, now)
	if core.CodeOf(err) == core.NotFound {
		l = newLimit(now, name, slots)
		return l, tx.InsertConcurrencyLimit(l)
	}
	if err != nil {
		return nil, err
	}
	l.Settle(now)
	l.Limit = slots
	return l, tx.UpdateConcurrencyLimit(l)
}

func newLimit(now time.Time, name string, slots int) *core.ConcurrencyLimit {
	return &core.ConcurrencyLimit{
		ID: core.NewID(now), Created: now, Updated: now, Name: name, Limit: slots, Active: true, AvgSlotOccupancySeconds: 2,
	}
}

// retryInterval is how long a refused caller should wait on average, by the
// limit that most stand in line for.
func retryInterval(active []*core.ConcurrencyLimit, slots int) float64 {
	longest, interval := -1.0, 0.0
	for _, l := range active {
		waiting := float64(slots + l.DeniedSlots)
		if l.SlotDecayPerSecond > 0 {
			if waiting > longest {
				longest, interval = waiting, waiting/l.SlotDecayPerSecond
			}
			continue
		}
		waiting /= float64(max(1, l.Limit))
		if waiting > longest {
			longest, interval = waiting, min(min(l.AvgSlotOccupancySeconds, l.MaxWait())*waiting, l.MaxWait())
		}
	}
	return interval
}

// scattered returns a time around the average, so that callers who were refused
// together do not come back together.
func scattered(average float64) float64 { return clampedPoisson(average, rand.Float64()) }

// clampedPoisson maps u, uniform in [0, 1), to an exponentially distributed time
// within 30 % above the average and a bound below that keeps the median.
func clampedPoisson(average, u float64) float64 {
	if average <= 0 {
		return 0
	}
	const upper = 1.3
	p := math.Pow(2, upper)
	lower := math.Log2(p / (p - 1))
	from, to := 1-math.Exp(-lower), 1-math.Exp(-upper)
	return -math.Log(1-(from+(to-from)*u)) * average
}

// nonNil keeps an empty list from selecting everything.
func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
