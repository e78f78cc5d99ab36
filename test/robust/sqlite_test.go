package robust

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// work starts writers and returns a function that waits for them and returns
// what went wrong.
func work(ctx context.Context, writers int, s *server, flow, limit string, l *ledger) (wait func() error) {
	errs := make([]error, writers)
	var all sync.WaitGroup
	for i := range writers {
		u := &user{servers: []*server{s}, flow: flow, limit: limit, ledger: l, alive: ctx}
		all.Go(func() { errs[i] = u.lives(1 << 20) })
	}
	return func() error {
		all.Wait()
		return errors.Join(errs...)
	}
}

func loadTime() time.Duration {
	if os.Getenv("LEAT_TEST_LONG") != "" {
		return time.Minute
	}
	return 10 * time.Second
}

func TestSQLiteServes64WritersWithoutAnError(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	flow, limit := s.flow(), unique("limit")
	s.must(http.MethodPost, "/v2/concurrency_limits/", object{"name": limit, "limit": 1000}, nil)
	l := newLedger()
	ctx, cancel := context.WithTimeout(t.Context(), loadTime())
	defer cancel()
	sub := subscribe(s, object{"event": object{"name": []string{"prefect.task-run.Completed"}}}, false)
	wait := work(ctx, 64, s, flow, limit, l)
	s.waitFor(5*time.Second, "a subscriber to be told while others write", func() bool {
		return len(sub.named("prefect.task-run.Completed")) > 64
	})
	if err := wait(); err != nil {
		t.Error(err)
	}
	l.check(t, s, flow)
	l.checkEvents(t, s)
	var left struct {
		ActiveSlots int `json:"active_slots"`
	}
	s.must(http.MethodGet, "/v2/concurrency_limits/"+limit, nil, &left)
	if left.ActiveSlots != 0 {
		t.Errorf("%d slots are still taken", left.ActiveSlots)
	}
}

func TestSQLiteKeepsWhatWasAcknowledgedBeforeKill9(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	flow := s.flow()
	l := newLedger()
	for round := range 3 {
		before := l.count()
		wait := work(t.Context(), 32, s, flow, "", l)
		s.waitFor(20*time.Second, "work in all writers", func() bool { return l.count() > before+200 })
		s.kill()
		if wait() == nil {
			t.Errorf("round %d: nobody noticed that the server was killed", round)
		}
		s.start()
	}
	l.check(t, s, flow)
	l.checkEvents(t, s)
	integrity(t, s)
}

func TestSIGTERMUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	flow := s.flow()
	l := newLedger()
	var subs []*subscriber
	for range 10 {
		subs = append(subs, subscribe(s, object{}, false))
	}
	wait := work(t.Context(), 32, s, flow, "", l)
	s.waitFor(20*time.Second, "work in all writers", func() bool { return l.count() > 60 })
	code, took := s.terminate()
	if code != 0 || took > 10*time.Second {
		t.Errorf("exit code %d after %s", code, took)
	}
	_ = wait() // each writer ends with the refusal of its next request
	for _, sub := range subs {
		waitFor(t, 5*time.Second, "the subscriber's socket to end", func() bool { return sub.ending() != nil })
		if websocket.CloseStatus(sub.ending()) != websocket.StatusServiceRestart {
			t.Errorf("a subscriber's socket ended without a close frame: %v", sub.ending())
		}
	}
	s.start()
	l.check(t, s, flow)
	l.checkEvents(t, s)
}

func TestASecondServerOnTheSameFileIsRefused(t *testing.T) {
	t.Parallel()
	first := startServer(t, "")
	second := newServer(t, first.database)
	code, said := second.refusesToStart()
	if code == 0 || !strings.Contains(said, "another leat server uses this database") {
		t.Errorf("exit code %d, said %q", code, said)
	}
	first.run(first.flow())
}

func TestAPortInUseIsNamed(t *testing.T) {
	t.Parallel()
	var listen net.ListenConfig
	busy, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = busy.Close() }()
	s := newServer(t, "")
	s.port = busy.Addr().(*net.TCPAddr).Port
	code, said := s.refusesToStart()
	if code == 0 || !strings.Contains(said, strconv.Itoa(s.port)) || !strings.Contains(said, "address already in use") {
		t.Errorf("exit code %d, said %q", code, said)
	}
}

// integrity stops the server and checks its file.
func integrity(t *testing.T, s *server) {
	t.Helper()
	s.terminate()
	db := openFile(t, s.database)
	var result string
	if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&result); err != nil || result != "ok" {
		t.Errorf("integrity_check: %s, %v", result, err)
	}
}

func fileURL(file string) string {
	return fmt.Sprintf("file:%s?mode=ro", (&url.URL{Path: file}).EscapedPath())
}

func TestSIGTERMClosesTheSocketsOfAnIdleServer(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	var subs []*subscriber
	for range 100 {
		subs = append(subs, subscribe(s, object{}, false))
	}
	subs[len(subs)-1].isLive(t, s)
	if code, took := s.terminate(); code != 0 || took > 5*time.Second {
		t.Errorf("exit code %d after %s", code, took)
	}
	for _, sub := range subs {
		waitFor(t, 5*time.Second, "the subscriber's socket to end", func() bool { return sub.ending() != nil })
		if websocket.CloseStatus(sub.ending()) != websocket.StatusServiceRestart {
			t.Errorf("a subscriber's socket ended without a close frame: %v", sub.ending())
		}
	}
}

func TestSIGTERMDoesNotWaitForAClientThatIsStuck(t *testing.T) {
	t.Parallel()
	s := startServer(t, "")
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(strings.TrimSuffix(s.url(""), "/api"), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := fmt.Fprint(c, "POST /api/flows/ HTTP/1.1\r\nHost: leat\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	s.flow() // by then the server has read what came before
	if code, took := s.terminate(); code != 0 || took > 10*time.Second {
		t.Errorf("exit code %d after %s", code, took)
	}
}
