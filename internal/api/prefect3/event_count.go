package prefect3

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

func (a *API) eventCountRoutes(r *api.Router) {
	r.Handle("POST", "/events/count-by/{countable}", api.Handle(http.StatusOK, a.countEvents))
}

// countable is what events are counted by; a day is a time with a part of its own.
type countable string

// Enum lists the values.
func (countable) Enum() []string { return []string{"day", "time", "event", "resource"} }

// timeUnit is a length of time.
type timeUnit string

// Enum lists the values.
func (timeUnit) Enum() []string { return []string{"week", "day", "hour", "minute", "second"} }

func (u timeUnit) length() time.Duration {
	switch u {
	case "week":
		return 7 * 24 * time.Hour
	case "day":
		return 24 * time.Hour
	case "hour":
		return time.Hour
	case "minute":
		return time.Minute
	}
	return time.Second
}

// endOf returns the last microsecond of the unit that a time lies in; weeks begin on Mondays.
func (u timeUnit) endOf(at time.Time) time.Time {
	parts := core.EventParts{Width: u.length()}
	return parts.At(parts.Of(at) + 1).Add(-time.Microsecond)
}

type countEventsIn struct {
	Countable countable `path:"countable"`
	Body      struct {
		_        struct{}    `wire:"embed"`
		Filter   eventFilter `json:"filter" wire:"required"`
		Unit     timeUnit    `json:"time_unit" wire:"default=day"`
		Interval float64     `json:"time_interval" wire:"ge=0.01,default=1"`
	} `body:""`
}

// eventCount is how many events there are of something. Prefect REST: EventCount.
type eventCount struct {
	Value     string    `json:"value"`
	Label     string    `json:"label"`
	Count     int       `json:"count"`
	StartTime wire.Time `json:"start_time"`
	EndTime   wire.Time `json:"end_time"`
}

// maxParts is into how many parts a count may divide time.
const maxParts = 1000

// countEvents counts events by time, name or resource. Whatever they are counted
// by, the range must not be divided into too many parts. Prefect REST: POST
// /events/count-by/{countable}.
func (a *API) countEvents(ctx context.Context, in countEventsIn) ([]eventCount, error) {
	b := &in.Body
	now := a.Now().UTC()
	filter := b.Filter.core()
	span := core.EventRange{Since: now.Truncate(24*time.Hour).AddDate(0, 0, -180), Until: now, Ascending: true, Limit: searchChunk}
	if filter.Since != nil {
		span.Since = filter.Since.UTC()
	}
	if filter.Until != nil {
		span.Until = filter.Until.UTC()
	}
	length := math.RoundToEven(b.Unit.length().Seconds() * b.Interval * 1e6)
	number := math.Ceil((float64(span.Until.UnixMicro()) - float64(span.Since.UnixMicro())) / length)
	if number > maxParts {
		return nil, refusal(http.StatusUnprocessableEntity, fmt.Sprintf("The given interval would create %d buckets, which is too many. "+
			"Please increase the interval or reduce the time range to produce %d buckets or fewer.", int64(number), maxParts))
	}
	if length > maxInterval*1e6 {
		return nil, refusal(http.StatusUnprocessableEntity, "The interval is too long.")
	}
	by, unit, parts := core.EventKey(in.Countable), b.Unit, core.EventParts{Width: time.Duration(length) * time.Microsecond}
	if in.Countable == "day" {
		by = core.CountByTime
	}
	filter.Since, filter.Until = nil, nil
	counts, err := read(ctx, a, func(tx core.Tx) ([]core.EventCount, error) {
		return countsOf(tx, filter, span, by, parts)
	})
	if err != nil {
		return nil, err
	}
	if by == core.CountByTime {
		return timeCounts(counts, span, parts, unit, now), nil
	}
	slices.SortFunc(counts, func(a, b core.EventCount) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Label, b.Label)) })
	return mapped(counts, func(c core.EventCount) eventCount {
		return eventCount{Value: c.Value, Label: c.Label, Count: c.Count, StartTime: wire.FromTime(c.Oldest), EndTime: wire.FromTime(c.Newest)}
	}), nil
}

