package differential

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// names are taken by things of all kinds, so that they meet each other.
var names = []string{"alpha", "beta", "al_pha", "gamma-9", "Ünï ✓", "x.y z", "50%", "a/b", "a&b<c>", "ALPHA", "default"}

var tags = []string{"red", "blue", "t%g", "größe", "a b", ""}

// left are the routes that are not called, because their answers cannot be
// the same or because the other tests see to them.
func left(o *operation) bool {
	switch o.method + " " + o.path {
	case "GET /admin/settings", "POST /block_types/install_system_block_types", "GET /collections/views/{view}", "GET /events/filter/next",
		"GET /block_capabilities/", "POST /deployments/{id}/resume_deployment":
		return true
	}
	return false
}

// created says of what kind the things are that a route makes.
var created = map[string]string{
	"POST /flows/": "flow", "POST /flow_runs/": "flow_run", "POST /task_runs/": "task_run", "POST /deployments/": "deployment",
	"POST /deployments/{id}/create_flow_run": "flow_run", "POST /work_pools/": "work_pool", "POST /work_queues/": "work_queue",
	"POST /work_pools/{work_pool_name}/queues": "work_queue", "POST /variables/": "variable", "POST /artifacts/": "artifact",
	"POST /block_types/": "block_type", "POST /block_schemas/": "block_schema", "POST /block_documents/": "block_document",
	"POST /concurrency_limits/": "concurrency_limit", "POST /v2/concurrency_limits/": "concurrency_limit_v2",
	"PUT /saved_searches/": "saved_search", "POST /automations/": "automation",
}

// weights are how often a route is called compared with others; the default is 3.
var weights = map[string]int{
	"POST /flow_runs/{id}/set_state": 24, "POST /task_runs/{id}/set_state": 12, "POST /flow_runs/": 10, "POST /flow_runs/filter": 12,
	"GET /flow_runs/{id}": 8, "POST /deployments/": 12, "POST /deployments/filter": 8, "POST /task_runs/filter": 8,
	"POST /task_runs/": 8, "POST /logs/": 6, "POST /logs/filter": 8, "POST /flows/filter": 8, "POST /artifacts/": 10,
	"POST /artifacts/filter": 8, "POST /variables/": 10, "POST /variables/filter": 8, "POST /block_documents/": 8,
	"POST /v2/concurrency_limits/": 8, "POST /v2/concurrency_limits/increment": 8, "POST /v2/concurrency_limits/increment-with-lease": 8,
	"POST /work_pools/": 8, "POST /automations/": 10, "POST /events/filter": 10, "POST /events": 8,
	"DELETE /flows/{id}": 1, "DELETE /flow_runs/{id}": 1, "DELETE /deployments/{id}": 1, "DELETE /work_pools/{name}": 1,
}

func describe(o *operation) {
	o.creates = created[o.name()]
	o.unordered = strings.HasSuffix(o.path, "/bulk_delete") || strings.HasSuffix(o.path, "/work_queue_check")
	o.weight = weights[o.name()]
	if o.weight == 0 {
		o.weight = 3
	}
}

// id is the mark of a thing of the kind that the sequence made, seldom one
// that nobody made.
func (m *maker) id(kind string) string {
	known := m.things[kind]
	switch {
	case kind == "new":
		return fmt.Sprintf("%08x-%04x-4000-8000-%012x", m.Uint32(), m.IntN(1<<16), m.IntN(1<<40))
	case len(known) == 0 || !m.plain && m.chance(5):
		return "00000000-0000-4000-8000-00000000000" + fmt.Sprint(m.IntN(3))
	case m.chance(60):
		return known[len(known)-1]
	}
	return pick(m, known...)
}

func (m *maker) text(s *schema, at place) any {
	switch s.Format {
	case "uuid":
		return m.id(m.kind(at))
	case "date-time":
		return m.time()
	case "duration":
		return pick[any](m, 60, 3600, "PT1H", 86400, 90.5, "P1DT2H")
	}
	return pick(m, "x", "", "some text", "ünï", "%", "alpha")
}

// time is a mark of a moment that is not near to the present.
func (m *maker) time() string {
	tail := ""
	if !m.plain {
		tail = pick(m, "", "", "", "|zone", "|naive", "|space")
	}
	return fmt.Sprintf("{{now%+d%s}}", pick(m, -86400*400, -86400, -3600, -600, 600, 3600, 86400, 86400*40), tail)
}

var filterOf = regexp.MustCompile(`^(.*?)Filter(.*)$`)

