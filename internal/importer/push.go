package importer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

// Push copies what users have set up from one server into a live Prefect 3
// server by its public API. That makes ids and times itself and takes no history.
// What is there under its name is brought up to date.
func Push(ctx context.Context, from, to Source, o Options) (*Report, error) {
	source, err := newAPI(from, o.Version)
	if err != nil {
		return nil, err
	}
	target, err := newAPI(to, o.Version)
	if err != nil {
		return nil, err
	}
	if source.c.URL() == target.c.URL() {
		return nil, fmt.Errorf("source and target are the same server, %s", source.c.URL())
	}
	for _, a := range []*api{source, target} {
		if err := a.check(ctx); err != nil {
			return nil, err
		}
	}
	o.NoHistory = true
	r := newReport(source.c.URL(), target.c.URL(), o.Now, o.Progress)
	p := &pushing{from: source, to: target, report: r, o: o, ids: newLeatSink(target, false)}
	err = p.all(ctx)
	for _, k := range []Kind{FlowRuns, TaskRuns, Logs, Artifacts, Events} {
		r.remark(k, core.ID{}, "not copied: the public API takes no history; leat export --to DIR keeps it")
	}
	r.end(err == nil)
	return r, err
}

// pushing is a push under way.
type pushing struct {
	from, to *api
	report   *Report
	o        Options
	// ids exchanges the source's ids for the target's.
	ids *leatSink
}

// pushed is a row on its way: how it is made, and what is changed if it is there.
type pushed struct {
	// find is the path that reads the row at the target by its name; "" for none.
	find string
	// search is a filter that lists what is there by that name instead.
	search object
	// create is the path to which body is sent; upsert says that it changes what
	// is there itself, by another method than POST when method is set.
	create string
	method string
	upsert bool
	body   any
	// change is what is sent to the path changed if the row is there; nil for nothing.
	change  any
	changed func(there row) string
	// changes is the method of the change; "" is PATCH.
	changes string
}

// row is what the target answers.
type row struct {
	ID   core.ID `json:"id"`
	Name string  `json:"name"`
}

func (p *pushing) all(ctx context.Context) error {
	for _, k := range settingKinds() {
		if !p.o.wants(k) {
			continue
		}
		p.o.tell(k)
		rows, err := p.rows(ctx, k)
		if err != nil {
			return fmt.Errorf("%s: %w", k.words(), err)
		}
		for _, raw := range rows {
			if err := p.one(ctx, k, raw); err != nil {
				return fmt.Errorf("%s: %w", k.words(), err)
			}
		}
	}
	return nil
}

// rows reads a kind at the source; documents come after those that they refer to.
func (p *pushing) rows(ctx context.Context, k Kind) ([]json.RawMessage, error) {
	var out gather
	c := &copying{api: p.from, into: &out, report: newReport("", "", p.o.Now, nil), o: p.o}
	if err := c.setting(ctx, k); err != nil {
		return nil, err
	}
	p.report.read(k, len(out.rows))
	if k == WorkQueues {
		// A queue takes its place among those that are there: the first comes first.
		slices.SortStableFunc(out.rows, func(a, b json.RawMessage) int { return priority(a) - priority(b) })
	}
	return out.rows, nil
}

// priority is that of a queue.
func priority(raw json.RawMessage) int {
	var q struct {
		Priority int `json:"priority"`
	}
	if json.Unmarshal(raw, &q) != nil {
		return 0
	}
	return q.Priority
}

// gather is a sink that keeps rows.
type gather struct {
	drySink
	rows []json.RawMessage
}

// put implements sink.
func (g *gather) put(_ context.Context, _ Kind, rows []json.RawMessage) (client.ImportResult, error) {
	g.rows = append(g.rows, rows...)
	return client.ImportResult{}, nil
}

