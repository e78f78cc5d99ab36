package prefect3_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/api/prefect3"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/store/storetest"
)

// hooked is a server with a webhook.
type hooked struct {
	t       *testing.T
	server  *httptest.Server
	store   core.Store
	webhook client.Webhook
}

func newHooked(t *testing.T, template string) *hooked {
	t.Helper()
	s := storetest.Open(t)
	now := func() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }
	a := prefect3.New(prefect3.Config{Engine: engine.New(engine.Config{Store: s, Now: now}), Now: now})
	mux := http.NewServeMux()
	mux.Handle("/api/", a)
	mux.Handle("/hooks/", a.Hooks())
	h := &hooked{t: t, server: httptest.NewServer(mux), store: s}
	t.Cleanup(h.server.Close)
	body, err := json.Marshal(map[string]string{"name": "inbound", "template": template})
	if err != nil {
		t.Fatal(err)
	}
	status, answer := h.do("POST", "/api/webhooks/", body, "Content-Type", "application/json")
	if err := json.Unmarshal(answer, &h.webhook); err != nil || status != http.StatusCreated {
		t.Fatalf("%d %s: %v", status, answer, err)
	}
	return h
}

// do sends a request with headers, as names and values in turn.
func (h *hooked) do(method, path string, body []byte, header ...string) (int, []byte) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Second) // however long a template would take
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, h.server.URL+path, bytes.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header[header[i]] = []string{header[i+1]}
	}
	res, err := h.server.Client().Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	answer, err := io.ReadAll(res.Body)
	if cerr := res.Body.Close(); err != nil || cerr != nil {
		h.t.Fatal(err, cerr)
	}
	return res.StatusCode, answer
}

// send sends a request to the webhook, which must answer 204 once its event is
// stored, and returns that event.
func (h *hooked) send(method string, body []byte, header ...string) *core.Event {
	h.t.Helper()
	var before core.Cursor
	h.view(func(tx core.Tx) (err error) {
		before, err = tx.EventCursor()
		return err
	})
	if status, answer := h.do(method, "/hooks/"+h.webhook.Slug, body, header...); status != http.StatusNoContent || len(answer) > 0 {
		h.t.Fatalf("answered %d %s", status, answer)
	}
	var events []*core.Event
	h.view(func(tx core.Tx) (err error) {
		events, _, err = tx.EventsAfter(before, 10)
		return err
	})
	if len(events) != 1 {
		h.t.Fatalf("%d events were stored", len(events))
	}
	return events[0]
}

func (h *hooked) view(fn func(core.Tx) error) {
	h.t.Helper()
	if err := h.store.View(h.t.Context(), core.DefaultWorkspace, fn); err != nil {
		h.t.Fatal(err)
	}
}

const hookTemplate = `{
	"event": "{{ method|lower }}.{{ headers['X-GITHUB-event'] }}",
	"resource": {"prefect.resource.id": "repo.{{ body.repo }}", "prefect.resource.name": "{{ body['name'] or headers.x_name }}"},
	"related": [{"prefect.resource.id": "who", "prefect.resource.role": "actor"}],
	"payload": {{ {"whole": body}|tojson }}
}`

