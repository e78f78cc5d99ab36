package engine_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

// automation stores one with a trigger and does nothing when it fires.
func automation(t *testing.T, e *engine.Engine, name, trigger string) *core.Automation {
	t.Helper()
	a, err := e.CreateAutomation(t.Context(), ws, core.Automation{
		Name: name, Enabled: true, Trigger: json.RawMessage(trigger), Actions: json.RawMessage(`[{"type":"do-nothing"}]`),
		ActionsOnTrigger: json.RawMessage(`[]`), ActionsOnResolve: json.RawMessage(`[]`),
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// onEvent is a trigger that fires for each event of the name.
func onEvent(name string) string {
	return fmt.Sprintf(`{"type":"event","id":%q,"match":{},"match_related":{},"after":[],"expect":[%q],"for_each":[],
		"posture":"Reactive","threshold":1,"within":0}`, core.NewID(time.Unix(0, 0)), name)
}

func record(t *testing.T, e *engine.Engine, at time.Time, names ...string) {
	t.Helper()
	for _, name := range names {
		ev := &core.Event{
			ID: core.NewID(at), Occurred: at, Event: name, Resource: core.Labels{{Key: core.ResourceID, Value: "r"}}, Payload: json.RawMessage(`{}`),
		}
		if err := e.RecordEvents(t.Context(), ws, []*core.Event{ev}); err != nil {
			t.Fatal(err)
		}
	}
}

// settle lets a watch see all there is.
func settle(t *testing.T, e *engine.Engine, w *engine.TriggerWatch) {
	t.Helper()
	for {
		n, err := e.StepTriggers(t.Context(), w, 3)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
	}
	if err := e.PassTriggers(t.Context(), w); err != nil {
		t.Fatal(err)
	}
}

func watch(t *testing.T, e *engine.Engine) *engine.TriggerWatch {
	t.Helper()
	w, err := e.WatchTriggers(t.Context(), ws)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// toldOf lists the names of automations that fired, in the order of their firing.
func toldOf(t *testing.T, e *engine.Engine, event string) []string {
	t.Helper()
	var out []string
	err := e.Store().View(t.Context(), ws, func(tx core.Tx) error {
		events, err := tx.RecentEvents(time.Unix(0, 0), 10000)
		for _, ev := range events {
			if ev.Event == event {
				out = append(out, ev.Resource.Get(core.ResourceName))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTriggersFireOnceThroughRestarts(t *testing.T) {
	t.Parallel()
	e, c := setup(t)
	w := watch(t, e)
	settle(t, e, w)
	record(t, e, c.now(), "x")
	c.advance(time.Second)
	automation(t, e, "a", onEvent("x"))
	record(t, e, c.now(), "x", "y")
	settle(t, e, w)
	if diff := cmp.Diff([]string{"a"}, toldOf(t, e, "prefect.automation.triggered")); diff != "" {
		t.Errorf("an event before the automation counts, or one after it does not (-want +got)\n%s", diff)
	}
	w = watch(t, e)
	settle(t, e, w)
	record(t, e, c.now(), "x")
	w = watch(t, e)
	settle(t, e, w)
	if got := toldOf(t, e, "prefect.automation.triggered"); len(got) != 2 {
		t.Errorf("fired %d times for two events", len(got))
	}
	claimed, err := e.ClaimTriggeredActions(t.Context(), ws, "me", time.Minute, 10)
	if err != nil || len(claimed) != 2 {
		t.Errorf("%d actions are to be done, want 2: %v", len(claimed), err)
	}
}

func TestOfTwoWatchesOneWins(t *testing.T) {
	t.Parallel()
	e, c := setup(t)
	automation(t, e, "a", onEvent("x"))
	first, second := watch(t, e), watch(t, e)
	settle(t, e, first)
	if _, err := e.StepTriggers(t.Context(), second, 10); core.CodeOf(err) != core.Conflict {
		err = e.PassTriggers(t.Context(), second)
		if core.CodeOf(err) != core.Conflict {
			t.Errorf("a second watch goes on: %v", err)
		}
	}
	record(t, e, c.now(), "x")
	settle(t, e, first)
	if got := toldOf(t, e, "prefect.automation.triggered"); len(got) != 1 {
		t.Errorf("fired %d times for one event", len(got))
	}
}

func TestAutomationsChangeWhereTheirEventStands(t *testing.T) {
	t.Parallel()
	e, c := setup(t)
	w := watch(t, e)
	settle(t, e, w)
	a := automation(t, e, "a", onEvent("x"))
	record(t, e, c.now(), "x")
	settle(t, e, w)
	off, on := false, true
	c.advance(time.Second)
	if err := e.EnableAutomation(t.Context(), ws, a.ID, &off); err != nil {
		t.Fatal(err)
	}
	settle(t, e, w)
	record(t, e, c.now(), "x")
	settle(t, e, w)
	c.advance(time.Second)
	if err := e.EnableAutomation(t.Context(), ws, a.ID, &on); err != nil {
		t.Fatal(err)
	}
	record(t, e, c.now(), "x")
	settle(t, e, watch(t, e))
	if err := e.DeleteAutomation(t.Context(), ws, a.ID); err != nil {
		t.Fatal(err)
	}
	record(t, e, c.now(), "x")
	settle(t, e, watch(t, e))
	if got := toldOf(t, e, "prefect.automation.triggered"); len(got) != 2 {
		t.Errorf("fired %d times, want twice: while it was enabled", len(got))
	}
}

func TestAutomationsThatTriggerThemselvesAreBroken(t *testing.T) {
	t.Parallel()
	e, c := setup(t)
	w := watch(t, e)
	settle(t, e, w)
	automation(t, e, "loop", onEvent("*"))
	record(t, e, c.now(), "x")
	for range 200 { // each round sees what the former one told
		if n, err := e.StepTriggers(t.Context(), w, 100); err != nil {
			t.Fatal(err)
		} else if n == 0 {
			break
		}
	}
	if n, err := e.StepTriggers(t.Context(), w, 100); err != nil || n > 0 {
		t.Fatalf("after 200 rounds there are still %d events: %v", n, err)
	}
	if got := toldOf(t, e, "prefect.automation.loop-broken"); len(got) == 0 {
		t.Error("nobody tells that the loop was broken")
	}
	if got := toldOf(t, e, "prefect.automation.triggered"); len(got) < 25 || len(got) > 60 {
		t.Errorf("fired %d times before it was broken", len(got))
	}
}

func TestActionsAreToldOnce(t *testing.T) {
	t.Parallel()
	e, c := setup(t)
	w := watch(t, e)
	settle(t, e, w)
	automation(t, e, "a", onEvent("x"))
	record(t, e, c.now(), "x")
	settle(t, e, w)
	claimed, err := e.ClaimTriggeredActions(t.Context(), ws, "me", time.Minute, 10)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("%d actions, %v", len(claimed), err)
	}
	var spec engine.ActionSpec
	if err := json.Unmarshal(claimed[0].Spec, &spec); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := e.FinishTriggeredAction(t.Context(), ws, claimed[0], spec, engine.ActionResult{Failed: "because"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, event := range []string{"prefect.automation.action.triggered", "prefect.automation.action.failed"} {
		if got := toldOf(t, e, event); !slices.Equal(got, []string{"a"}) {
			t.Errorf("%s is told of %v", event, got)
		}
	}
}

// TestRandomRestartsChangeNothing compares automations that were never
// interrupted with the same ones whose watch was thrown away at random.
func TestRandomRestartsChangeNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		var results [2][]string
		for variant := range results {
			r := rand.New(rand.NewPCG(seed, 1))
			restart := rand.New(rand.NewPCG(seed, 2))
			e, c := setup(t)
			w := watch(t, e)
			settle(t, e, w)
			for i, spec := range []string{
				`{"type":"event","id":"ID","match":{},"match_related":{},"after":[],"expect":["x"],"for_each":[],"posture":"Reactive","threshold":3,"within":20}`,
				`{"type":"event","id":"ID","match":{},"match_related":{},"after":["x"],"expect":["y"],"for_each":[],"posture":"Proactive","threshold":1,"within":10}`,
				`{"type":"sequence","id":"ID","within":60,"triggers":[` + onEvent("x") + `,` + onEvent("z") + `]}`,
			} {
				automation(t, e, fmt.Sprint("a", i), replaceID(spec))
			}
			for range 60 {
				switch r.IntN(4) {
				case 0:
					c.advance(time.Duration(r.IntN(8)) * time.Second)
				default:
					record(t, e, c.now(), []string{"x", "y", "z"}[r.IntN(3)])
				}
				if variant == 1 && restart.IntN(3) == 0 {
					w = watch(t, e)
				}
				settle(t, e, w)
			}
			results[variant] = toldOf(t, e, "prefect.automation.triggered")
			slices.Sort(results[variant])
		}
		if diff := cmp.Diff(results[0], results[1]); diff != "" || len(results[0]) == 0 {
			t.Errorf("seed %d: restarts change what fires (-never +at random)\n%s", seed, diff)
		}
	}
}

func replaceID(spec string) string {
	var tree map[string]any
	if json.Unmarshal([]byte(spec), &tree) != nil {
		return spec
	}
	tree["id"] = core.NewID(time.Unix(0, 0)).String()
	raw, err := json.Marshal(tree)
	if err != nil {
		return spec
	}
	return string(raw)
}
