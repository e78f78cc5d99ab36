package action

import (
	"context"
	"strings"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/trigger"
)

// kindOf splits the id of a resource: "prefect.flow-run.UUID" is of the kind
// prefect.flow-run.
func kindOf(resource string) (kind, id string) {
	at := strings.LastIndex(resource, ".")
	if at < 0 {
		return "", resource
	}
	return resource[:at], resource[at+1:]
}

// firstOfKind finds the first resource of the kind that an event is about.
func firstOfKind(e *trigger.SeenEvent, kind string) core.Labels {
	if e == nil {
		return nil
	}
	for _, r := range append([]core.Labels{e.Resource}, e.Related...) {
		if k, _ := kindOf(r.Get(core.ResourceID)); k == kind {
			return r
		}
	}
	return nil
}

// idOfKind is the id of that resource.
func idOfKind(e *trigger.SeenEvent, kind string) (core.ID, bool) {
	_, text := kindOf(firstOfKind(e, kind).Get(core.ResourceID))
	id, err := core.ParseID(text)
	return id, err == nil
}

// chosen is the selected target, or the one of the kind that the event names;
// noun is how it is called in the failure.
func (t *task) chosen(selected *core.ID, kind, noun string) (core.ID, error) {
	if t.fields.Source != "inferred" && selected != nil {
		return *selected, nil
	}
	if t.spec.Event == nil {
		return core.ID{}, failf("No event to infer the %s", noun)
	}
	if id, ok := idOfKind(t.spec.Event, kind); ok {
		return id, nil
	}
	return core.ID{}, failf("No %s could be inferred", noun)
}

// aim is chosen, and notes what it chose as what the action is about to change.
func (t *task) aim(ctx context.Context, selected *core.ID, kind, noun string) (core.ID, error) {
	id, err := t.chosen(selected, kind, noun)
	if err != nil {
		return id, err
	}
	return id, t.target(ctx, kind+"."+id.String(), "")
}

// aimAtRun does the same for the run that the action is about.
func (t *task) aimAtRun(ctx context.Context) (core.ID, error) {
	id, err := t.flowRun()
	if err != nil {
		return id, err
	}
	return id, t.target(ctx, "prefect.flow-run."+id.String(), "")
}

// flowRun is the run that the trigger counted for, or that its event is about.
func (t *task) flowRun() (core.ID, error) {
	if kind, text := kindOf(t.spec.Firing.TriggeringLabels.Get(core.ResourceID)); kind == "prefect.flow-run" {
		if id, err := core.ParseID(text); err == nil {
			return id, nil
		}
	}
	if id, ok := idOfKind(t.spec.Event, "prefect.flow-run"); ok {
		return id, nil
	}
	return core.ID{}, failure("No flow run could be inferred")
}
