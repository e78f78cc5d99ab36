package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// connect returns a client of a server that answers by handler.
func connect(t *testing.T, cfg client.Config, handler http.HandlerFunc) *client.Client {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	cfg.URL, cfg.Backoff = srv.URL+"/api", time.Millisecond
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		cfg  client.Config
		want string
	}{
		{"without credentials nobody is named", client.Config{}, ""},
		{"a key is a Bearer token", client.Config{Key: "k"}, "Bearer k"},
		{"user and password are Basic", client.Config{AuthString: "admin:secret"}, "Basic YWRtaW46c2VjcmV0"},
		{"a key wins", client.Config{Key: "k", AuthString: "admin:secret"}, "Bearer k"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got http.Header
			tt.cfg.Version, tt.cfg.WorkerName = "1.2", "w1"
			c := connect(t, tt.cfg, func(w http.ResponseWriter, r *http.Request) {
				got = r.Header.Clone()
				_, _ = io.WriteString(w, `"3.8.8"`)
			})
			if v, err := c.ServerVersion(t.Context()); err != nil || v != "3.8.8" {
				t.Fatalf("%q, %v", v, err)
			}
			want := map[string]string{
				"Authorization": tt.want, "User-Agent": "leat/1.2", "X-Prefect-Api-Version": "0.8.4", "X-Prefect-Worker-Name": "w1",
			}
			for name, value := range want {
				if got.Get(name) != value {
					t.Errorf("%s: %q, want %q", name, got.Get(name), value)
				}
			}
		})
	}
}

func TestBusyServerIsAskedAgain(t *testing.T) {
	t.Parallel()
	for _, status := range []int{408, 429, 502, 503} {
		var asked atomic.Int32
		c := connect(t, client.Config{}, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if string(body) != `{"limit":1}` {
				t.Errorf("attempt %d sends %q", asked.Load(), body)
			}
			if asked.Add(1) < 3 {
				w.Header().Set("Retry-After", "0.001")
				w.WriteHeader(status)
				return
			}
			_, _ = io.WriteString(w, "[]")
		})
		if _, err := c.Flows(t.Context(), client.Query{"limit": 1}); err != nil || asked.Load() != 3 {
			t.Errorf("%d: %v after %d attempts", status, err, asked.Load())
		}
	}
}

func TestAskingAgainEnds(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	c := connect(t, client.Config{Attempts: 4}, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"exception_message":"Service Unavailable"}`)
	})
	_, err := c.Health(t.Context())
	if !client.IsStatus(err, 503) || err.Error() != "Service Unavailable" || asked.Load() != 4 {
		t.Errorf("%v after %d attempts", err, asked.Load())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Health(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("after the context's end: %v", err)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body, want string
		status           int
	}{
		{"detail", `{"detail":"Flow run not found."}`, "Flow run not found.", 404},
		{
			"refused fields", `{"exception_message":"Invalid request received.","exception_detail":[{"loc":["body","state","type"],"msg":"Input should be x"},{"loc":["body",0],"msg":"b"}]}`,
			"body.state.type: Input should be x; body.0: b", 422,
		},
		{"a message alone", `{"exception_message":"Internal Server Error"}`, "Internal Server Error", 500},
		{"no JSON", "<html>", "GET /health: the server answers 404 Not Found", 404},
		{"no credentials", `{"exception_message":"Unauthorized"}`, "the server wants to know who asks: set PREFECT_API_KEY or PREFECT_API_AUTH_STRING", 401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := connect(t, client.Config{}, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			_, err := c.Health(t.Context())
			if err == nil || err.Error() != tt.want || !client.IsStatus(err, tt.status) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	c, err := client.New(client.Config{URL: "http://127.0.0.1:1/api"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Health(t.Context())
	if _, ok := errors.AsType[*client.Unreachable](err); !ok || !strings.Contains(err.Error(), "no server answers at http://127.0.0.1:1/api") {
		t.Errorf("%v", err)
	}
	for _, url := range []string{"", "localhost:4200", "ftp://x/api", "http://", "::"} {
		if _, err := client.New(client.Config{URL: url}); err == nil {
			t.Errorf("%q is taken for an address", url)
		}
	}
}

// socket serves one websocket: it greets and then calls talk.
func socket(t *testing.T, token string, talk func(ctx context.Context, conn *websocket.Conn)) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"prefect"}})
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.CloseNow() }()
		var hello map[string]any
		if err := read(r.Context(), conn, &hello); err != nil {
			t.Error(err)
			return
		}
		if diff := cmp.Diff(map[string]any{"type": "auth", "token": token}, hello); diff != "" {
			t.Errorf("greeting: %s", diff)
		}
		write(r.Context(), t, conn, `{"type":"auth_success"}`)
		talk(r.Context(), conn)
	}
}

func read(ctx context.Context, conn *websocket.Conn, v any) error {
	_, data, err := conn.Read(ctx)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

func write(ctx context.Context, t *testing.T, conn *websocket.Conn, text string) {
	t.Helper()
	if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		t.Error(err)
	}
}

func TestFollowEvents(t *testing.T) {
	t.Parallel()
	c := connect(t, client.Config{AuthString: "a:b"}, socket(t, "a:b", func(ctx context.Context, conn *websocket.Conn) {
		var filter struct {
			Type   string
			Filter map[string]any
		}
		if err := read(ctx, conn, &filter); err != nil || filter.Type != "filter" || filter.Filter["event"] != "x" {
			t.Errorf("filter %+v, %v", filter, err)
		}
		write(ctx, t, conn, `{"type":"something else"}`)
		write(ctx, t, conn, `{"type":"event","event":{"event":"one","occurred":"2026-01-01T00:00:00Z","resource":{"prefect.resource.id":"r"},"id":"01a20225-976a-778d-a06c-e3d3b2eb33cb"}}`)
		_ = conn.Close(websocket.StatusGoingAway, "enough")
	}))
	var got []string
	err := c.FollowEvents(t.Context(), map[string]any{"event": "x"}, func(e client.Event) { got = append(got, e.Event) })
	if diff := cmp.Diff([]string{"one"}, got); diff != "" {
		t.Error(diff)
	}
	if websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("ended with %v", err)
	}
}

func TestSendEvents(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	events := []client.Event{
		{Event: "one", ID: core.NewID(at), Occurred: wire.FromTime(at), Resource: core.Labels{{Key: "prefect.resource.id", Value: "r"}}},
		{Event: "two", ID: core.NewID(at), Occurred: wire.FromTime(at), Resource: core.Labels{{Key: "prefect.resource.id", Value: "r"}}},
	}
	t.Run("events are sent in order and confirmed by the pong", func(t *testing.T) {
		t.Parallel()
		got := make(chan []string, 1)
		c := connect(t, client.Config{Key: "k"}, socket(t, "k", func(ctx context.Context, conn *websocket.Conn) {
			var names []string
			for {
				var e client.Event
				if err := read(ctx, conn, &e); err != nil {
					got <- names
					return
				}
				names = append(names, e.Event)
			}
		}))
		if err := c.SendEvents(t.Context(), events); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"one", "two"}, <-got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("without a pong they are not confirmed", func(t *testing.T) {
		t.Parallel()
		c := connect(t, client.Config{Key: "k"}, socket(t, "k", func(context.Context, *websocket.Conn) {}))
		if err := c.SendEvents(t.Context(), events); err == nil {
			t.Error("no error")
		}
	})
}
