package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/launch"
	"github.com/leat-dev/leat/internal/server"
	"github.com/leat-dev/leat/internal/worker"
)

// bundle is a server with a pool, and a launcher whose jobs the test ends.
type bundle struct {
	t        *testing.T
	c        *client.Client
	launcher *launcher
	flow     core.ID
}

const pool = "a pool"

type object = map[string]any

func setup(t *testing.T) *bundle {
	t.Helper()
	home := t.TempDir()
	cfg := server.Default(home)
	cfg.Port, cfg.Database = 0, filepath.Join(home, "leat.db")
	// The server outlives the workers of the test.
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, stopped := make(chan string, 1), make(chan error, 1)
	go func() {
		stopped <- server.Run(ctx, cfg, server.Environment{Now: time.Now, Version: "test", Ready: func(addr string) { ready <- addr }})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Errorf("server: %v", err)
		}
	})
	var addr string
	select {
	case addr = <-ready:
	case err := <-stopped:
		t.Fatalf("server: %v", err)
	}
	c, err := client.New(client.Config{URL: "http://" + addr + "/api", Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	b := &bundle{t: t, c: c, launcher: &launcher{jobs: map[string]*job{}, started: make(chan *job, 10)}}
	var flow client.Flow
	b.do(http.MethodPost, "/flows/", object{"name": "etl"}, &flow)
	b.flow = flow.ID
	return b
}

func (b *bundle) do(method, path string, in, out any) {
	b.t.Helper()
	if err := b.c.Do(b.t.Context(), method, path, in, out); err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
}

// config is a worker's without delays that a test would have to wait for.
func (b *bundle) config() worker.Config {
	return worker.Config{
		Client: b.c, Launcher: b.launcher, Pool: pool, Name: "w1", Type: "process", PollEvery: 20 * time.Millisecond,
		CancelEvery: 50 * time.Millisecond, Environ: []string{"PATH=/nowhere", "INHERITED=yes"}, Output: io.Discard, Now: time.Now, Version: "test",
	}
}

// start runs a worker until the test ends; stop ends it before.
func (b *bundle) start(cfg worker.Config) (stop func()) {
	b.t.Helper()
	w, err := worker.New(cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := w.Run(ctx); err != nil {
			b.t.Errorf("worker: %v", err)
		}
	}()
	stop = func() {
		cancel()
		<-ended
	}
	b.t.Cleanup(stop)
	return stop
}

// deploy makes a deployment in the pool, which it creates if it is not there.
func (b *bundle) deploy(variables object) core.ID {
	b.t.Helper()
	if _, err := b.c.WorkPool(b.t.Context(), pool); client.IsNotFound(err) {
		template, err := b.c.DefaultJobTemplate(b.t.Context(), "process")
		if err != nil {
			b.t.Fatal(err)
		}
		_, err = b.c.CreateWorkPool(b.t.Context(), client.WorkPoolCreate{Name: pool, Type: "process", BaseJobTemplate: client.JobTemplate(template)})
		if err != nil {
			b.t.Fatal(err)
		}
	}
	var d struct {
		ID core.ID `json:"id"`
	}
	b.do(http.MethodPost, "/deployments/", object{
		"name": "d", "flow_id": b.flow, "work_pool_name": pool, "job_variables": variables, "entrypoint": "f.py:f", "tags": []string{"nightly"},
	}, &d)
	return d.ID
}

func (b *bundle) run(deployment core.ID) client.FlowRun {
	b.t.Helper()
	run, err := b.c.RunDeployment(b.t.Context(), deployment, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return run
}

// eventually looks until the run is as wanted.
func (b *bundle) eventually(id core.ID, what string, ok func(client.FlowRun) bool) client.FlowRun {
	b.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	for {
		run, err := b.c.FlowRun(b.t.Context(), id)
		if err != nil {
			b.t.Fatal(err)
		}
		if ok(run) {
			return run
		}
		select {
		case <-tick.C:
		case <-limit.C:
			b.t.Fatalf("the run is not %s: %+v", what, run.State)
		}
	}
}

func (b *bundle) state(id core.ID, want core.StateType) client.FlowRun {
	b.t.Helper()
	return b.eventually(id, string(want), func(r client.FlowRun) bool { return r.State != nil && r.State.Type == want })
}

func (b *bundle) setState(id core.ID, state core.StateType) {
	b.t.Helper()
	if _, err := b.c.SetFlowRunState(b.t.Context(), id, client.StateCreate{Type: state}, false); err != nil {
		b.t.Fatal(err)
	}
}

// launcher starts jobs that end when the test says so.
type launcher struct {
	mu      sync.Mutex
	jobs    map[string]*job
	fail    error
	started chan *job
}

type job struct {
	launch.Job
	end    func(launch.Exit)
	exit   chan launch.Exit
	killed chan struct{}
}

var _ launch.Launcher = (*launcher)(nil)

func (l *launcher) Start(_ context.Context, j launch.Job) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return "", l.fail
	}
	started := &job{Job: j, exit: make(chan launch.Exit, 1), killed: make(chan struct{})}
	var once sync.Once
	started.end = func(e launch.Exit) { once.Do(func() { started.exit <- e }) }
	l.jobs[j.Run] = started
	l.started <- started
	return "pid of " + j.Run[:4], nil
}

