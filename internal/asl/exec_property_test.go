package asl_test

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/value"
)

// A failure names its seed: go test ./internal/asl -run Crash -seed N -machines 1 shows it again.
var (
	firstSeed = flag.Uint64("seed", 1, "seed of the first random machine")
	machineN  = flag.Int("machines", 150, "how many random machines are run")
)

// world is what happens around an execution: it performs actions in a random order
// with random outcomes.
type world struct {
	r       *rand.Rand
	now     time.Time
	pending []*asl.Action
	phase   map[int64]int // of an action that takes several inputs
	redrive int
}

// take notes what a step asked for and what nobody waits for any more.
func (w *world) take(res *asl.Result) {
	gone := append(slices.Clone(res.Finished), res.Cancelled...)
	w.pending = append(w.pending, res.Actions...)
	w.pending = slices.DeleteFunc(w.pending, func(a *asl.Action) bool { return slices.Contains(gone, a.Key) })
}

// inputs are one or more things that happen now; none when nothing will.
func (w *world) inputs(x *asl.Execution) []asl.Input {
	if x.Status() != asl.Running {
		if w.redrive > 0 && x.Status() != asl.Succeeded {
			w.redrive--
			return []asl.Input{{Kind: asl.InputRedrive}}
		}
		return nil
	}
	if w.r.IntN(150) == 0 {
		return []asl.Input{{Kind: asl.InputAbort, Failure: asl.Failure{Error: "Stopped", Cause: "by hand"}}}
	}
	var out []asl.Input
	used := map[int64]bool{}
	for range 1 + w.r.IntN(3)/2 {
		if len(w.pending) == 0 {
			break
		}
		a := w.pending[w.r.IntN(len(w.pending))]
		if used[a.Key] {
			continue
		}
		used[a.Key] = true
		out = append(out, w.input(a))
	}
	return out
}

// input is what happens next to an action.
func (w *world) input(a *asl.Action) asl.Input {
	in := asl.Input{Key: a.Key}
	w.now = w.now.Add(time.Duration(w.r.IntN(3000)) * time.Millisecond)
	switch a.Kind {
	case asl.ActionTimer:
		if a.At.After(w.now) {
			w.now = a.At
		}
		in.Kind = asl.InputTimer
		return in
	case asl.ActionMapRun:
		w.phase[a.Key]++
		if w.phase[a.Key] == 1 {
			in.Kind, in.Text = asl.InputRunStarted, "arn:aws:states:us-east-1:000000000000:mapRun:m/l:1"
			return in
		}
		in.Output = value.Of("list", a.Run.Items[:0], "n", int64(len(a.Run.Items)))
	case asl.ActionActivity, asl.ActionTask:
		first := asl.InputSubmitted
		if a.Kind == asl.ActionActivity {
			first = asl.InputWorker
		}
		token := strings.Contains(a.Resource, ".")
		if w.phase[a.Key] == 0 && (token || a.Kind == asl.ActionActivity) && w.r.IntN(4) > 0 {
			w.phase[a.Key] = 1
			in.Kind, in.Output, in.Text = first, value.Of("job", int64(w.r.IntN(10))), "worker"
			return in
		}
		in.ByToken = token && w.phase[a.Key] == 1 && w.r.IntN(2) == 0
		if a.Timeout > 0 && w.r.IntN(10) == 0 {
			in.Kind, in.ByToken = asl.InputTimedOut, false
			return in
		}
		in.Output = pick[any](w.r, nil, "text", int64(3), 1.5, value.Of("a", []any{true, "ü\n"}))
	}
	in.Kind = asl.InputSucceeded
	if w.r.IntN(4) == 0 {
		in.Kind, in.Output = asl.InputFailed, nil
		in.Failure = asl.Failure{Error: pick(w.r, "Oops", "Bang", "States.Timeout"), Cause: "because"}
		in.StartFailed = !in.ByToken && a.Kind == asl.ActionTask && w.r.IntN(5) == 0
	}
	return in
}

// shown is all that a result tells, as text.
func shown(res *asl.Result) string {
	var b strings.Builder
	for _, e := range res.Events {
		fmt.Fprintf(&b, "%s\n", e.Append(nil))
	}
	for _, a := range res.Actions {
		fmt.Fprintf(&b, "action %d %s %s %s %s %s\n", a.Key, a.Kind, a.State, a.At, value.String(a.Parameters), a.Token)
	}
	for _, v := range res.Visits {
		fmt.Fprintf(&b, "visit %d %s %s %s %v %v %d %s\n", v.Entered, v.State.Name, v.Began, v.Ended, v.Failure, v.Aborted, v.Attempts, v.Branch)
	}
	fmt.Fprintf(&b, "finished %v cancelled %v ended %v %s %s %v more %v", res.Finished, res.Cancelled, res.Ended, res.Status, value.String(res.Output), res.Failure, res.More)
	return b.String()
}

func texts(pieces map[string][]byte) map[string]string {
	out := map[string]string{}
	for k, v := range pieces {
		out[k] = string(v)
	}
	return out
}

// overdue makes no difference between a delay that was over just when the
// execution ended and one that was not: no event tells of it, and nothing comes of it.
func overdue(pieces map[string]string) map[string]string {
	for k, text := range pieces {
		pieces[k] = strings.ReplaceAll(text, `"waits":"retry","key":0`, `"waits":"","key":0`)
	}
	return pieces
}

// property is one random machine under test.
type property struct {
	*testing.T
	m       *asl.Machine
	info    asl.Info
	x       *asl.Execution
	stored  map[string][]byte
	history []*asl.Event
}

func (p *property) load() *asl.Execution {
	p.Helper()
	x, err := asl.Load(p.m, p.info, p.stored)
	if err != nil {
		p.Fatal(err)
	}
	return x
}

