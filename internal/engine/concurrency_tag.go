package engine

import (
	"context"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// A tag limit is the concurrency limit named "tag:{tag}". It bounds the task
// runs that carry the tag; each holds one slot by a lease that never ends.

// TagLimit is a tag limit and the task runs that hold its slots.
type TagLimit struct {
	*core.ConcurrencyLimit
	Holders []core.ID
}

// Tag is the tag that the limit is about.
func (l *TagLimit) Tag() string { return strings.TrimPrefix(l.Name, core.TagLimitPrefix) }

var errNoTagLimit = core.Errorf(core.NotFound, "Concurrency limit not found")

// PutTagLimit makes the tag's limit or changes its number of slots; made tells which.
func (e *Engine) PutTagLimit(ctx context.Context, ws core.WorkspaceID, tag string, slots int) (l *TagLimit, made bool, err error) {
	now := e.now()
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		_, err := tx.ConcurrencyLimitByName(core.TagLimitPrefix+tag, now)
		if made = missing(err); !made && err != nil {
			return err
		}
		limit, err := putLimit(tx, now, core.TagLimitPrefix+tag, slots)
		if err != nil {
			return err
		}
		what := "updated"
		if made {
			what = "created"
		}
		l, err = withHolders(tx, now, limit)
		if err != nil {
			return err
		}
		return tellLimit(tx, now, what, limit)
	})
	return l, made, err
}

func withHolders(tx core.Tx, now time.Time, l *core.ConcurrencyLimit) (*TagLimit, error) {
	leases, err := tx.LimitLeases(l.ID, now)
	if err != nil {
		return nil, err
	}
	out := &TagLimit{ConcurrencyLimit: l}
	for _, lease := range leases {
		if lease.Holder != nil && lease.Holder.Type == "task_run" {
			out.Holders = append(out.Holders, lease.Holder.ID)
		}
	}
	return out, nil
}

// findTagLimit finds a tag limit by the limit's id or "tag:" and the tag.
func findTagLimit(tx core.Tx, now time.Time, ref LimitRef) (*core.ConcurrencyLimit, error) {
	l, err := ref.find(tx, now)
	if missing(err) || err == nil && !strings.HasPrefix(l.Name, core.TagLimitPrefix) {
		return nil, errNoTagLimit
	}
	return l, err
}

// TagLimitRef names the limit of a tag.
func TagLimitRef(tag string) LimitRef { return LimitRef{Name: core.TagLimitPrefix + tag} }

// TagLimit returns a tag limit.
func (e *Engine) TagLimit(ctx context.Context, ws core.WorkspaceID, ref LimitRef) (l *TagLimit, err error) {
	now := e.now()
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		found, err := findTagLimit(tx, now, ref)
		if err != nil {
			return err
		}
		l, err = withHolders(tx, now, found)
		return err
	})
	return l, err
}

// TagLimits lists a page of the tag limits that are among the first offset+limit
// of all limits by name, as the reference takes its pages.
func (e *Engine) TagLimits(ctx context.Context, ws core.WorkspaceID, limit, offset int) (found []*TagLimit, err error) {
	now := e.now()
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		end := limit + min(offset, math.MaxInt-limit)
		limits, err := tx.ConcurrencyLimits(core.LimitSelect{Limit: end}, now)
		if err != nil {
			return err
		}
		limits = slices.DeleteFunc(limits, func(l *core.ConcurrencyLimit) bool { return !strings.HasPrefix(l.Name, core.TagLimitPrefix) })
		found = nil
		for _, l := range limits[min(offset, len(limits)):min(end, len(limits))] {
			one, err := withHolders(tx, now, l)
			if err != nil {
				return err
			}
			found = append(found, one)
		}
		return nil
	})
	return found, err
}

// DeleteTagLimit removes a tag limit with the leases on it.
func (e *Engine) DeleteTagLimit(ctx context.Context, ws core.WorkspaceID, ref LimitRef) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		l, err := findTagLimit(tx, now, ref)
		if err != nil {
			return err
		}
		if err := dropLeases(tx, now, l.ID); err != nil {
			return err
		}
		if _, err := tx.DeleteConcurrencyLimit(l.ID); err != nil {
			return err
		}
		return tellLimit(tx, now, "deleted", l)
	})
}

func dropLeases(tx core.Tx, now time.Time, limitID core.ID) error {
	leases, err := tx.LimitLeases(limitID, now)
	if err != nil {
		return err
	}
	for _, lease := range leases {
		if err := releaseLease(tx, now, lease.ID); err != nil {
			return err
		}
	}
	return nil
}

