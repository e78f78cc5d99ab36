package engine

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/jinja"
)

// WebhookChange names what is to change in a webhook; nil leaves it.
type WebhookChange struct {
	Name        *string
	Description *string
	Enabled     *bool
	Template    *string
}

// CreateWebhook makes a webhook at an address that nobody can guess. Errors:
// Invalid for a template that cannot be read, Conflict for a name that is taken.
func (e *Engine) CreateWebhook(ctx context.Context, ws core.WorkspaceID, first WebhookChange) (*core.Webhook, error) {
	now := e.now()
	w := &core.Webhook{ID: core.NewID(now), Created: now, Updated: now, Enabled: true, Slug: newSlug()}
	if err := first.apply(w); err != nil {
		return nil, err
	}
	return w, e.store.Update(ctx, ws, func(tx core.Tx) error {
		if err := freeWebhookName(tx, w.Name); err != nil {
			return err
		}
		return tx.InsertWebhook(w)
	})
}

// UpdateWebhook changes a webhook. Errors: as of CreateWebhook, and NotFound.
func (e *Engine) UpdateWebhook(ctx context.Context, ws core.WorkspaceID, id core.ID, change WebhookChange) (w *core.Webhook, err error) {
	now := e.now()
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		if w, err = tx.Webhook(id); err != nil {
			return err
		}
		if change.Name != nil && *change.Name != w.Name {
			if err := freeWebhookName(tx, *change.Name); err != nil {
				return err
			}
		}
		if err := change.apply(w); err != nil {
			return err
		}
		w.Updated = now
		return tx.UpdateWebhook(w)
	})
	return w, err
}

// RotateWebhook gives a webhook another address; the old one is unknown from then on.
func (e *Engine) RotateWebhook(ctx context.Context, ws core.WorkspaceID, id core.ID) (w *core.Webhook, err error) {
	now, slug := e.now(), newSlug()
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		if w, err = tx.Webhook(id); err != nil {
			return err
		}
		w.Slug, w.Updated = slug, now
		return tx.UpdateWebhook(w)
	})
	return w, err
}

// DeleteWebhook removes a webhook. Error: NotFound.
func (e *Engine) DeleteWebhook(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		if _, err := tx.Webhook(id); err != nil {
			return err
		}
		_, err := tx.DeleteWebhook(id)
		return err
	})
}

func freeWebhookName(tx core.Tx, name string) error {
	if _, err := tx.WebhookByName(name); err == nil {
		return core.Errorf(core.Conflict, "A webhook with the name '%s' already exists.", name)
	} else if !missing(err) {
		return err
	}
	return nil
}

// apply writes the change into w, if it is right.
func (c WebhookChange) apply(w *core.Webhook) error {
	if c.Name != nil && strings.TrimSpace(*c.Name) == "" {
		return core.Errorf(core.Invalid, "A webhook needs a name.")
	}
	if c.Template != nil {
		if len(*c.Template) > maxWebhookTemplate {
			return core.Errorf(core.Invalid, "The template has more than %d bytes.", maxWebhookTemplate)
		}
		if _, err := jinja.Parse(webhookSource(*c.Template)); err != nil {
			return core.Errorf(core.Invalid, "'template' is not a valid template: %s", err)
		}
	}
	set(&w.Name, c.Name)
	set(&w.Description, c.Description)
	set(&w.Enabled, c.Enabled)
	set(&w.Template, c.Template)
	return nil
}

// maxWebhookTemplate is the length of the longest template of a webhook, in bytes.
const maxWebhookTemplate = 100_000

// newSlug is the secret part of an address: 130 random bits.
func newSlug() string { return rand.Text() }
