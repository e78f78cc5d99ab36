package differential

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
)

// theme is a set of routes that have to do with each other.
type theme struct {
	name    string
	groups  []string
	prelude []string // made first, plainly
}

var themes = []theme{
	{"runs", []string{"flows", "flow_runs", "flow_run_states", "logs", "ui", "csrf-token"}, []string{"POST /flows/", "POST /flow_runs/", "POST /flow_runs/"}},
	{
		"tasks",
		[]string{"flow_runs", "task_runs", "task_run_states", "logs", "ui", "task_workers"},
		[]string{"POST /flows/", "POST /flow_runs/", "POST /task_runs/", "POST /task_runs/"},
	},
	{
		"deployments",
		[]string{"deployments", "flows", "flow_runs"},
		[]string{"POST /flows/", "POST /work_pools/", "POST /deployments/", "POST /deployments/"},
	},
	{
		"pools",
		[]string{"work_pools", "work_queues", "deployments"},
		[]string{"POST /flows/", "POST /work_pools/", "POST /work_pools/{work_pool_name}/queues", "POST /deployments/", "POST /flow_runs/"},
	},
	{"variables", []string{"variables", "saved_searches", "templates", "health", "ready", "hello", "version"}, []string{"POST /variables/", "POST /variables/"}},
	{
		"artifacts",
		[]string{"artifacts"},
		[]string{"POST /flows/", "POST /flow_runs/", "POST /task_runs/", "POST /artifacts/", "POST /artifacts/"},
	},
	{
		"blocks",
		[]string{"block_types", "block_schemas", "block_documents", "admin"},
		[]string{"POST /block_types/", "POST /block_schemas/", "POST /block_documents/"},
	},
	{
		"limits",
		[]string{"concurrency_limits", "v2/concurrency_limits"},
		[]string{"POST /v2/concurrency_limits/", "POST /v2/concurrency_limits/", "POST /concurrency_limits/", "POST /flows/", "POST /flow_runs/", "POST /task_runs/"},
	},
	{"automations", []string{"automations"}, []string{"POST /automations/"}},
	{"events", []string{"events"}, []string{"POST /events"}},
}

// sequence is what is sent to both servers.
type sequence struct {
	seed  uint64
	theme string
	calls []call
}

// generate makes the sequence of a seed: always the same one for a document.
func generate(d *document, seed uint64) sequence {
	m := &maker{document: d, seed: seed, Rand: rand.New(rand.NewPCG(seed, 7)), things: map[string][]string{}}
	chosen := themes
	if only := os.Getenv("LEAT_TEST_DIFFERENTIAL_THEME"); only != "" {
		chosen = slices.DeleteFunc(slices.Clone(themes), func(t theme) bool { return !slices.Contains(strings.Split(only, ","), t.name) })
	}
	th := pick(m, chosen...)
	s := sequence{seed: seed, theme: th.name}
	for _, name := range th.prelude {
		i := slices.IndexFunc(d.operations, func(o *operation) bool { return o.name() == name })
		m.plain = true
		s.calls = append(s.calls, m.call(len(s.calls), d.operations[i]))
	}
	var able []*operation
	total := 0
	for _, o := range d.operations {
		if slices.Contains(th.groups, o.group) {
			able, total = append(able, o), total+o.weight
		}
	}
	for range 14 + m.IntN(12) {
		n := m.IntN(total)
		i := slices.IndexFunc(able, func(o *operation) bool { n -= o.weight; return n < 0 })
		m.plain = m.chance(50)
		s.calls = append(s.calls, m.call(len(s.calls), able[i]))
	}
	return s
}

var variable = regexp.MustCompile(`\{(\w+)\}`)

func (m *maker) call(number int, o *operation) call {
	c := call{number: number, op: o, empty: o.body == nil}
	c.path = variable.ReplaceAllStringFunc(o.path, func(v string) string { return m.part(o, strings.Trim(v, "{}")) })
	query := url.Values{}
	for _, p := range o.query {
		if p.Required && !m.chance(4) || m.chance(30) {
			query.Set(p.Name, fmt.Sprint(m.value(p.Schema, place{key: p.Name})))
		}
	}
	c.query = unescapeMarks(query.Encode())
	if o.body != nil {
		c.body = m.value(o.body, place{owner: "", key: "", depth: 0})
		m.amend(o, c.body)
		if !m.plain && m.chance(22) {
			c.body = m.spoil(c.body)
		}
		if c.empty = !m.plain && m.chance(2); c.empty {
			c.body = nil
		}
	}
	if o.creates != "" {
		m.things[o.creates] = append(m.things[o.creates], fmt.Sprintf("{{%d.id}}", number))
	}
	if strings.HasSuffix(o.path, "-with-lease") && strings.Contains(o.path, "increment") {
		m.things["lease"] = append(m.things["lease"], fmt.Sprintf("{{%d.id}}", number))
	}
	return c
}

// unescapeMarks undoes what the encoding of a query did to marks.
func unescapeMarks(s string) string {
	return strings.NewReplacer("%7B%7B", "{{", "%7D%7D", "}}", "%7C", "|").Replace(s)
}

// kinds of things by the first part of a path.
var kinds = map[string]string{
	"flows": "flow", "flow_runs": "flow_run", "task_runs": "task_run", "deployments": "deployment", "work_queues": "work_queue",
	"variables": "variable", "artifacts": "artifact", "block_types": "block_type", "block_schemas": "block_schema",
	"block_documents": "block_document", "concurrency_limits": "concurrency_limit", "v2/concurrency_limits": "concurrency_limit_v2",
	"saved_searches": "saved_search", "automations": "automation",
}

