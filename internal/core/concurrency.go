package core

import (
	"math"
	"strings"
	"time"
)

// ConcurrencyLimit bounds how many slots may be taken under its name. Slots
// that a lease holds are rows of the lease; all others are counted in Slots.
type ConcurrencyLimit struct {
	ID      ID
	Created time.Time
	// Updated is also when Slots and DeniedSlots were last brought up to date;
	// they decay from then on.
	Updated time.Time
	Name    string
	Limit   int
	// Active is false for a limit that is not enforced for now.
	Active bool
	// Slots counts the slots taken without a lease, and those of leases that are not counted by their rows.
	Slots int
	// DeniedSlots counts refused slots; it lengthens the time after which clients try again.
	DeniedSlots int
	// SlotDecayPerSecond frees slots by time; 0 means that they are held until given back.
	SlotDecayPerSecond float64
	// AvgSlotOccupancySeconds is the running average of how long a slot is held.
	AvgSlotOccupancySeconds float64
	// LeasedSlots is the number of slots that living leases hold by their rows.
	// It comes with the limit when it is read and is not stored with it.
	LeasedSlots int
}

// Bounds of the waiting time that a limit suggests, in seconds.
const (
	minSlotOccupancy = 0.1
	maxTagWait       = 10
	maxSlotWait      = 30
)

// TagLimitPrefix begins the names of the limits that bound task runs by tag.
const TagLimitPrefix = "tag:"

// DeploymentLimitPrefix begins the names of the limits that bound the runs of a deployment.
const DeploymentLimitPrefix = "deployment:"

// MaxWait is the longest waiting time in seconds that the limit suggests to clients.
func (l *ConcurrencyLimit) MaxWait() float64 {
	if strings.HasPrefix(l.Name, TagLimitPrefix) {
		return maxTagWait
	}
	return maxSlotWait
}

// ActiveSlots is the number of slots that are taken at the time.
func (l *ConcurrencyLimit) ActiveSlots(now time.Time) int {
	return max(0, l.Slots-decayed(l.SlotDecayPerSecond, now.Sub(l.Updated))) + l.LeasedSlots
}

// Denied is the number of refused slots that still count at the time.
func (l *ConcurrencyLimit) Denied(now time.Time) int {
	rate := l.SlotDecayPerSecond
	if rate <= 0 {
		rate = 1 / max(minSlotOccupancy, min(l.AvgSlotOccupancySeconds, l.MaxWait()))
	}
	return max(0, l.DeniedSlots-decayed(rate, now.Sub(l.Updated)))
}

// Settle brings the counters up to date.
func (l *ConcurrencyLimit) Settle(now time.Time) {
	l.Slots, l.DeniedSlots = l.ActiveSlots(now)-l.LeasedSlots, l.Denied(now)
	l.Updated = now
}

// Observe takes into account that slots were held for so long.
func (l *ConcurrencyLimit) Observe(slots int, held time.Duration) {
	if l.Limit == 0 || slots == 0 {
		return
	}
	// The average is over the last two samples of each slot.
	each := max(held.Seconds()/float64(slots), minSlotOccupancy)
	l.AvgSlotOccupancySeconds += (each - l.AvgSlotOccupancySeconds) / float64(2*l.Limit)
}

func decayed(perSecond float64, passed time.Duration) int {
	if passed <= 0 || perSecond <= 0 {
		return 0
	}
	return int(min(math.Floor(perSecond*passed.Seconds()), math.MaxInt32))
}

// LeaseHolder says who holds a lease.
type LeaseHolder struct {
	// Type is flow_run, task_run or deployment.
	Type string
	ID   ID
}

// ConcurrencyLease holds slots of limits until it expires or is released.
type ConcurrencyLease struct {
	ID      ID
	Created time.Time
	Expires time.Time
	// Slots is the number of slots held of each limit.
	Slots  int
	Holder *LeaseHolder
	Limits []LeasedLimit
}

// LeasedLimit is a limit of which a lease holds slots.
type LeasedLimit struct {
	LimitID ID
	// Counted tells that the lease's row is the count; else the limit's own
	// counter holds the slots, as it must where slots decay.
	Counted bool
}

// LimitSelect selects concurrency limits; all that is set must hold.
type LimitSelect struct {
	IDs    []ID
	Names  []string
	Prefix string
	// Limit is the most rows wanted; 0 means all.
	Limit  int
	Offset int
}

// ConcurrencyLimitTx reads and writes concurrency limits.
type ConcurrencyLimitTx interface {
	// InsertConcurrencyLimit stores a new limit; the name must be free.
	InsertConcurrencyLimit(l *ConcurrencyLimit) error
	// ConcurrencyLimit returns the limit, or a NotFound error. In Update the row is locked.
	ConcurrencyLimit(id ID, now time.Time) (*ConcurrencyLimit, error)
	// ConcurrencyLimitByName returns the limit, or a NotFound error. In Update the row is locked.
	ConcurrencyLimitByName(name string, now time.Time) (*ConcurrencyLimit, error)
	// ConcurrencyLimits lists limits by name. In Update the rows are locked in that order.
	ConcurrencyLimits(sel LimitSelect, now time.Time) ([]*ConcurrencyLimit, error)
	// UpdateConcurrencyLimit stores all that may change in a limit.
	UpdateConcurrencyLimit(l *ConcurrencyLimit) error
	// DeleteConcurrencyLimit removes the limit and what leases hold of it, and reports whether it existed.
	DeleteConcurrencyLimit(id ID) (bool, error)
}

// ConcurrencyLeaseTx reads and writes leases on concurrency limits.
type ConcurrencyLeaseTx interface {
	// InsertConcurrencyLease stores a new lease.
	InsertConcurrencyLease(l *ConcurrencyLease) error
	// ConcurrencyLease returns the lease, expired or not, or a NotFound error. In Update the row is locked.
	ConcurrencyLease(id ID) (*ConcurrencyLease, error)
	// SetLeaseExpiry moves the end of an existing lease.
	SetLeaseExpiry(id ID, expires time.Time) error
	// UncountLeases makes the limit's own counter responsible for all slots that leases hold of it.
	UncountLeases(limitID ID) error
	// DeleteConcurrencyLease removes the lease, and reports whether it existed.
	DeleteConcurrencyLease(id ID) (bool, error)
	// ExpiredLeases lists at most limit leases that ended before the time, the
	// oldest first. In Update those that another transaction holds are left out.
	ExpiredLeases(now time.Time, limit int) ([]ID, error)
	// LimitLeases lists the leases on the limit that live at the time, the oldest first.
	LimitLeases(limitID ID, now time.Time) ([]*ConcurrencyLease, error)
	// LeasesAttended returns until when holders of leases could renew them, or a
	// NotFound error when nobody ever noted that. With lock the row is locked in Update.
	LeasesAttended(lock bool) (until time.Time, err error)
	// AttendLeases notes that holders of leases can renew them until the time.
	AttendLeases(until time.Time) error
	// NextLeaseEnd returns the earliest end of a lease after the time, or a NotFound error.
	NextLeaseEnd(after time.Time) (time.Time, error)
	// ProlongLeases moves the end of all leases that end between the times, and returns their number.
	ProlongLeases(after, before time.Time, by time.Duration) (int, error)
}