// kind says of what an id is, from the schema or the key that it stands in.
func (m *maker) kind(at place) string {
	if f := filterOf.FindStringSubmatch(at.owner); f != nil {
		subject := f[2]
		if subject == "Id" || subject == "LatestId" || subject == "" {
			subject = f[1]
		}
		return strings.TrimSuffix(snake(strings.TrimPrefix(subject, "Parent")), "_id")
	}
	kind := strings.TrimSuffix(at.key, "_id")
	switch kind {
	case "child_flow_run":
		return "flow_run"
	case "parent_task_run":
		return "task_run"
	case "infrastructure_document", "storage_document", "default_result_storage_block", "result_storage_block":
		return "block_document"
	case "global_concurrency_limit":
		return "concurrency_limit_v2"
	case "default_queue":
		return "work_queue"
	}
	if kind == "id" && (strings.Contains(at.owner, "TaskRun") || at.owner == "Event") {
		return "new"
	}
	return strings.TrimSuffix(kind, "_ids")
}

func snake(s string) string {
	return strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(s, "${1}_$2"))
}

// fixed are values for keys whose schema says too little.
var fixed = map[string][]any{
	"tags":            {},
	"level":           {10, 20, 30, 40, 0, -1},
	"cron":            {"0 9 * * *", "*/15 * * * *", "@daily", "0 0 31 2 *", "0 9 * * 1-5"},
	"interval":        {60, 3600, 86400, "PT15M", 90.5},
	"rrule":           {"FREQ=DAILY;INTERVAL=1", "FREQ=HOURLY;COUNT=5", "DTSTART:20260101T000000\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE"},
	"timezone":        {"UTC", "Europe/Berlin", "America/New_York", nil},
	"anchor_date":     {"2026-01-01T00:00:00Z", "2026-03-01T10:00:00+02:00", "2026-03-29 01:30:00"},
	"limit":           {0, 1, 2, 5, 200},
	"page":            {1, 2, 1, 3},
	"offset":          {0, 0, 1, 2},
	"max_runs":        {1, 2, 3},
	"min_runs":        {1, 2, 3},
	"force":           {true, false},
	"slots":           {1, 1, 2},
	"retries":         {0, 1, 2, nil},
	"max_retries":     {0, 1, 2},
	"retry_delay":     {0, 3600, nil},
	"task_key":        {"t1", "t2", "ключ"},
	"dynamic_key":     {"0", "1", "2"},
	"key":             {"key-1", "key-2", "k3"},
	"idempotency_key": {"i1", "i2"},
	"slug":            {"slug-1", "slug-2", "slug_3", "Slug 4"},
	"cache_key":       {"c1", "c2", nil},
	"type":            nil,
	"entity_type":     {"x"},
	"value":           nil,
	"grace_period_seconds": {
		60, 90, 3600,
	},
	"status": nil,
}

// templates are values for keys that hold schemas or data that others check.
var templates = map[string][]any{
	"parameter_openapi_schema": {
		map[string]any{},
		map[string]any{"type": "object", "properties": map[string]any{"x": map[string]any{"type": "integer"}, "s": map[string]any{"type": "string"}}, "required": []any{"x"}},
		map[string]any{"type": "object", "properties": map[string]any{"x": map[string]any{"type": "integer", "default": 3, "title": "x", "position": 0}}},
	},
	"parameters":    {map[string]any{}, map[string]any{"x": 1}, map[string]any{"x": 5, "s": "ü"}, map[string]any{"x": "no"}, map[string]any{"z": []any{1, nil, 2.5}}},
	"job_variables": {map[string]any{}, map[string]any{"image": "i"}, map[string]any{"env": map[string]any{"A": "b"}}, map[string]any{"n": 3}},
	"base_job_template": {
		map[string]any{},
		map[string]any{"job_configuration": map[string]any{"image": "{{ image }}"}, "variables": map[string]any{"type": "object", "properties": map[string]any{"image": map[string]any{"type": "string", "default": "d"}}}},
		map[string]any{"job_configuration": map[string]any{"n": "{{ n }}"}, "variables": map[string]any{"type": "object", "properties": map[string]any{"n": map[string]any{"type": "integer"}}, "required": []any{"n"}}},
		map[string]any{"job_configuration": map[string]any{"n": "{{ nope }}"}, "variables": map[string]any{"properties": map[string]any{}}},
	},
	"fields": {
		map[string]any{"title": "T", "type": "object", "properties": map[string]any{"a": map[string]any{"type": "string"}}, "block_type_slug": "slug-1"},
		map[string]any{"title": "S", "type": "object", "properties": map[string]any{"p": map[string]any{"type": "string", "format": "password"}}, "secret_fields": []any{"p"}, "block_type_slug": "slug-2", "block_schema_references": map[string]any{}},
		map[string]any{},
	},
	"data":         {map[string]any{"a": "b"}, map[string]any{"p": "geheim", "n": 1}, map[string]any{}},
	"capabilities": {[]any{"read"}, []any{"write", "read"}, []any{}},
	"labels":       {map[string]any{"k": 1, "b": true}, map[string]any{"f": 1.5, "s": "ü"}, map[string]any{}},
	"holder":       {nil},
}

