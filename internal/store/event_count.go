package store

import (
	"strconv"

	"github.com/leat-dev/leat/internal/core"
)

// CountEvents implements core.EventCountTx.
func (t *tx) CountEvents(r core.EventRange, by core.EventKey, parts core.EventParts) ([]core.EventCount, error) {
	b := &builder{d: t.d, ws: t.ws}
	key := "event"
	switch by {
	case core.CountByEvent:
	case core.CountByResource:
		key = "resource_id"
	case core.CountByTime:
		zero, width := strconv.FormatInt(micros(parts.At(0)), 10), strconv.FormatInt(parts.Width.Microseconds(), 10)
		since := "(occurred - " + zero + ")"
		// Division cuts towards zero; what is cut off below zero must not be.
		key = "(" + since + " - ((" + since + " % " + width + ") + " + width + ") % " + width + ") / " + width
	}
	where := "ws = " + b.arg(int64(b.ws)) + " AND occurred >= " + b.arg(r.Since) + " AND occurred <= " + b.arg(r.Until)
	if len(r.ResourceIDs) > 0 {
		where += " AND " + b.in("resource_id", "IN", r.ResourceIDs)
	}
	if len(r.Names) > 0 {
		where += " AND " + b.in("event", "IN", r.Names)
	}
	return listOnce(t, func(r rows) (c core.EventCount, err error) {
		var value any = &c.Value
		if by == core.CountByTime {
			value = &c.Part
		}
		err = r.Scan(value, &c.Count, timeInto{&c.Oldest}, timeInto{&c.Newest})
		return c, err
	}, "SELECT x.k, count(*), min(x.occurred), max(x.occurred) FROM (SELECT "+key+" AS k, occurred FROM event WHERE "+where+
		") AS x GROUP BY x.k ORDER BY x.k", b.args...)
}