// ResetTagLimit frees all slots of a tag and then gives one to each of the task runs.
func (e *Engine) ResetTagLimit(ctx context.Context, ws core.WorkspaceID, tag string, taskRuns []core.ID) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		l, err := findTagLimit(tx, now, TagLimitRef(tag))
		if err != nil {
			return err
		}
		if err := dropLeases(tx, now, l.ID); err != nil {
			return err
		}
		if l, err = tx.ConcurrencyLimit(l.ID, now); err != nil {
			return err
		}
		l.Settle(now)
		l.Slots = 0
		if err := tx.UpdateConcurrencyLimit(l); err != nil {
			return err
		}
		for i, id := range taskRuns {
			// Whoever overrides says who holds the slots, however many there are. They are listed in this order.
			at := now.Add(time.Duration(i) * time.Microsecond)
			if err := takeSlots(tx, at, taskSlot([]string{l.Name}, id), []*core.ConcurrencyLimit{l}, &Acquired{}); err != nil {
				return err
			}
		}
		tx.Wake(core.TopicScheduledRuns)
		return nil
	})
}

func taskSlot(names []string, taskRun core.ID) AcquireSlots {
	return AcquireSlots{Names: names, Slots: 1, Lease: forever, Holder: &core.LeaseHolder{Type: "task_run", ID: taskRun}}
}

func tagNames(tags []string) []string {
	names := make([]string, len(tags))
	for i, tag := range tags {
		names[i] = core.TagLimitPrefix + tag
	}
	return names
}

// AcquireTagSlots takes one slot of each tag's limit for the task run, or gives
// a Locked error that names the tag.
func (e *Engine) AcquireTagSlots(ctx context.Context, ws core.WorkspaceID, tags []string, taskRun core.ID) (limits []*core.ConcurrencyLimit, err error) {
	now := e.now()
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		found, err := tx.ConcurrencyLimits(core.LimitSelect{Names: tagNames(tags)}, now)
		if err != nil {
			return err
		}
		for _, l := range found {
			if l.Limit < 0 { // the reference takes such limits, too
				return tagFull(l)
			}
			if l.Limit == 0 {
				return core.Errorf(core.Locked, "The concurrency limit on tag \"%s\" is 0 and will deadlock if the task tries to run again.",
					strings.TrimPrefix(l.Name, core.TagLimitPrefix))
			}
		}
		first, twice := activeTag(tags, found)
		if twice {
			return tagFull(first) // the reference cannot take two slots of one limit at once
		}
		got, err := acquireSlots(tx, now, taskSlot(tagNames(tags), taskRun))
		if err != nil {
			return err
		}
		if !got.OK() {
			return tagFull(first)
		}
		limits = nil
		for _, l := range got.Limits {
			if l.Active {
				limits = append(limits, l)
			}
		}
		return nil
	})
	return limits, err
}

// activeTag returns the first active limit in the order of the tags, which the
// reference names when any is full, and whether a tag with one comes twice.
func activeTag(tags []string, limits []*core.ConcurrencyLimit) (first *core.ConcurrencyLimit, twice bool) {
	seen := map[string]bool{}
	for _, name := range tagNames(tags) {
		i := slices.IndexFunc(limits, func(l *core.ConcurrencyLimit) bool { return l.Name == name && l.Active })
		if i < 0 {
			continue
		}
		if first == nil {
			first = limits[i]
		}
		twice = twice || seen[name]
		seen[name] = true
	}
	return first, twice
}

// tagFull refuses a slot of a tag's limit.
func tagFull(l *core.ConcurrencyLimit) error {
	return &core.Error{
		Code: core.Locked, RetryAfter: l.MaxWait(),
		Message: "Concurrency limit for the " + strings.TrimPrefix(l.Name, core.TagLimitPrefix) + " tag has been reached",
	}
}

// ReleaseTagSlots gives back the slots that the task run holds of the tags' limits.
func (e *Engine) ReleaseTagSlots(ctx context.Context, ws core.WorkspaceID, tags []string, taskRun core.ID) (limits []*core.ConcurrencyLimit, err error) {
	now := e.now()
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		if limits, err = tx.ConcurrencyLimits(core.LimitSelect{Names: tagNames(tags)}, now); err != nil {
			return err
		}
		for _, l := range limits {
			leases, err := tx.LimitLeases(l.ID, now)
			if err != nil {
				return err
			}
			for _, lease := range leases {
				if lease.Holder == nil || lease.Holder.ID != taskRun {
					continue
				}
				if err := releaseLease(tx, now, lease.ID); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return limits, err
}