// one pushes a row. What the target refuses is told, and the rest goes on.
func (p *pushing) one(ctx context.Context, k Kind, raw json.RawMessage) error {
	raw = p.ids.exchange(k, raw)
	var h head
	if err := json.Unmarshal(raw, &h); err != nil {
		return err
	}
	what, err := p.plan(k, raw)
	if err != nil {
		return err
	}
	if what == nil {
		p.report.skip(k, h.ID, "")
		return nil
	}
	done, there, err := p.send(ctx, what)
	if refused, ok := errors.AsType[*client.Error](err); ok {
		p.report.result(k, client.ImportResult{Refused: []client.ImportRemark{{ID: h.ID, Text: refused.Error()}}})
		return nil
	}
	if err != nil {
		return err
	}
	if there != h.ID && !there.IsZero() {
		p.ids.learn(k, map[core.ID]core.ID{h.ID: there})
	}
	p.report.result(k, done)
	return nil
}

// send makes or changes a row at the target and returns its id there.
func (p *pushing) send(ctx context.Context, what *pushed) (done client.ImportResult, id core.ID, err error) {
	there, err := p.there(ctx, what)
	if err != nil {
		return done, id, err
	}
	found := !there.ID.IsZero()
	if found && !what.upsert {
		if what.change == nil {
			return client.ImportResult{Unchanged: 1}, there.ID, nil
		}
		method := cmp.Or(what.changes, http.MethodPatch)
		return client.ImportResult{Updated: 1}, there.ID, p.to.do(ctx, method, what.changed(there), what.change, nil)
	}
	// A creation is not sent again when nobody answered: it may have been done.
	err = p.to.explain(p.to.c.Do(ctx, cmp.Or(what.method, http.MethodPost), what.create, what.body, &there))
	return client.ImportResult{Created: 1}, there.ID, err
}

// there looks whether the target has a row of that name.
func (p *pushing) there(ctx context.Context, what *pushed) (out row, err error) {
	if what.search != nil {
		var rows []row
		if err := p.to.do(ctx, http.MethodPost, what.create+"filter", what.search, &rows); err != nil || len(rows) == 0 {
			return out, err
		}
		return rows[0], nil
	}
	if what.find == "" {
		return out, nil
	}
	if err := p.to.do(ctx, http.MethodGet, what.find, nil, &out); err != nil && !client.IsNotFound(err) {
		return out, err
	}
	return out, nil
}

// plan says how a row is pushed; nil means not at all.
func (p *pushing) plan(k Kind, raw json.RawMessage) (*pushed, error) {
	var f map[string]json.RawMessage
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, err
	}
	name := text(f["name"])
	byName := func(base string) func(row) string {
		return func(there row) string { return base + escape(there.Name) }
	}
	byID := func(base string) func(row) string {
		return func(there row) string { return base + there.ID.String() }
	}
	switch k {
	case Flows:
		return &pushed{
			find: "/flows/name/" + escape(name), create: "/flows/", body: pick(f, "name", "tags", "labels"),
			change: pick(f, "tags"), changed: byID("/flows/"),
		}, nil
	case ConcurrencyLimits:
		if strings.HasPrefix(name, "deployment:") {
			return nil, nil // made with the deployment
		}
		return &pushed{
			find: "/v2/concurrency_limits/" + escape(name), create: "/v2/concurrency_limits/",
			body: pick(f, "name", "limit", "active", "slot_decay_per_second"), change: pick(f, "limit", "active", "slot_decay_per_second"),
			changed: byID("/v2/concurrency_limits/"),
		}, nil
	case WorkPools:
		return &pushed{
			find: "/work_pools/" + escape(name), create: "/work_pools/",
			body:    pick(f, "name", "description", "type", "base_job_template", "is_paused", "concurrency_limit", "storage_configuration"),
			change:  pick(f, "description", "base_job_template", "is_paused", "concurrency_limit", "storage_configuration"),
			changed: byName("/work_pools/"),
		}, nil
	case WorkQueues:
		base := "/work_pools/" + escape(text(f["work_pool_name"])) + "/queues"
		return &pushed{
			find: base + "/" + escape(name), create: base,
			body:   pick(f, "name", "description", "is_paused", "concurrency_limit", "priority", "filter"),
			change: pick(f, "description", "is_paused", "concurrency_limit", "priority"), changed: byName(base + "/"),
		}, nil
	case Variables:
		return &pushed{
			find: "/variables/name/" + escape(name), create: "/variables/", body: pick(f, "name", "value", "tags"),
			change: pick(f, "value", "tags"), changed: byID("/variables/"),
		}, nil
	case SavedSearches:
		return &pushed{create: "/saved_searches/", method: http.MethodPut, upsert: true, body: pick(f, "name", "filters")}, nil
	default:
		return p.planLinked(k, f, name)
	}
}

