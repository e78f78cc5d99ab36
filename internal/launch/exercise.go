package launch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

// Suite tells Exercise how to test a launcher.
type Suite struct {
	// New returns a launcher that has started nothing.
	New func(t *testing.T) Launcher
	// Job returns a job whose program is a shell that executes script; its output
	// and environment are set by the suite.
	Job func(t *testing.T, run, script string) Job
}

// Exercise tests what every launcher promises.
func Exercise(t *testing.T, s Suite) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(t *testing.T, s Suite)
	}{
		{"a program that ends well has exit status 0", exerciseSuccess},
		{"a program's exit status is reported", exerciseStatus},
		{"output and environment arrive", exerciseOutput},
		{"a run that is under way is not started twice", exerciseTwice},
		{"a run may be started again after its end", exerciseAgain},
		{"killing asks first", exerciseKillAsks},
		{"killing forces what does not heed", exerciseKillForces},
		{"killing what has ended is no error", exerciseKillEnded},
		{"an unknown run is not found", exerciseUnknown},
		{"another launcher adopts a run and kills it", exerciseAdopt},
		{"a wait ends with its context", exerciseWaitContext},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, s)
		})
	}
}

// suiteGrace is long enough for a shell to handle a signal on a busy machine.
const suiteGrace = 20 * time.Second

func (s Suite) start(t *testing.T, l Launcher, run, script string) (identifier string, out *lines) {
	t.Helper()
	out = newLines()
	job := s.Job(t, run, script)
	job.Output = out
	identifier, err := l.Start(t.Context(), job)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	if identifier == "" {
		t.Fatal("start returns no identifier")
	}
	t.Cleanup(func() { _ = l.Kill(context.WithoutCancel(t.Context()), run, 0) })
	return identifier, out
}

func wait(t *testing.T, l Launcher, run string) Exit {
	t.Helper()
	exit, err := l.Wait(t.Context(), run)
	if err != nil {
		t.Fatalf("wait: %v", err)
	}
	return exit
}

func exerciseSuccess(t *testing.T, s Suite) {
	l := s.New(t)
	s.start(t, l, "run-ok", "exit 0")
	if exit := wait(t, l, "run-ok"); !exit.OK() {
		t.Errorf("ended with %+v", exit)
	}
}

func exerciseStatus(t *testing.T, s Suite) {
	l := s.New(t)
	s.start(t, l, "run-7", "exit 7")
	exit := wait(t, l, "run-7")
	if exit.Code != 7 || exit.Unknown {
		t.Errorf("ended with %+v, want 7", exit)
	}
	if !strings.Contains(exit.String(), "exit status 7") {
		t.Errorf("in words: %s", exit)
	}
}

func exerciseOutput(t *testing.T, s Suite) {
	l := s.New(t)
	job := s.Job(t, "run-out", `echo "value is $LEAT_SUITE"; echo complaint >&2`)
	out := newLines()
	job.Output, job.Env = out, append(job.Env, "LEAT_SUITE=42")
	if _, err := l.Start(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	wait(t, l, "run-out")
	for _, want := range []string{"value is 42", "complaint"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("output %q lacks %q", out, want)
		}
	}
}

func exerciseTwice(t *testing.T, s Suite) {
	l := s.New(t)
	first, out := s.start(t, l, "run-twice", "echo began; sleep 1000")
	out.await(t, "began")
	job := s.Job(t, "run-twice", "echo began again")
	job.Output = out
	second, err := l.Start(t.Context(), job)
	if err != nil || second != first {
		t.Errorf("the second start returns %q, %v; want %q", second, err, first)
	}
	if err := l.Kill(t.Context(), "run-twice", 0); err != nil {
		t.Fatal(err)
	}
	wait(t, l, "run-twice")
	if strings.Contains(out.String(), "again") {
		t.Error("the second start started something")
	}
}

func exerciseAgain(t *testing.T, s Suite) {
	l := s.New(t)
	s.start(t, l, "run-again", "exit 1")
	wait(t, l, "run-again")
	s.start(t, l, "run-again", "exit 3")
	if exit := wait(t, l, "run-again"); exit.Code != 3 {
		t.Errorf("the second attempt ended with %+v, want 3", exit)
	}
}

