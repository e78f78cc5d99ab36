package differential

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is one server process and the way to empty it.
type server struct {
	name string
	base string // http://127.0.0.1:PORT
	http *http.Client
}

// startReference starts `prefect server start`. Of its background services
// only those run that store events: the others change rows by themselves.
func startReference(t *testing.T, python string) *server {
	t.Helper()
	home := t.TempDir()
	port := freePort(t)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), python, "-m", "prefect", "server", "start",
		"--host", "127.0.0.1", "--port", port, "--no-ui", "--analytics-off")
	cmd.Env = append(cleanEnvironment(), "PREFECT_HOME="+home, "PREFECT_LOGGING_LEVEL=ERROR",
		"PREFECT_SERVER_SERVICES_EVENT_PERSISTER_FLUSH_INTERVAL=0.5")
	for _, service := range []string{
		"SCHEDULER", "LATE_RUNS", "CANCELLATION_CLEANUP", "PAUSE_EXPIRATIONS", "FOREMAN", "TRIGGERS", "REPOSSESSOR", "DB_VACUUM",
	} {
		cmd.Env = append(cmd.Env, "PREFECT_SERVER_SERVICES_"+service+"_ENABLED=false")
	}
	s := &server{name: "reference", base: "http://127.0.0.1:" + port, http: newClient()}
	s.run(t, cmd)
	s.awaitBlocks(t)
	return s
}

// awaitBlocks waits until the reference has written all its block types: their
// number stays the same for a while. It is healthy long before.
func (s *server) awaitBlocks(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for last, same := -1, 0; same < 5; {
		got, err := s.send(t.Context(), request{method: "POST", path: "/api/block_types/filter", body: []byte("{}")})
		if err != nil {
			t.Fatal(err)
		}
		rows, _ := got.value.([]any)
		if same++; len(rows) != last {
			last, same = len(rows), 0
		}
		<-tick.C
	}
}

// startLeat builds and starts leat with background services that stay idle
// for the length of the test.
func startLeat(t *testing.T) *server {
	t.Helper()
	dir := t.TempDir()
	binary := os.Getenv("LEAT_TEST_BINARY")
	if binary == "" {
		binary = filepath.Join(dir, "leat")
		build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/leat")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build of cmd/leat: %v\n%s", err, out)
		}
	}
	port := freePort(t)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary, "server", "start", "--host", "127.0.0.1", "--port", port,
		"--database", filepath.Join(dir, "leat.db"),
		"--scheduler-interval", "24h", "--late-after", "24h", "--claim-timeout", "24h")
	cmd.Env = append(cleanEnvironment(), "LEAT_HOME="+dir)
	s := &server{name: "leat", base: "http://127.0.0.1:" + port, http: newClient()}
	s.run(t, cmd)
	return s
}

// run starts the process, waits until it is healthy and ends it with the test.
func (s *server) run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, err := os.Create(filepath.Join(t.TempDir(), s.name+".log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(20 * time.Second):
			t.Errorf("SIGTERM did not end %s within 20 s", s.name)
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
			<-exited
		}
		_ = out.Close()
	})
	deadline, tick := time.After(90*time.Second), time.NewTicker(100*time.Millisecond)
	defer tick.Stop()
	for {
		if got, err := s.send(t.Context(), request{method: "GET", path: "/api/health"}); err == nil && got.status == http.StatusOK {
			return
		}
		select {
		case <-tick.C:
		case <-exited:
			t.Fatalf("%s ended before it was healthy", s.name)
		case <-deadline:
			t.Fatalf("%s is not healthy after 90 s", s.name)
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// newClient follows no redirect, for the answers themselves are compared, and
// asks for no compression.
func newClient() *http.Client {
	return &http.Client{
		Timeout:       time.Minute,
		Transport:     &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// cleanEnvironment is this process's, without its PREFECT_ and LEAT_ settings.
func cleanEnvironment() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "PREFECT_") && !strings.HasPrefix(e, "LEAT_") {
			env = append(env, e)
		}
	}
	return env
}

// collections are what a sequence can make, in an order in which it can be
// deleted: the route that lists it, the route that deletes one, and the key of
// what names one in the latter.
var collections = [][3]string{
	{"/flows/filter", "/flows/", "id"},
	{"/flow_runs/filter", "/flow_runs/", "id"},
	{"/task_runs/filter", "/task_runs/", "id"},
	{"/deployments/filter", "/deployments/", "id"},
	{"/work_pools/filter", "/work_pools/", "name"},
	{"/variables/filter", "/variables/", "id"},
	{"/artifacts/filter", "/artifacts/", "id"},
	{"/block_documents/filter", "/block_documents/", "id"},
	{"/concurrency_limits/filter", "/concurrency_limits/", "id"},
	{"/v2/concurrency_limits/filter", "/v2/concurrency_limits/", "id"},
	{"/saved_searches/filter", "/saved_searches/", "id"},
	{"/automations/filter", "/automations/", "id"},
}

// empty deletes what the last sequence left. Logs and events stay, for there
// is no route that deletes them, and so do the block types that servers bring.
func (s *server) empty(ctx context.Context) error {
	for _, c := range collections {
		body := []byte("{}")
		if strings.Contains(c[0], "block_documents") {
			body = []byte(`{"block_documents": {}}`) // otherwise anonymous ones are left out
		}
		if err := s.deleteAll(ctx, c, body); err != nil {
			return err
		}
	}
	for _, slug := range []string{"slug-1", "slug-2", "slug-3", "slug-1x", "slug-2x", "slug-3x"} {
		got, err := s.send(ctx, request{method: "GET", path: "/api/block_types/slug/" + slug})
		if err != nil {
			return err
		}
		if o, ok := got.value.(map[string]any); ok && got.status == http.StatusOK {
			if _, err := s.send(ctx, request{method: "DELETE", path: fmt.Sprint("/api/block_types/", o["id"])}); err != nil {
				return err
			}
		}
	}
	_, err := s.send(ctx, request{method: "DELETE", path: "/api/admin/storage"})
	return err
}

func (s *server) deleteAll(ctx context.Context, c [3]string, body []byte) error {
	got, err := s.send(ctx, request{method: "POST", path: "/api" + c[0], body: body})
	if err != nil {
		return err
	}
	rows, ok := got.value.([]any)
	if !ok {
		return fmt.Errorf("%s: %s", c[0], got.body)
	}
	for _, row := range rows {
		name := fmt.Sprint(row.(map[string]any)[c[2]])
		got, err := s.send(ctx, request{method: "DELETE", path: "/api" + c[1] + url.PathEscape(name)})
		if err != nil {
			return err
		}
		if got.status >= 300 && got.status != http.StatusNotFound {
			return fmt.Errorf("deleting %s%s: %d %s", c[1], name, got.status, got.body)
		}
	}
	return nil
}
