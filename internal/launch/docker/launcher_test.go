package docker_test

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	engine "github.com/leat-dev/leat/internal/docker"
	"github.com/leat-dev/leat/internal/docker/dockertest"
	"github.com/leat-dev/leat/internal/launch"
	"github.com/leat-dev/leat/internal/launch/docker"
)

func newLauncher(c *engine.Client) *docker.Launcher {
	return &docker.Launcher{Client: c, Now: time.Now}
}

func shell(run, script string) launch.Job {
	return launch.Job{
		Run: run, Command: []string{"sh", "-c", script}, Env: []string{"PATH=/bin"},
		Container: &launch.Container{Image: dockertest.Image, Pull: "Never", Remove: true, Init: true},
	}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	c := dockertest.Shell(t)
	launch.Exercise(t, launch.Suite{
		New: func(*testing.T) launch.Launcher { return newLauncher(c) },
		Job: func(_ *testing.T, run, script string) launch.Job { return shell(run, script) },
	})
}

// output is what a container writes.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// runJob runs a job to its end.
func runJob(t *testing.T, c *engine.Client, job launch.Job) (launch.Exit, string) {
	t.Helper()
	l, out := newLauncher(c), &output{}
	job.Output = out
	if _, err := l.Start(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Kill(context.WithoutCancel(t.Context()), job.Run, 0) })
	exit, err := l.Wait(t.Context(), job.Run)
	if err != nil {
		t.Fatal(err)
	}
	return exit, out.String()
}

func TestContainer(t *testing.T) {
	t.Parallel()
	c := dockertest.Shell(t)
	t.Run("what uses more memory than it may is said to have done so", func(t *testing.T) {
		t.Parallel()
		job := shell("docker-oom", "x=; while :; do x=$x$(dd if=/dev/zero bs=1M count=1 2>/dev/null | tail -c 1000000 | cat -v); done")
		job.Container.Memory = 16 << 20
		job.Container.MemorySwap = 16 << 20
		job.Container.Init = false
		exit, _ := runJob(t, c, job)
		if !exit.OutOfMemory || exit.Code != 137 || !strings.Contains(exit.String(), "more memory") {
			t.Errorf("ended with %+v: %s", exit, exit)
		}
	})
	t.Run("volumes, directory, labels and the image's environment", func(t *testing.T) {
		t.Parallel()
		job := shell("docker-volume", "cat /data/../data/x; pwd; echo $FROM_IMAGE")
		dir := t.TempDir()
		job.Container.Volumes, job.Dir = []string{dir + ":/data/made"}, "/data/made"
		job.Command[2] = "echo kept > x; pwd; echo image $FROM_IMAGE"
		exit, out := runJob(t, c, job)
		if !exit.OK() || out != "/data/made\nimage yes\n" {
			t.Errorf("ended with %+v, wrote %q", exit, out)
		}
	})
	t.Run("a last line without an end arrives", func(t *testing.T) {
		t.Parallel()
		for i := range 5 {
			run := "docker-line-" + strings.Repeat("i", i)
			if _, out := runJob(t, c, shell(run, "echo one; sleep 0.1; printf two")); out != "one\ntwo" {
				t.Errorf("wrote %q", out)
			}
		}
	})
	t.Run("an image that is not there is named", func(t *testing.T) {
		t.Parallel()
		job := shell("docker-none", "exit 0")
		job.Container.Image = "leat-no-such-image:1"
		_, err := newLauncher(c).Start(t.Context(), job)
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), "no such image") {
			t.Errorf("start: %v", err)
		}
	})
	t.Run("a name that is taken gets a number", func(t *testing.T) {
		t.Parallel()
		l := newLauncher(c)
		for _, run := range []string{"docker-name-a", "docker-name-b"} {
			job := shell(run, "sleep 1000")
			job.Container.Name = "leat-test-name"
			id, err := l.Start(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Kill(context.WithoutCancel(t.Context()), run, 0) })
			found, err := c.Inspect(t.Context(), id)
			if err != nil || !strings.HasPrefix(found.Name, "/leat-test-name") {
				t.Errorf("named %q, %v", found.Name, err)
			}
		}
	})
	t.Run("another launcher finds a run under way instead of starting it twice", func(t *testing.T) {
		t.Parallel()
		first, second := newLauncher(c), newLauncher(c)
		id, err := first.Start(t.Context(), shell("docker-again", "sleep 1000"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = first.Kill(context.WithoutCancel(t.Context()), "docker-again", 0) })
		again, err := second.Start(t.Context(), shell("docker-again", "sleep 1000"))
		if err != nil || again != id {
			t.Errorf("started %q and %q, %v", id, again, err)
		}
	})
	t.Run("what an adopted run writes goes to the launcher's output", func(t *testing.T) {
		t.Parallel()
		first, out := newLauncher(c), &output{}
		job := shell("docker-adopted", "trap 'echo asked; exit 4' TERM; while :; do sleep 0.05; done")
		id, err := first.Start(t.Context(), job)
		if err != nil {
			t.Fatal(err)
		}
		second := newLauncher(c)
		second.Output = out
		if err := second.Adopt(t.Context(), job.Run, id); err != nil {
			t.Fatal(err)
		}
		if err := second.Kill(t.Context(), job.Run, time.Minute); err != nil {
			t.Fatal(err)
		}
		exit, err := second.Wait(t.Context(), job.Run)
		if err != nil || exit.Code != 4 || !strings.Contains(out.String(), "asked") {
			t.Errorf("ended with %+v, %v, wrote %q", exit, err, out)
		}
	})
}
