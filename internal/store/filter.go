package store

import (
	"fmt"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// table is what the filter compiler knows of an entity: where its rows lie,
// what its fields are, how it can be sorted and what it belongs to.
type table struct {
	name  string
	alias string
	// columns maps a field of core.FilterFields to an SQL expression. Fields
	// that are no plain comparison have a compiler in special.
	columns map[string]string
	special map[string]func(b *builder, c core.Cond) string
	// sorts maps a sort's name to an ORDER BY list; "" is the default. Each ends
	// with a unique column, so that pages do not overlap.
	sorts map[string]string
	// joins maps another entity to the condition under which its rows belong to ours.
	joins map[core.Entity]string
}

// builder collects the arguments of a statement while its text is made.
type builder struct {
	d    *dialect
	ws   core.WorkspaceID
	args []any
}

func (b *builder) arg(v any) string {
	switch x := v.(type) {
	case time.Time:
		v = micros(x)
	case core.StateType:
		v = string(x)
	}
	b.args = append(b.args, v)
	return "?"
}

// selects builds a statement that reads columns of the entity's rows that q selects.
func selects(d *dialect, ws core.WorkspaceID, e core.Entity, columns, joins string, q core.Query) (string, []any, error) {
	b := &builder{d: d, ws: ws}
	tab := tables(e)
	order, ok := tab.sorts[q.Sort]
	if !ok {
		return "", nil, core.Errorf(core.Invalid, "%s cannot be sorted by %q", e, q.Sort)
	}
	where, err := b.splitByState(e, q, order)
	if where == "" && err == nil {
		where, err = b.splitByStart(e, q, order)
	}
	if where == "" && err == nil {
		where, err = b.where(e, q)
	}
	if err != nil {
		return "", nil, err
	}
	text := fmt.Sprintf("SELECT %s FROM %s %s %s WHERE %s ORDER BY %s LIMIT %s OFFSET %s",
		columns, tab.name, tab.alias, joins, where, order, b.arg(max(q.Limit, 0)), b.arg(max(q.Offset, 0)))
	return text, b.args, nil
}

// counts builds a statement that counts the entity's rows that q selects.
func counts(d *dialect, ws core.WorkspaceID, e core.Entity, q core.Query) (string, []any, error) {
	b := &builder{d: d, ws: ws}
	where, err := b.where(e, q)
	if err != nil {
		return "", nil, err
	}
	tab := tables(e)
	return fmt.Sprintf("SELECT count(*) FROM %s %s WHERE %s", tab.name, tab.alias, where), b.args, nil
}

// maxSplit is up to how many rows of each state are looked up by themselves.
const maxSplit = 1000

// splitByState compiles a query for the newest or oldest runs in one of several
// states as the newest or oldest of each state. An index leads to these; for all
// states at once it would lead past every run of the others. It returns "" for
// other queries.
func (b *builder) splitByState(e core.Entity, q core.Query, order string) (string, error) {
	states := statesOf(q.Where[e])
	rows := max(q.Limit, 0) + max(q.Offset, 0)
	if e != core.EntityFlowRun || !strings.HasPrefix(q.Sort, "EXPECTED_START_TIME") || len(states) < 2 || rows > maxSplit {
		return "", nil
	}
	branches := make([]string, len(states))
	for i, s := range states {
		where, err := b.where(e, q)
		if err != nil {
			return "", err
		}
		branches[i] = fmt.Sprintf("SELECT id FROM (SELECT fr.id FROM flow_run fr WHERE %s AND fr.state_type = %s ORDER BY %s LIMIT %s) AS s%d",
			where, b.arg(s), order, b.arg(rows), i)
	}
	return "fr.id IN (" + strings.Join(branches, " UNION ALL ") + ")", nil
}

// statesOf returns the types of state to one of which a filter holds its runs.
func statesOf(f *core.Filter) []core.StateType {
	if f == nil || f.Or {
		return nil
	}
	for _, c := range f.Conds {
		if types, ok := c.Value.([]core.StateType); ok && c.Field == "state.type" && c.Op == core.OpAny {
			return types
		}
	}
	for i := range f.Groups {
		if types := statesOf(&f.Groups[i]); types != nil {
			return types
		}
	}
	return nil
}

func (b *builder) where(e core.Entity, q core.Query) (string, error) {
	tab := tables(e)
	parts := []string{tab.alias + ".ws = " + b.arg(int64(b.ws))}
	own, err := b.filter(e, q.Where[e])
	if err != nil {
		return "", err
	}
	if own != "" {
		parts = append(parts, own)
	}
	for _, other := range entityOrder() { // a fixed order keeps the statement's text the same
		f := q.Where[other]
		if other == e || f == nil {
			continue
		}
		join, ok := tab.joins[other]
		if !ok {
			return "", core.Errorf(core.Invalid, "%s cannot be filtered by %s", e, other)
		}
		cond, err := b.filter(other, f)
		if err != nil {
			return "", err
		}
		if cond != "" { // a filter that says nothing asks that there be one at all
			join += " AND " + cond
		}
		parts = append(parts, fmt.Sprintf("EXISTS (SELECT 1 FROM %s WHERE %s)", tables(other).name+" "+tables(other).alias, join))
	}
	return strings.Join(parts, " AND "), nil
}

func entityOrder() []core.Entity {
	return []core.Entity{
		core.EntityFlow, core.EntityFlowRun, core.EntityTaskRun, core.EntityDeployment, core.EntityWorkPool, core.EntityWorkQueue,
		core.EntityBlockType, core.EntityBlockSchema,
	}
}

// filter compiles f; "" selects everything.
func (b *builder) filter(e core.Entity, f *core.Filter) (string, error) {
	if f.Empty() {
		return "", nil
	}
	var parts []string
	for _, c := range f.Conds {
		part, err := b.cond(e, c)
		if err != nil {
			return "", err
		}
		parts = append(parts, part)
	}
	for i := range f.Groups {
		part, err := b.filter(e, &f.Groups[i])
		if err != nil {
			return "", err
		}
		if part == "" && f.Or {
			part = "1 = 1" // a group that says nothing holds
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) == 0 {
		return "", nil
	}
	glue := " AND "
	if f.Or {
		glue = " OR "
	}
	return "(" + strings.Join(parts, glue) + ")", nil
}

func (b *builder) cond(e core.Entity, c core.Cond) (string, error) {
	tab := tables(e)
	if compile, ok := tab.special[c.Field]; ok {
		if text := compile(b, c); text != "" {
			return text, nil
		}
		return "", core.Errorf(core.Invalid, "%s.%s cannot be compared by %s", e, c.Field, c.Op)
	}
	expr, ok := tab.columns[c.Field]
	if !ok {
		return "", core.Errorf(core.Invalid, "%s has no field %q to filter by", e, c.Field)
	}
	text := b.compare(expr, c)
	if text == "" {
		return "", core.Errorf(core.Invalid, "%s.%s cannot be compared by %s", e, c.Field, c.Op)
	}
	return text, nil
}

// compare compiles a comparison of a plain column; "" means it is none.
func (b *builder) compare(expr string, c core.Cond) string {
	switch c.Op {
	case core.OpAny:
		return b.in(expr, "IN", c.Value)
	case core.OpNotAny:
		if strings.HasPrefix(c.Field, "state.") { // a run without a state is in none of them
			return "(" + expr + " IS NULL OR " + b.in(expr, "NOT IN", c.Value) + ")"
		}
		return b.in(expr, "NOT IN", c.Value)
	case core.OpIsNull:
		if yes, _ := c.Value.(bool); yes {
			return expr + " IS NULL"
		}
		return expr + " IS NOT NULL"
	case core.OpBefore, core.OpLe:
		return expr + " <= " + b.arg(c.Value)
	case core.OpAfter, core.OpGe:
		return expr + " >= " + b.arg(c.Value)
	case core.OpEq:
		return expr + " = " + b.arg(c.Value)
	case core.OpLike:
		s, _ := c.Value.(string)
		return expr + " " + b.d.like + " " + b.arg("%"+s+"%")
	case core.OpStartsWith:
		prefixes, _ := c.Value.([]string)
		var parts []string
		for _, p := range prefixes {
			parts = append(parts, expr+" "+b.d.like+" "+b.arg(p+"%"))
		}
		if len(parts) == 0 {
			return "1 = 1"
		}
		return "(" + strings.Join(parts, " OR ") + ")"
	case core.OpAll, core.OpExists, core.OpQuery, core.OpCreatorID, core.OpCreatorType:
		return ""
	}
	return ""
}

// manyValues is from how many values on a list is sent as one argument:
// databases take some ten thousand.
const manyValues = 500

func (b *builder) in(expr, op string, list any) string {
	var values []string
	switch l := list.(type) {
	case []core.ID:
		for _, id := range l {
			values = append(values, id.String())
		}
	case []string:
		values = l
	case []core.StateType:
		for _, s := range l {
			values = append(values, string(s))
		}
	}
	if len(values) == 0 {
		if op == "IN" {
			return "1 = 0"
		}
		return "1 = 1"
	}
	if len(values) >= manyValues {
		return expr + " " + op + " (SELECT value FROM " + b.d.tagsOf(b.arg(tagsText(values))) + ")"
	}
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = b.arg(v)
	}
	return expr + " " + op + " (" + strings.Join(marks, ", ") + ")"
}

// creator compiles comparisons of a column that tells who made a row, as JSON.
func creator(column string) func(*builder, core.Cond) string {
	return func(b *builder, c core.Cond) string {
		switch c.Op {
		case core.OpIsNull:
			return b.compare(column, c)
		case core.OpCreatorID:
			return b.in(b.d.member(column, "id"), "IN", c.Value)
		case core.OpCreatorType:
			return b.in(b.d.member(column, "type"), "IN", c.Value)
		default:
			return ""
		}
	}
}

// tags compiles comparisons of a column that holds a JSON array of strings.
func tags(column string) func(*builder, core.Cond) string {
	return func(b *builder, c core.Cond) string {
		switch c.Op {
		case core.OpIsNull:
			if yes, _ := c.Value.(bool); yes {
				return column + " = '[]'"
			}
			return column + " <> '[]'"
		case core.OpAny:
			return fmt.Sprintf("EXISTS (SELECT 1 FROM %s WHERE %s)", b.d.tagsOf(column), b.in("value", "IN", c.Value))
		case core.OpAll:
			all, _ := c.Value.([]string)
			parts := []string{"1 = 1"}
			for _, tag := range all {
				parts = append(parts, fmt.Sprintf("EXISTS (SELECT 1 FROM %s WHERE value = %s)", b.d.tagsOf(column), b.arg(tag)))
			}
			return "(" + strings.Join(parts, " AND ") + ")"
		default:
			return ""
		}
	}
}

// exists compiles a yes-or-no question whose answer is a subquery.
func exists(op core.Op, whenTrue, whenFalse string) func(*builder, core.Cond) string {
	return func(_ *builder, c core.Cond) string {
		if c.Op != op {
			return ""
		}
		if yes, _ := c.Value.(bool); yes {
			return whenTrue
		}
		return whenFalse
	}
}
