package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/jinja"
	"github.com/leat-dev/leat/internal/value"
)

const (
	// webhookFailed is the event that tells of a request that no event could be made of.
	webhookFailed = "prefect-cloud.webhook.failed"
	// maxFailedText is how much of a text such an event repeats, in bytes.
	maxFailedText = 10_000
	// maxRelated is how many other resources an event may name, as in the reference.
	maxRelated = 100
	// maxLabels is how many labels a resource of an event may have, as in the reference.
	maxLabels = 500
)

// ReceiveWebhook makes an event of a request to a webhook, or one that says why
// that failed, and returns after it is stored. Error: NotFound when there is no
// such webhook, or it is disabled. Prefect Cloud: POST /hooks/{slug}.
func (e *Engine) ReceiveWebhook(ctx context.Context, ws core.WorkspaceID, slug string, r *WebhookRequest) error {
	var w *core.Webhook
	err := e.store.View(ctx, ws, func(tx core.Tx) (err error) {
		w, err = tx.WebhookBySlug(slug)
		return err
	})
	switch {
	case err != nil:
		return err
	case !w.Enabled:
		return core.Errorf(core.NotFound, "Webhook not found")
	}
	now := e.now()
	event, rendered, err := webhookEvent(w, r, now)
	if err != nil {
		event = failedWebhook(w, r, rendered, err)
	}
	event.ID, event.Related = core.NewID(now), append(event.Related, webhookRelated(w))
	return e.RecordEvents(ctx, ws, []*core.Event{event})
}

// webhookResource names a webhook in events.
func webhookResource(w *core.Webhook) core.Labels {
	return core.Labels{{Key: core.ResourceID, Value: "prefect-cloud.webhook." + w.ID.String()}, {Key: core.ResourceName, Value: w.Name}}
}

func webhookRelated(w *core.Webhook) core.Labels {
	return append(webhookResource(w), core.Label{Key: core.ResourceRole, Value: "webhook"})
}

// webhookEvent makes the event that the template describes, and tells what it
// was rendered to.
func webhookEvent(w *core.Webhook, r *WebhookRequest, now time.Time) (event *core.Event, rendered string, err error) {
	source := webhookSource(w.Template)
	t, err := jinja.Parse(source)
	if err != nil {
		return nil, "", fmt.Errorf("the template cannot be read: %w", err)
	}
	body := r.body()
	vars := map[string]any{"body": body, "headers": r.Header, "method": r.Method}
	if source != w.Template {
		cloud, err := cloudEvent(body, r.Header)
		if err != nil {
			return nil, "", err
		}
		vars[cloudEventName] = cloud
	}
	rendered, err = t.Render(vars)
	if err != nil {
		return nil, rendered, err
	}
	event, err = eventOfText(rendered, now)
	return event, rendered, err
}

// described is an event as a rendered template describes it.
type described struct {
	Occurred *time.Time      `json:"occurred"`
	Event    string          `json:"event"`
	Resource core.Labels     `json:"resource"`
	Related  []core.Labels   `json:"related"`
	Payload  json.RawMessage `json:"payload"`
}

// eventOfText reads an event that a template was rendered to.
func eventOfText(text string, now time.Time) (*core.Event, error) {
	if _, err := value.Parse([]byte(text)); err != nil {
		return nil, fmt.Errorf("the template made no JSON: %w", err)
	}
	var d described
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return nil, fmt.Errorf("the template made no event: %w", err)
	}
	switch {
	case d.Event == "":
		return nil, fmt.Errorf("the template made no event: %q is missing", "event")
	case d.Resource.Get(core.ResourceID) == "":
		return nil, fmt.Errorf("the template made no event: the resource has no %q", core.ResourceID)
	case len(d.Related) > maxRelated:
		return nil, fmt.Errorf("the template made no event: it has more than %d related resources", maxRelated)
	case len(d.Resource) > maxLabels:
		return nil, fmt.Errorf("the template made no event: the resource has more than %d labels", maxLabels)
	}
	for _, r := range d.Related {
		if r.Get(core.ResourceID) == "" || r.Get(core.ResourceRole) == "" || len(r) > maxLabels {
			return nil, fmt.Errorf("the template made no event: a related resource needs %q and %q", core.ResourceID, core.ResourceRole)
		}
	}
	payload := strings.TrimSpace(string(d.Payload))
	if payload != "" && payload != "null" && payload[0] != '{' {
		return nil, fmt.Errorf("the template made no event: the payload is no object")
	}
	event := &core.Event{Occurred: now, Event: d.Event, Resource: d.Resource, Related: d.Related}
	if payload != "null" {
		event.Payload = d.Payload
	}
	if d.Occurred != nil {
		event.Occurred = d.Occurred.UTC().Truncate(time.Microsecond)
	}
	return event, nil
}

// failedWebhook tells why a request became no event, and what it said; what
// identifies its sender is left out.
func failedWebhook(w *core.Webhook, r *WebhookRequest, rendered string, reason error) *core.Event {
	payload := value.Of("error", short(reason.Error()), "method", r.Method, "headers", r.Header.shown(), "body", short(string(r.Body)),
		"template", short(w.Template), "rendered", short(rendered))
	return &core.Event{Occurred: r.At, Event: webhookFailed, Resource: webhookResource(w), Payload: value.Append(nil, payload)}
}

// short is the beginning of a text, as valid UTF-8.
func short(text string) string {
	if len(text) > maxFailedText {
		text = text[:maxFailedText]
		for range utf8.UTFMax - 1 {
			if r, size := utf8.DecodeLastRuneInString(text); r != utf8.RuneError || size != 1 {
				break
			}
			text = text[:len(text)-1]
		}
		text += "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
