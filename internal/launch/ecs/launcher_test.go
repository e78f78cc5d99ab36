package ecs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/ecslocal"
	"github.com/leat-dev/leat/internal/launch"
	"github.com/leat-dev/leat/internal/launch/ecs"
	"github.com/leat-dev/leat/internal/launch/process"
)

// cloud is a local ECS that notes the calls it gets.
type cloud struct {
	server *ecslocal.Server
	url    string

	mu    sync.Mutex
	calls []call
}

type call struct {
	action string
	body   map[string]any
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{}
	hs := httptest.NewServer(c)
	t.Cleanup(hs.Close)
	s, err := ecslocal.New(ecslocal.Config{
		Launcher: &process.Launcher{}, Images: ecslocal.ProcessImages{}, URL: hs.URL, BaseEnv: []string{"PATH=" + os.Getenv("PATH")},
		StageTime: time.Millisecond, StopTimeout: 20 * time.Second, Output: t.Output(), Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	c.server, c.url = s, hs.URL
	return c
}

// ServeHTTP implements http.Handler.
func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_ = r.Body.Close()
	_, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	one := call{action: action}
	_ = json.Unmarshal(body, &one.body) // a form has no action either
	c.mu.Lock()
	c.calls = append(c.calls, one)
	c.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	c.server.ServeHTTP(w, r)
}

// made lists the bodies of the calls of an action.
func (c *cloud) made(action string) []map[string]any {
	c.mu.Lock()
	defer c.mu.Unlock()
	var bodies []map[string]any
	for _, one := range c.calls {
		if one.action == action {
			bodies = append(bodies, one.body)
		}
	}
	return bodies
}

// fault sets faults from JSON.
func (c *cloud) fault(t *testing.T, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.url+"/_leat/faults", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Timeout: time.Minute}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		t.Fatalf("faults: %s", text)
	}
}

func (c *cloud) launcher(t *testing.T) *ecs.Launcher {
	t.Helper()
	caller, err := awscall.New(awscall.Config{
		Load: func(context.Context) (aws.Config, error) {
			return aws.Config{
				Region: "us-east-1", BaseEndpoint: aws.String(c.url), Credentials: credentials.NewStaticCredentialsProvider("000000000000", "any", ""),
			}, nil
		},
		Now: time.Now, Backoff: func(int) time.Duration { return time.Millisecond },
	})
	if err != nil {
		t.Fatal(err)
	}
	return &ecs.Launcher{
		Caller: caller, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: time.Now, Grace: 2 * time.Second,
		Backoff: func(int) time.Duration { return 10 * time.Millisecond }, PollMin: 5 * time.Millisecond, PollMax: 50 * time.Millisecond, LogLag: 20 * time.Millisecond,
	}
}

// shell is a job of a family whose program is a shell that executes script.
func shell(family, run, script string) launch.Job {
	return launch.Job{
		Run: run, Command: []string{"sh", "-c", script},
		Task: &launch.Task{
			Container: "prefect",
			Definition: map[string]any{
				"family": family, "cpu": "256", "memory": "512", "networkMode": "awsvpc", "requiresCompatibilities": []any{"FARGATE"}, "executionRoleArn": "role",
				"containerDefinitions": []any{map[string]any{
					"name": "prefect", "image": "any", "logConfiguration": map[string]any{"logDriver": "awslogs", "options": map[string]any{
						"awslogs-create-group": "true", "awslogs-group": "suite", "awslogs-stream-prefix": "p",
					}},
				}},
			},
			Request: map[string]any{"launchType": "FARGATE"},
		},
	}
}

func TestSuite(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	launch.Exercise(t, launch.Suite{
		New: func(t *testing.T) launch.Launcher { return c.launcher(t) },
		Job: func(_ *testing.T, run, script string) launch.Job { return shell("suite", run, script) },
	})
}

// run runs a job to its end.
func run(t *testing.T, l launch.Launcher, job launch.Job) launch.Exit {
	t.Helper()
	if _, err := l.Start(t.Context(), job); err != nil {
		t.Fatalf("start: %v", err)
	}
	exit, err := l.Wait(t.Context(), job.Run)
	if err != nil {
		t.Fatalf("wait: %v", err)
	}
	return exit
}

// kill ends a run at the end of the test.
func kill(t *testing.T, l launch.Launcher, run string) {
	t.Helper()
	t.Cleanup(func() { _ = l.Kill(context.WithoutCancel(t.Context()), run, 0) })
}