func exerciseKillAsks(t *testing.T, s Suite) {
	l := s.New(t)
	_, out := s.start(t, l, "run-asked", `trap 'echo asked; exit 5' TERM; echo ready; while :; do sleep 0.05; done`)
	out.await(t, "ready")
	if err := l.Kill(t.Context(), "run-asked", suiteGrace); err != nil {
		t.Fatal(err)
	}
	if exit := wait(t, l, "run-asked"); exit.Code != 5 {
		t.Errorf("ended with %+v, want the program's own 5", exit)
	}
	if !strings.Contains(out.String(), "asked") {
		t.Errorf("output %q: the program was not asked", out)
	}
}

func exerciseKillForces(t *testing.T, s Suite) {
	l := s.New(t)
	_, out := s.start(t, l, "run-forced", `trap '' TERM; echo ready; while :; do sleep 0.05; done`)
	out.await(t, "ready")
	if err := l.Kill(t.Context(), "run-forced", 200*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if exit := wait(t, l, "run-forced"); exit.OK() {
		t.Errorf("ended with %+v, want a signal", exit)
	}
}

func exerciseKillEnded(t *testing.T, s Suite) {
	l := s.New(t)
	s.start(t, l, "run-over", "exit 0")
	wait(t, l, "run-over")
	if err := l.Kill(t.Context(), "run-over", suiteGrace); err != nil {
		t.Error(err)
	}
}

func exerciseUnknown(t *testing.T, s Suite) {
	l := s.New(t)
	if _, err := l.Wait(t.Context(), "run-none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("wait: %v", err)
	}
	if err := l.Kill(t.Context(), "run-none", 0); !errors.Is(err, ErrNotFound) {
		t.Errorf("kill: %v", err)
	}
	identifier, _ := s.start(t, l, "run-other", "exit 0")
	wait(t, l, "run-other")
	if err := s.New(t).Adopt(t.Context(), "run-other", identifier); !errors.Is(err, ErrNotFound) {
		t.Errorf("adopting what has ended: %v", err)
	}
}

func exerciseAdopt(t *testing.T, s Suite) {
	first, second := s.New(t), s.New(t)
	identifier, out := s.start(t, first, "run-adopted", "echo ready; sleep 1000")
	out.await(t, "ready")
	if err := second.Adopt(t.Context(), "run-another", identifier); !errors.Is(err, ErrNotFound) {
		t.Errorf("adopting another run's work: %v", err)
	}
	if err := second.Adopt(t.Context(), "run-adopted", identifier); err != nil {
		t.Fatalf("adopt: %v", err)
	}
	if err := second.Kill(t.Context(), "run-adopted", suiteGrace); err != nil {
		t.Fatalf("kill: %v", err)
	}
	if _, err := second.Wait(t.Context(), "run-adopted"); err != nil {
		t.Errorf("wait: %v", err)
	}
	if exit := wait(t, first, "run-adopted"); exit.OK() {
		t.Errorf("ended with %+v though it was killed", exit)
	}
}

func exerciseWaitContext(t *testing.T, s Suite) {
	l := s.New(t)
	s.start(t, l, "run-long", "sleep 1000")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Wait(ctx, "run-long"); !errors.Is(err, context.Canceled) {
		t.Errorf("wait: %v, want that it was cancelled", err)
	}
}

// lines collects output and lets a test wait for a part of it.
type lines struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{} // closed and replaced at each write
}

var _ io.Writer = (*lines)(nil)

func newLines() *lines { return &lines{changed: make(chan struct{})} }

// Write implements io.Writer.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
	return l.text.Write(p)
}

// String returns all that was written.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await waits until part was written.
func (l *lines) await(t *testing.T, part string) {
	t.Helper()
	for {
		l.mu.Lock()
		changed, found := l.changed, strings.Contains(l.text.String(), part)
		l.mu.Unlock()
		if found {
			return
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatalf("output %q lacks %q", l, part)
		}
	}
}