// timeCounts shows every part of a range, those without events too. The last
// one is that of the present.
func timeCounts(counts []core.EventCount, span core.EventRange, parts core.EventParts, unit timeUnit, now time.Time) []eventCount {
	until := span.Until
	if until.After(now) {
		until = unit.endOf(now)
	}
	byPart := map[int64]int{}
	for _, c := range counts {
		byPart[c.Part] += c.Count
	}
	out := []eventCount{}
	for part := parts.Of(span.Since); parts.At(part).Before(until) && len(out) <= maxParts; part++ {
		from := parts.At(part)
		label := from.Format("2006-01-02T15:04:05+00:00")
		if from.Nanosecond() > 0 {
			label = from.Format("2006-01-02T15:04:05.000000+00:00")
		}
		out = append(out, eventCount{
			Value: strconv.Itoa(len(out)), Label: label, Count: byPart[part],
			StartTime: wire.FromTime(from), EndTime: wire.FromTime(parts.At(part + 1).Add(-time.Microsecond)),
		})
	}
	return out
}

// countsOf counts the events that a filter selects: in the database if it
// selects by name and resource only, else one by one.
func countsOf(tx core.Tx, filter *core.EventFilter, span core.EventRange, by core.EventKey, parts core.EventParts) ([]core.EventCount, error) {
	plain, simple := *filter, false
	if filter.Resource != nil {
		span.ResourceIDs = filter.Resource.IDs
		if r := *filter.Resource; len(r.IDPrefixes)+len(r.Roles)+len(r.InRoles)+len(r.Labels) == 0 {
			plain.Resource = nil
		}
	}
	if len(filter.Prefixes) == 0 {
		span.Names, plain.Names = filter.Names, nil
	}
	simple = plain.Resource == nil && plain.Text == "" &&
		len(plain.Names)+len(plain.Prefixes)+len(plain.ExcludeNames)+len(plain.ExcludePrefixes)+len(plain.IDs)+len(plain.Related)+len(plain.Any) == 0
	if !simple {
		return countEach(tx, filter, span, by, parts)
	}
	counts, err := tx.CountEvents(span, by, parts)
	if err != nil || by == core.CountByTime {
		return counts, err
	}
	for i := range counts {
		c := &counts[i]
		c.Label = c.Value
		if by != core.CountByResource {
			continue
		}
		newest, err := tx.FindEvents(core.EventRange{
			Since: c.Newest, Until: c.Newest, ResourceIDs: []string{c.Value}, Names: span.Names, Limit: 1,
		})
		if err != nil {
			return nil, err
		}
		if len(newest) > 0 {
			c.Label = resourceLabel(newest[0])
		}
	}
	return counts, nil
}

// resourceLabel is what an event calls its resource.
func resourceLabel(e *core.Event) string {
	return cmp.Or(e.Resource.Get(core.ResourceName), e.Resource.Get("prefect.name"), e.Resource.Get(core.ResourceID))
}

// countEach reads the events of a range from the oldest on.
func countEach(tx core.Tx, filter *core.EventFilter, span core.EventRange, by core.EventKey, parts core.EventParts) ([]core.EventCount, error) {
	type key struct {
		value string
		part  int64
	}
	found := map[key]*core.EventCount{}
	for {
		events, err := tx.FindEvents(span)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			if e.Occurred.Equal(span.Since) {
				span.Offset++ // the next page begins with the same instant
			} else {
				span.Since, span.Offset = e.Occurred, 1
			}
			if !filter.Matches(e) {
				continue
			}
			k, label := key{value: e.Event}, e.Event
			switch by {
			case core.CountByEvent:
			case core.CountByResource:
				k.value, label = e.Resource.Get(core.ResourceID), resourceLabel(e)
			case core.CountByTime:
				k = key{part: parts.Of(e.Occurred)}
			}
			c := found[k]
			if c == nil {
				c = &core.EventCount{Value: k.value, Part: k.part, Oldest: e.Occurred}
				found[k] = c
			}
			c.Count++
			c.Newest, c.Label = e.Occurred, label
		}
		if len(events) < span.Limit {
			break
		}
	}
	out := make([]core.EventCount, 0, len(found))
	for _, c := range found {
		out = append(out, *c)
	}
	return out, nil
}
