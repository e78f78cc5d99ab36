// Package action performs what automations want done: it finds the target of an
// action, renders its templates, asks the engine or sends a message, and says
// what became of it in the words of the reference.
package action

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/jinja"
	"github.com/leat-dev/leat/internal/notify"
)

// Performer performs actions.
type Performer struct {
	Engine *engine.Engine
	Sender *notify.Sender
	// Templates is the environment of the users' templates.
	Templates jinja.Environment
	Now       func() time.Time
}

// Perform does a triggered action and returns what became of it. An action that
// cannot be done is a result, too; an error means that it may be tried again.
// What the engine is asked is such that asking twice does no harm.
func (p *Performer) Perform(ctx context.Context, ws core.WorkspaceID, a *core.TriggeredAction) (engine.ActionSpec, engine.ActionResult, error) {
	t := &task{Performer: p, ws: ws, action: a}
	if err := json.Unmarshal(a.Spec, &t.spec); err != nil {
		return t.spec, engine.ActionResult{}, fmt.Errorf("triggered action %s: %w", a.ID, err)
	}
	if err := json.Unmarshal(t.spec.Action, &t.fields); err != nil {
		t.result.Failed = "The action cannot be read: " + err.Error()
		return t.spec, t.result, nil //nolint:nilerr // the failure is the result
	}
	err := t.perform(ctx)
	if core.CodeOf(err) == core.Unavailable || ctx.Err() != nil {
		return t.spec, engine.ActionResult{}, err
	}
	if err != nil {
		t.result.Failed = t.reason(err)
	}
	return t.spec, t.result, nil
}

// fields are those of all types of actions. Prefect REST: RunDeployment and so on.
type fields struct {
	Type            string          `json:"type"`
	Source          string          `json:"source"`
	DeploymentID    *core.ID        `json:"deployment_id"`
	WorkQueueID     *core.ID        `json:"work_queue_id"`
	WorkPoolID      *core.ID        `json:"work_pool_id"`
	AutomationID    *core.ID        `json:"automation_id"`
	BlockDocumentID core.ID         `json:"block_document_id"`
	Parameters      json.RawMessage `json:"parameters"`
	JobVariables    json.RawMessage `json:"job_variables"`
	ScheduleAfter   float64         `json:"schedule_after"`
	Name            *string         `json:"name"`
	State           core.StateType  `json:"state"`
	Message         *string         `json:"message"`
	Force           bool            `json:"force"`
	Subject         string          `json:"subject"`
	Body            string          `json:"body"`
	Payload         *string         `json:"payload"`
}

// task is one action at work.
type task struct {
	*Performer
	ws     core.WorkspaceID
	action *core.TriggeredAction
	spec   engine.ActionSpec
	fields fields
	result engine.ActionResult
	// used are the block that the action uses, and its type.
	used []core.Labels
}

// failure is why an action cannot be done, in words for its event.
type failure string

// Error implements error.
func (f failure) Error() string { return string(f) }

func failf(format string, args ...any) error { return failure(fmt.Sprintf(format, args...)) }

func (t *task) perform(ctx context.Context) error {
	switch t.fields.Type {
	case "do-nothing":
		return nil
	case "run-deployment":
		return t.runDeployment(ctx)
	case "pause-deployment", "resume-deployment":
		return t.pauseDeployment(ctx, t.fields.Type == "pause-deployment")
	case "pause-work-pool", "resume-work-pool":
		return t.pauseWorkPool(ctx, t.fields.Type == "pause-work-pool")
	case "pause-work-queue", "resume-work-queue":
		return t.pauseWorkQueue(ctx, t.fields.Type == "pause-work-queue")
	case "pause-automation", "resume-automation":
		return t.enableAutomation(ctx, t.fields.Type == "resume-automation")
	case "cancel-flow-run", "suspend-flow-run", "change-flow-run-state":
		return t.changeState(ctx)
	case "resume-flow-run":
		return t.resumeFlowRun(ctx)
	case "delete-flow-run":
		return t.deleteFlowRun(ctx)
	case "send-notification":
		return t.sendNotification(ctx)
	case "call-webhook":
		return t.callWebhook(ctx)
	}
	return failf("Actions of type %q are unknown to this server.", t.fields.Type)
}

// reason words an error as the reference does, which sees the status of an answer.
func (t *task) reason(err error) string {
	if f, ok := errors.AsType[failure](err); ok {
		return string(f)
	}
	status, known := status(err)
	if !known {
		return fmt.Sprintf("Unexpected error in '%s' action: %s", t.fields.Type, err)
	}
	if t.fields.Type != "send-notification" && t.fields.Type != "call-webhook" {
		t.detail("status_code", status)
	}
	if status == 409 || status == 422 {
		return fmt.Sprintf("Validation error occurred for '%s' - %s", t.fields.Type, err)
	}
	return fmt.Sprintf("Unexpected status from '%s' action: %d", t.fields.Type, status)
}

// status is the HTTP status that the API answers to such an error.
func status(err error) (int, bool) {
	switch core.CodeOf(err) {
	case core.NotFound:
		return 404, true
	case core.Conflict:
		return 409, true
	case core.Invalid:
		return 422, true
	case core.BadRequest:
		return 400, true
	case core.Forbidden:
		return 403, true
	default:
		return 0, false
	}
}

func (t *task) detail(key string, v any) {
	t.result.Details = append(t.result.Details, engine.Detail{Key: key, Value: v})
}

// relate notes a resource that the action concerns.
func (t *task) relate(id, role, name string) {
	l := core.Labels{{Key: core.ResourceID, Value: id}, {Key: core.ResourceRole, Value: role}}
	if name != "" {
		l = append(l, core.Label{Key: core.ResourceName, Value: name})
	}
	t.result.Related = append(t.result.Related, l)
}

// target notes what the action is about to change, so that what follows from it
// counts as the next link of the chain.
func (t *task) target(ctx context.Context, id, name string) error {
	l := core.Labels{{Key: core.ResourceID, Value: id}}
	if name != "" {
		l = append(l, core.Label{Key: core.ResourceName, Value: name})
	}
	t.result.Related = append(t.result.Related, append(l, core.Label{Key: core.ResourceRole, Value: "target"}))
	return t.Engine.TouchByAction(ctx, t.ws, []string{id}, t.action.Depth)
}
