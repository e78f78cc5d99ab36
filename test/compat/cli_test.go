package compat

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// update writes the transcripts of the stories anew, from the reference alone.
var update = flag.Bool("update", false, "write golden files anew; needs LEAT_TEST_REFERENCE")

const cliFolder = "testdata/cli"

// storyGroups are told beside each other, each on servers of its own. What says
// most about the database is told on Postgres too.
func storyGroups(kind string) [][]string {
	if kind == "postgres" {
		return [][]string{{"queues", "runs", "automations"}, {"slots", "deploy"}}
	}
	return [][]string{
		{"pools", "queues"},
		{"values", "blocks", "transfer"},
		{"runs", "deployments"},
		{"automations", "local", "slots"},
		{"deploy", "watching"},
		{"processes"},
	}
}

// TestCommandLine runs the commands of the stories in testdata/cli. Their
// transcripts, with exit codes and the state they leave, are those of the reference.
func TestCommandLine(t *testing.T) {
	needSuite(t)
	t.Parallel()
	if *update && !env.reference {
		t.Fatal("-update writes what the reference does: set LEAT_TEST_REFERENCE=1 too")
	}
	told := map[string]bool{}
	for _, kind := range env.databases() {
		for _, stories := range storyGroups(kind) {
			for _, story := range stories {
				told[story] = true
			}
			t.Run(kind+" "+strings.Join(stories, "+"), func(t *testing.T) {
				t.Parallel()
				tellStories(t, kind, stories)
			})
		}
	}
	for _, file := range storyFiles(t) {
		if story := strings.TrimSuffix(filepath.Base(file), ".txt"); !told[story] {
			t.Errorf("no group tells the story %s", story)
		}
	}
}

// storyFiles lists the stories.
func storyFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(cliFolder, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	return slices.DeleteFunc(files, func(file string) bool { return filepath.Base(file) == "elsewhere.txt" })
}

// tellStories runs stories on a fresh server, one after the other; transfer has
// a second server to carry things to.
func tellStories(t *testing.T, kind string, stories []string) {
	t.Helper()
	s, out := ownServer(t, kind, options{}), t.TempDir()
	// The time that commands show is that of the machine.
	c := newClient(t, s, "TZ=UTC", "PREFECT_HOME="+t.TempDir())
	args := []string{filepath.Join(flowsDir(), "cli.py"), out}
	for _, story := range stories {
		args = append(args, abs(t, filepath.Join(cliFolder, story+".txt")))
		if story == "transfer" {
			c.env = append(c.env, "COMPAT_OTHER_API="+ownServer(t, kind, options{}).api)
		}
	}
	if r := c.exec(env.python, args...); r.code != 0 {
		t.Fatalf("%q ended with %d:\n%s", stories, r.code, r.all())
	}
	for _, story := range stories {
		t.Run(story, func(t *testing.T) {
			golden := filepath.Join(cliFolder, story+".golden")
			got, err := os.ReadFile(filepath.Join(out, story+".golden"))
			if err != nil {
				t.Fatal(err)
			}
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func abs(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// TestEveryCommandIsTried looks up the leaf commands in the client itself: each
// is run by a story, or elsewhere.txt says why not.
func TestEveryCommandIsTried(t *testing.T) {
	needSuite(t)
	t.Parallel()
	var found struct{ Leaves, Run, Unknown []string }
	cmd := exec.CommandContext(t.Context(), env.python, filepath.Join(flowsDir(), "cli_commands.py"))
	cmd.Env = append(cleanEnvironment(), "PREFECT_HOME="+t.TempDir())
	commands, err := json.Marshal(storyCommands(t))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = bytes.NewReader(commands)
	answer, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(answer, &found); err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	tried := map[string]string{}
	for _, name := range found.Run {
		tried[name] = "a story"
	}
	for name, reason := range elsewhere(t) {
		if tried[name] != "" {
			t.Errorf("prefect %s: elsewhere.txt lists it, but %s runs it", name, tried[name])
		}
		if reason == "" {
			t.Errorf("prefect %s: elsewhere.txt gives no reason", name)
		}
		tried[name] = "elsewhere.txt"
	}
	for _, name := range found.Leaves {
		if tried[name] == "" {
			t.Errorf("prefect %s: no story runs it", name)
		}
		delete(tried, name)
	}
	for name, where := range tried {
		t.Errorf("prefect %s: %s has it, but the client has no such command", name, where)
	}
	t.Logf("%d leaf commands, %d run by stories", len(found.Leaves), len(found.Run))
}

// storyCommands lists the words of the commands that stories run, without the
// options before them.
func storyCommands(t *testing.T) [][]string {
	t.Helper()
	var out [][]string
	for _, file := range storyFiles(t) {
		for _, line := range lines(t, file) {
			_, command, ok := strings.Cut(line, " prefect ")
			if !ok || !strings.HasPrefix(line, "$ ") && !strings.HasPrefix(line, "& ") {
				continue
			}
			words := strings.Fields(command)
			for len(words) > 2 && words[0] == "--profile" {
				words = words[2:]
			}
			out = append(out, words)
		}
	}
	return out
}

// elsewhere reads the commands that no story runs, with their reasons.
func elsewhere(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, line := range lines(t, filepath.Join(cliFolder, "elsewhere.txt")) {
		if name, reason, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, "#") {
			out[name] = strings.TrimSpace(reason)
		}
	}
	return out
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var out []string
	scanner := bufio.NewScanner(f)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		out = append(out, scanner.Text())
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
