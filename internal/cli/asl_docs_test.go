package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/cli"
)

// runCommand runs the program in this process.
func runCommand(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = cli.Main(t.Context(), cli.Env{
		Args: args, LookupEnv: func(string) (string, bool) { return "", false }, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Now: time.Now, Version: "test",
	})
	return out.String(), errs.String(), code
}

// TestThePageAboutStateMachinesIsTrue writes the files that docs/asl.md shows and
// runs its commands.
func TestThePageAboutStateMachinesIsTrue(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/asl.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir() + string(filepath.Separator)
	commands := 0
	for _, block := range regexp.MustCompile("(?s)```(\\S+) ?(\\S*)\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		kind, name, text := block[1], block[2], block[3]
		if kind == "json" {
			if err := os.WriteFile(dir+name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		for story := range strings.SplitSeq(text, "$ leat ") {
			line, want, _ := strings.Cut(story, "\n")
			if line == "" {
				continue
			}
			commands++
			args := strings.Fields(line)
			for i, a := range args {
				if strings.HasSuffix(a, ".json") {
					args[i] = dir + a
				}
			}
			got, errs, code := runCommand(t, args...)
			if diff := cmp.Diff(want, strings.ReplaceAll(got, dir, "")); diff != "" || code != 0 {
				t.Errorf("leat %s: exit %d\n%s%s", line, code, diff, errs)
			}
		}
	}
	if commands < 4 {
		t.Errorf("the page shows %d commands", commands)
	}
}

func TestTheExampleOfAStateMachineIsTestedWholly(t *testing.T) {
	t.Parallel()
	const dir = "../../examples/asl/"
	out, errs, code := runCommand(t, "asl", "test", dir+"order.asl.json", "--mock", dir+"order.test.json", "--coverage", "--fail-under", "100")
	if code != 0 || !strings.Contains(out, "5 of 5 cases passed") || !strings.Contains(out, "4 of 4 branches (100.0 %)") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	out, errs, code = runCommand(t, "asl", "test", dir+"order.asl.json", "--mock", dir+"MockConfigFile.json", "--input", `{"items": [1, 2]}`)
	if code != 0 || !strings.Contains(out, "2 of 2 cases passed") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}
