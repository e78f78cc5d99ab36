package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	leat      = "leat"
	reference = "reference"
	sqlite    = "sqlite"
	postgres  = "postgres"
)

// readyTime is how long a server may take to start.
const readyTime = 120 * time.Second

// server is one that this program started.
type server struct {
	product string
	addr    string
	dir     string // its files
	cluster int    // pid of the Postgres that it uses, or 0
	cmd     *exec.Cmd
	// ready is how long it took from the start of the process to the first
	// answer of GET /api/health, and startCPU what it used until then.
	ready    time.Duration
	startCPU float64

	// quiet is for how many seconds it must be idle to have done all. The
	// reference stores events five seconds after they came.
	quiet    int
	fixtures fixtures
}

// start starts a server and waits until it is ready. With the dir and database
// of an earlier one it is a restart.
func (b *bench) start(ctx context.Context, product, dir, database string) (*server, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	s := &server{product: product, dir: dir, addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	if s.quiet = 6; b.quick {
		s.quiet = 1
	}
	if strings.HasPrefix(database, "postgres") {
		s.cluster = b.cluster
	}
	s.cmd = b.command(ctx, s, database, port)
	log, err := os.OpenFile(filepath.Join(dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the child has its own
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.cmd.Cancel = func() error { return syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM) }
	s.cmd.WaitDelay = 20 * time.Second
	begin := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := s.awaitReady(ctx); err != nil {
		s.stop()
		text, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("%s does not get ready: %w\n%s", product, err, text)
	}
	s.ready, s.startCPU = time.Since(begin), treeUsage(s.cmd.Process.Pid).cpu
	return s, nil
}

// command is what starts the server, as a user would.
func (b *bench) command(ctx context.Context, s *server, database string, port int) *exec.Cmd {
	number := strconv.Itoa(port)
	if emulates(s.product) {
		return b.emulatorCommand(ctx, s, number)
	}
	args := []string{"server", "start", "--host", "127.0.0.1", "--port", number}
	if s.product == leat {
		cmd := exec.CommandContext(ctx, b.leat, append(args, "--database", database)...) //nolint:gosec // the program is the user's choice
		cmd.Env = append(cleanEnvironment(), "LEAT_HOME="+s.dir, "LEAT_LOG_LEVEL=warn")
		return cmd
	}
	cmd := exec.CommandContext(ctx, b.python, append([]string{"-m", "prefect"}, args...)...) //nolint:gosec // the program is the user's choice
	cmd.Env = append(cleanEnvironment(), "PREFECT_HOME="+s.dir, "PREFECT_API_DATABASE_CONNECTION_URL="+database,
		"PREFECT_SERVER_ANALYTICS_ENABLED=false", "DO_NOT_TRACK=1", "PREFECT_LOGGING_SERVER_LEVEL=WARNING")
	return cmd
}

// awaitReady asks every two milliseconds until the server is ready.
func (s *server) awaitReady(ctx context.Context) error {
	c := newConn(s.addr)
	defer c.close()
	for end := time.Now().Add(readyTime); time.Now().Before(end) && ctx.Err() == nil; {
		if s.answers(ctx, c) {
			return nil
		}
		if s.ended() {
			return errors.New("its process ended")
		}
		time.Sleep(2 * time.Millisecond)
	}
	return errors.New("no answer in time")
}

// answers tells whether the server is ready: it says that it is healthy.
func (s *server) answers(ctx context.Context, c *conn) bool {
	if emulates(s.product) {
		return s.emulatorAnswers(ctx, c)
	}
	body, err := c.do(ctx, http.MethodGet, "/health", nil, http.StatusOK)
	return err == nil && strings.TrimSpace(string(body)) == "true"
}

// ended tells whether the process has died: it is then a zombie, as nobody has
// waited for it yet.
func (s *server) ended() bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	return err != nil || strings.Contains(string(data), ") Z ")
}

// usage is of the server and, where it has one, its database. It is nothing of
// a server that this program did not start.
func (s *server) usage() usage {
	if s.cmd == nil {
		return usage{}
	}
	u := treeUsage(s.cmd.Process.Pid)
	if s.cluster != 0 {
		u.database = treeUsage(s.cluster).cpu
		u.cpu += u.database
	}
	return u
}

// settled waits until the server has done what it put off, for at most twice
// its quiet time, and returns what it has used by then: work that a server does
// later is work all the same.
func (s *server) settled() usage {
	used := s.usage()
	for i, quiet := 0, 0; i < 2*s.quiet && quiet < s.quiet; i++ {
		time.Sleep(time.Second)
		before := used
		used = s.usage()
		if quiet++; used.cpu-before.cpu > idleCPU {
			quiet = 0
		}
	}
	return used
}

// idleCPU is what an idle server uses in a second at most; the reference's
// background loops alone need some hundredths.
const idleCPU = 0.12

// pause stops the server's processes where they are, so that it takes nothing
// from the other one; resume lets them go on.
func (s *server) pause() { _ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGSTOP) }

func (s *server) resume() { _ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGCONT) }

// stop ends the server and waits for it.
func (s *server) stop() {
	s.resume()
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGTERM)
	kill := time.AfterFunc(15*time.Second, func() { _ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) })
	_ = s.cmd.Wait() // it was ended by a signal
	kill.Stop()
}

func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// cleanEnvironment is ours without what would set up one of the products.
func cleanEnvironment() []string {
	foreign := []string{"PREFECT_", "LEAT_", "AWS_", "LOCALSTACK_", "MOTO_"}
	return slices.DeleteFunc(os.Environ(), func(v string) bool {
		return slices.ContainsFunc(foreign, func(prefix string) bool { return strings.HasPrefix(v, prefix) })
	})
}