func (l *launcher) Adopt(context.Context, string, string) error { return launch.ErrNotFound }

func (l *launcher) Wait(ctx context.Context, run string) (launch.Exit, error) {
	l.mu.Lock()
	j := l.jobs[run]
	l.mu.Unlock()
	select {
	case exit := <-j.exit:
		return exit, nil
	case <-ctx.Done():
		return launch.Exit{}, ctx.Err()
	}
}

func (l *launcher) Kill(_ context.Context, run string, _ time.Duration) error {
	l.mu.Lock()
	j := l.jobs[run]
	l.mu.Unlock()
	close(j.killed)
	j.end(launch.Exit{Code: -15})
	return nil
}

func (b *bundle) job() *job {
	b.t.Helper()
	select {
	case j := <-b.launcher.started:
		return j
	case <-time.After(20 * time.Second):
		b.t.Fatal("no job was started")
		return nil
	}
}

func TestRunIsExecuted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.run(b.deploy(object{"command": "sh -c 'a b'", "env": object{"COMPAT": "x", "INHERITED": "no"}, "working_dir": "/tmp"}))
	b.start(b.config())
	j := b.job()
	if j.Run != run.ID.String() || j.Dir != "/tmp" {
		t.Errorf("the job is of run %s in %q", j.Run, j.Dir)
	}
	if diff := cmp.Diff([]string{"sh", "-c", "a b"}, j.Command); diff != "" {
		t.Errorf("command: %s", diff)
	}
	for _, want := range []string{
		"PREFECT__FLOW_RUN_ID=" + run.ID.String(), "PREFECT_API_URL=" + b.c.URL(), "PREFECT__WORKER_NAME=w1", "PREFECT__FLOW_NAME=etl",
		"PREFECT__DEPLOYMENT_NAME=d", "COMPAT=x", "INHERITED=no", "PATH=/nowhere",
	} {
		if !slices.Contains(j.Env, want) {
			t.Errorf("the environment lacks %s: %q", want, j.Env)
		}
	}
	b.eventually(run.ID, "Submitting with a pid", func(r client.FlowRun) bool {
		return r.State.Name == "Submitting" && r.InfrastructurePID != nil && *r.InfrastructurePID == "pid of "+run.ID.String()[:4]
	})
	b.setState(run.ID, core.Running)
	b.setState(run.ID, core.Completed)
	j.end(launch.Exit{})
	r := b.state(run.ID, core.Completed)
	var labels map[string]any
	if err := json.Unmarshal(r.Labels, &labels); err != nil {
		t.Fatal(err)
	}
	if labels["prefect.worker.name"] != "w1" || labels["prefect.work-pool.name"] != pool {
		t.Errorf("labels %v", labels)
	}
}

func TestEventsTellWhatAWorkerDoes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.run(b.deploy(object{}))
	stop := b.start(b.config())
	b.job().end(launch.Exit{Code: 3})
	b.state(run.ID, core.Crashed)
	stop()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got := map[string]client.Event{}
	err := b.c.FollowEvents(ctx, object{"event": object{"prefix": []string{"prefect.worker."}}}, func(e client.Event) {
		if got[e.Event] = e; len(got) == 4 {
			cancel()
		}
	})
	if len(got) != 4 {
		t.Fatalf("%d kinds of events, %v", len(got), err)
	}
	started, submitted := got["prefect.worker.started"], got["prefect.worker.submitted-flow-run"]
	executed, stopped := got["prefect.worker.executed-flow-run"], got["prefect.worker.stopped"]
	if stopped.Follows == nil || *stopped.Follows != started.ID || executed.Follows == nil || *executed.Follows != submitted.ID {
		t.Error("the later events do not follow the earlier ones")
	}
	if id := started.Resource[0]; id.Key != "prefect.resource.id" || id.Value != "prefect.worker.process.w1" {
		t.Errorf("the resource is %v", started.Resource)
	}
	roles := map[string]core.Labels{}
	for _, r := range executed.Related {
		for _, l := range r {
			if l.Key == "prefect.resource.role" {
				roles[l.Value] = r
			}
		}
	}
	for _, role := range []string{"deployment", "flow", "flow-run", "work-pool", "tag"} {
		if roles[role] == nil {
			t.Errorf("no %s is related", role)
		}
	}
	if !slices.Contains(roles["flow-run"], core.Label{Key: "prefect.infrastructure.status-code", Value: "3"}) {
		t.Errorf("the flow run's labels are %v", roles["flow-run"])
	}
}

func TestExitStatusIsToldInWords(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.run(b.deploy(object{}))
	b.start(b.config())
	b.job().end(launch.Exit{Code: 7})
	if r := b.state(run.ID, core.Crashed); !strings.Contains(*r.State.Message, "exit status 7") {
		t.Errorf("message %q", *r.State.Message)
	}
}

