package server

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/store"
)

// started is a server that runs in the test's process.
type started struct {
	t       *testing.T
	url     string
	http    *http.Client
	stop    context.CancelFunc
	stopped chan error
}

func start(t *testing.T, run func(ctx context.Context, isReady func(addr string)) error) *started {
	t.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	s := &started{t: t, http: &http.Client{Timeout: 30 * time.Second}, stop: stop, stopped: make(chan error, 1)}
	t.Cleanup(stop)
	addr := make(chan string, 1)
	go func() { s.stopped <- run(ctx, func(a string) { addr <- a }) }()
	select {
	case a := <-addr:
		s.url = "http://" + a + "/api"
	case err := <-s.stopped:
		t.Fatal(err)
	}
	return s
}

func startOn(t *testing.T, cfg Config) *started {
	t.Helper()
	return start(t, func(ctx context.Context, isReady func(string)) error {
		return Run(ctx, cfg, Environment{Now: time.Now, Version: "test", Ready: isReady})
	})
}

func config(t *testing.T) Config {
	t.Helper()
	home := t.TempDir()
	cfg := Default(home)
	cfg.Port, cfg.Database = 0, filepath.Join(home, "leat.db")
	return cfg
}

// post returns the answer's body, or why there is none.
func (s *started) post(path, body string) (string, error) {
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	res, err := s.http.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	data, err := io.ReadAll(res.Body)
	return string(data), err
}

// dial opens a websocket and says hello by the messages. ended receives how it ended.
func (s *started) dial(path string, hello ...any) (conn *websocket.Conn, ended <-chan error) {
	s.t.Helper()
	//nolint:bodyclose // the answer of an accepted websocket has no body to close
	conn, _, err := websocket.Dial(s.t.Context(), strings.Replace(s.url, "http", "ws", 1)+path, &websocket.DialOptions{
		Subprotocols: []string{"prefect"},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.CloseNow() })
	var answer struct {
		Type string `json:"type"`
	}
	if err := wsjson.Write(s.t.Context(), conn, map[string]any{"type": "auth", "token": nil}); err != nil {
		s.t.Fatal(err)
	}
	if err := wsjson.Read(s.t.Context(), conn, &answer); err != nil || answer.Type != "auth_success" {
		s.t.Fatalf("%s: answer %v, %v", path, answer, err)
	}
	for _, m := range hello {
		if err := wsjson.Write(s.t.Context(), conn, m); err != nil {
			s.t.Fatal(err)
		}
	}
	end := make(chan error, 1)
	go func() {
		for {
			if _, _, err := conn.Read(s.t.Context()); err != nil {
				end <- err
				return
			}
		}
	}()
	return conn, end
}

func event(id core.ID) map[string]any {
	return map[string]any{
		"id": id, "occurred": time.Now().UTC(), "event": "order.paid", "resource": map[string]string{"prefect.resource.id": "order.1"},
	}
}

func TestEverySocketIsToldThatTheServerStopsAndItsConfirmedEventsAreStored(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	s := startOn(t, cfg)
	all := map[string]any{"type": "filter", "filter": map[string]any{}}
	in, inEnded := s.dial("/events/in")
	_, outEnded := s.dial("/events/out", all)
	_, logsEnded := s.dial("/logs/out", all)
	id := core.NewID(time.Now())
	if err := wsjson.Write(t.Context(), in, event(id)); err != nil {
		t.Fatal(err)
	}
	if err := in.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.stop()
	for path, ended := range map[string]<-chan error{"events/in": inEnded, "events/out": outEnded, "logs/out": logsEnded} {
		err := <-ended
		if websocket.CloseStatus(err) != websocket.StatusServiceRestart || !strings.Contains(err.Error(), "the server is stopping") {
			t.Errorf("%s ended by %v", path, err)
		}
	}
	if err := <-s.stopped; err != nil {
		t.Fatal(err)
	}

	again := startOn(t, cfg)
	found, err := again.post("/events/filter", `{"filter": {"event": {"name": ["order.paid"]}}}`)
	if err != nil || !strings.Contains(found, id.String()) {
		t.Errorf("after the restart the events are %s, %v", found, err)
	}
	again.stop()
	if err := <-again.stopped; err != nil {
		t.Error(err)
	}
}

