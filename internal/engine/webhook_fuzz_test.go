package engine

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// FuzzWebhookRequest sends anything through templates that use all of it: each
// request becomes an event that can be stored, or one that says why not.
func FuzzWebhookRequest(f *testing.F) {
	f.Add("application/json", "1.0", []byte(`{"a": [1, {"b": null}]}`), uint8(0))
	f.Add("application/cloudevents+json", "", []byte(`{"specversion": "1.0", "type": "t", "source": "/s", "id": "1", "time": "2026-01-02T03:04:05Z", "data_base64": "e30="}`), uint8(1))
	f.Add("application/x-www-form-urlencoded", "1.0", []byte("a=1&a=2&b=%ff"), uint8(2))
	f.Add("text/plain", "\xff", []byte("\"}, \xff\x00"), uint8(3))
	templates := []string{
		`{"event": "a", "resource": {"prefect.resource.id": "{{ body.a }}"}, "payload": {"b": {{ body|tojson }} }}`,
		`{{ body|from_cloud_event(headers) }}`,
		`{"event": "{{ headers['ce-type'] }}", "resource": {"prefect.resource.id": {{ method|tojson }}, "k": "{{ body }}"}}`,
		`{{ body }}`,
		`{{ headers }}`,
	}
	f.Fuzz(func(t *testing.T, kind, version string, body []byte, which uint8) {
		w := &core.Webhook{Name: "w", Template: templates[int(which)%len(templates)]}
		r := &WebhookRequest{Method: "POST", Body: body, Header: WebhookHeader{
			"Content-Type": {kind}, "Ce-Specversion": {version}, "Ce-Type": {"t"}, "Ce-Source": {kind}, "Ce-Id": {"1"}, "Authorization": {"sesame"},
		}}
		event, rendered, err := webhookEvent(w, r, time.Unix(1, 0))
		if err != nil {
			event = failedWebhook(w, r, rendered, err)
		}
		if event.Event == "" || event.Resource.Get(core.ResourceID) == "" || len(event.Payload) > 0 && !json.Valid(event.Payload) {
			t.Errorf("%q became %+v", body, event)
		}
	})
}
