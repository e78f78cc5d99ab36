package cli_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/leat-dev/leat/internal/cli"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/server"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"leat": leat})
}

// leat is the program as the scripts run it.
func leat() {
	//nolint:forbidigo // This is a program of its own, not a test.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Main(ctx, cli.Env{
		Args: os.Args[1:], LookupEnv: os.LookupEnv, Environ: os.Environ(), UserHome: os.Getenv("HOME"),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Now: time.Now, Version: "test",
	})
	stop()
	os.Exit(code)
}

// TestScripts runs the stories of testdata. Each has a server of its own, which
// PREFECT_API_URL names, and these commands besides testscript's:
//
//	leat ARGS...                    the program
//	api METHOD PATH [JSON [VAR]]    a request; VAR becomes the answer's id
//	state RUN TYPE...               sets the states of a run, one after the other
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error { return startServer(t.Context(), e) },
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"api":   func(ts *testscript.TestScript, neg bool, args []string) { apiCommand(t.Context(), ts, neg, args) },
			"state": func(ts *testscript.TestScript, neg bool, args []string) { stateCommand(t.Context(), ts, neg, args) },
		},
	})
}

func startServer(ctx context.Context, e *testscript.Env) error {
	cfg := server.Default(e.WorkDir)
	cfg.Port, cfg.Database = 0, filepath.Join(e.WorkDir, "server.db")
	ctx, stop := context.WithCancel(ctx)
	ready, stopped := make(chan string, 1), make(chan error, 1)
	go func() {
		stopped <- server.Run(ctx, cfg, server.Environment{Now: time.Now, Version: "test", Ready: func(addr string) { ready <- addr }})
	}()
	e.Defer(func() {
		stop()
		if err := <-stopped; err != nil {
			e.T().Log(err)
		}
	})
	select {
	case addr := <-ready:
		e.Setenv("PREFECT_API_URL", "http://"+addr+"/api")
	case err := <-stopped:
		stopped <- err
		return err
	}
	e.Setenv("HOME", e.WorkDir)
	e.Setenv("LEAT_HOME", filepath.Join(e.WorkDir, "home"))
	return nil
}

func clientOf(ts *testscript.TestScript) *client.Client {
	c, err := client.New(client.Config{URL: ts.Getenv("PREFECT_API_URL"), Version: "test"})
	ts.Check(err)
	return c
}

func apiCommand(ctx context.Context, ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 4 {
		ts.Fatalf("usage: api METHOD PATH [JSON [VAR]]")
	}
	var in any
	if len(args) > 2 {
		in = json.RawMessage(args[2])
	}
	var out struct {
		ID string `json:"id"`
	}
	answer := any(&out)
	if args[0] != http.MethodPost || len(args) < 4 {
		answer = nil
	}
	ts.Check(clientOf(ts).Do(ctx, args[0], args[1], in, answer))
	if len(args) > 3 {
		ts.Setenv(args[3], out.ID)
	}
}

func stateCommand(ctx context.Context, ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: state RUN TYPE...")
	}
	for _, state := range args[1:] {
		body := map[string]any{"state": map[string]any{"type": strings.ToUpper(state)}}
		ts.Check(clientOf(ts).Do(ctx, http.MethodPost, "/flow_runs/"+args[0]+"/set_state", body, nil))
	}
}
