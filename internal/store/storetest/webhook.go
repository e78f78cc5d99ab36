package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

func webhooks(t *testing.T, open Opener) {
	s := open(t)
	b := &core.Webhook{ID: core.NewID(noon()), Created: noon(), Updated: noon(), Name: "b", Template: "{}", Slug: "slug-b", Enabled: true}
	a := &core.Webhook{ID: core.NewID(noon()), Created: noon(), Updated: noon(), Name: "a", Description: "what for", Template: "{{ body }}", Slug: "slug-a"}
	update(t, s, func(tx core.Tx) error {
		if err := tx.InsertWebhook(b); err != nil {
			return err
		}
		return tx.InsertWebhook(a)
	})
	list := func(limit, offset int) []*core.Webhook {
		return must(t, s, func(tx core.Tx) ([]*core.Webhook, error) { return tx.Webhooks(limit, offset) })
	}
	if diff := cmp.Diff([]*core.Webhook{a, b}, list(200, 0)); diff != "" {
		t.Errorf("by name (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]*core.Webhook{b}, list(1, 1)); diff != "" {
		t.Errorf("the second (-want +got)\n%s", diff)
	}
	a.Name, a.Description, a.Enabled, a.Template, a.Slug = "c", "", true, "x", "slug-c"
	update(t, s, func(tx core.Tx) error { return tx.UpdateWebhook(a) })
	for what, find := range map[string]func(core.Tx) (*core.Webhook, error){
		"id":   func(tx core.Tx) (*core.Webhook, error) { return tx.Webhook(a.ID) },
		"name": func(tx core.Tx) (*core.Webhook, error) { return tx.WebhookByName("c") },
		"slug": func(tx core.Tx) (*core.Webhook, error) { return tx.WebhookBySlug("slug-c") },
	} {
		if diff := cmp.Diff(a, must(t, s, find)); diff != "" {
			t.Errorf("by %s (-want +got)\n%s", what, diff)
		}
	}
	update(t, s, func(tx core.Tx) error {
		there, err := tx.DeleteWebhook(a.ID)
		if !there {
			t.Error("a webhook that is there was not found")
		}
		return err
	})
	view(t, s, func(tx core.Tx) error {
		for what, find := range map[string]func() (*core.Webhook, error){
			"id":       func() (*core.Webhook, error) { return tx.Webhook(a.ID) },
			"old slug": func() (*core.Webhook, error) { return tx.WebhookBySlug("slug-a") },
			"name":     func() (*core.Webhook, error) { return tx.WebhookByName("a") },
		} {
			if _, err := find(); core.CodeOf(err) != core.NotFound {
				t.Errorf("by %s: %v", what, err)
			}
		}
		return nil
	})
}
