package compat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// suite is what all tests of one test process share.
type suite struct {
	python    string        // interpreter with prefect 3.8.8
	postgres  string        // URL of an admin database, or ""
	reference bool          // run against `prefect server start` instead of leat
	dir       string        // removed at the end
	binary    string        // the leat binary
	slots     chan struct{} // at most two busy Python processes at once
	http      *http.Client

	mu     sync.Mutex
	shared map[string]*server // by database kind
	nextID int
}

// env is set once by TestMain, before any test runs.
var env *suite

func TestMain(m *testing.M) {
	os.Exit(runSuite(m))
}

func runSuite(m *testing.M) int {
	python := os.Getenv("LEAT_TEST_PYTHON")
	if python == "" {
		return m.Run() // each test skips with a message
	}
	dir, err := os.MkdirTemp("", "leat-compat-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "compat:", err)
		return 1
	}
	if os.Getenv("LEAT_TEST_KEEP") == "" {
		defer func() { _ = os.RemoveAll(dir) }()
	} else {
		fmt.Fprintln(os.Stderr, "compat: files stay in", dir)
	}
	env = &suite{
		python:    python,
		postgres:  os.Getenv("LEAT_TEST_POSTGRES"),
		reference: os.Getenv("LEAT_TEST_REFERENCE") != "",
		dir:       dir,
		binary:    filepath.Join(dir, "leat"),
		slots:     make(chan struct{}, 2),
		http:      &http.Client{Timeout: time.Minute},
		shared:    map[string]*server{},
	}
	defer env.stopShared()
	if !env.reference {
		ctx := context.Background() //nolint:forbidigo // TestMain has no t.Context()
		build := exec.CommandContext(ctx, "go", "build", "-o", env.binary, "../../cmd/leat")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "compat: build of cmd/leat: %v\n%s", err, out)
			return 1
		}
	}
	return m.Run()
}

// needSuite skips the test when no Python client is at hand.
func needSuite(t *testing.T) {
	t.Helper()
	if env == nil {
		t.Skip("LEAT_TEST_PYTHON is not set: run `make test-compat`, or set it to a python that has prefect 3.8.8")
	}
}

// leatOnly skips behaviours that the reference does not have.
func leatOnly(t *testing.T) {
	t.Helper()
	needSuite(t)
	if env.reference {
		t.Skip("only leat does this; LEAT_TEST_REFERENCE is set")
	}
}

func (e *suite) databases() []string {
	if e.postgres == "" || e.reference {
		return []string{"sqlite"}
	}
	return []string{"sqlite", "postgres"}
}

// onEachDatabase runs the behaviour on the server that most tests share, once
// for each database.
func onEachDatabase(t *testing.T, test func(*testing.T, *server)) {
	t.Helper()
	needSuite(t)
	t.Parallel()
	for _, kind := range env.databases() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := env.sharedServer(t, kind)
			s.showLogOnFailure(t)
			test(t, s)
		})
	}
}

// options are what a server of a test's own is started with.
type options struct {
	auth  string   // user:password
	host  string   // where it listens; "" is 127.0.0.1
	flags []string // further flags; the reference gets none of them
	env   []string // further settings, KEY=VALUE; the reference gets none of them
}

// onOwnServer runs the behaviour on a server of its own, once for each database.
func onOwnServer(t *testing.T, o options, test func(*testing.T, *server)) {
	t.Helper()
	needSuite(t)
	t.Parallel()
	for _, kind := range env.databases() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			test(t, ownServer(t, kind, o))
		})
	}
}

// ownServer starts a server that ends with the test.
func ownServer(t *testing.T, kind string, o options) *server {
	t.Helper()
	s, err := env.newServer(t.Context(), kind, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Errorf("server: %v", err)
		}
	})
	s.showLogOnFailure(t)
	if err := s.start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (e *suite) sharedServer(t *testing.T, kind string) *server {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if s := e.shared[kind]; s != nil {
		return s
	}
	// The first test that needs the server starts it, but it outlives that test.
	ctx := context.WithoutCancel(t.Context())
	s, err := e.newServerLocked(ctx, kind, options{})
	if err == nil {
		err = s.start(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	e.shared[kind] = s
	return s
}

func (e *suite) stopShared() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for kind, s := range e.shared {
		if err := s.close(); err != nil {
			fmt.Fprintf(os.Stderr, "compat: shared server on %s: %v\n", kind, err)
		}
	}
}

// unique makes a name that no other test of this process uses.
func (e *suite) unique(prefix string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.uniqueLocked(prefix)
}

func (e *suite) uniqueLocked(prefix string) string {
	e.nextID++
	return fmt.Sprintf("%s-%d-%d", prefix, os.Getpid(), e.nextID)
}

// server is one server process and its database.
type server struct {
	api      string // http://HOST:PORT/api
	auth     string // user:password, or ""
	database string // what --database gets
	flags    []string
	env      []string
	dir      string
	host     string
	port     int
	log      string
	cmd      *exec.Cmd
	exited   chan struct{} // closed when cmd ended
	drop     func() error  // removes the database
}

func (e *suite) newServer(ctx context.Context, kind string, o options) (*server, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.newServerLocked(ctx, kind, o)
}

func (e *suite) newServerLocked(ctx context.Context, kind string, o options) (*server, error) {
	name := e.uniqueLocked("server")
	s := &server{dir: filepath.Join(e.dir, name), host: cmp.Or(o.host, "127.0.0.1"), flags: o.flags, env: o.env, auth: o.auth, drop: func() error { return nil }}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return nil, err
	}
	s.log = filepath.Join(s.dir, "server.log")
	s.database = filepath.Join(s.dir, "leat.db")
	if kind == "postgres" {
		url, drop, err := createDatabase(ctx, e.postgres, strings.ReplaceAll("leat_compat_"+name, "-", "_"))
		if err != nil {
			return nil, err
		}
		s.database, s.drop = url, drop
	}
	var err error
	if s.port, err = freePort(ctx); err != nil {
		return nil, err
	}
	s.api = fmt.Sprintf("http://%s:%d/api", s.host, s.port)
	return s, nil
}