// silentStore is a store that can fall silent, as a database behind a broken network.
type silentStore struct {
	core.Store
	// silent is closed to fall silent, talking to answer again.
	silent, talking chan struct{}
	asked           chan struct{} // capacity 1; receives when somebody waits for an answer
}

func (s *silentStore) wait() {
	select {
	case <-s.silent:
		select {
		case s.asked <- struct{}{}:
		default:
		}
		<-s.talking
	default:
	}
}

func (s *silentStore) View(ctx context.Context, ws core.WorkspaceID, fn func(core.Tx) error) error {
	s.wait()
	return s.Store.View(ctx, ws, fn)
}

func (s *silentStore) Update(ctx context.Context, ws core.WorkspaceID, fn func(core.Tx) error) error {
	s.wait()
	return s.Store.Update(ctx, ws, fn)
}

func (s *silentStore) Close() error {
	s.wait()
	return s.Store.Close()
}

func TestAStopWithASilentDatabaseEndsInTimeAndSaysWhatItCutOff(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	cfg.StopTimeout = time.Second
	db, err := store.Open(t.Context(), store.Config{Database: cfg.Database})
	if err != nil {
		t.Fatal(err)
	}
	silent := &silentStore{db, make(chan struct{}), make(chan struct{}), make(chan struct{}, 1)}
	closed := make(chan struct{})
	s := start(t, func(ctx context.Context, isReady func(string)) error {
		p, err := assemble(ctx, cfg, Environment{Now: time.Now, Version: "test"}, slog.New(slog.DiscardHandler), silent, newMetrics())
		if err != nil {
			return err
		}
		return p.run(ctx, isReady)
	})
	in, inEnded := s.dial("/events/in")
	close(silent.silent)
	t.Cleanup(func() {
		close(silent.talking)
		_ = db.Close()
	})
	go func() {
		defer close(closed)
		if _, err := s.post("/flows/filter", "{}"); err == nil {
			t.Error("a request was answered without the database")
		}
	}()
	<-silent.asked
	if err := wsjson.Write(t.Context(), in, event(core.NewID(time.Now()))); err != nil {
		t.Fatal(err)
	}
	<-silent.asked // the event, unless a service was first; either is cut off
	begun := time.Now()
	s.stop()
	err = <-s.stopped
	if took := time.Since(begun); took > 2*cfg.StopTimeout {
		t.Errorf("the stop took %s", took)
	}
	for _, part := range []string{"POST /api/flows/filter", "the transactions of the database", "1s"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not tell of %q: %v", part, err)
		}
	}
	if err := <-inEnded; websocket.CloseStatus(err) != websocket.StatusServiceRestart {
		t.Errorf("the event socket ended by %v", err)
	}
	<-closed
}

func TestAClientThatDoesNotEndItsRequestIsNoReasonToComplain(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	cfg.StopTimeout = time.Second
	s := startOn(t, cfg)
	body, writer := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/flows/", body)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		res, err := s.http.Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
		answered <- err
	}()
	if _, err := io.WriteString(writer, `{"name": `); err != nil {
		t.Fatal(err)
	}
	if text, err := s.post("/flows/", `{"name": "another"}`); err != nil || !json.Valid([]byte(text)) {
		t.Fatal(text, err)
	}
	s.stop()
	if err := <-s.stopped; err != nil {
		t.Error(err)
	}
	_ = writer.CloseWithError(io.ErrUnexpectedEOF) // else the client waits for the rest of its own body
	if <-answered == nil {
		t.Error("half a request was answered")
	}
}
