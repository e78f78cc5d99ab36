package prefect3_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// channel is a worker's connection in a test.
type channel struct {
	*websocket.Conn
	t *testing.T
}

func dialChannel(t *testing.T, server *httptest.Server, pool string) *channel {
	t.Helper()
	url := "ws" + strings.TrimPrefix(server.URL, "http") + "/api/work_pools/" + pool + "/workers/connect"
	conn, res, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{Subprotocols: []string{"prefect"}})
	if err != nil {
		t.Fatal(err)
	}
	if res.Body != nil {
		t.Cleanup(func() { _ = res.Body.Close() })
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	c := &channel{conn, t}
	c.send(map[string]any{"type": "auth", "token": nil})
	if got := c.receive(); got["type"] != "auth_success" {
		t.Fatalf("got %v", got)
	}
	return c
}

func (c *channel) send(v any) {
	c.t.Helper()
	if err := wsjson.Write(c.t.Context(), c.Conn, v); err != nil {
		c.t.Fatal(err)
	}
}

func (c *channel) receive() (v map[string]any) {
	c.t.Helper()
	if err := wsjson.Read(c.t.Context(), c.Conn, &v); err != nil {
		c.t.Fatal(err)
	}
	return v
}

// closed waits until the server closes the connection and returns how.
func (c *channel) closed() websocket.CloseError {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	for {
		_, _, err := c.Read(ctx)
		if err == nil {
			continue
		}
		closed, ok := err.(websocket.CloseError) //nolint:errorlint // as the package documents
		if !ok {
			if code := websocket.CloseStatus(err); code >= 0 {
				return websocket.CloseError{Code: code, Reason: err.Error()}
			}
			c.t.Fatal(err)
		}
		return closed
	}
}

const consumer = "01a20225-273f-7cf9-99e9-5e7d88725210"

func frameMessage(kind string, payload map[string]any) map[string]any {
	return map[string]any{
		"type": kind, "id": "01a20225-2870-795e-b784-74143c742fbf", "sent_at": "2026-11-22T07:25:19.344736Z", "payload": payload,
	}
}

func helloMessage(change func(map[string]any)) map[string]any {
	payload := map[string]any{
		"consumer_id": consumer, "worker_name": "w1", "worker_type": "process", "heartbeat_interval_seconds": 30,
		"supported_channel_versions": []string{"work_pool_worker_channel.v1"},
		"requested_capabilities":     []string{"worker_heartbeat.v1", "work_pool_snapshot.v1", "cleanup_delivery.v1"},
		"work_queue_names":           []string{}, "create_pool_if_not_found": true,
		"default_base_job_template": map[string]any{"job_configuration": map[string]any{}, "variables": map[string]any{}},
	}
	change(payload)
	return frameMessage("worker.hello.v1", payload)
}

func postJSON(t *testing.T, server *httptest.Server, path, body string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/api"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	err = json.NewDecoder(res.Body).Decode(into)
	if cerr := res.Body.Close(); err != nil || cerr != nil {
		t.Fatal(err, cerr)
	}
}

func TestAWorkerConnectsAndIsOnline(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newHandler(t))
	defer server.Close()
	c := dialChannel(t, server, "proc")
	c.send(helloMessage(func(map[string]any) {}))
	ready := c.receive()
	payload, _ := ready["payload"].(map[string]any)
	if ready["type"] != "worker.ready.v1" || payload["consumer_id"] != consumer ||
		payload["selected_channel_version"] != "work_pool_worker_channel.v1" {
		t.Fatalf("got %v", ready)
	}
	if rejected, _ := payload["rejected_capabilities"].([]any); len(rejected) != 1 || rejected[0] != "cleanup_delivery.v1" {
		t.Errorf("rejected %v", payload["rejected_capabilities"])
	}
	snapshot, _ := payload["initial_snapshot"].(map[string]any)
	pool, _ := snapshot["work_pool"].(map[string]any)
	if snapshot["snapshot_sequence"] != 1.0 || pool["name"] != "proc" || pool["status"] != "READY" {
		t.Errorf("snapshot %v", snapshot)
	}
	c.send(frameMessage("worker.heartbeat.v1", map[string]any{
		"consumer_id": consumer, "worker_name": "w1", "heartbeat_interval_seconds": 15,
	}))
	for {
		var workers []map[string]any
		postJSON(t, server, "/work_pools/proc/workers/filter", "{}", &workers)
		if len(workers) == 1 && workers[0]["status"] == "ONLINE" && workers[0]["heartbeat_interval_seconds"] == 15.0 {
			break
		}
		if t.Context().Err() != nil {
			t.Fatalf("workers %v", workers)
		}
	}
	if err := c.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Error(err)
	}
}

func TestAWorkerIsTurnedAway(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newHandler(t))
	t.Cleanup(server.Close)
	for _, tt := range []struct {
		name    string
		message map[string]any
		code    websocket.StatusCode
		reason  string
	}{
		{"without a hello", frameMessage("worker.heartbeat.v1", map[string]any{}), websocket.StatusProtocolError, "protocol_error"},
		{"without a name", helloMessage(func(p map[string]any) { p["worker_name"] = "" }), websocket.StatusProtocolError, "protocol_error"},
		{
			"from an unknown pool that it must not make", helloMessage(func(p map[string]any) { p["create_pool_if_not_found"] = false }),
			websocket.StatusPolicyViolation, "authorization_failed",
		},
		{
			"from an unknown queue", helloMessage(func(p map[string]any) { p["work_queue_names"] = []string{"x"} }),
			websocket.StatusPolicyViolation, "authorization_failed",
		},
		{
			"for its version", helloMessage(func(p map[string]any) { p["supported_channel_versions"] = []string{"v9"} }),
			websocket.StatusPolicyViolation, "unsupported_version",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := dialChannel(t, server, "nopool")
			c.send(tt.message)
			if got := c.closed(); got.Code != tt.code || !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("closed with %d %q, want %d %q", got.Code, got.Reason, tt.code, tt.reason)
			}
		})
	}
}
