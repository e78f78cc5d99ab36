package compat

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// hook is a webhook as the API shows it.
type hook struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Slug    string `json:"slug"`
	Enabled bool   `json:"enabled"`
}

// postHook sends a request as a service would that knows the address alone.
func (s *server) postHook(t *testing.T, slug, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.root()+"/hooks/"+slug, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := env.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// The commands of `prefect cloud webhook` manage webhooks, and what they are
// sent arrives at the client's event subscriber and in the filter of events.
func TestInboundWebhooks(t *testing.T) {
	leatOnly(t)
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s, "PREFECT_API_KEY=any")
		template := `{"event": "shop.{{ body.what }}", "resource": {"prefect.resource.id": "` + c.name + `.{{ body.order }}"}, "payload": {{ body|tojson }} }`
		contains(t, "prefect cloud webhook create", c.prefect("cloud", "webhook", "create", c.name, "--description", "of the shop", "--template", template),
			"Successfully created webhook "+c.name)
		var hooks []hook
		s.mustCall(t, http.MethodPost, "/webhooks/filter", object{}, &hooks)
		var h hook
		for _, one := range hooks {
			if one.Name == c.name {
				h = one
			}
		}
		contains(t, "prefect cloud webhook ls", c.prefect("cloud", "webhook", "ls"), c.name, h.Slug)

		watcher := c.serve("watching", "webhook_events.py")
		if status := s.postHook(t, h.Slug, `{"what": "ordered", "order": 7, "lines": ["ü"]}`); status != http.StatusNoContent {
			t.Fatalf("the webhook answered %d", status)
		}
		watcher.waitOutput("shop.ordered "+c.name+".7 {'lines': ['ü'], 'order': 7, 'what': 'ordered'}", 30*time.Second)
		if n := s.eventsOf(t, c.name+".7"); n != 1 {
			t.Errorf("the filter finds %d events", n)
		}

		contains(t, "prefect cloud webhook toggle", c.prefect("cloud", "webhook", "toggle", h.ID), "Webhook is now disabled")
		if status := s.postHook(t, h.Slug, `{}`); status != http.StatusNotFound {
			t.Errorf("disabled, the webhook answered %d", status)
		}
		c.prefect("cloud", "webhook", "toggle", h.ID)
		contains(t, "prefect cloud webhook update", c.prefect("cloud", "webhook", "update", h.ID, "--name", c.name+"-2"), "Successfully updated webhook")
		contains(t, "prefect cloud webhook get", c.prefect("cloud", "webhook", "get", h.ID, "-o", "json"), c.name+"-2", "of the shop", h.Slug)
		contains(t, "prefect cloud webhook delete", c.prefect("cloud", "webhook", "delete", h.ID), "Successfully deleted webhook")
		if status := s.postHook(t, h.Slug, `{}`); status != http.StatusNotFound {
			t.Errorf("deleted, the webhook answered %d", status)
		}
	})
}

// A request to a webhook becomes an event, for which an automation notifies
// through a block that the client saved: the whole way from outside to outside.
func TestAWebhookSetsOffANotification(t *testing.T) {
	leatOnly(t)
	onOwnServer(t, options{flags: []string{"--allow-private-webhooks", "127.0.0.1"}}, func(t *testing.T, s *server) {
		said := make(chan string, 10)
		slack := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var message struct {
				Attachments []struct{ Title, Text string }
			}
			if err := json.NewDecoder(r.Body).Decode(&message); err != nil || len(message.Attachments) != 1 {
				t.Errorf("%v: %v", message, err)
				return
			}
			said <- message.Attachments[0].Title + ": " + message.Attachments[0].Text
			_, _ = io.WriteString(w, "ok")
		}))
		t.Cleanup(slack.Close)
		c := newClient(t, s)
		block := c.python("slack_block.py", slack.URL+"/services/T1/B1/sesame").text(t, "id")
		var h hook
		s.mustCall(t, http.MethodPost, "/webhooks/", object{
			"name": c.name, "template": `{"event": "ci.{{ body.status }}", "resource": {"prefect.resource.id": "ci.{{ body.branch }}"}}`,
		}, &h)
		s.mustCall(t, http.MethodPost, "/automations/", object{
			"name":    c.name,
			"trigger": object{"type": "event", "posture": "Reactive", "expect": []string{"ci.failed"}, "threshold": 1, "within": 0},
			"actions": []object{{
				"type": "send-notification", "block_document_id": block, "subject": "{{ automation.name }}", "body": "{{ event.resource.id }} has failed",
			}},
		}, nil)
		for _, body := range []string{`{"status": "passed", "branch": "main"}`, `{"status": "failed", "branch": "main"}`} {
			if status := s.postHook(t, h.Slug, body); status != http.StatusNoContent {
				t.Fatalf("the webhook answered %d", status)
			}
		}
		select {
		case got := <-said:
			if want := c.name + ": ci.main has failed"; got != want {
				t.Errorf("said %q, want %q", got, want)
			}
		case <-time.After(30 * time.Second):
			t.Fatal("nothing was said")
		}
	})
}

// eventsOf counts the events about a resource.
func (s *server) eventsOf(t *testing.T, resource string) int {
	t.Helper()
	var found struct{ Events []object }
	s.mustCall(t, http.MethodPost, "/events/filter", object{"filter": object{"resource": object{"id": []string{resource}}}}, &found)
	return len(found.Events)
}
