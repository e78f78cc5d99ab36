package differential

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// skew is how far times may lie apart that both servers took from their clocks.
const skew = 20 * time.Second

// difference is one place in which two answers to a call disagree.
type difference struct {
	where           string // "status", "header X" or a path into the body
	reference, leat any
}

func (d difference) String() string {
	return fmt.Sprintf("%s: reference %s, leat %s", d.where, short(d.reference), short(d.leat))
}

func short(v any) string {
	if _, none := v.(absent); none {
		return "nothing"
	}
	text := string(encode(v))
	if len(text) > 600 {
		text = text[:600] + "…"
	}
	return text
}

// absent stands for a value that an object does not have.
type absent struct{}

// ids says which id of leat stands for which of the reference.
type ids struct{ there, back map[string]string }

func (i ids) clone() ids { return ids{maps.Clone(i.there), maps.Clone(i.back)} }

func (i ids) same(a, b string) bool {
	if known, ok := i.there[a]; ok {
		return known == b
	}
	if _, taken := i.back[b]; taken {
		return false
	}
	i.there[a], i.back[b] = b, a
	return true
}

// headers are those that a client may act on. Vary is not among them: it goes
// with compression, which leat begins at larger bodies.
var headers = []string{"Content-Type", "Allow", "Access-Control-Allow-Origin"}

// compare lists the differences between two answers to a call. What the
// reference fails to answer says nothing about what is right.
func compare(c call, ref, leat answer, known ids) []difference {
	if ref.status >= 500 {
		if leat.status >= 500 {
			return []difference{{"status", ref.status, leat.status}}
		}
		return nil
	}
	if ref.status != leat.status {
		return []difference{{"status", fmt.Sprintf("%d %s", ref.status, clip(ref.body)), fmt.Sprintf("%d %s", leat.status, clip(leat.body))}}
	}
	var out []difference
	for _, name := range headers {
		if a, b := ref.header.Get(name), leat.header.Get(name); a != b {
			out = append(out, difference{"header " + name, a, b})
		}
	}
	if (ref.header.Get("Retry-After") == "") != (leat.header.Get("Retry-After") == "") {
		out = append(out, difference{"header Retry-After", ref.header.Get("Retry-After"), leat.header.Get("Retry-After")})
	}
	m := &matcher{ids: known.clone(), call: c}
	m.match("body", ref.value, leat.value)
	if len(m.found) == 0 {
		maps.Copy(known.there, m.there)
		maps.Copy(known.back, m.back)
	}
	return append(out, m.found...)
}

func clip(b []byte) string {
	if len(b) > 500 {
		return string(b[:500]) + "…"
	}
	return string(b)
}

type matcher struct {
	ids
	call  call
	found []difference
}

func (m *matcher) differ(where string, a, b any) {
	m.found = append(m.found, difference{where, a, b})
}

// clocked are the numbers that depend on when a call arrives.
var clocked = regexp.MustCompile(`\.(estimated_run_time|estimated_start_time_delta|total_run_time|avg_slot_occupancy_seconds|lateness)$`)

func (m *matcher) match(where string, a, b any) {
	switch a := a.(type) {
	case map[string]any:
		if b, ok := b.(map[string]any); ok {
			m.matchObject(where, a, b)
			return
		}
	case []any:
		if b, ok := b.([]any); ok {
			m.matchList(where, a, b)
			return
		}
	case string:
		if b, ok := b.(string); ok {
			if !m.sameText(where, a, b) {
				m.differ(where, a, b)
			}
			return
		}
	case json.Number:
		if b, ok := b.(json.Number); ok {
			if a != b && (!clocked.MatchString(where) && m.call.op.path != "/flow_runs/lateness" || !near(a, b)) {
				m.differ(where, a, b)
			}
			return
		}
	}
	if a != b {
		m.differ(where, a, b)
	}
}

func near(a, b json.Number) bool {
	x, err := a.Float64()
	y, err2 := b.Float64()
	// An integer is written without a point by both or by none.
	return err == nil && err2 == nil && strings.Contains(string(a), ".") == strings.Contains(string(b), ".") &&
		x-y < skew.Seconds() && y-x < skew.Seconds()
}

func (m *matcher) matchObject(where string, a, b map[string]any) {
	b = m.named(a, b)
	keys := slices.Sorted(maps.Keys(a))
	for _, k := range keys {
		if other, ok := b[k]; ok {
			m.match(where+"."+k, a[k], other)
		} else {
			m.differ(where+"."+k, a[k], absent{})
		}
	}
	for _, k := range slices.Sorted(maps.Keys(b)) {
		if _, ok := a[k]; !ok {
			m.differ(where+"."+k, absent{}, b[k])
		}
	}
}

// named gives the ids among the keys of an object the names that the reference has for them.
func (m *matcher) named(a, b map[string]any) map[string]any {
	out := maps.Clone(b)
	for k := range a {
		if there, known := m.there[strings.ToLower(k)]; known && len(k) == len(nobody) {
			if v, ok := b[there]; ok {
				delete(out, there)
				out[k] = v
			}
		}
	}
	return out
}

