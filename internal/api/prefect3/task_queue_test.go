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
)

// TestAWaitingTaskWorkerGetsRunsAsTheyCome has the worker wait for longer than
// the server's own looks are apart before the first run is made.
func TestAWaitingTaskWorkerGetsRunsAsTheyCome(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newHandler(t))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	//nolint:bodyclose // the answer of an accepted websocket has no body to close
	conn, _, err := websocket.Dial(ctx, strings.Replace(server.URL, "http", "ws", 1)+"/api/task_runs/subscriptions/scheduled", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.CloseNow() }()
	send := func(text string) {
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	send(`{"type": "subscribe", "keys": ["bg"], "client_id": "c"}`)
	quiet := time.NewTimer(1500 * time.Millisecond)
	<-quiet.C
	for _, key := range []string{"1", "2"} {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL+"/api/task_runs/", strings.NewReader(
			`{"task_key": "bg", "dynamic_key": "`+key+`", "state": {"type": "SCHEDULED", "state_details": {"deferred": true}}}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		_, data, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var run struct {
			DynamicKey string `json:"dynamic_key"`
		}
		if err := json.Unmarshal(data, &run); err != nil || run.DynamicKey != key {
			t.Errorf("got %s, %v; want the run %s", data, err, key)
		}
		send(`{"type": "ack"}`)
	}
	send(`{"type": "quit"}`)
	if _, _, err := conn.Read(ctx); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("the socket ended with %v", err)
	}
}
