package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/cli"
)

// TestThePageAboutOperationsIsTrue runs the commands of docs/operations.md, one
// after the other, and compares the ages that it names with the defaults.
func TestThePageAboutOperationsIsTrue(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := func(line string) string {
		t.Helper()
		args := strings.Fields(line)
		for i, a := range args {
			if strings.HasSuffix(a, ".db") {
				args[i] = filepath.Join(dir, a)
			}
		}
		var out, errs bytes.Buffer
		code := cli.Main(t.Context(), cli.Env{
			Args: args, LookupEnv: func(name string) (string, bool) { return dir, name == "LEAT_HOME" }, Stdin: strings.NewReader(""),
			Stdout: &out, Stderr: &errs, Now: time.Now, Version: "test",
		})
		if code != 0 {
			t.Errorf("leat %s: exit %d: %s", line, code, errs.String())
		}
		return out.String()
	}
	run("db upgrade") // makes the database
	commands := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(block[1]) {
			commands++
			run(strings.TrimPrefix(strings.TrimSpace(line), "leat "))
		}
	}
	if commands < 8 {
		t.Errorf("the page has %d commands", commands)
	}
	help := run("server start --help")
	for _, row := range regexp.MustCompile("\\| `--(retain-[a-z]+)` \\| (\\d+d)").FindAllStringSubmatch(string(page), -1) {
		if !regexp.MustCompile("--" + row[1] + " duration .*default " + row[2]).MatchString(help) {
			t.Errorf("the page says that %s is %s; the help says otherwise", row[1], row[2])
		}
	}
}