// planLinked says how a row is pushed that refers to others.
func (p *pushing) planLinked(k Kind, f map[string]json.RawMessage, name string) (*pushed, error) {
	switch k {
	case BlockTypes:
		if string(f["is_protected"]) == "true" {
			return &pushed{find: "/block_types/slug/" + escape(text(f["slug"]))}, nil
		}
		return &pushed{
			find: "/block_types/slug/" + escape(text(f["slug"])), create: "/block_types/",
			body: pick(f, "name", "slug", "logo_url", "documentation_url", "description", "code_example"),
		}, nil
	case BlockSchemas:
		return &pushed{
			find: "/block_schemas/checksum/" + escape(text(f["checksum"])) + "?version=" + escape(text(f["version"])), create: "/block_schemas/",
			body: pick(f, "fields", "block_type_id", "capabilities", "version"),
		}, nil
	case BlockDocuments:
		var kind struct {
			Slug string `json:"slug"`
		}
		if err := json.Unmarshal(f["block_type"], &kind); err != nil {
			return nil, err
		}
		out := &pushed{
			create: "/block_documents/", body: pick(f, "name", "data", "block_schema_id", "block_type_id", "is_anonymous"),
			change: pick(f, "data", "block_schema_id"), changed: func(there row) string { return "/block_documents/" + there.ID.String() },
		}
		if string(f["is_anonymous"]) != "true" {
			out.find = "/block_types/slug/" + escape(kind.Slug) + "/block_documents/name/" + escape(name)
		}
		return out, nil
	case ResultStorage:
		return &pushed{create: "/admin/storage", method: http.MethodPut, upsert: true, body: f}, nil
	case Deployments:
		return &pushed{create: "/deployments/", upsert: true, body: deploymentBody(f)}, nil
	case Automations:
		body := pick(f, "name", "description", "enabled", "tags", "trigger", "actions", "actions_on_trigger", "actions_on_resolve")
		return &pushed{
			search: object{"automations": object{"name": object{"any_": []string{name}}}, "limit": 1}, create: "/automations/", body: body,
			change: body, changed: func(there row) string { return "/automations/" + there.ID.String() }, changes: http.MethodPut,
		}, nil
	default:
		return nil, fmt.Errorf("there is no way to push %s", k)
	}
}

// deploymentBody is what POST /deployments/ takes of a deployment.
func deploymentBody(f map[string]json.RawMessage) object {
	body := pick(f, "name", "flow_id", "paused", "concurrency_options", "enforce_parameter_schema", "parameter_openapi_schema", "parameters",
		"tags", "labels", "pull_steps", "work_queue_name", "work_pool_name", "storage_document_id", "infrastructure_document_id",
		"description", "path", "version", "entrypoint", "job_variables")
	var schedules []map[string]json.RawMessage
	if json.Unmarshal(f["schedules"], &schedules) == nil {
		list := []object{}
		for _, s := range schedules {
			list = append(list, pick(s, "active", "schedule", "max_scheduled_runs", "parameters", "slug"))
		}
		body["schedules"] = list
	}
	var limit struct {
		ID    core.ID `json:"id"`
		Name  string  `json:"name"`
		Limit int     `json:"limit"`
	}
	if json.Unmarshal(f["global_concurrency_limit"], &limit) == nil && limit.Limit > 0 {
		if strings.HasPrefix(limit.Name, core.DeploymentLimitPrefix) {
			body["concurrency_limit"] = limit.Limit
		} else {
			body["global_concurrency_limit_id"] = limit.ID
		}
	}
	return body
}

// pick returns some of a row's fields; those that are null are left out.
func pick(f map[string]json.RawMessage, names ...string) object {
	out := object{}
	for _, n := range names {
		if v, ok := f[n]; ok && string(v) != "null" {
			out[n] = v
		}
	}
	return out
}

// text is the string that a field holds; "" for anything else.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
