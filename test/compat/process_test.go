package compat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// client is where a test's client processes run: with settings, a home and a
// working folder of their own.
type client struct {
	t    *testing.T
	s    *server
	name string // unique; flows, deployments, pools are named after it
	dir  string
	env  []string // settings beyond the usual ones, KEY=VALUE
	link *link    // where its programs are; nil is beside the server
}

// newClient gives the test a client of the server. The settings are KEY=VALUE.
func newClient(t *testing.T, s *server, settings ...string) *client {
	t.Helper()
	return &client{t: t, s: s, name: env.unique("c"), dir: t.TempDir(), env: settings}
}

// in is the same client for a subtest.
func (c *client) in(t *testing.T) *client {
	t.Helper()
	copied := *c
	copied.t = t
	return &copied
}

func (c *client) environment() []string {
	vars := append(cleanEnvironment(),
		"PREFECT_API_URL="+c.s.api,
		"PREFECT_HOME="+filepath.Join(c.dir, "home"),
		"PREFECT_SERVER_ALLOW_EPHEMERAL_MODE=false",
		"PREFECT_RUNNER_POLL_FREQUENCY=1",
		"PREFECT_WORKER_QUERY_SECONDS=1",
		"PREFECT_LOGGING_TO_API_BATCH_INTERVAL=0.2",
		"PREFECT_CLI_PROMPT=false",
		"PREFECT_CLI_COLORS=false",
		"PYTHONUNBUFFERED=1",
		"PYTHONDONTWRITEBYTECODE=1",
		"PYTHONPATH="+flowsDir(),
		"PYTHONWARNINGS=ignore",
		"COLUMNS=250",
		"NO_COLOR=1",
		"COMPAT_NAME="+c.name,
		"COMPAT_DIR="+c.dir,
	)
	if c.s.auth != "" {
		vars = append(vars, "PREFECT_API_AUTH_STRING="+c.s.auth)
	}
	if dir := filepath.Dir(env.python); dir != "." {
		// `prefect` and `python` are then found by what workers start.
		vars = append(vars, "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	}
	return append(vars, c.env...)
}

func flowsDir() string {
	dir, err := filepath.Abs("flows")
	if err != nil {
		panic(err)
	}
	return dir
}

// result is what a finished process left.
type result struct {
	stdout, stderr string
	code           int
}

func (r result) all() string { return r.stdout + r.stderr }

// exec runs a program to its end; busy programs wait for one of two slots.
func (c *client) exec(program string, args ...string) result {
	c.t.Helper()
	env.slots <- struct{}{}
	defer func() { <-env.slots }()
	ctx, cancel := context.WithTimeout(c.t.Context(), 3*time.Minute)
	defer cancel()
	cmd := c.link.command(ctx, program, args...)
	cmd.Env, cmd.Dir = c.environment(), c.dir
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = 2 * time.Second
	err := cmd.Run()
	r := result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		c.t.Fatalf("%s %q: %v\n%s", filepath.Base(program), args, err, r.all())
	}
	return r
}

// prefect runs the Prefect CLI and fails the test when it fails.
func (c *client) prefect(args ...string) string {
	c.t.Helper()
	r := c.tryPrefect(args...)
	if r.code != 0 {
		c.t.Fatalf("prefect %q ended with %d:\n%s", args, r.code, r.all())
	}
	return r.stdout
}

func (c *client) tryPrefect(args ...string) result {
	c.t.Helper()
	return c.exec(env.python, append([]string{"-m", "prefect"}, args...)...)
}

// leat runs the leat CLI and fails the test when it fails.
func (c *client) leat(args ...string) string {
	c.t.Helper()
	leatOnly(c.t)
	r := c.exec(env.binary, args...)
	if r.code != 0 {
		c.t.Fatalf("leat %q ended with %d:\n%s", args, r.code, r.all())
	}
	return r.stdout
}

// facts is what a Python program printed as the last line of its output, a JSON object.
type facts map[string]any

// python runs flows/NAME.py to its end and returns what it found.
func (c *client) python(program string, args ...string) facts {
	c.t.Helper()
	r := c.exec(env.python, append([]string{filepath.Join(flowsDir(), program)}, args...)...)
	if r.code != 0 {
		c.t.Fatalf("%s ended with %d:\n%s", program, r.code, r.all())
	}
	f, err := lastFacts(r.stdout)
	if err != nil {
		c.t.Fatalf("%s: %v\n%s", program, err, r.all())
	}
	c.t.Cleanup(func() {
		if c.t.Failed() {
			c.t.Logf("%s wrote:\n%s", program, r.all())
		}
	})
	return f
}

// lastFacts finds the last line that is a JSON object.
func lastFacts(output string) (facts, error) {
	lines := strings.Split(output, "\n")
	for _, line := range slices.Backward(lines) {
		if strings.HasPrefix(line, "{") {
			var f facts
			err := json.Unmarshal([]byte(line), &f)
			return f, err
		}
	}
	return nil, errors.New("the program printed no facts")
}

// text is a fact that is a string.
func (f facts) text(t *testing.T, key string) string {
	t.Helper()
	s, ok := f[key].(string)
	if !ok {
		t.Fatalf("fact %q is %v, not a string", key, f[key])
	}
	return s
}

// want is one behaviour: a sentence, and the fact that shows it.
type want struct {
	behaviour string
	fact      string
	value     any
}

// check makes a subtest of each behaviour.
func (f facts) check(t *testing.T, wants ...want) {
	t.Helper()
	for _, w := range wants {
		t.Run(w.behaviour, func(t *testing.T) {
			if diff := cmp.Diff(asJSON(t, w.value), asJSON(t, f[w.fact])); diff != "" {
				t.Errorf("%s (-want +got):\n%s", w.fact, diff)
			}
		})
	}
}

// asJSON is the value as decoding JSON gives it.
func asJSON(t *testing.T, v any) any {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// contains makes a subtest that looks for all the words in the text.
func contains(t *testing.T, behaviour, text string, words ...string) {
	t.Helper()
	t.Run(behaviour, func(t *testing.T) {
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("no %q in:\n%s", w, text)
			}
		}
	})
}

