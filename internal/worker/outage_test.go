package worker_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/launch"
	"github.com/leat-dev/leat/internal/worker"
)

// wire lies between a worker and its server and loses what the test says.
type wire struct {
	mu sync.Mutex
	// lost decides for a request; answered says that the server has done it and
	// only its answer would be lost. The first true breaks the connection.
	lost func(r *http.Request, answered bool) bool
}

func (l *wire) lose(f func(r *http.Request, answered bool) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost = f
}

func (l *wire) loses(r *http.Request, answered bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost != nil && l.lost(r, answered)
}

// behindWire is a worker's configuration whose client reaches the server through the wire.
func (b *bundle) behindWire() (worker.Config, *wire) {
	b.t.Helper()
	target, err := url.Parse(strings.TrimSuffix(b.c.URL(), "/api"))
	if err != nil {
		b.t.Fatal(err)
	}
	l := &wire{}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		if l.loses(r.Request, true) {
			return errors.New("lost")
		}
		return nil
	}
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if l.loses(r, false) {
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, r)
	}))
	b.t.Cleanup(srv.Close)
	c, err := client.New(client.Config{URL: srv.URL + "/api", Version: "test", WorkerName: "w1"})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	cfg := b.config()
	cfg.Client = c
	return cfg, l
}

// times loses the first n answers or requests of a kind.
func times(n int, answered bool, method, suffix string) func(*http.Request, bool) bool {
	return func(r *http.Request, done bool) bool {
		if done != answered || r.Method != method || !strings.HasSuffix(r.URL.Path, suffix) || n == 0 {
			return false
		}
		n--
		return true
	}
}

// A claim that the server accepted and whose answer was lost is the worker's:
// nobody else would start the run while the worker lives.
func TestARunIsStartedThoughTheAnswerToItsClaimIsLost(t *testing.T) {
	t.Parallel()
	for name, answered := range map[string]bool{"the answer is lost": true, "the request is lost": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			cfg, l := b.behindWire()
			l.lose(times(1, answered, http.MethodPost, "/set_state"))
			run := b.run(b.deploy(object{}))
			b.start(cfg)
			job := b.job()
			if job.Run != run.ID.String() {
				t.Fatalf("run %s was started, want %s", job.Run, run.ID)
			}
			b.setState(run.ID, core.Running)
			b.setState(run.ID, core.Completed)
			job.end(launch.Exit{})
			b.state(run.ID, core.Completed)
		})
	}
}

// A run that another worker has taken while nobody answered is not taken back.
func TestALostClaimLeavesARunThatIsAnothers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cfg, l := b.behindWire()
	run := b.run(b.deploy(object{}))
	asked, taken, claim := make(chan struct{}), make(chan struct{}), times(1, false, http.MethodPost, "/set_state")
	l.lose(func(r *http.Request, answered bool) bool {
		if !claim(r, answered) {
			return false
		}
		close(asked)
		<-taken
		return true
	})
	var log buffer
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	b.start(cfg)
	<-asked
	for _, state := range []core.StateType{core.Pending, core.Running, core.Completed} {
		b.setState(run.ID, state)
	}
	close(taken)
	log.wait(t, 1, "the run is not to be started")
	if got := b.state(run.ID, core.Completed); got.RunCount != 1 {
		t.Errorf("the run ran %d times", got.RunCount)
	}
}

// A crash is told when somebody can hear of it.
func TestACrashIsReportedWhenTheServerIsBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	cfg, l := b.behindWire()
	run := b.run(b.deploy(object{}))
	b.start(cfg)
	job := b.job()
	b.eventually(run.ID, "with infrastructure", func(r client.FlowRun) bool { return r.InfrastructurePID != nil })
	failed := make(chan struct{}, 100)
	l.lose(func(_ *http.Request, answered bool) bool {
		select {
		case failed <- struct{}{}:
		default:
		}
		return !answered
	})
	job.end(launch.Exit{Code: 7})
	for range 5 {
		<-failed
	}
	l.lose(nil)
	if got := b.state(run.ID, core.Crashed); got.State.Message == nil || !strings.Contains(*got.State.Message, "7") {
		t.Errorf("the run's message is %v", got.State.Message)
	}
}

// A worker whose heartbeats fail goes on, says so once, and is heard again.
func TestAWorkerOutlivesAnAbsenceOfItsServer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.deploy(object{})
	cfg, l := b.behindWire()
	var log buffer
	cfg.Log, cfg.HeartbeatEvery = slog.New(slog.NewTextHandler(&log, nil)), 30*time.Millisecond
	started := make(chan struct{})
	cfg.Started = func() { close(started) }
	b.start(cfg)
	<-started
	beats := make(chan struct{}, 100)
	l.lose(func(r *http.Request, answered bool) bool {
		// A heartbeat begins with a look at the pool.
		if !answered && r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/work_pools/") {
			select {
			case beats <- struct{}{}:
			default:
			}
		}
		return !answered
	})
	for range 5 {
		<-beats
	}
	l.lose(nil)
	for _, while := range []string{"sending the worker's heartbeat", "polling the work pool"} {
		told := `while="` + while + `"`
		log.wait(t, 2, told)
		for _, sentence := range []string{"an exchange with the server failed; trying again", "exchanges with the server work again"} {
			if n := log.lines(sentence, told); n != 1 {
				t.Errorf("%q was logged %d times while %s:\n%s", sentence, n, while, log.String())
			}
		}
	}
	run := b.run(b.deploy(object{}))
	if job := b.job(); job.Run != run.ID.String() {
		t.Errorf("run %s was started, want %s", job.Run, run.ID)
	}
}

// buffer is a log that a test waits for.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// lines counts the lines that hold all the texts.
func (b *buffer) lines(texts ...string) int {
	n := 0
	for line := range strings.Lines(b.String()) {
		if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(line, text) }) {
			n++
		}
	}
	return n
}

// wait waits until so many lines hold the text.
func (b *buffer) wait(t *testing.T, lines int, text string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for b.lines(text) < lines {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("%q was not logged %d times:\n%s", text, lines, b.String())
		}
	}
}
