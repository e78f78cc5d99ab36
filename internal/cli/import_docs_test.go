package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/cli"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/server"
)

// serve starts a server that ends with the test, and returns its API's address.
func serve(t *testing.T) string {
	t.Helper()
	cfg := server.Default(t.TempDir())
	cfg.Port = 0
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
	select {
	case addr := <-ready:
		return "http://" + addr + "/api"
	case err := <-stopped:
		stopped <- nil
		t.Fatal(err)
	}
	return ""
}

// TestThePageAboutImportsIsTrue runs the commands of docs/import-export.md. The
// servers that it names are leat's here; test/compat has Prefect's own.
func TestThePageAboutImportsIsTrue(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/import-export.md")
	if err != nil {
		t.Fatal(err)
	}
	leat, old, fresh, dir := serve(t), serve(t), serve(t), t.TempDir()
	c, err := client.New(client.Config{URL: old})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Do(t.Context(), "POST", "/flows/", map[string]any{"name": "etl"}, nil); err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(block[1]) {
			args := strings.Fields(line)[1:]
			for i, a := range args {
				a = strings.ReplaceAll(a, "http://old-server:4200/api", old)
				a = strings.ReplaceAll(a, "http://new-server:4200/api", fresh)
				if a == "report.json" || i > 0 && strings.HasPrefix(a, "export") {
					a = filepath.Join(dir, a)
				}
				args[i] = a
			}
			commands++
			var out, errs bytes.Buffer
			code := cli.Main(t.Context(), cli.Env{
				Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Now: time.Now, Version: "test",
				LookupEnv: func(name string) (string, bool) { return leat, name == "PREFECT_API_URL" },
			})
			if code != 0 {
				t.Errorf("%s: exit %d\n%s%s", line, code, out.String(), errs.String())
			}
		}
	}
	if commands < 8 {
		t.Errorf("the page shows %d commands", commands)
	}
	for _, url := range []string{leat, fresh} {
		c, err := client.New(client.Config{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		if flows, err := c.Flows(t.Context(), client.Query{}); err != nil || len(flows) != 1 || flows[0].Name != "etl" {
			t.Errorf("%s has the flows %v, %v", url, flows, err)
		}
	}
}
