package action

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/jinja"
	"github.com/leat-dev/leat/internal/value"
)

// placeholderKey marks an object that stands for a value.
const placeholderKey = "__prefect_kind"

func (t *task) runDeployment(ctx context.Context) error {
	id, err := t.aim(ctx, t.fields.DeploymentID, "prefect.deployment", "deployment")
	if err != nil {
		return err
	}
	parameters, err := t.parameters(ctx)
	if err != nil {
		return err
	}
	now := t.Now().UTC().Truncate(time.Microsecond)
	at := now.Add(time.Duration(t.fields.ScheduleAfter * float64(time.Second)))
	key := "automation " + t.spec.Automation.ID.String() + ", action " + number(t.spec.Index) + ", invocation " + t.action.ID.String()
	createdBy, err := json.Marshal(map[string]string{
		"id": t.spec.Automation.ID.String(), "type": "AUTOMATION", "display_value": t.spec.Automation.Name,
	})
	if err != nil {
		return err
	}
	run, created, err := t.Engine.CreateDeploymentRun(ctx, t.ws, id, engine.DeploymentRun{
		Parameters: parameters, JobVariables: t.fields.JobVariables, IdempotencyKey: &key, CreatedBy: createdBy, Depth: t.action.Depth,
		State: &core.State{
			Type: core.Scheduled, Name: core.Scheduled.DefaultName(), Timestamp: now, Details: core.StateDetails{ScheduledTime: &at},
		},
	})
	if err != nil {
		if core.CodeOf(err) == core.Conflict {
			t.detail("validation_error", err.Error())
		}
		return err
	}
	t.detail("status_code", map[bool]int{true: 201, false: 200}[created])
	t.relate("prefect.flow-run."+run.ID.String(), "flow-run", run.Name)
	return nil
}

// parameters renders the action's parameters.
func (t *task) parameters(ctx context.Context) (json.RawMessage, error) {
	raw := t.fields.Parameters
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage("{}"), nil
	}
	doc, err := value.Parse(raw)
	if err != nil {
		return nil, failf("Unable to create flow run from deployment: %s", err)
	}
	upgrade(doc)
	upgraded := value.Append(nil, doc)
	vars, err := t.variables(ctx, string(upgraded)) // before hydrating, which holds a connection of its own
	if err != nil {
		return nil, err
	}
	hydrated, err := t.Engine.Hydrate(ctx, t.ws, upgraded, func(template string) (string, error) { return t.Templates.Render(template, vars) })
	if err != nil && core.CodeOf(err) != core.Unavailable {
		return nil, failf("Unable to create flow run from deployment: %s()", fault(err))
	}
	return hydrated, err
}

// fault names what is wrong with a placeholder as the reference does.
func fault(err error) string {
	for _, f := range [][2]string{
		{"Invalid jinja", "InvalidJinja"}, {"Invalid JSON", "InvalidJSON"}, {"Variable", "WorkspaceVariableNotFound"},
	} {
		if strings.HasPrefix(err.Error(), f[0]) {
			return f[1]
		}
	}
	return "HydrationError"
}

// upgrade turns texts that are templates into the objects that stand for what
// they render to, as older clients send them.
func upgrade(v any) {
	switch v := v.(type) {
	case *value.Object:
		if _, placeholder := v.Get(placeholderKey); placeholder {
			return
		}
		for _, key := range v.Keys() {
			item, _ := v.Get(key)
			if text, ok := item.(string); ok && jinja.MaybeTemplate(text) {
				v.Set(key, wrapTemplate(text))
				continue
			}
			upgrade(item)
		}
	case []any:
		for i, item := range v {
			if text, ok := item.(string); ok && jinja.MaybeTemplate(text) {
				v[i] = wrapTemplate(text)
			} else if object, ok := item.(*value.Object); ok {
				upgrade(object)
			}
		}
	}
}

// wrapTemplate makes the object for a template. One that is a single expression
// keeps the type of its value by going through JSON.
func wrapTemplate(text string) *value.Object {
	trimmed := strings.TrimSpace(text)
	if strings.HasPrefix(trimmed, "{{") && strings.HasSuffix(trimmed, "}}") && strings.Count(trimmed, "{{") == 1 {
		expression := strings.TrimSpace(trimmed[2 : len(trimmed)-2])
		return value.Of(placeholderKey, "json", "value",
			value.Of(placeholderKey, "jinja", "template", "{{ "+expression+" | tojson }}"))
	}
	return value.Of(placeholderKey, "jinja", "template", text)
}