func TestDefinitionIsRegisteredOnce(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	first, second := c.launcher(t), c.launcher(t)
	revisions := func() int { return len(c.made("RegisterTaskDefinition")) }
	run(t, first, shell("same", "a", "exit 0"))
	run(t, first, shell("same", "b", "exit 0"))
	if n, described := revisions(), len(c.made("DescribeTaskDefinition")); n != 1 || described != 1 {
		t.Fatalf("two starts registered %d revisions and asked %d times for the newest", n, described)
	}
	run(t, second, shell("same", "c", "exit 0"))
	if n := revisions(); n != 1 {
		t.Errorf("another launcher registered the same definition again: %d", n)
	}
	changed := shell("same", "d", "exit 0")
	changed.Task.Definition["memory"] = "1024"
	run(t, second, changed)
	if n := revisions(); n != 2 {
		t.Errorf("a changed definition leaves %d revisions", n)
	}
	containers, _ := c.made("RegisterTaskDefinition")[0]["containerDefinitions"].([]any)
	if container, _ := containers[0].(map[string]any); container["stopTimeout"] != 2.0 {
		t.Errorf("the grace is not the stop timeout: %v", container)
	}
	t.Run("one that was taken back is registered anew", func(t *testing.T) {
		job := shell("same", "e", "exit 0")
		job.Task.Definition["memory"] = "2048"
		job.Task.Deregister = true
		run(t, first, job)
		if n := len(c.made("DeregisterTaskDefinition")); n != 1 {
			t.Fatalf("taken back %d times", n)
		}
		run(t, second, job) // whose newest is still another
		job.Run = "f"
		run(t, second, job)
		if n := revisions(); n != 5 {
			t.Errorf("%d revisions, want 5", n)
		}
	})
	t.Run("one that vanished meanwhile is registered anew", func(t *testing.T) {
		job := shell("vanish", "g", "exit 0")
		job.Task.Deregister = true
		other := shell("vanish", "h", "exit 0")
		started := make(chan struct{})
		job.Output = closer{started}
		job.Command[2] = "echo on; sleep 1000"
		if _, err := first.Start(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		kill(t, first, "g")
		<-started
		run(t, second, other)
		if err := first.Kill(t.Context(), "g", 0); err != nil {
			t.Fatal(err)
		}
		other.Run = "i"
		run(t, second, other)
	})
}

// closer closes a channel at the first write.
type closer struct{ written chan struct{} }

func (c closer) Write(p []byte) (int, error) {
	select {
	case <-c.written:
	default:
		close(c.written)
	}
	return len(p), nil
}

func TestOneTaskPerRun(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	first, second := c.launcher(t), c.launcher(t)
	started := make(chan struct{})
	job := shell("one", "run", "echo on; exec sleep 1000")
	job.Output = closer{started}
	identifier, err := first.Start(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	kill(t, first, "run")
	<-started
	t.Run("another launcher, with another environment, finds it", func(t *testing.T) {
		other := shell("one", "run", "echo on; exec sleep 1000")
		other.Env = []string{"A=b"}
		found, err := second.Start(t.Context(), other)
		if err != nil || found != identifier {
			t.Fatalf("%s, %v; want %s", found, err, identifier)
		}
		if n := len(c.made("RunTask")); n != 1 {
			t.Errorf("%d calls of RunTask", n)
		}
	})
	t.Run("many launchers at once start one", func(t *testing.T) {
		ids := make([]string, 8)
		var group sync.WaitGroup
		for i := range ids {
			l := c.launcher(t)
			kill(t, l, "race")
			group.Go(func() {
				one := shell("one", "race", "exec sleep 1000")
				one.Env = []string{"WORKER=" + string(rune('a'+i))}
				var err error
				if ids[i], err = l.Start(t.Context(), one); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		slices.Sort(ids)
		if left := slices.Compact(ids); len(left) != 1 || left[0] == "" {
			t.Errorf("started %v", left)
		}
	})
	t.Run("a launcher that knows nothing of earlier tasks starts a run again", func(t *testing.T) {
		for i := range 4 {
			l := c.launcher(t)
			if exit := run(t, l, shell("one", "again", "exit "+string(rune('3'+i)))); exit.Code != 3+i {
				t.Errorf("start %d ended with %+v", i, exit)
			}
		}
	})
}

func TestTrouble(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, fault string
		change      func(job *launch.Job)
		check       func(t *testing.T, c *cloud, exit launch.Exit)
	}{
		{"no capacity for a while", `{"noCapacity":3}`, nil, func(t *testing.T, c *cloud, exit launch.Exit) {
			if n := len(c.made("RunTask")); !exit.OK() || n != 4 {
				t.Errorf("ended with %+v after %d calls", exit, n)
			}
		}},
		{"all calls are throttled now and then", `{"throttleShare":0.5}`, nil, func(t *testing.T, _ *cloud, exit launch.Exit) {
			if !exit.OK() {
				t.Errorf("ended with %+v", exit)
			}
		}},
		{"starting is throttled more often than a call is tried", `{"throttle":10,"throttleActions":["RunTask"]}`, nil, func(t *testing.T, c *cloud, exit launch.Exit) {
			if n := len(c.made("RunTask")); !exit.OK() || n != 11 {
				t.Errorf("ended with %+v after %d calls", exit, n)
			}
		}},
		{"an image that can't be pulled", `{"pullFailures":1}`, nil, func(t *testing.T, _ *cloud, exit launch.Exit) {
			if exit.OK() || !exit.Unknown || !strings.Contains(exit.String(), "TaskFailedToStart: CannotPullContainerError") {
				t.Errorf("ended with %+v: %s", exit, exit)
			}
		}},
		{"another container fails", `{}`, func(job *launch.Job) {
			job.Command[2] = "trap 'exit 0' TERM; while :; do sleep 0.05; done"
			containers, _ := job.Task.Definition["containerDefinitions"].([]any)
			job.Task.Definition["containerDefinitions"] = append(containers, map[string]any{"name": "aside", "image": "any", "command": []any{"sh", "-c", "sleep 0.2; exit 9"}})
		}, func(t *testing.T, _ *cloud, exit launch.Exit) {
			if !strings.Contains(exit.Reason, "the container aside ended with exit status 9") {
				t.Errorf("ended with %+v", exit)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t)
			c.fault(t, tt.fault)
			job := shell("trouble", "run", "exit 0")
			if tt.change != nil {
				tt.change(&job)
			}
			tt.check(t, c, run(t, c.launcher(t), job))
		})
	}
	t.Run("patience ends", func(t *testing.T) {
		t.Parallel()
		c := newCloud(t)
		c.fault(t, `{"noCapacity":-1}`)
		l := c.launcher(t)
		l.Patience = time.Nanosecond
		_, err := l.Start(t.Context(), shell("trouble", "run", "exit 0"))
		if err == nil || !strings.Contains(err.Error(), "Capacity is unavailable") {
			t.Errorf("start: %v", err)
		}
	})
	t.Run("what ECS refuses for good is not tried again", func(t *testing.T) {
		t.Parallel()
		c := newCloud(t)
		job := shell("trouble", "run", "exit 0")
		job.Task.Request["cluster"] = "none"
		if _, err := c.launcher(t).Start(t.Context(), job); err == nil || !strings.Contains(err.Error(), "no cluster none") {
			t.Errorf("start: %v", err)
		}
	})
	t.Run("Spot takes a task away", func(t *testing.T) {
		t.Parallel()
		c := newCloud(t)
		l, started := c.launcher(t), make(chan struct{})
		job := shell("trouble", "spot", "echo on; exec sleep 1000")
		job.Output = closer{started}
		if _, err := l.Start(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		<-started
		tasks := c.made("DescribeTasks")
		for tick := time.NewTicker(10 * time.Millisecond); len(tasks) == 0; tasks = c.made("DescribeTasks") {
			<-tick.C // what it wrote may be known before how it is
		}
		arns, _ := tasks[len(tasks)-1]["tasks"].([]any)
		text, _ := json.Marshal(map[string]any{"interrupt": arns[0], "interruptSeconds": 20})
		c.fault(t, string(text))
		exit, err := l.Wait(t.Context(), "spot")
		if err != nil || exit.Code != 143 || !strings.Contains(exit.String(), "SpotInterruption: Your Spot Task was interrupted.") {
			t.Errorf("%v, ended with %+v: %s", err, exit, exit)
		}
	})
}

func TestManyTasksAreDescribedTogether(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	l := c.launcher(t)
	l.PollMin, l.PollMax = 100*time.Millisecond, 200*time.Millisecond
	const n = 120
	names := make([]string, n)
	var group sync.WaitGroup
	for i := range n {
		names[i] = "many-" + strings.Repeat("i", i)
	}
	next := make(chan string, n)
	for range 8 {
		group.Go(func() {
			for name := range next {
				if _, err := l.Start(t.Context(), shell("many", name, "exec sleep 1000")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for _, name := range names {
		next <- name
	}
	close(next)
	group.Wait()
	for _, name := range names {
		group.Go(func() {
			if err := l.Kill(t.Context(), name, 0); err != nil {
				t.Error(err)
			}
			if exit, err := l.Wait(t.Context(), name); err != nil || exit.OK() || !strings.Contains(exit.Reason, "UserInitiated") {
				t.Errorf("%v, ended with %+v", err, exit)
			}
		})
	}
	group.Wait()
	most := 0
	for _, body := range c.made("DescribeTasks") {
		arns, _ := body["tasks"].([]any)
		most = max(most, len(arns))
	}
	if most != 100 {
		t.Errorf("at most %d tasks were described at once, want 100", most)
	}
}
