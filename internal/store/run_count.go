package store

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// runCounts is a query that counts runs by state and time.
type runCounts struct {
	// entity and alias are of flow runs or of task runs.
	entity core.Entity
	alias  string
	query  core.Query
	// from, width and buckets divide the time; in microseconds.
	from, width int64
	buckets     int
	// open leaves runs in that are expected after the last bucket, or at no time.
	open bool
	now  time.Time
}

// span is a half-open range of time in microseconds.
type span struct{ from, to int64 }

// spans are ranges of time by how their runs are counted: from slots of an
// hour, from those of a minute, or one by one.
type spans struct{ hours, minutes, single []span }

func floorTo(at, width int64) int64 { return at - ((at%width)+width)%width }

func ceilTo(at, width int64) int64 { return -floorTo(-at, width) }

// divide adds a bucket, of which the tally knows what lies before sealed.
func (s *spans) divide(from, to, sealed int64) {
	m0, m1 := ceilTo(from, minute), floorTo(min(to, sealed), minute)
	if m1 <= m0 {
		s.single = extend(s.single, from, to)
		return
	}
	s.single = extend(s.single, from, m0)
	if h0, h1 := ceilTo(m0, hour), floorTo(m1, hour); h0 < h1 {
		s.minutes = extend(s.minutes, m0, h0)
		s.hours = extend(s.hours, h0, h1)
		s.minutes = extend(s.minutes, h1, m1)
	} else {
		s.minutes = extend(s.minutes, m0, m1)
	}
	s.single = extend(s.single, m1, to)
}

// extend appends a range, or makes the last one longer.
func extend(list []span, from, to int64) []span {
	switch n := len(list); {
	case from >= to:
		return list
	case n > 0 && list[n-1].to == from:
		list[n-1].to = to
		return list
	}
	return append(list, span{from, to})
}

// tallied is what a filter asks for that the tally can answer.
type tallied struct {
	scopes []string
	// states are conditions on state.type and state.name.
	states []core.Cond
	// from and to bound the expected start: from <= it < to.
	from, to int64
	// bounded tells that there are bounds.
	bounded bool
}

// The scopes of the tally begin with what they are of; that of all runs is empty.
const scopeFlow, scopeDeployment = "f", "d"

// forever is after every run, in microseconds since 1970: the year 10000.
const forever = 253402300800 * 1_000_000

// tallies reads a query for what the tally can answer; false when it asks for more.
func tallies(q core.Query) (tallied, bool) {
	out := tallied{from: beginning, to: forever}
	flows, deployments := []string(nil), []string(nil)
	for e, f := range q.Where {
		switch {
		case f == nil:
			continue
		case e != core.EntityFlowRun && e != core.EntityFlow:
			return out, false
		}
		conds, ok := conjunction(f, nil)
		if !ok || e == core.EntityFlow && len(conds) != 1 {
			return out, false
		}
		for _, c := range conds {
			switch {
			case e == core.EntityFlow && c.Field == "id" && c.Op == core.OpAny && flows == nil:
				flows = scopesOf(scopeFlow, c.Value)
			case e == core.EntityFlowRun && c.Field == "deployment_id" && c.Op == core.OpAny && deployments == nil:
				deployments = scopesOf(scopeDeployment, c.Value)
			case e == core.EntityFlowRun && !out.add(c), e == core.EntityFlow:
				return out, false
			}
		}
	}
	if flows != nil && deployments != nil {
		return out, false
	}
	out.scopes = append(flows, deployments...)
	if flows == nil && deployments == nil {
		out.scopes = []string{""}
	}
	return out, len(out.scopes) > 0
}

