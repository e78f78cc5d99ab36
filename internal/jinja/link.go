package jinja

import (
	"net/url"
	"strings"
)

// pageOf is the UI's address of a kind of object; work pools go by name.
func pageOf(kind string) (page string, ok bool) {
	switch kind {
	case "flow":
		return "flows/flow/", true
	case "flow-run", "flow-run-response":
		return "runs/flow-run/", true
	case "task-run":
		return "runs/task-run/", true
	case "block", "block-document":
		return "blocks/block/", true
	case "work-pool":
		return "work-pools/work-pool/", true
	case "work-queue":
		return "work-queues/work-queue/", true
	case "concurrency-limit":
		return "concurrency-limits/concurrency-limit/", true
	case "deployment":
		return "deployments/deployment/", true
	case "automation":
		return "automations/automation/", true
	}
	return "", false
}

// linkFilter finds the filters that make addresses of the UI.
func linkFilter(name string) *builtin {
	switch name {
	case "ui_url":
		return function("ui_url", uiURL, req("obj"))
	case "ui_resource_events_url":
		return function("ui_resource_events_url", eventsURL, req("obj"))
	}
	return nil
}

// subject is the kind of an object and its id. A resource of an event, whose
// kind is "resource", says both in its own id.
func (st *state) subject(v any) (kind, id string, err error) {
	l, ok := v.(Linked)
	if !ok {
		return "", "", nil
	}
	kind = l.Kind()
	key := "id"
	if kind == "work-pool" {
		key = "name"
	}
	raw, _ := l.Attr(key)
	id, err = st.str(fromGo(raw))
	return kind, id, err
}

func uiURL(st *state, a []any) (any, error) {
	if s, ok := textOf(a[0]); ok {
		if _, known := pageOf(s); known {
			return nil, valueError("If passing an object name, you must also provide an object ID.")
		}
		return nil, nil
	}
	kind, id, err := st.subject(a[0])
	if err != nil {
		return nil, err
	}
	if kind == "resource" {
		parts := strings.Split(id, ".")
		if parts[0] != "prefect" || len(parts) < 2 {
			return nil, nil
		}
		kind, id = parts[1], parts[len(parts)-1]
	}
	page, ok := pageOf(kind)
	if !ok && kind != "received-event" || st.env.UIURL == "" {
		return nil, nil
	}
	if id == "" {
		return "", nil
	}
	if kind == "received-event" {
		l, _ := a[0].(Linked)
		raw, _ := l.Attr("occurred")
		d, isTime := fromGo(raw).(datetime)
		if !isTime {
			return nil, nil
		}
		page = "events/event/" + d.t.Format("2006-01-02") + "/"
	}
	return strings.TrimSuffix(st.env.UIURL, "/") + "/" + page + id, nil
}

func eventsURL(st *state, a []any) (any, error) {
	l, ok := a[0].(Linked)
	if !ok || st.env.UIURL == "" {
		return nil, nil
	}
	raw, _ := l.Attr("id")
	id, err := st.str(fromGo(raw))
	if err != nil {
		return nil, err
	}
	switch kind := l.Kind(); kind {
	case "resource":
	// The kinds of objects whose events the UI can show.
	case "deployment", "flow", "flow-run", "task-run", "work-queue", "work-pool", "automation":
		id = "prefect." + kind + "." + id
	default:
		return nil, nil
	}
	base, err := url.Parse(st.env.UIURL)
	if err != nil {
		return nil, nil //nolint:nilerr // an address that cannot be read makes no links
	}
	return base.ResolveReference(&url.URL{Path: "events"}).String() + "?resource=" + id, nil
}