func TestARequestBecomesAnEvent(t *testing.T) {
	t.Parallel()
	h := newHooked(t, hookTemplate)
	form := []string{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8", "X-Github-Event", "push"}
	tests := []struct {
		name, method string
		body         string
		header       []string
		event        string
		resource     core.Labels
		payload      string
	}{
		{"JSON", "POST", `{"repo": "a/b", "name": "ü \"x\"", "n": 1.50, "deep": [{"k": null}]}`, []string{"x-GitHub-Event", "push"}, "prefect-cloud.webhook.failed", nil, ""},
		{
			"JSON", "POST", `{"repo": "a/b", "name": "ü", "n": 7, "deep": [{"k": null}]}`,
			[]string{"x-GitHub-Event", "push"},
			"post.push",
			core.Labels{{Key: "prefect.resource.id", Value: "repo.a/b"}, {Key: "prefect.resource.name", Value: "ü"}},
			`{"whole": {"deep": [{"k": null}], "n": 7, "name": "ü", "repo": "a/b"}}`,
		},
		{
			"a form", "PUT", "repo=a%2Fb&name=&tag=1&tag=2", append(form, "X-Name", "from a header"), "put.push",
			core.Labels{{Key: "prefect.resource.id", Value: "repo.a/b"}, {Key: "prefect.resource.name", Value: "from a header"}},
			`{"whole": {"name": "", "repo": "a/b", "tag": ["1", "2"]}}`,
		},
		{
			"a form in parts", "POST", "--x\r\nContent-Disposition: form-data; name=\"repo\"\r\n\r\na/b\r\n--x\r\n" +
				"Content-Disposition: form-data; name=\"name\"; filename=\"f\"\r\n\r\nü\r\n--x--\r\n",
			[]string{"Content-Type", "multipart/form-data; boundary=x"},
			"post.",
			core.Labels{{Key: "prefect.resource.id", Value: "repo.a/b"}, {Key: "prefect.resource.name", Value: "ü"}},
			`{"whole": {"name": "ü", "repo": "a/b"}}`,
		},
		{
			"a form that is broken", "POST", "--x\r\nContent",
			[]string{"Content-Type", "multipart/form-data; boundary=x", "X-Name", "n"},
			"post.",
			core.Labels{{Key: "prefect.resource.id", Value: "repo."}, {Key: "prefect.resource.name", Value: "n"}},
			`{"whole": "--x\r\nContent"}`,
		},
		{
			"a text", "PATCH", "hello\n\"you\"",
			[]string{"X-Name", "n"},
			"patch.",
			core.Labels{{Key: "prefect.resource.id", Value: "repo."}, {Key: "prefect.resource.name", Value: "n"}},
			`{"whole": "hello\n\"you\""}`,
		},
		{
			"nothing", "GET", "",
			[]string{"X-Name", "n"},
			"get.",
			core.Labels{{Key: "prefect.resource.id", Value: "repo."}, {Key: "prefect.resource.name", Value: "n"}},
			`{"whole": ""}`,
		},
	}
	for _, tt := range tests {
		e := h.send(tt.method, []byte(tt.body), tt.header...)
		if e.Event != tt.event {
			t.Errorf("%s: the event is %s %s", tt.name, e.Event, e.Payload)
			continue
		}
		if tt.resource == nil {
			continue
		}
		if diff := cmp.Diff(tt.resource, e.Resource); diff != "" {
			t.Errorf("%s: resource (-want +got)\n%s", tt.name, diff)
		}
		if diff := cmp.Diff(parsedJSON(t, tt.payload), parsedJSON(t, string(e.Payload))); diff != "" {
			t.Errorf("%s: payload (-want +got)\n%s", tt.name, diff)
		}
		related := []core.Labels{
			{{Key: "prefect.resource.id", Value: "who"}, {Key: "prefect.resource.role", Value: "actor"}},
			{{Key: "prefect.resource.id", Value: "prefect-cloud.webhook." + h.webhook.ID.String()}, {Key: "prefect.resource.name", Value: "inbound"}, {Key: "prefect.resource.role", Value: "webhook"}},
		}
		if diff := cmp.Diff(related, e.Related); diff != "" {
			t.Errorf("%s: related (-want +got)\n%s", tt.name, diff)
		}
	}
}

func parsedJSON(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestACloudEventBecomesAnEvent(t *testing.T) {
	t.Parallel()
	h := newHooked(t, "{{ body|from_cloud_event(headers) }}")
	want := `{"cloudevents": {"specversion": "1.0", "type": "com.example.made", "source": "/shop", "id": "A-1", "subject": "order/7", "time": "2026-01-02T03:04:05Z", "datacontenttype": "application/json"}, "data": {"total": 3}}`
	structured := `{"specversion": "1.0", "type": "com.example.made", "source": "/shop", "id": "A-1", "subject": "order/7", "time": "2026-01-02T03:04:05Z", "datacontenttype": "application/json", "data": {"total": 3}}`
	for name, e := range map[string]*core.Event{
		"structured": h.send("POST", []byte(structured), "Content-Type", "application/cloudevents+json"),
		"encoded": h.send("POST", []byte(strings.Replace(structured, `"data": {"total": 3}`, `"data_base64": "eyJ0b3RhbCI6IDN9"`, 1)),
			"Content-Type", "application/cloudevents+json"),
		"binary": h.send("POST", []byte(`{"total": 3}`), "Content-Type", "application/json", "Ce-Specversion", "1.0", "Ce-Type", "com.example.made",
			"Ce-Source", "/shop", "Ce-Id", "A-1", "Ce-Subject", "order/7", "Ce-Time", "2026-01-02T03:04:05Z"),
	} {
		if e.Event != "com.example.made" || e.Resource.Get(core.ResourceID) != "order/7" || e.Occurred.Format(time.RFC3339) != "2026-01-02T03:04:05Z" {
			t.Errorf("%s: %s %v %s %s", name, e.Event, e.Resource, e.Occurred, e.Payload)
			continue
		}
		if diff := cmp.Diff(parsedJSON(t, want), parsedJSON(t, string(e.Payload))); diff != "" {
			t.Errorf("%s: payload (-want +got)\n%s", name, diff)
		}
	}
	e := h.send("POST", []byte(`{"specversion": "1.0", "type": "t", "source": "/s", "id": "1", "data": "x"}`))
	if e.Event != "t" || e.Resource.Get(core.ResourceID) != "/s" {
		t.Errorf("without a subject: %s %v", e.Event, e.Resource)
	}
	if e := h.send("POST", []byte(`{"type": "t"}`)); e.Event != "prefect-cloud.webhook.failed" {
		t.Errorf("no CloudEvent became %s", e.Event)
	}
}

func TestWhatBecomesNoEventIsToldByOne(t *testing.T) {
	t.Parallel()
	h := newHooked(t, "{{ body.template }}")
	deep := strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)
	tests := []struct{ name, template, body, want string }{
		{"no JSON", `hello`, ``, "no JSON"},
		{"nothing", ``, ``, "no JSON"},
		{"a list", `[1]`, ``, "no event"},
		{"no event", `{"resource": {"prefect.resource.id": "a"}}`, ``, `"event" is missing`},
		{"no resource", `{"event": "a"}`, ``, `"prefect.resource.id"`},
		{"a number for a label", `{"event": "a", "resource": {"prefect.resource.id": "a", "n": 1}}`, ``, "not a string"},
		{"a related resource without a role", `{"event": "a", "resource": {"prefect.resource.id": "a"}, "related": [{"prefect.resource.id": "b"}]}`, ``, "related resource"},
		{"a payload that is a list", `{"event": "a", "resource": {"prefect.resource.id": "a"}, "payload": []}`, ``, "payload"},
		{"a time that is none", `{"event": "a", "occurred": "soon", "resource": {"prefect.resource.id": "a"}}`, ``, "no event"},
		{"JSON nested deep", `{"event": "a", "resource": {"prefect.resource.id": "a"}, "payload": {{ body }} }`, deep, "no JSON"},
		{"an unknown filter", `{{ body|shout }}`, ``, "shout"},
		{"a division by zero", `{{ 1 / 0 }}`, ``, "ZeroDivisionError"},
		{"a bomb of loops", `{% for a in range(100) %}{% for b in range(100) %}{{ "x" * 1000000 }}{% endfor %}{% endfor %}`, ``, ""},
		{"a bomb of numbers", `{{ 9 ** 9 ** 9 ** 9 }}`, ``, ""},
		{"a bomb of texts", `{{ "x" * 10 ** 12 }}`, ``, ""},
		{"UTF-8 that is none", `{"event": "{{ body }}"}`, "\xff\xfe", "prefect.resource.id"},
	}
	for _, tt := range tests {
		change, err := json.Marshal(map[string]string{"template": tt.template})
		if err != nil {
			t.Fatal(err)
		}
		status, answer := h.do("PATCH", "/api/webhooks/"+h.webhook.ID.String(), change, "Content-Type", "application/json")
		if status == http.StatusUnprocessableEntity && strings.Contains(string(answer), "not a valid template") {
			continue // refused before it can fail
		}
		if status != http.StatusNoContent && tt.template != "" {
			t.Fatalf("%s: %d %s", tt.name, status, answer)
		}
		e := h.send("POST", []byte(tt.body), "Authorization", "Bearer sesame", "Cookie", "sesame", "X-A", "b")
		var told struct {
			Error, Method, Template, Body string
			Headers                       map[string]string
		}
		if err := json.Unmarshal(e.Payload, &told); err != nil {
			t.Fatal(err)
		}
		if e.Event != "prefect-cloud.webhook.failed" || e.Resource.Get(core.ResourceID) != "prefect-cloud.webhook."+h.webhook.ID.String() ||
			!strings.Contains(told.Error, tt.want) || told.Method != "POST" || told.Headers["x-a"] != "b" || len(told.Body) > 10_100 {
			t.Errorf("%s: %s %v %s", tt.name, e.Event, e.Resource, e.Payload)
		}
		if strings.Contains(string(e.Payload), "sesame") {
			t.Errorf("%s: who sent it can be learned from %s", tt.name, e.Payload)
		}
	}
}

func TestHooksThatAreNotThere(t *testing.T) {
	t.Parallel()
	h := newHooked(t, `{"event": "a", "resource": {"prefect.resource.id": "a"}}`)
	for _, path := range []string{"/hooks/", "/hooks/unknown", "/hooks/" + strings.ToLower(h.webhook.Slug), "/hooks/" + h.webhook.ID.String()} {
		if status, answer := h.do("POST", path, nil); status != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	if status, _ := h.do("DELETE", "/hooks/"+h.webhook.Slug, nil); status != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", status)
	}
	if status, _ := h.do("POST", "/hooks/"+h.webhook.Slug, make([]byte, 1<<20+1)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge body: %d", status)
	}
	h.send("POST", []byte("{}"))
	one, path := h.webhook.Slug, "/api/webhooks/"+h.webhook.ID.String()
	status, answer := h.do("POST", path+"/rotate", nil)
	if err := json.Unmarshal(answer, &h.webhook); err != nil || status != http.StatusOK || h.webhook.Slug == one || len(h.webhook.Slug) < 20 {
		t.Fatalf("%d %s: %v", status, answer, err)
	}
	if status, _ := h.do("POST", "/hooks/"+one, nil); status != http.StatusNotFound {
		t.Errorf("the old address: %d", status)
	}
	h.send("POST", nil)
	h.do("PATCH", path, []byte(`{"enabled": false}`), "Content-Type", "application/json")
	if status, _ := h.do("POST", "/hooks/"+h.webhook.Slug, nil); status != http.StatusNotFound {
		t.Errorf("disabled: %d", status)
	}
}