// sets are lists that the reference keeps as sets, in an order of their own.
var sets = regexp.MustCompile(`\.(after|expect|for_each|pause_keys|upstream_dependencies)$`)

func sortedText(list []any) []any {
	return slices.SortedFunc(slices.Values(list), func(a, b any) int { return strings.Compare(short(a), short(b)) })
}

// matchList compares in order; rows that a sort leaves equal may come in any.
func (m *matcher) matchList(where string, a, b []any) {
	if len(a) != len(b) {
		m.differ(where+".length", fmt.Sprintf("%d: %s", len(a), short(m.names(a))), fmt.Sprintf("%d: %s", len(b), short(m.names(b))))
		return
	}
	if sets.MatchString(where) || strings.HasSuffix(where, ".tags") && m.call.op.group != "flows" {
		a, b = sortedText(a), sortedText(b)
	}
	trial := &matcher{ids: m.clone(), call: m.call}
	for i := range a {
		trial.match(where+"["+strconv.Itoa(i)+"]", a[i], b[i])
	}
	if len(trial.found) > 0 && m.call.sortedLoosely(b) {
		if again, ok := m.pair(where, a, b); ok {
			trial = again
		}
	}
	m.ids, m.found = trial.ids, append(m.found, trial.found...)
}

// pair looks for another order of b in which it equals a.
func (m *matcher) pair(where string, a, b []any) (*matcher, bool) {
	state := &matcher{ids: m.clone(), call: m.call}
	left := slices.Clone(b)
	for _, x := range a {
		i := slices.IndexFunc(left, func(y any) bool {
			trial := &matcher{ids: state.clone(), call: m.call}
			trial.match(where, x, y)
			if len(trial.found) == 0 {
				state = trial
			}
			return len(trial.found) == 0
		})
		if i < 0 {
			return nil, false
		}
		left = slices.Delete(left, i, i+1)
	}
	return state, true
}

// names shows a list by what tells its rows apart, for a message.
func (m *matcher) names(list []any) []any {
	out := make([]any, 0, len(list))
	for _, v := range list {
		if o, ok := v.(map[string]any); ok && o["name"] != nil {
			v = o["name"]
		} else if ok && o["id"] != nil {
			v = o["id"]
		}
		out = append(out, v)
	}
	return out
}

// sortedLoosely tells whether rows are sorted as the call asks, so that rows
// which stand elsewhere in the other answer are equal by that sort.
func (c call) sortedLoosely(rows []any) bool {
	body, _ := c.body.(map[string]any)
	order, _ := body["sort"].(string)
	if order == "" {
		order = c.op.sort
	}
	field, descending := strings.CutSuffix(strings.ToLower(order), "_desc")
	field, _ = strings.CutSuffix(field, "_asc")
	if field == "id" || field == "" {
		return field == "id" || c.op.unordered
	}
	last := ""
	for i, row := range rows {
		o, _ := row.(map[string]any)
		value, _ := o[field].(string)
		if i > 0 && (descending && value > last || !descending && value < last) {
			return false
		}
		last = value
	}
	return true
}

var (
	token      = regexp.MustCompile(`(?i)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)?`)
	randomName = regexp.MustCompile(`^[a-z]+-[a-z]+$`)
	fraction   = regexp.MustCompile(`\.\d+`)
)

// sameText compares text with ids and times in it.
func (m *matcher) sameText(where, a, b string) bool {
	if (strings.HasSuffix(where, "name") || strings.HasSuffix(where, ".label")) && randomName.MatchString(a) && randomName.MatchString(b) {
		return true
	}
	xs, ys := token.FindAllStringIndex(a, -1), token.FindAllStringIndex(b, -1)
	if len(xs) != len(ys) || token.ReplaceAllString(a, "") != token.ReplaceAllString(b, "") {
		return false
	}
	for i := range xs {
		x, y := a[xs[i][0]:xs[i][1]], b[ys[i][0]:ys[i][1]]
		if x[4] != '-' { // an id: a time has its first dash after four digits
			if !m.same(strings.ToLower(x), strings.ToLower(y)) {
				return false
			}
			continue
		}
		if x != y && !m.sameTime(x, y) {
			return false
		}
	}
	return true
}

// sameTime allows for the time between the calls of both servers, never for
// another way to write a time.
func (m *matcher) sameTime(x, y string) bool {
	const layout = "2006-01-02T15:04:05"
	if len(fraction.ReplaceAllString(x, "")) != len(fraction.ReplaceAllString(y, "")) || x[10] != y[10] {
		return false
	}
	s, err := time.Parse(layout, x[:10]+"T"+x[11:19])
	t, err2 := time.Parse(layout, y[:10]+"T"+y[11:19])
	return err == nil && err2 == nil && s.Sub(t).Abs() <= skew
}