// process is a program that runs beside the test: a served flow, a worker.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	out    *lockedBuffer
	exited chan struct{}
}

// lockedBuffer is written by a process while the test reads it.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// spawn starts a program in its own process group and returns when its output
// contains ready. It is ended with the test.
func (c *client) spawn(ready, program string, args ...string) *process {
	c.t.Helper()
	env.slots <- struct{}{}
	defer func() { <-env.slots }()
	p := &process{t: c.t, cmd: c.link.command(context.WithoutCancel(c.t.Context()), program, args...), out: &lockedBuffer{}, exited: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir = c.environment(), c.dir
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.WaitDelay = time.Second
	if err := p.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	go func() {
		defer close(p.exited)
		_ = p.cmd.Wait()
	}()
	c.t.Cleanup(func() {
		p.interrupt()
		if c.t.Failed() {
			c.t.Logf("%s %q wrote:\n%s", filepath.Base(program), args, p.out)
		}
	})
	p.waitOutput(ready, time.Minute)
	return p
}

// serve starts flows/NAME.py as a long-lived process.
func (c *client) serve(ready, program string, args ...string) *process {
	c.t.Helper()
	return c.spawn(ready, env.python, append([]string{filepath.Join(flowsDir(), program)}, args...)...)
}

func (p *process) waitOutput(text string, limit time.Duration) {
	p.t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(p.out.String(), text) {
		select {
		case <-tick.C:
		case <-p.exited:
			if !strings.Contains(p.out.String(), text) {
				p.t.Fatalf("ended (%v) without writing %q:\n%s", p.cmd.ProcessState, text, p.out)
			}
		case <-deadline.C:
			p.t.Fatalf("did not write %q within %s:\n%s", text, limit, p.out)
		}
	}
}

// facts waits for the end of the process and returns what it found.
func (p *process) facts(limit time.Duration) facts {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(limit):
		p.t.Fatalf("did not end within %s:\n%s", limit, p.out)
	}
	f, err := lastFacts(p.out.String())
	if err != nil {
		p.t.Fatalf("%v:\n%s", err, p.out)
	}
	return f
}

// interrupt ends the process as Ctrl-C does, and its group if that is not enough.
func (p *process) interrupt() {
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-p.exited:
	case <-time.After(15 * time.Second):
	}
	p.killGroup()
}

// killGroup ends the process and what it started in its group, at once.
func (p *process) killGroup() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.exited
}
