package core

import "time"

// Webhook turns requests from outside into events: whoever knows its slug sends
// them to /hooks/{slug}, and its template makes an event of each.
type Webhook struct {
	ID          ID
	Created     time.Time
	Updated     time.Time
	Name        string
	Description string
	Enabled     bool
	// Template is what an event is made by, in the language of Jinja.
	Template string
	// Slug is the secret part of its address.
	Slug string
}

// WebhookTx reads and writes webhooks.
type WebhookTx interface {
	// InsertWebhook stores a new webhook; name and slug must be free.
	InsertWebhook(w *Webhook) error
	// Webhook returns the webhook, or a NotFound error.
	Webhook(id ID) (*Webhook, error)
	// WebhookByName returns the webhook, or a NotFound error.
	WebhookByName(name string) (*Webhook, error)
	// WebhookBySlug returns the webhook, or a NotFound error.
	WebhookBySlug(slug string) (*Webhook, error)
	// UpdateWebhook stores all but the id and the time of creation of an existing webhook.
	UpdateWebhook(w *Webhook) error
	// DeleteWebhook removes the webhook and reports whether it existed.
	DeleteWebhook(id ID) (bool, error)
	// Webhooks lists webhooks by name.
	Webhooks(limit, offset int) ([]*Webhook, error)
}
