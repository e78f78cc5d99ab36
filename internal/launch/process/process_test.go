package process_test

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/launch"
	"github.com/leat-dev/leat/internal/launch/process"
)

func shell(_ *testing.T, run, script string) launch.Job {
	return launch.Job{Run: run, Command: []string{"sh", "-c", script}, Env: []string{"PATH=" + os.Getenv("PATH")}}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	launch.Exercise(t, launch.Suite{New: func(*testing.T) launch.Launcher { return &process.Launcher{} }, Job: shell})
}

// pids starts a script that writes one process id a line, and reads n of them.
func pids(t *testing.T, l *process.Launcher, run, script string, n int) []int {
	t.Helper()
	r, w := io.Pipe()
	job := shell(t, run, script)
	job.Output = w
	if _, err := l.Start(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(r)
	var found []int
	for len(found) < n && in.Scan() {
		pid, err := strconv.Atoi(in.Text())
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, pid)
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	return found
}

func alive(pid int) bool {
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return false
	}
	_, state, _ := strings.Cut(string(data), ") ")
	return !strings.HasPrefix(state, "Z")
}

func TestKillTakesTheWholeTree(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/environ"); err != nil {
		t.Skip("processes that left their group are found by /proc alone")
	}
	for _, tt := range []struct {
		name, script string
		grace        time.Duration
	}{
		{"children that heed", "sleep 1000 & echo $!; sh -c 'sleep 1000 & echo $!; wait' & wait", 10 * time.Second},
		{"children in sessions of their own", "setsid sh -c 'echo $$; exec sleep 1000' & setsid sh -c 'echo $$; exec sleep 1000' & wait", 10 * time.Second},
		{"an orphan in a session of its own", "(setsid sh -c 'echo $$; exec sleep 1000' &); (sh -c 'echo $$; exec sleep 1000' &); sleep 1000", 10 * time.Second},
		{"children that do not heed", "setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.1; done' & sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.1; done' & wait", 300 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := &process.Launcher{}
			run := "tree " + tt.name
			children := pids(t, l, run, tt.script, 2)
			if len(children) != 2 || !alive(children[0]) || !alive(children[1]) {
				t.Fatalf("children %v do not live", children)
			}
			if err := l.Kill(t.Context(), run, tt.grace); err != nil {
				t.Fatal(err)
			}
			for _, pid := range children {
				if alive(pid) {
					t.Errorf("process %d lives", pid)
				}
			}
		})
	}
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, dir string) string {
		t.Helper()
		l := &process.Launcher{}
		var out strings.Builder
		job := shell(t, "dir", "pwd -P")
		job.Dir, job.Output = dir, &out
		if _, err := l.Start(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Wait(t.Context(), "dir"); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(out.String())
	}
	t.Run("a job runs in its directory", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		if got := run(t, dir); got != dir {
			t.Errorf("ran in %s, want %s", got, dir)
		}
	})
	t.Run("a job without one gets a directory that is removed", func(t *testing.T) {
		t.Parallel()
		got := run(t, "")
		if _, err := os.Stat(got); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", got, err)
		}
	})
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, want string
		job        launch.Job
	}{
		{"without a command", "no command", launch.Job{Run: "r"}},
		{
			"when the program is not in the PATH of the job", `"leat-no-such" was not found in the PATH /nowhere`,
			launch.Job{Run: "r", Command: []string{"leat-no-such"}, Env: []string{"PATH=/nowhere"}},
		},
		{"when the directory is not there", "no such file", launch.Job{
			Run: "r", Command: []string{"sh"}, Env: []string{"PATH=" + os.Getenv("PATH")}, Dir: "/leat-no-such",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := (&process.Launcher{}).Start(t.Context(), tt.job)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