// part makes a variable part of a path.
func (m *maker) part(o *operation, name string) string {
	if !m.plain && m.chance(2) {
		return pick(m, "nope", "x%2Fy", "50%25")
	}
	id := func(kind string) string { return m.id(kind) }
	switch name {
	case "id":
		return id(kinds[o.group])
	case "schedule_id":
		return strings.Replace(id("deployment"), ".id}}", ".schedules.0.id}}", 1)
	case "lease_id":
		return id("lease")
	case "id_or_name":
		if m.chance(50) {
			return id(kinds[o.group])
		}
	case "checksum":
		return strings.Replace(id("block_schema"), ".id}}", ".checksum}}", 1)
	case "resource_id":
		return "prefect.deployment." + id("deployment")
	case "key":
		return pick(m, "key-1", "key-2", "k3")
	case "slug":
		return pick(m, "slug-1", "slug-2", "secret")
	case "tag":
		return url.PathEscape(pick(m, tags[:4]...))
	}
	return url.PathEscape(m.name())
}

// amend makes a valid body say something.
func (m *maker) amend(o *operation, body any) {
	if list, ok := body.([]any); ok && strings.HasSuffix(o.path, "/schedules") {
		for _, schedule := range list {
			if s, ok := schedule.(map[string]any); ok {
				s["active"] = false // otherwise runs appear by themselves
			}
		}
	}
	b, ok := body.(map[string]any)
	if !ok {
		return
	}
	order, _ := b["sort"].(string)
	if order == "" {
		order = o.sort
	}
	unique := o.group == "flows" || o.group == "variables" || o.group == "work_pools"
	if order != "" && !unique && !strings.HasPrefix(order, "CREATED_") && !strings.HasPrefix(order, "UPDATED_") || strings.HasPrefix(o.group, "saved") {
		// Ids are random and most else may be equal, so which rows come first may differ.
		delete(b, "limit")
		delete(b, "offset")
		delete(b, "page")
	}
	if o.name() == "POST /concurrency_limits/" || strings.HasPrefix(o.path, "/concurrency_limits/") {
		if _, has := b["tag"]; has {
			b["tag"] = pick(m, tags[:4]...)
		}
		if _, has := b["concurrency_limit"]; has {
			b["concurrency_limit"] = m.IntN(3)
		}
	}
	if o.path == "/events/filter" {
		// Other sequences leave events, too, and background services write some.
		filter, _ := b["filter"].(map[string]any)
		if filter == nil {
			filter = map[string]any{}
		}
		if filter["resource"] == nil || m.plain {
			filter["resource"] = pick(m, map[string]any{"id_prefix": []any{m.resource("")}}, map[string]any{"id": []any{m.resource("1"), m.resource("x.1")}})
		}
		b["filter"] = filter
	}
	if list, _ := b["schedules"].([]any); len(list) > 0 {
		b["paused"] = true // otherwise runs appear by themselves
	}
	if o.path == "/logs/filter" {
		// Lines stay when what wrote them is deleted.
		f, _ := b["logs"].(map[string]any)
		if f == nil {
			f = map[string]any{}
		}
		if f["operator"] != "or_" {
			f["flow_run_id"] = map[string]any{"any_": []any{m.id("flow_run"), m.id("flow_run")}}
			b["logs"] = f
		} else {
			b["limit"] = 0
		}
	}
	// Each server brings block types of its own.
	if o.path == "/block_types/filter" {
		b["block_types"] = map[string]any{"slug": map[string]any{"any_": []any{"slug-1", "slug-2"}}}
	}
	if o.path == "/block_schemas/filter" {
		f, _ := b["block_schemas"].(map[string]any)
		if f == nil {
			f = map[string]any{}
		}
		delete(f, "operator")
		f["block_type_id"] = map[string]any{"any_": []any{m.id("block_type")}}
		b["block_schemas"] = f
	}
	if o.title == "BlockTypeCreate" {
		b["slug"] = pick(m, "slug-1", "slug-2", "slug-3")
		b["name"] = b["slug"] // the reference mixes up those of one name
	}
	if o.title == "VariableCreate" || o.title == "VariableUpdate" {
		if b["name"] != nil {
			b["name"] = pick(m, "alpha", "beta", "al_pha", "x1", "Ünï ✓")
		}
	}
}

// spoil makes one place of a body wrong, or nearly so.
func (m *maker) spoil(body any) any {
	switch b := body.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(b))
		if len(keys) > 0 && m.chance(75) {
			k := pick(m, keys...)
			if m.chance(12) {
				delete(b, k)
			} else {
				b[k] = m.spoil(b[k])
			}
			return b
		}
		if m.chance(60) {
			b["extra"] = pick[any](m, 1, "x", nil)
			return b
		}
		return pick[any](m, []any{}, "x", 1, nil)
	case []any:
		if len(b) > 0 && m.chance(60) {
			i := m.IntN(len(b))
			b[i] = m.spoil(b[i])
			return b
		}
		return pick[any](m, map[string]any{}, "x", nil, append(b, 1), append(b, nil), append(b, "x"))
	case string:
		return pick[any](m, 1, nil, true, []any{}, b+"x", "", strings.Repeat("long ", 60), "NOPE", map[string]any{}, 1.5)
	case bool:
		return pick[any](m, "true", "no", "maybe", 1, 0, 2, nil, 1.0, []any{})
	case int, float64:
		return pick[any](m, -1, 201, "5", "x", 1.5, 2.0, nil, true, "1.0", int64(1)<<31, int64(1)<<40, []any{}, " 7 ")
	}
	return pick[any](m, 1, "x", true, []any{}, map[string]any{})
}
