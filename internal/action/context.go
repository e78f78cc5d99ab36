package action

import (
	"context"
	"strings"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/trigger"
	"github.com/leat-dev/leat/internal/value"
	"github.com/leat-dev/leat/internal/wire"
)

// variables are what a template of the action can name. What must be read from
// the database is read only when the template names it.
func (t *task) variables(ctx context.Context, template string) (map[string]any, error) {
	automation, err := recordOf(t.spec.Automation, "automation")
	if err != nil {
		return nil, err
	}
	vars := map[string]any{
		"automation": automation, "event": eventModel(t.spec.Event), "labels": newDiver(t.spec.Firing.TriggeringLabels),
	}
	var firings, events []any
	for _, f := range t.spec.Firing.All() {
		r, err := recordOf(f, "")
		if err != nil {
			return nil, err
		}
		firings = append(firings, r)
	}
	for _, e := range t.spec.Firing.Events() {
		events = append(events, eventModel(e))
	}
	vars["firing"], vars["firings"], vars["events"] = firings[0], firings, events // the first is the firing itself
	if t.spec.Event == nil {
		return vars, nil
	}
	return vars, t.Engine.Store().View(ctx, t.ws, func(tx core.Tx) error {
		for name, read := range natives() {
			if !strings.Contains(template, name) {
				continue
			}
			v, err := t.native(tx, "prefect."+strings.ReplaceAll(name, "_", "-"), read)
			if err != nil {
				return err
			}
			vars[name] = v
		}
		if !strings.Contains(template, "variables") {
			return nil
		}
		all, err := workspaceVariables(tx)
		vars["variables"] = all
		return err
	})
}

// reader reads an object as the API shows it.
type reader func(t *task, tx core.Tx, id core.ID) (any, error)

// natives are the names of templates that stand for what the event is about.
func natives() map[string]reader {
	return map[string]reader{
		"flow": func(_ *task, tx core.Tx, id core.ID) (any, error) {
			return show(client.FlowOf)(tx.Flow(id))
		},
		"flow_run": func(t *task, tx core.Tx, id core.ID) (any, error) {
			return show(func(r *core.FlowRun) client.FlowRun { return client.FlowRunOf(r, t.Now()) })(tx.FlowRun(id))
		},
		"task_run": func(t *task, tx core.Tx, id core.ID) (any, error) {
			return show(func(r *core.TaskRun) client.TaskRun { return client.TaskRunOf(r, t.Now()) })(tx.TaskRun(id))
		},
		"deployment": func(t *task, tx core.Tx, id core.ID) (any, error) {
			return show(func(d *core.Deployment) client.Deployment { return client.DeploymentOf(d, nil, t.Now()) })(tx.Deployment(id))
		},
		"work_pool": func(_ *task, tx core.Tx, id core.ID) (any, error) {
			return show(func(p *core.WorkPool) client.WorkPool { return client.WorkPoolOf(p, nil) })(tx.WorkPool(id))
		},
		"work_queue": func(_ *task, tx core.Tx, id core.ID) (any, error) {
			return show(func(q *core.WorkQueue) client.WorkQueue { return client.WorkQueueOf(q, nil) })(tx.WorkQueue(id))
		},
		"concurrency_limit": func(t *task, tx core.Tx, id core.ID) (any, error) {
			return show(func(l *core.ConcurrencyLimit) client.ConcurrencyLimit { return client.ConcurrencyLimitOf(l, t.Now()) })(tx.ConcurrencyLimit(id, t.Now()))
		},
	}
}

// show returns a function that shows what was read.
func show[T, W any](of func(*T) W) func(*T, error) (any, error) {
	return func(row *T, err error) (any, error) {
		if err != nil {
			return nil, err
		}
		return of(row), nil
	}
}

// native reads the first object of the kind that the event is about; nil when
// there is none, or none any more.
func (t *task) native(tx core.Tx, kind string, read reader) (any, error) {
	resource := firstOfKind(t.spec.Event, kind)
	_, text := kindOf(resource.Get(core.ResourceID))
	id, err := core.ParseID(text)
	if err != nil {
		return nil, nil //nolint:nilerr,nilnil // the event is about none
	}
	shown, err := read(t, tx, id)
	if core.CodeOf(err) == core.NotFound {
		return nil, nil //nolint:nilnil // it is gone
	}
	if err != nil {
		return nil, err
	}
	r, err := recordOf(shown, strings.TrimPrefix(kind, "prefect."))
	if err == nil {
		rewind(r, resource)
	}
	return r, err
}

// rewind gives a run the state of which the event tells: it may be in another one by now.
func rewind(r *record, resource core.Labels) {
	for _, key := range []string{"message", "name", "timestamp", "type"} {
		if !resource.Has("prefect.state-" + key) {
			return
		}
	}
	if _, ok := r.fields.Get("state"); !ok {
		return
	}
	r.fields.Set("state", value.Of(
		"type", resource.Get("prefect.state-type"), "name", resource.Get("prefect.state-name"),
		"timestamp", resource.Get("prefect.state-timestamp"), "message", resource.Get("prefect.state-message"),
		"data", nil, "state_details", value.NewObject(0),
	))
}

// workspaceVariables are the workspace's variables by their names.
func workspaceVariables(tx core.Tx) (*value.Object, error) {
	out := value.NewObject(0)
	const page = 200
	for offset := 0; ; offset += page {
		list, err := tx.FilterVariables(core.Query{Limit: page, Offset: offset})
		if err != nil {
			return nil, err
		}
		for _, v := range list {
			parsed, err := value.Parse(v.Value)
			if err != nil {
				return nil, err
			}
			out.Set(v.Name, parsed)
		}
		if len(list) < page {
			return out, nil
		}
	}
}

// recordOf makes a model of what marshals to a JSON object.
func recordOf(v any, kind string) (*record, error) {
	raw, err := wire.Marshal(v)
	if err != nil {
		return nil, err
	}
	parsed, err := value.Parse(raw)
	if err != nil {
		return nil, err
	}
	object, ok := parsed.(*value.Object)
	if !ok {
		object = value.NewObject(0)
	}
	return &record{fields: object, kind: kind}, nil
}

// eventModel is an event for templates; nil for none.
func eventModel(e *trigger.SeenEvent) any {
	if e == nil {
		return nil
	}
	return &event{e}
}
