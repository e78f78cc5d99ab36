package compat

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadme runs the commands that the README shows a newcomer, as they stand
// there, against a server of its own.
func TestReadme(t *testing.T) {
	leatOnly(t)
	onOwnServer(t, options{}, func(t *testing.T, s *server) {
		out := runPage(t, s, "README.md", "TestReadme")
		for _, want := range []string{"Completed", "laptop", "Flow Runs"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in what the commands wrote:\n%s", want, out)
			}
		}
	})
}

// TestStepFunctionsPage does the same for the page about Step Functions.
func TestStepFunctionsPage(t *testing.T) {
	leatOnly(t)
	onOwnServer(t, options{}, func(t *testing.T, s *server) {
		out := runPage(t, s, "docs/step-functions.md", "TestStepFunctionsPage")
		for _, want := range []string{`"status": "SUCCEEDED"`, "Completed", "first"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in what the commands wrote:\n%s", want, out)
			}
		}
	})
}

// TestAutomationsPage does the same for the page about automations.
func TestAutomationsPage(t *testing.T) {
	leatOnly(t)
	onOwnServer(t, options{}, func(t *testing.T, s *server) {
		out := runPage(t, s, "docs/automations.md", "TestAutomationsPage")
		for _, want := range []string{"on rain", "weather.rain", "Paused automation"} {
			if !strings.Contains(out, want) {
				t.Errorf("no %q in what the commands wrote:\n%s", want, out)
			}
		}
	})
}

// runPage runs the commands that a page marks for the test, and returns what they wrote.
func runPage(t *testing.T, s *server, page, test string) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(root, page))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "<!-- run by "+test+" -->\n```sh\n")
	block, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("%s has no block for this test", page)
	}
	const address = "http://127.0.0.1:4200"
	if !strings.Contains(block, address) {
		t.Fatalf("the block does not set the address %s", address)
	}
	c := newClient(t, s)
	block = strings.ReplaceAll(block, address, strings.TrimSuffix(s.api, "/api"))
	cmd := exec.CommandContext(t.Context(), "bash", "-euxo", "pipefail", "-c", block)
	cmd.Dir = root
	cmd.Env = append(c.environment(), "PATH="+filepath.Dir(env.python)+":"+filepath.Dir(env.binary)+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}
