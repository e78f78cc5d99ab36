package store

import "github.com/leat-dev/leat/internal/core"

const webhookSelect = "SELECT h.id, h.created, h.updated, h.name, h.description, h.enabled, h.template, h.slug FROM webhook h WHERE h.ws = ?"

func scanWebhook(r rows) (*core.Webhook, error) {
	w := &core.Webhook{}
	return w, r.Scan(&w.ID, timeInto{&w.Created}, timeInto{&w.Updated}, &w.Name, &w.Description, &w.Enabled, &w.Template, &w.Slug)
}

func noWebhook() *core.Error { return core.Errorf(core.NotFound, "Webhook not found") }

// InsertWebhook implements core.WebhookTx.
func (t *tx) InsertWebhook(w *core.Webhook) error {
	return t.exec("INSERT INTO webhook (id, ws, created, updated, name, description, enabled, template, slug) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		w.ID, int64(t.ws), micros(w.Created), micros(w.Updated), w.Name, w.Description, w.Enabled, w.Template, w.Slug)
}

// Webhook implements core.WebhookTx.
func (t *tx) Webhook(id core.ID) (*core.Webhook, error) {
	return one(t, noWebhook(), scanWebhook, webhookSelect+" AND h.id = ?"+t.lock("h"), int64(t.ws), id)
}

// WebhookByName implements core.WebhookTx.
func (t *tx) WebhookByName(name string) (*core.Webhook, error) {
	return one(t, noWebhook(), scanWebhook, webhookSelect+" AND h.name = ?"+t.lock("h"), int64(t.ws), name)
}

// WebhookBySlug implements core.WebhookTx.
func (t *tx) WebhookBySlug(slug string) (*core.Webhook, error) {
	return one(t, noWebhook(), scanWebhook, webhookSelect+" AND h.slug = ?", int64(t.ws), slug)
}

// UpdateWebhook implements core.WebhookTx.
func (t *tx) UpdateWebhook(w *core.Webhook) error {
	return t.exec("UPDATE webhook SET updated = ?, name = ?, description = ?, enabled = ?, template = ?, slug = ? WHERE ws + 0 = ? AND id = ?",
		micros(w.Updated), w.Name, w.Description, w.Enabled, w.Template, w.Slug, int64(t.ws), w.ID)
}

// DeleteWebhook implements core.WebhookTx.
func (t *tx) DeleteWebhook(id core.ID) (bool, error) {
	n, err := t.execN("DELETE FROM webhook WHERE ws + 0 = ? AND id = ?", int64(t.ws), id)
	return n > 0, err
}

// Webhooks implements core.WebhookTx.
func (t *tx) Webhooks(limit, offset int) ([]*core.Webhook, error) {
	return list(t, scanWebhook, webhookSelect+" ORDER BY h.name LIMIT ? OFFSET ?", int64(t.ws), limit, offset)
}
