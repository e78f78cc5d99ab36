package ecslocal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the leat under test, built once by TestMain.
var binary string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "leat-ecslocal-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "leat")
	build := exec.CommandContext(context.Background(), "go", "build", "-o", binary, "../../cmd/leat") //nolint:forbidigo // TestMain has no t.Context()
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build of cmd/leat: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// endpoint is a leat ecs-local that ends with the test.
type endpoint struct {
	t   *testing.T
	url string
	dir string
	env []string
	out *buffer
	cmd *exec.Cmd
	end chan struct{} // closed when it has ended
}

// buffer is written by a process while the test reads it.
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

// start starts leat ecs-local with flags; env is added to its environment.
func start(t *testing.T, env []string, flags ...string) *endpoint {
	t.Helper()
	e := &endpoint{t: t, dir: t.TempDir(), out: &buffer{}, end: make(chan struct{})}
	e.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), binary, append([]string{"ecs-local", "--port", "0", "--stop-timeout", "5s"}, flags...)...)
	e.cmd.Env, e.cmd.Dir = append(os.Environ(), env...), e.dir
	e.cmd.Stdout, e.cmd.Stderr = e.out, e.out
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(e.end)
		_ = e.cmd.Wait()
	}()
	t.Cleanup(func() {
		e.stop()
		if t.Failed() {
			t.Logf("leat ecs-local wrote:\n%s", e.out)
		}
	})
	await(t, "the endpoint", func() bool { return strings.Contains(e.out.String(), "Stop it") })
	_, rest, _ := strings.Cut(e.out.String(), "listens on ")
	e.url, _, _ = strings.Cut(rest, "\n")
	e.env = append(withoutAWS(), "AWS_ENDPOINT_URL="+e.url, "AWS_REGION=ap-northeast-1", "AWS_DEFAULT_REGION=ap-northeast-1", "AWS_ACCESS_KEY_ID=000000000000",
		"AWS_SECRET_ACCESS_KEY=any", "AWS_PAGER=", "AWS_CONFIG_FILE="+filepath.Join(e.dir, "none"), "AWS_EC2_METADATA_DISABLED=true", "PYTHONWARNINGS=ignore")
	return e
}

func withoutAWS() []string {
	var kept []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "AWS_") {
			kept = append(kept, v)
		}
	}
	return kept
}

// stop ends the endpoint as Ctrl-C does.
func (e *endpoint) stop() {
	_ = e.cmd.Process.Signal(syscall.SIGINT)
	select {
	case <-e.end:
	case <-time.After(time.Minute):
		e.t.Error("SIGINT does not end leat ecs-local")
		_ = e.cmd.Process.Kill()
		<-e.end
	}
}

// await asks until the condition holds.
func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waiting for %s", what)
		}
	}
}

// beside is a program in the folder of LEAT_TEST_PYTHON.
func beside(t *testing.T, name string) string {
	t.Helper()
	python := os.Getenv("LEAT_TEST_PYTHON")
	if python == "" {
		t.Skip("LEAT_TEST_PYTHON is not set: run make venv, and set it to .venv/bin/python")
	}
	path := filepath.Join(filepath.Dir(python), name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not there: make venv installs it", path)
	}
	return path
}

// second is a version 2 of the aws command line, which alone has logs tail.
func second(t *testing.T) string {
	t.Helper()
	for _, path := range []string{os.Getenv("LEAT_TEST_AWS"), "aws", "/usr/bin/aws"} {
		if path == "" {
			continue
		}
		out, err := exec.CommandContext(t.Context(), path, "--version").CombinedOutput()
		if err == nil && bytes.HasPrefix(out, []byte("aws-cli/2")) {
			return path
		}
	}
	t.Skip("there is no version 2 of the aws command line: install awscli, or set LEAT_TEST_AWS")
	return ""
}

// sh runs a script in the endpoint's folder; aws in it is the given program.
func (e *endpoint) sh(aws, script string) string {
	e.t.Helper()
	cmd := exec.CommandContext(e.t.Context(), "sh", "-ec", "aws() { "+aws+" \"$@\"; }\n"+script)
	cmd.Env, cmd.Dir = e.env, e.dir
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		e.t.Fatalf("%s\n%v\n%s%s", script, err, out, &complaint)
	}
	return string(out)
}

func (e *endpoint) write(name, text string) {
	e.t.Helper()
	if err := os.WriteFile(filepath.Join(e.dir, name), []byte(text), 0o600); err != nil {
		e.t.Fatal(err)
	}
}

// call calls an action of ECS or Logs without any SDK.
func (e *endpoint) call(prefix, action string, in, out any) error {
	e.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		e.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(e.t.Context(), http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		e.t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", prefix+"."+action)
	req.Header.Set("Authorization", "Credential=000000000000/20261122/us-east-1/ecs/aws4_request")
	resp, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		e.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		e.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(string(answer))
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	return json.Unmarshal(answer, out)
}
