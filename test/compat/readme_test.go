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
		root, err := filepath.Abs("../..")
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(root, "README.md"))
		if err != nil {
			t.Fatal(err)
		}
		_, rest, ok := strings.Cut(string(text), "<!-- run by TestReadme -->\n```sh\n")
		block, _, closed := strings.Cut(rest, "```")
		if !ok || !closed {
			t.Fatal("the README has no block for this test")
		}
		const address = "http://127.0.0.1:4200/api"
		if !strings.Contains(block, address) {
			t.Fatalf("the block does not set the address %s", address)
		}
		c := newClient(t, s)
		cmd := exec.CommandContext(t.Context(), "bash", "-euxo", "pipefail", "-c", strings.ReplaceAll(block, address, s.api))
		cmd.Dir = root
		cmd.Env = append(c.environment(), "PATH="+filepath.Dir(env.python)+":"+filepath.Dir(env.binary)+":"+os.Getenv("PATH"))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, want := range []string{"Completed", "laptop", "Flow Runs"} {
			if !strings.Contains(string(out), want) {
				t.Errorf("no %q in what the commands wrote:\n%s", want, out)
			}
		}
	})
}
