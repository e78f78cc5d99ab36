package robust

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// A database that takes connections and says nothing holds up requests, event
// sockets, services and the store itself; the process ends all the same.
func TestSIGTERMEndsAServerWhosePostgresIsSilent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		flags []string
		limit time.Duration
	}{
		"within ten seconds by itself":     {nil, 10 * time.Second},
		"within the time that it is given": {[]string{"--stop-timeout", "2s"}, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, through := newProxy(t, postgresDatabase(t))
			s := startServer(t, through, c.flags...)
			flow := s.flow()
			run := s.run(flow)
			in, err := s.dial(t.Context(), "/events/in")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = in.CloseNow() }()
			ended := make(chan error, 1)
			go func() {
				_, _, err := in.Read(t.Context())
				ended <- err
			}()
			sub := subscribe(s, object{}, false)
			sub.isLive(t, s)

			p.stall()
			lost := object{
				"id": newID(), "occurred": time.Now().UTC(), "event": "order.paid", "resource": object{"prefect.resource.id": "order.1"},
			}
			if err := wsjson.Write(t.Context(), in, lost); err != nil {
				t.Fatal(err)
			}
			waitFor(t, 5*time.Second, "the event to be on its way to the database", func() bool { return p.holds("order.paid") })
			var all sync.WaitGroup
			for _, probe := range probes(flow, run) {
				all.Go(func() {
					path, body := probe(s)
					method := http.MethodPost
					if body == nil {
						method = http.MethodGet
					}
					if status, _ := s.call(t.Context(), method, path, body, nil); status == http.StatusOK || status == http.StatusCreated {
						t.Errorf("%s %s was answered with %d", method, path, status)
					}
				})
			}
			waitFor(t, 5*time.Second, "a request to be on its way to the database", func() bool { return p.holds(run) || p.holds("FROM flow_run") })
			code, took := s.terminate()
			if code != 1 || took > c.limit {
				t.Errorf("exit code %d after %s", code, took)
			}
			if log := s.logText(); !strings.Contains(log, "without finishing GET /api/events/in, ") ||
				!strings.Contains(log, "the transactions of the database") {
				t.Errorf("the log does not say what was cut off:\n%s", log)
			}
			if err := <-ended; websocket.CloseStatus(err) != websocket.StatusServiceRestart {
				t.Errorf("the event socket ended by %v", err)
			}
			waitFor(t, 5*time.Second, "the subscriber's socket to end", func() bool { return sub.ending() != nil })
			if err := sub.ending(); websocket.CloseStatus(err) != websocket.StatusServiceRestart {
				t.Errorf("the subscriber's socket ended by %v", err)
			}
			p.resume()
			all.Wait()
		})
	}
}