// step gives inputs to the execution that goes on uninterrupted and to one that
// is loaded from what was stored, twice, as if the first had been killed before its
// step was.
func (p *property) step(now time.Time, inputs []asl.Input) *asl.Result {
	p.Helper()
	want := p.x.Step(now, inputs...)
	p.load().Step(now, inputs...)
	again := p.load()
	if diff := cmp.Diff(shown(want), shown(again.Step(now, inputs...))); diff != "" {
		p.Fatalf("an execution that was loaded goes on otherwise: %s", diff)
	}
	for k, text := range again.Changes() {
		if text == nil {
			delete(p.stored, k)
		} else {
			p.stored[k] = text
		}
	}
	if diff := cmp.Diff(texts(p.x.Pieces()), texts(p.stored)); diff != "" {
		p.Fatalf("the pieces that changed are not all that changed: %s", diff)
	}
	p.history = append(p.history, want.Events...)
	return want
}

// repeat gives the same inputs again.
func (p *property) repeat(now time.Time, inputs []asl.Input) {
	p.Helper()
	for _, in := range inputs {
		if in.Kind == asl.InputRedrive && p.x.Status() != asl.Running {
			return // it failed once more: that is another redrive
		}
	}
	x := p.load()
	before := x.Pieces()
	res := x.Step(now, inputs...)
	if diff := cmp.Diff(texts(before), texts(x.Pieces())); diff != "" || len(res.Events)+len(res.Actions)+len(res.Cancelled)+len(res.Finished) > 0 {
		p.Fatalf("inputs %v given twice count twice: %s\n%s", inputs, shown(res), diff)
	}
}

// replay makes the execution from its history.
func (p *property) replay() {
	p.Helper()
	x, err := asl.Replay(p.m, p.info, p.history)
	if err != nil {
		p.Fatal(err)
	}
	last := p.history[len(p.history)-1]
	if strings.Contains(string(last.Append(nil)), "maximum number of history events") {
		return // timers may have been over that had no turn any more
	}
	if diff := cmp.Diff(overdue(texts(p.stored)), overdue(texts(x.Pieces()))); diff != "" {
		p.Fatalf("the replay of %d events stands elsewhere: %s", len(p.history), diff)
	}
}

func TestCrashesAtAnyEventAndReplaysChangeNothing(t *testing.T) {
	t.Parallel()
	counted := map[string]int{}
	for i := range *machineN {
		for _, e := range crashRandom(t, *firstSeed+uint64(i)) {
			counted[e.Type]++
		}
	}
	if *machineN < 150 {
		return
	}
	for kind := range strings.FieldsSeq(`ExecutionSucceeded ExecutionFailed ExecutionAborted ExecutionTimedOut ExecutionRedriven TaskSucceeded TaskFailed TaskTimedOut
		TaskSubmitted TaskSubmitFailed LambdaFunctionSucceeded LambdaFunctionFailed ActivityStarted ActivityTimedOut WaitStateExited ChoiceStateExited
		MapIterationAborted MapRunStarted MapRunSucceeded MapRunFailed ParallelStateSucceeded ParallelStateFailed TaskStateAborted`) {
		if counted[kind] == 0 {
			t.Errorf("no random machine came to %s: %v", kind, slices.Sorted(maps.Keys(counted)))
		}
	}
}

// crashRandom runs the random machine of a seed and returns its history.
func crashRandom(t *testing.T, seed uint64) []*asl.Event {
	t.Helper()
	g := &machineGen{r: rand.New(rand.NewPCG(seed, 1))}
	definition := g.machine()
	defer func() {
		if t.Failed() {
			t.Logf("seed %d: %s", seed, definition)
		}
	}()
	m, ds := asl.Parse([]byte(definition), asl.Options{})
	if m == nil {
		t.Fatal(asl.DefinitionError(ds))
	}
	return crashes(t, m, seed)
}

// crashes runs a machine in a random world and returns its history.
func crashes(t *testing.T, m *asl.Machine, seed uint64) []*asl.Event {
	t.Helper()
	w := &world{r: rand.New(rand.NewPCG(seed, 2)), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), phase: map[int64]int{}, redrive: int(seed % 3)}
	p := &property{T: t, m: m, info: asl.Info{
		ExecutionARN: "arn:aws:states:us-east-1:000000000000:execution:m:x", Name: "x", RoleARN: "arn:aws:iam::000000000000:role/r",
		MachineARN: "arn:aws:states:us-east-1:000000000000:stateMachine:m", MachineName: "m", Started: w.now,
		Input: value.Of("list", []any{int64(1), int64(2), int64(0)}), Seed: seed, Limits: asl.Limits{Events: 400, Step: int(seed%7) * 5},
		Token: func(key int64) string { return fmt.Sprintf("token%d", key) },
	}}
	p.x = asl.New(m, p.info)
	p.stored = p.x.Pieces()
	inputs := []asl.Input{{Kind: asl.InputStart}}
	for len(inputs) > 0 {
		res := p.step(w.now, inputs)
		w.take(res)
		for res.More {
			// Others may be quicker than the execution's own next step.
			inputs = nil
			if w.r.IntN(4) == 0 {
				inputs = w.inputs(p.x)
			}
			res = p.step(w.now, inputs)
			w.take(res)
		}
		p.repeat(w.now, inputs)
		silent := len(res.Events) == 0 || strings.Contains(fmt.Sprint(texts(p.stored)), `"early"`)
		if inputs = w.inputs(p.x); !silent && (len(inputs) == 0 || w.r.IntN(10) == 0) {
			p.replay()
		}
	}
	if p.x.Status() == asl.Running {
		t.Fatalf("it waits for nothing after %d events", len(p.history))
	}
	return p.history
}