func (m *maker) hint(s *schema, at place) (any, bool) {
	if !m.plain && m.chance(3) {
		return nil, false
	}
	if strings.HasSuffix(at.key, ".") || nested(s) {
		return nil, false
	}
	owner := at.owner
	if choices := templates[at.key]; choices != nil && (at.key != "data" || owner == "BlockDocumentCreate" || owner == "BlockDocumentUpdate") {
		return copied(pick(m, choices...)), true
	}
	if f := filterOf.FindStringSubmatch(owner); f != nil && strings.HasSuffix(at.key, "_") {
		return m.filterHint(f[1], f[2], s, at)
	}
	switch at.key {
	case "tags", "work_queue_names", "names", "concurrency_tags":
		if s.Type != "array" && len(s.AnyOf) == 0 {
			break // the elements below
		}
		return m.some(pick(m, tags, tags, names[:4])...), true
	case "name":
		if owner == "StateCreate" {
			return pick[any](m, "Custom", "Late", "AwaitingRetry", "Scheduled", "Ünï"), true
		}
		return m.name(), true
	case "sort", "operator":
		return nil, false
	case "paused":
		return true, true // schedules are filled in the background
	case "enabled", "active":
		return m.chance(70), true
	}
	if strings.HasSuffix(at.key, "_name") {
		return m.name(), true
	}
	if choices := fixed[at.key]; len(choices) > 0 {
		return pick(m, choices...), true
	}
	return nil, false
}

func (m *maker) name() string {
	if m.plain || m.chance(70) {
		return pick(m, names[:5]...)
	}
	return pick(m, names...)
}

func (m *maker) some(from ...string) any {
	out := []any{}
	for range m.IntN(4) {
		out = append(out, pick(m, from...))
	}
	return out
}

// nested tells whether a schema is that of a filter within a filter.
func nested(s *schema) bool {
	return strings.Contains(s.Ref, "Filter") || slices.ContainsFunc(s.AnyOf, func(s *schema) bool { return strings.Contains(s.Ref, "Filter") })
}

// filterHint makes what stands under an operator such as any_ of a filter.
func (m *maker) filterHint(_, subject string, s *schema, at place) (any, bool) {
	switch at.key {
	case "like_":
		return pick(m, "al", "ÜN", "%", "_", "0%", "A", "ph", ""), true
	case "is_null_", "eq_", "exists_":
		return nil, false
	case "any_", "not_any_", "all_", "startswith_":
		switch {
		case s.Type != "array" && len(s.AnyOf) == 0:
			return nil, false
		case subject == "Tags":
			return m.some(tags...), true
		case strings.HasSuffix(subject, "StateName"):
			return m.some("Pending", "Running", "Scheduled", "Custom", "Late", "Completed", "Ünï"), true
		case strings.HasSuffix(subject, "Name"):
			return m.some(names...), true
		case strings.HasSuffix(subject, "IdempotencyKey"):
			return m.some("i1", "i2", "i3"), true
		case subject == "Key":
			return m.some("key-1", "key-2", "k3"), true
		case subject == "Slug":
			return m.some("slug-1", "slug-2", "secret"), true
		case subject == "Capabilities":
			return m.some("read", "write"), true
		case subject == "FlowVersion" || subject == "Version" || subject == "Type":
			return m.some("x", "", "some text", "alpha", "process"), true
		}
	}
	return nil, false
}

// whole makes a value for a schema as a whole where its parts must agree.
func (m *maker) whole(name string) (any, bool) {
	switch name {
	case "StateType":
		return pick[any](m, "SCHEDULED", "PENDING", "PENDING", "RUNNING", "RUNNING", "COMPLETED", "FAILED", "CANCELLED", "CRASHED", "PAUSED", "CANCELLING"), true
	case "Resource", "RelatedResource":
		r := map[string]any{"prefect.resource.id": m.resource(pick(m, "1", "2", "ü", "x.1"))}
		if name == "RelatedResource" {
			r["prefect.resource.role"] = pick(m, "flow", "tag")
		}
		if m.chance(40) {
			r["label"] = pick(m, "one", "two")
		}
		return r, true
	}
	return nil, false
}

// resource is the id of a resource that other sequences do not have.
func (m *maker) resource(name string) string { return fmt.Sprintf("r.s%d.%s", m.seed, name) }

// copied is a value of its own, for bodies are changed after they are made.
func copied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			out[k] = copied(e)
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			out = append(out, copied(e))
		}
		return out
	}
	return v
}
