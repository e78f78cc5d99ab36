package robust

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// suite is what all tests of one test process share.
type suite struct {
	binary string
	nextID atomic.Int64
}

// env is set once by TestMain, before any test runs.
var env *suite

func TestMain(m *testing.M) { os.Exit(runSuite(m)) }

func runSuite(m *testing.M) int {
	dir, err := os.MkdirTemp("", "leat-robust-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "robust:", err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	env = &suite{binary: filepath.Join(dir, "leat")}
	ctx := context.Background() //nolint:forbidigo // TestMain has no t.Context()
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", env.binary, "../../cmd/leat").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "robust: build of cmd/leat: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// unique makes a name that nothing else on this machine uses.
func unique(prefix string) string {
	return fmt.Sprintf("%s-%d-%d", prefix, os.Getpid(), env.nextID.Add(1))
}

// postgresDatabase makes an empty database that is dropped after the test, or skips.
func postgresDatabase(t *testing.T) string {
	t.Helper()
	admin := os.Getenv("LEAT_TEST_POSTGRES")
	if admin == "" {
		t.Skip("LEAT_TEST_POSTGRES is not set: run `scripts/with-postgres.sh go test ./test/robust`")
	}
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.ReplaceAll(unique("leat_robust"), "-", "_")
	run := func(ctx context.Context, statement string) error {
		c, err := pgx.Connect(ctx, admin)
		if err != nil {
			return err
		}
		_, err = c.Exec(ctx, statement)
		return errors.Join(err, c.Close(ctx))
	}
	if err := run(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := run(context.WithoutCancel(t.Context()), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	u.Path = "/" + name
	return u.String()
}

// server is one server process.
type server struct {
	t        *testing.T
	database string
	home     string
	port     int
	flags    []string
	log      *os.File
	cmd      *exec.Cmd
	exited   chan struct{} // closed when cmd ended
	http     *http.Client
}

// in is the server for a subtest.
func (s *server) in(t *testing.T) *server {
	t.Helper()
	c := *s
	c.t = t
	return &c
}

// newServer prepares a server without starting it; database "" is a new SQLite file.
func newServer(t *testing.T, database string, flags ...string) *server {
	t.Helper()
	s := &server{t: t, database: database, home: t.TempDir(), port: freePort(t), flags: flags}
	if database == "" {
		s.database = filepath.Join(s.home, "leat.db")
	}
	log, err := os.OpenFile(filepath.Join(s.home, "server.log"), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	s.log = log
	s.http = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	t.Cleanup(func() {
		if s.cmd != nil {
			s.kill()
		}
		s.checkLog()
		_ = s.log.Close()
	})
	return s
}

// startServer is newServer, started.
func startServer(t *testing.T, database string, flags ...string) *server {
	t.Helper()
	s := newServer(t, database, flags...)
	s.start()
	return s
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func (s *server) command(ctx context.Context) *exec.Cmd {
	args := append([]string{"server", "start", "--host", "127.0.0.1", "--port", strconv.Itoa(s.port), "--database", s.database}, s.flags...)
	cmd := exec.CommandContext(ctx, env.binary, args...)
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PREFECT_") && !strings.HasPrefix(v, "LEAT_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, "LEAT_HOME="+s.home)
	return cmd
}

// start returns when the server answers.
func (s *server) start() {
	s.t.Helper()
	s.cmd = s.command(context.WithoutCancel(s.t.Context()))
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		defer close(exited)
		_ = cmd.Wait()
	}(s.cmd, s.exited)
	s.waitFor(20*time.Second, "the server to answer", func() bool {
		select {
		case <-s.exited:
			s.t.Fatalf("the server ended: %s\n%s", s.cmd.ProcessState, s.logText())
		default:
		}
		status, err := s.call(s.t.Context(), http.MethodGet, "/ready", nil, nil)
		return err == nil && status == http.StatusOK
	})
}

// kill ends the server as a crash does.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.exited
	s.cmd = nil
	s.http.CloseIdleConnections()
}

// terminate sends SIGTERM and returns the exit code and how long it took.
func (s *server) terminate() (code int, took time.Duration) {
	s.t.Helper()
	start := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	select {
	case <-s.exited:
	case <-time.After(20 * time.Second):
		s.t.Fatalf("SIGTERM did not end the server within 20 s\n%s", s.logText())
	}
	code, took = s.cmd.ProcessState.ExitCode(), time.Since(start)
	s.cmd = nil
	s.http.CloseIdleConnections()
	return code, took
}

func (s *server) logText() string {
	data, err := os.ReadFile(s.log.Name())
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// checkLog wants no panic in the server's log, and shows its end after a failure.
func (s *server) checkLog() {
	text := s.logText()
	for _, bad := range []string{"panic", "database is locked", "DATA RACE"} {
		if strings.Contains(text, bad) {
			s.t.Errorf("the server's log says %q", bad)
		}
	}
	if s.t.Failed() {
		s.t.Logf("end of the log of the server at port %d:\n%s", s.port, text[max(0, len(text)-6000):])
	}
}

func (s *server) url(path string) string {
	return fmt.Sprintf("http://127.0.0.1:%d/api%s", s.port, path)
}

// waitFor fails the test unless the condition holds within the limit.
func (s *server) waitFor(limit time.Duration, what string, condition func() bool) {
	s.t.Helper()
	waitFor(s.t, limit, what, condition)
}

func waitFor(t *testing.T, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(limit)
	defer end.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-end.C:
			t.Fatalf("waited %s for %s", limit, what)
		}
	}
}

// refusesToStart runs the server until it ends and returns what it said.
func (s *server) refusesToStart() (code int, said string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	cmd := s.command(ctx)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		s.t.Fatalf("ended with %v: %s", err, out.String())
	}
	return exit.ExitCode(), out.String()
}
