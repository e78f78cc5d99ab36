package store

import (
	"fmt"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// apart selects runs that began before they were expected to, or more than
// startSlack after. It is the condition of the index flow_run_apart.
const (
	apart      = "(fr.start_time < fr.expected_start_time OR fr.start_time > fr.expected_start_time + 3600000000)"
	startSlack = time.Hour
)

// splitByStart compiles a query for the runs that began last or first, of those
// that were expected in a span of time: SQLite, which keeps no statistics, would
// sort all of that span. A run begins when it is expected or soon after, so that
// the index of beginnings leads to it; the few others have an index of their own.
// It returns "" for other queries.
func (b *builder) splitByStart(e core.Entity, q core.Query, order string) (string, error) {
	rows := max(q.Limit, 0) + max(q.Offset, 0)
	if b.d.name != "sqlite" || e != core.EntityFlowRun || !strings.HasPrefix(q.Sort, "START_TIME") || rows > maxSplit {
		return "", nil
	}
	from, to := spanOf(q.Where[e])
	if from == nil && to == nil {
		return "", nil
	}
	where, err := b.where(e, q)
	if err != nil {
		return "", err
	}
	const began = "coalesce(fr.start_time, fr.expected_start_time)"
	if from != nil {
		where += " AND " + began + " >= " + b.arg(*from)
	}
	if to != nil {
		where += " AND " + began + " <= " + b.arg(to.Add(startSlack))
	}
	const branch = "SELECT id FROM (SELECT fr.id FROM flow_run fr INDEXED BY %s WHERE %s ORDER BY %s LIMIT %s)"
	most := fmt.Sprintf(branch, "flow_run_start", where, order, b.arg(rows))
	if where, err = b.where(e, q); err != nil {
		return "", err
	}
	return "fr.id IN (" + most + " UNION ALL " + fmt.Sprintf(branch, "flow_run_apart", where+" AND "+apart, order, b.arg(rows)) + ")", nil
}

// spanOf returns the bounds of the time at which the filter's runs are expected.
func spanOf(f *core.Filter) (from, to *time.Time) {
	if f == nil || f.Or {
		return nil, nil
	}
	for _, c := range f.Conds {
		at, ok := c.Value.(time.Time)
		if !ok || c.Field != "expected_start_time" {
			continue
		}
		switch c.Op { //nolint:exhaustive // only bounds are of interest
		case core.OpAfter, core.OpGe:
			from = &at
		case core.OpBefore, core.OpLe:
			to = &at
		}
	}
	for i := range f.Groups {
		if from == nil && to == nil {
			from, to = spanOf(&f.Groups[i])
		}
	}
	return from, to
}