func freePort(ctx context.Context) (int, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// command is the process that serves; it does not inherit the caller's
// PREFECT_ and LEAT_ settings.
func (s *server) command(ctx context.Context) *exec.Cmd {
	port := strconv.Itoa(s.port)
	if env.reference {
		cmd := exec.CommandContext(ctx, env.python, "-m", "prefect", "server", "start", "--host", s.host, "--port", port, "--no-ui", "--analytics-off")
		// Logs are followed live only when these are on; leat needs no switch.
		cmd.Env = append(cleanEnvironment(), "PREFECT_HOME="+s.dir,
			"PREFECT_SERVER_LOGS_STREAM_OUT_ENABLED=true", "PREFECT_SERVER_LOGS_STREAM_PUBLISHING_ENABLED=true")
		if s.auth != "" {
			cmd.Env = append(cmd.Env, "PREFECT_SERVER_API_AUTH_STRING="+s.auth)
		}
		return cmd
	}
	args := append([]string{"server", "start", "--host", s.host, "--port", port, "--database", s.database}, s.flags...)
	cmd := exec.CommandContext(ctx, env.binary, args...)
	cmd.Env = append(append(cleanEnvironment(), "LEAT_HOME="+s.dir), s.env...)
	if s.auth != "" {
		cmd.Args = append(cmd.Args, "--auth-string", s.auth)
	}
	return cmd
}

// start returns when the server says that it is healthy.
func (s *server) start(ctx context.Context) error {
	out, err := os.OpenFile(s.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	// The test ends it, gracefully, not the context.
	s.cmd = s.command(context.WithoutCancel(ctx))
	s.cmd.Stdout, s.cmd.Stderr = out, out
	if err := s.cmd.Start(); err != nil {
		return err
	}
	s.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		defer close(exited)
		_ = cmd.Wait()
	}(s.cmd, s.exited)
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	if err := poll(ctx, s.healthy); err != nil {
		return fmt.Errorf("server is not healthy: %w\n%s", err, s.logTail())
	}
	return nil
}

func (s *server) healthy(ctx context.Context) (bool, error) {
	select {
	case <-s.exited:
		return false, fmt.Errorf("server ended: %s", s.cmd.ProcessState)
	default:
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.api+"/health", http.NoBody)
	if err != nil {
		return false, err
	}
	resp, err := env.http.Do(req)
	if err != nil {
		return false, nil // not listening yet
	}
	defer func() { _ = resp.Body.Close() }()
	body := make([]byte, 16)
	n, _ := resp.Body.Read(body)
	return resp.StatusCode == http.StatusOK && strings.TrimSpace(string(body[:n])) == "true", nil
}

// stop ends the server gracefully and fails when that takes too long.
func (s *server) stop() error {
	if s.cmd == nil {
		return nil
	}
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.exited:
		return nil
	case <-time.After(20 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.exited
		return errors.New("SIGTERM did not end the server within 20 s")
	}
}

// kill ends the server as a crash does.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.exited
}

func (s *server) close() error {
	return errors.Join(s.stop(), s.drop())
}

func (s *server) logTail() string {
	data, err := os.ReadFile(s.log)
	if err != nil {
		return err.Error()
	}
	if limit := 60_000; len(data) > limit {
		data = data[len(data)-limit:]
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if len(lines) > 60 {
		lines = lines[len(lines)-60:]
	}
	return strings.Join(lines, "\n")
}

func (s *server) showLogOnFailure(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("end of the server's log (%s):\n%s", s.log, s.logTail())
		}
	})
}

// poll asks for the condition every 200 ms until it holds, fails, or ctx ends.
func poll(ctx context.Context, condition func(context.Context) (bool, error)) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := condition(ctx); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// waitFor fails the test unless the condition holds within the limit.
func waitFor(t *testing.T, limit time.Duration, what string, condition func(context.Context) (bool, error)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	if err := poll(ctx, condition); err != nil {
		t.Fatalf("waiting for %s (at most %s): %v", what, limit, err)
	}
}

// cleanEnvironment is the caller's environment without what would configure
// the programs under test.
func cleanEnvironment() []string {
	var kept []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PREFECT_") && !strings.HasPrefix(v, "LEAT_") {
			kept = append(kept, v)
		}
	}
	return kept
}
