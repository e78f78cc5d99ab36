package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/cli"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/docker/dockertest"
	"github.com/leat-dev/leat/internal/server"
)

// TestDockerWorker lets a worker of type docker run what is due in containers,
// which reach the server by the address of Docker's bridge.
func TestDockerWorker(t *testing.T) {
	t.Parallel()
	gateway, err := dockertest.Shell(t).Gateway(t.Context(), "bridge")
	if err != nil {
		t.Fatal(err)
	}
	cfg := server.Default(t.TempDir())
	cfg.Host, cfg.Port, cfg.Database = gateway, 0, filepath.Join(t.TempDir(), "server.db")
	if l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", net.JoinHostPort(gateway, "0")); err != nil {
		t.Skipf("Docker's bridge is not on this machine: %v", err)
	} else if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ready, stopped := make(chan string, 1), make(chan error, 1)
	go func() {
		stopped <- server.Run(ctx, cfg, server.Environment{Now: time.Now, Version: "test", Ready: func(addr string) { ready <- addr }})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	url := "http://" + <-ready + "/api"
	c, err := client.New(client.Config{URL: url, Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	var out, complaints bytes.Buffer
	worker := func() int {
		return cli.Main(t.Context(), cli.Env{
			Args: []string{"worker", "start", "--pool", "containers", "--type", "docker", "--run-once", "--name", "w"}, Stdout: &out, Stderr: &complaints,
			LookupEnv: func(name string) (string, bool) {
				if name == "PREFECT_API_URL" {
					return url, true
				}
				return os.LookupEnv(name)
			},
			Environ: os.Environ(), UserHome: t.TempDir(), Now: time.Now, Version: "test",
		})
	}
	if code := worker(); code != 0 { // makes the pool
		t.Fatalf("the worker ends with %d: %s", code, &complaints)
	}
	id := dueRun(t, c, map[string]any{
		"image": dockertest.Image, "auto_remove": true, "env": map[string]any{"PATH": "/bin", "GIVEN": "variable"},
		"command": `sh -c 'echo run $PREFECT__FLOW_RUN_ID has $GIVEN and not $HOSTNAME_OF_WORKER; wget -q -O - $PREFECT_API_URL/health; echo; exit 7'`,
	})
	if code := worker(); code != 0 {
		t.Fatalf("the worker ends with %d: %s", code, &complaints)
	}
	for _, part := range []string{"run " + id + " has variable and not", "true"} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("no %q in %s", part, &out)
		}
	}
	var run struct {
		State struct{ Type, Message string }
		PID   string `json:"infrastructure_pid"`
	}
	if err := c.Do(t.Context(), http.MethodGet, "/flow_runs/"+id, nil, &run); err != nil {
		t.Fatal(err)
	}
	if run.State.Type != "CRASHED" || !strings.Contains(run.State.Message, "exit status 7") || len(run.PID) != 64 {
		t.Errorf("the run is %+v\n%s", run, &complaints)
	}
}

// dueRun makes a flow, a deployment in the pool containers and a run that is due.
func dueRun(t *testing.T, c *client.Client, variables map[string]any) string {
	t.Helper()
	post := func(path string, body any) string {
		t.Helper()
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		var made struct{ ID string }
		if err := c.Do(t.Context(), http.MethodPost, path, json.RawMessage(text), &made); err != nil {
			t.Fatal(err)
		}
		return made.ID
	}
	flow := post("/flows/", map[string]any{"name": "etl"})
	deployment := post("/deployments/", map[string]any{"name": "d", "flow_id": flow, "work_pool_name": "containers", "job_variables": variables})
	return post("/deployments/"+deployment+"/create_flow_run", map[string]any{})
}