// scopesOf returns the scopes of ids, each once.
func scopesOf(prefix string, ids any) []string {
	out := []string{}
	list, _ := ids.([]core.ID)
	for _, id := range list {
		out = append(out, prefix+id.String())
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// add takes a condition on a flow run, if the tally can answer it.
func (t *tallied) add(c core.Cond) bool {
	switch c.Field {
	case "state.type", "state.name":
		t.states = append(t.states, c)
		return true
	case "expected_start_time":
		at, ok := c.Value.(time.Time)
		if !ok {
			return false
		}
		t.bounded = true
		if c.Op == core.OpAfter {
			t.from = max(t.from, micros(at))
		} else {
			t.to = min(t.to, micros(at)+1)
		}
		return c.Op == core.OpAfter || c.Op == core.OpBefore
	}
	return false
}

// conjunction lists a filter's conditions if all of them must hold.
func conjunction(f *core.Filter, list []core.Cond) ([]core.Cond, bool) {
	if f.Or && len(f.Conds)+len(f.Groups) > 1 {
		return nil, false
	}
	list = append(list, f.Conds...)
	for i := range f.Groups {
		var ok bool
		if list, ok = conjunction(&f.Groups[i], list); !ok {
			return nil, false
		}
	}
	return list, true
}

// countRuns runs the query; each row is a bucket and a state.
func (t *tx) countRuns(c runCounts) ([]core.RunCount, error) {
	b := &builder{d: t.d, ws: t.ws}
	source, err := t.countSource(b, c)
	if err != nil || source == "" {
		return nil, err
	}
	return listOnce(t, scanRunCount, `SELECT x.bucket, x.state_type, x.state_name, CAST(sum(x.runs) AS BIGINT), CAST(sum(x.run_time) AS BIGINT),
		CAST(sum(x.lateness) AS BIGINT) FROM (`+source+`) AS x
		GROUP BY x.bucket, x.state_type, x.state_name HAVING sum(x.runs) <> 0 ORDER BY x.bucket, x.state_type, x.state_name`, b.args...)
}

func scanRunCount(r rows) (core.RunCount, error) {
	var c core.RunCount
	var runTime, lateness int64
	err := r.Scan(&c.Bucket, &c.StateType, &c.StateName, &c.Runs, &runTime, &lateness)
	c.RunTime, c.Lateness = time.Duration(runTime)*time.Second, time.Duration(lateness)*time.Second
	return c, err
}

// countSource builds a query whose rows say of which bucket and state some runs
// are; "" when there can be none.
func (t *tx) countSource(b *builder, c runCounts) (string, error) {
	end := c.from + int64(c.buckets)*c.width
	if c.open {
		end = forever
	}
	by, ok := tallies(c.query)
	ok = ok && c.entity == core.EntityFlowRun
	sealed := int64(beginning)
	if ok {
		mark, err := t.tallyMark()
		if err != nil && core.CodeOf(err) != core.NotFound {
			return "", err
		}
		if err == nil {
			sealed = mark.sealed
		}
	}
	if ok {
		// The spans hold the runs within these bounds; a database that were given
		// both might search by the wider one.
		c.query = unbounded(c.query)
	}
	var s spans
	for i := range c.buckets {
		from, to := c.from+int64(i)*c.width, c.from+int64(i+1)*c.width
		if c.open {
			to = end
		}
		if from, to = max(from, by.from), min(to, by.to); from < to || !ok {
			s.divide(from, to, sealed)
		}
	}
	var parts []string
	for _, part := range []struct {
		list []span
		make func(list []span) (string, error)
	}{
		{s.hours, func(list []span) (string, error) { return b.slots(c, by, list, hour) }},
		{s.minutes, func(list []span) (string, error) { return b.slots(c, by, list, minute) }},
		{append(slices.Clone(s.hours), s.minutes...), func(list []span) (string, error) { return b.changes(c, by, list) }},
	} {
		if len(part.list) == 0 {
			continue
		}
		text, err := part.make(part.list)
		if err != nil {
			return "", err
		}
		parts = append(parts, text)
	}
	alone := [][]span{s.single}
	if c.open && (!ok || !by.bounded) {
		alone = append(alone, nil)
	}
	for i, list := range alone {
		if i == 0 && len(list) == 0 {
			continue
		}
		part, err := b.single(c, list)
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, " UNION ALL "), nil
}

// unbounded returns the query without what it asks of the expected start. All of
// its conditions must hold.
func unbounded(q core.Query) core.Query {
	f := q.Where[core.EntityFlowRun]
	if f == nil {
		return q
	}
	conds, _ := conjunction(f, nil)
	kept := slices.DeleteFunc(conds, func(c core.Cond) bool { return c.Field == "expected_start_time" })
	q.Where = maps.Clone(q.Where)
	q.Where[core.EntityFlowRun] = &core.Filter{Conds: kept}
	return q
}

// spans makes a table of ranges, with columns column1 and column2.
func (b *builder) spans(list []span) string {
	values := make([]string, len(list))
	for i, s := range list {
		values[i] = "(CAST(" + b.arg(s.from) + " AS BIGINT), CAST(" + b.arg(s.to) + " AS BIGINT))"
	}
	return "(VALUES " + strings.Join(values, ", ") + ") AS s"
}

// within searches a table once for each of some ranges; where makes the condition.
func (b *builder) within(list []span, table, alias string, where func() (string, error)) (string, error) {
	text := " FROM " + b.spans(list) + " CROSS JOIN "
	cond, err := where()
	if b.d.lateral {
		return text + "LATERAL (SELECT " + alias + ".* FROM " + table + " " + alias + " WHERE " + cond + " OFFSET 0) AS " + alias, err
	}
	return text + table + " " + alias + " WHERE " + cond, err
}

// bucket is the number of the bucket that a time lies in.
func (b *builder) bucket(c runCounts, at string) string {
	if c.buckets == 1 {
		return "0"
	}
	return "(" + at + " - CAST(" + b.arg(c.from) + " AS BIGINT)) / CAST(" + b.arg(c.width) + " AS BIGINT)"
}

// summed is what a row of the tally, or of its changes, adds.
func (b *builder) summed(c runCounts, row, at string) string {
	now := c.now.Unix()
	return "SELECT " + b.bucket(c, at) + " AS bucket, " + row + ".state_type, " + row + ".state_name, " + row + ".runs, " + row +
		".run_time + CASE WHEN " + row + ".state_type = 'RUNNING' THEN " + row + ".runs * CAST(" + b.arg(now) + " AS BIGINT) ELSE 0 END AS run_time, " +
		row + ".lateness + " + row + ".waiting * CAST(" + b.arg(now) + " AS BIGINT) AS lateness"
}

// inStates restricts a row of the tally, or of its changes, to states.
func (b *builder) inStates(by tallied, row string) string {
	var text strings.Builder
	for _, c := range by.states {
		column := "nullif(" + row + "." + strings.ReplaceAll(c.Field, ".", "_") + ", '')"
		text.WriteString(" AND " + b.compare(column, c))
	}
	return text.String()
}

// slots counts what the tally holds.
func (b *builder) slots(c runCounts, by tallied, list []span, width int64) (string, error) {
	text := b.summed(c, "t", "t.slot")
	from, err := b.within(list, "flow_run_tally", "t", func() (string, error) {
		return "t.ws = " + b.arg(int64(b.ws)) + " AND " + b.in("t.scope", "IN", by.scopes) + " AND t.width = " + b.arg(width) +
			" AND t.slot >= s.column1 AND t.slot < s.column2" + b.inStates(by, "t"), nil
	})
	return text + from, err
}

// changes counts what has changed since the tally was taken.
func (b *builder) changes(c runCounts, by tallied, list []span) (string, error) {
	text := b.summed(c, "ch", "ch.expected")
	from, err := b.within(list, "flow_run_tally_change", "ch", func() (string, error) {
		cond := "ch.ws = " + b.arg(int64(b.ws)) + " AND ch.expected >= s.column1 AND ch.expected < s.column2"
		switch by.scopes[0][:min(1, len(by.scopes[0]))] {
		case scopeFlow:
			cond += " AND " + b.in("'"+scopeFlow+"' || ch.flow_id", "IN", by.scopes)
		case scopeDeployment:
			cond += " AND " + b.in("'"+scopeDeployment+"' || ch.deployment_id", "IN", by.scopes)
		}
		return cond + b.inStates(by, "ch"), nil
	})
	return text + from, err
}

// single counts runs one by one: those expected in the ranges or, without any, at no time.
func (b *builder) single(c runCounts, list []span) (string, error) {
	r, now := c.alias, c.now
	expected := r + ".expected_start_time"
	text := "SELECT "
	if list == nil {
		text += "0"
	} else {
		text += b.bucket(c, expected)
	}
	text += " AS bucket, coalesce(" + r + ".state_type, '') AS state_type, coalesce(" + r + ".state_name, '') AS state_name, 1 AS runs, " +
		fixedRunTime(r) + " + CASE WHEN " + r + ".state_type = 'RUNNING' THEN CAST(" + b.arg(now.Unix()) + " AS BIGINT) ELSE 0 END AS run_time, " +
		"CASE WHEN " + waiting(r) + " AND coalesce(" + expected + " > " + b.arg(now) + ", TRUE) THEN 0 ELSE coalesce(" + fixedLateness(r) + ", 0) + CASE WHEN " + waiting(r) +
		" THEN CAST(" + b.arg(now.Unix()) + " AS BIGINT) ELSE 0 END END AS lateness"
	if len(list) > 1 {
		from, err := b.within(list, tables(c.entity).name, r, func() (string, error) {
			where, err := b.where(c.entity, c.query)
			return expected + " >= s.column1 AND " + expected + " < s.column2 AND " + where, err
		})
		return text + from, err
	}
	text += " FROM " + tables(c.entity).name + " " + r + " WHERE " + expected
	if len(list) == 1 {
		text += " >= " + b.arg(list[0].from) + " AND " + expected + " < " + b.arg(list[0].to) + " AND "
	} else {
		text += " IS NULL AND "
	}
	where, err := b.where(c.entity, c.query)
	return text + where, err
}
