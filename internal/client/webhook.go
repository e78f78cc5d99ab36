package client

import (
	"context"
	"net/http"
	"strings"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// Webhook is an inbound webhook as the API shows it. Prefect Cloud REST: GET /webhooks/{id}.
type Webhook struct {
	ID          core.ID   `json:"id"`
	Created     wire.Time `json:"created"`
	Updated     wire.Time `json:"updated"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	Enabled     bool      `json:"enabled"`
	Template    string    `json:"template"`
	// Slug is the secret end of the address that takes requests, /hooks/{slug}.
	Slug string `json:"slug"`
	// ServiceAccountID is null: nobody need sign in to send.
	ServiceAccountID *core.ID `json:"service_account_id"`
}

// WebhookOf shows a webhook.
func WebhookOf(w *core.Webhook) Webhook {
	return Webhook{
		ID: w.ID, Created: wire.FromTime(w.Created), Updated: wire.FromTime(w.Updated), Name: w.Name, Description: w.Description,
		Enabled: w.Enabled, Template: w.Template, Slug: w.Slug,
	}
}

// WebhookCreate is the body of POST /webhooks/ and PUT /webhooks/{id}. What the
// latter leaves out stays as it is.
type WebhookCreate struct {
	Name        string           `json:"name" wire:"required,min=1"`
	Description wire.Opt[string] `json:"description,omitzero"`
	Enabled     wire.Opt[bool]   `json:"enabled,omitzero"`
	Template    string           `json:"template" wire:"required,min=1"`
}

// WebhookUpdate is the body of PATCH /webhooks/{id}.
type WebhookUpdate struct {
	Name        wire.Opt[string] `json:"name,omitzero"`
	Description wire.Opt[string] `json:"description,omitzero"`
	Enabled     wire.Opt[bool]   `json:"enabled,omitzero"`
	Template    wire.Opt[string] `json:"template,omitzero"`
}

// Webhooks lists inbound webhooks. Prefect Cloud REST: POST /webhooks/filter.
func (c *Client) Webhooks(ctx context.Context, q Query) ([]Webhook, error) {
	return post[[]Webhook](ctx, c, "/webhooks/filter", q)
}

// Webhook reads an inbound webhook. Prefect Cloud REST: GET /webhooks/{id}.
func (c *Client) Webhook(ctx context.Context, id core.ID) (Webhook, error) {
	return get[Webhook](ctx, c, "/webhooks/"+id.String())
}

// CreateWebhook makes an inbound webhook. Prefect Cloud REST: POST /webhooks/.
func (c *Client) CreateWebhook(ctx context.Context, w WebhookCreate) (Webhook, error) {
	return post[Webhook](ctx, c, "/webhooks/", w)
}

// EnableWebhook lets a webhook take requests, or keeps it from it. Prefect Cloud REST: PATCH /webhooks/{id}.
func (c *Client) EnableWebhook(ctx context.Context, id core.ID, enabled bool) error {
	return c.Do(ctx, http.MethodPatch, "/webhooks/"+id.String(), map[string]bool{"enabled": enabled}, nil)
}

// RotateWebhook gives a webhook another address. Prefect Cloud REST: POST /webhooks/{id}/rotate.
func (c *Client) RotateWebhook(ctx context.Context, id core.ID) (Webhook, error) {
	return post[Webhook](ctx, c, "/webhooks/"+id.String()+"/rotate", nil)
}

// HookURL is the address at which a webhook with the slug takes requests.
func (c *Client) HookURL(slug string) string {
	u := *c.base
	u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/api")+"/hooks/"+slug, ""
	return u.String()
}

// DeleteWebhook removes a webhook. Prefect Cloud REST: DELETE /webhooks/{id}.
func (c *Client) DeleteWebhook(ctx context.Context, id core.ID) error {
	return c.Do(ctx, http.MethodDelete, "/webhooks/"+id.String(), nil, nil)
}