func TestEndedRunStaysAsItIs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	deployment := b.deploy(object{})
	b.start(b.config())
	run := b.run(deployment)
	j := b.job()
	b.setState(run.ID, core.Running)
	b.setState(run.ID, core.Failed)
	j.end(launch.Exit{Code: 1})
	// Another run's end shows that the first one's was seen.
	again := b.run(deployment)
	b.job().end(launch.Exit{Code: 1})
	b.state(again.ID, core.Crashed)
	b.state(run.ID, core.Failed)
}

func TestJobThatCannotBeStartedCrashesTheRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.launcher.fail = errors.New("no room")
	run := b.run(b.deploy(object{}))
	b.start(b.config())
	if r := b.state(run.ID, core.Crashed); !strings.Contains(*r.State.Message, "no room") {
		t.Errorf("message %q", *r.State.Message)
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	deployment := b.deploy(object{})
	first, second := b.run(deployment), b.run(deployment)
	cfg := b.config()
	cfg.Limit = 1
	b.start(cfg)
	j := b.job()
	running, waiting := first, second
	if j.Run != first.ID.String() {
		running, waiting = second, first
	}
	b.setState(running.ID, core.Running)
	select {
	case <-b.launcher.started:
		t.Fatal("a second job was started")
	case <-time.After(200 * time.Millisecond):
	}
	if r, err := b.c.FlowRun(t.Context(), waiting.ID); err != nil || r.State.Type != core.Scheduled {
		t.Errorf("the second run is %v, %v", r.State, err)
	}
	b.setState(running.ID, core.Completed)
	j.end(launch.Exit{})
	if j := b.job(); j.Run != waiting.ID.String() {
		t.Errorf("the next job is of run %s", j.Run)
	}
}

func TestCancellation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.run(b.deploy(object{}))
	b.start(b.config())
	j := b.job()
	b.setState(run.ID, core.Running)
	b.setState(run.ID, core.Cancelling)
	<-j.killed
	if r := b.state(run.ID, core.Cancelled); r.State.Message == nil {
		t.Error("the state has no message")
	}
}

func TestStoppedWorkerEndsItsJobs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.run(b.deploy(object{}))
	stop := b.start(b.config())
	j := b.job()
	b.setState(run.ID, core.Running)
	stop()
	<-j.killed
	if r := b.state(run.ID, core.Crashed); !strings.Contains(*r.State.Message, "w1 was stopped") {
		t.Errorf("message %q", *r.State.Message)
	}
}

func TestRunOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.run(b.deploy(object{}))
	w, err := worker.New(b.config())
	if err != nil {
		t.Fatal(err)
	}
	go func() { (<-b.launcher.started).end(launch.Exit{Code: 1}) }()
	if err := w.RunOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.state(run.ID, core.Crashed)
}

// once runs a worker with a changed configuration for one poll.
func (b *bundle) once(change func(*worker.Config)) error {
	cfg := b.config()
	change(&cfg)
	w, err := worker.New(cfg)
	if err != nil {
		return err
	}
	return w.RunOnce(b.t.Context())
}

func TestPoolThatIsNotThereIsCreated(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if err := b.once(func(*worker.Config) {}); err != nil {
		t.Fatal(err)
	}
	p, err := b.c.WorkPool(t.Context(), pool)
	if err != nil || p.Type != "process" || !strings.Contains(string(p.BaseJobTemplate), "{{ command }}") {
		t.Errorf("pool %+v, %v", p, err)
	}
	workers, err := b.c.Workers(t.Context(), pool, client.Query{})
	if err != nil || len(workers) != 1 || workers[0].Name != "w1" || workers[0].Status != core.WorkerOnline {
		t.Errorf("workers %+v, %v", workers, err)
	}
}

func TestWrongConfiguration(t *testing.T) {
	t.Parallel()
	b := setup(t)
	err := b.once(func(cfg *worker.Config) { cfg.Queues = []string{"none"} })
	if err == nil || !strings.Contains(err.Error(), `no queue "none"; it has: default`) {
		t.Errorf("a queue that is not there: %v", err)
	}
	if err := b.once(func(cfg *worker.Config) { cfg.Name = "a/b" }); err == nil {
		t.Error("a name that fits into no path is no error")
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.do(http.MethodPost, "/variables/", object{"name": "region", "value": "eu"}, nil)
	b.do(http.MethodPost, "/variables/", object{"name": "size", "value": 3}, nil)
	b.run(b.deploy(object{"env": object{
		"WHERE": "{{ prefect.variables.region }}-1", "SIZE": "{{ prefect.variables.size }}", "NONE": "<{{ prefect.variables.none }}>",
	}}))
	b.start(b.config())
	j := b.job()
	for _, want := range []string{"WHERE=eu-1", "SIZE=3", "NONE=<>"} {
		if !slices.Contains(j.Env, want) {
			t.Errorf("the environment lacks %s: %q", want, j.Env)
		}
	}
	j.end(launch.Exit{})
}
