package action_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/action"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/notify"
	"github.com/leat-dev/leat/internal/store/storetest"
	"github.com/leat-dev/leat/internal/trigger"
	"github.com/leat-dev/leat/internal/wire"
)

const ws = core.DefaultWorkspace

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// world is an engine with something of each kind that actions change.
type world struct {
	*testing.T
	engine     *engine.Engine
	performer  *action.Performer
	deployment *core.Deployment
	pool       *core.WorkPool
	run        *core.FlowRun
	other      core.ID // the automation that others switch
}

func setup(t *testing.T) *world {
	t.Helper()
	sealer, err := engine.NewSealer(bytes.Repeat([]byte{7}, engine.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	e := engine.New(engine.Config{Store: storetest.Open(t), Now: noon, Sealer: sealer})
	w := &world{T: t, engine: e}
	w.performer = &action.Performer{Engine: e, Sender: &notify.Sender{Client: &http.Client{Timeout: 10 * time.Second}}, Now: noon}
	ctx := t.Context()
	flow, _, err := e.CreateFlow(ctx, ws, "flow", nil, nil)
	w.must(err)
	w.pool, err = e.CreateWorkPool(ctx, ws, engine.NewWorkPool{Name: "pool", Type: "process", BaseJobTemplate: json.RawMessage(`{}`), StorageConfiguration: json.RawMessage(`{}`)})
	w.must(err)
	w.deployment, _, err = e.PutDeployment(ctx, ws, flow.ID, "deployment", engine.DeploymentFields{WorkPoolName: wire.Some("pool")})
	w.must(err)
	w.run, _, err = e.CreateFlowRun(ctx, ws, engine.NewFlowRun{
		FlowID: flow.ID, Name: "run", Deployment: w.deployment, State: &core.State{Type: core.Running, Name: "Running", Timestamp: noon()},
	})
	w.must(err)
	other, err := e.CreateAutomation(ctx, ws, core.Automation{
		Name: "other", Enabled: true, Trigger: json.RawMessage(`{"type":"event"}`), Actions: json.RawMessage(`[]`),
		ActionsOnTrigger: json.RawMessage(`[]`), ActionsOnResolve: json.RawMessage(`[]`),
	}, "")
	w.must(err)
	w.other = other.ID
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// event is one about the resource, with the world's things around it.
func (w *world) event(resource string) *trigger.SeenEvent {
	return &trigger.SeenEvent{
		ID: core.NewID(noon()), Event: "something.happened", Occurred: noon(), Received: noon(),
		Resource: core.Labels{{Key: core.ResourceID, Value: resource}, {Key: core.ResourceName, Value: "thing"}, {Key: "a.b", Value: "deep"}},
		Related: []core.Labels{
			{{Key: core.ResourceID, Value: "prefect.deployment." + w.deployment.ID.String()}, {Key: core.ResourceRole, Value: "deployment"}},
			{{Key: core.ResourceID, Value: "prefect.work-pool." + w.pool.ID.String()}, {Key: core.ResourceRole, Value: "work-pool"}},
			{{Key: core.ResourceID, Value: "prefect.work-queue." + w.deployment.WorkQueueID.String()}, {Key: core.ResourceRole, Value: "work-queue"}},
			{{Key: core.ResourceID, Value: "prefect.automation." + w.other.String()}, {Key: core.ResourceRole, Value: "automation"}},
		},
		Payload: json.RawMessage(`{"n":5,"list":[1,2]}`),
	}
}

// perform does an action because of an event, nil for none.
func (w *world) perform(spec string, ev *trigger.SeenEvent, labels ...core.Label) engine.ActionResult {
	w.Helper()
	raw, err := json.Marshal(engine.ActionSpec{
		Automation: engine.AutomationFacts{ID: core.NumberedID(noon(), 1), Name: "mine", Trigger: json.RawMessage(`{"type":"event","posture":"Reactive"}`)},
		Firing: &trigger.Firing{
			ID: core.NumberedID(noon(), 2), Trigger: json.RawMessage(`{"type":"event"}`), TriggerStates: []string{"Triggered"},
			Triggered: trigger.Time{Time: noon()}, TriggeringLabels: labels, TriggeringEvent: ev,
		},
		Event: ev, Action: json.RawMessage(spec),
	})
	w.must(err)
	_, result, err := w.performer.Perform(w.Context(), ws, &core.TriggeredAction{ID: core.NewID(noon()), Created: noon(), Depth: 1, Spec: raw})
	w.must(err)
	return result
}

func (w *world) runEvent() *trigger.SeenEvent {
	return w.event("prefect.flow-run." + w.run.ID.String())
}

func TestActionsThatCannotBeDoneSayWhy(t *testing.T) {
	t.Parallel()
	nobody := core.NumberedID(noon(), 99).String()
	for _, tt := range []struct{ name, spec, want string }{
		{"an action of no type that is known", `{"type":"dance"}`, `Actions of type "dance" are unknown to this server.`},
		{"no event to infer from", `{"type":"run-deployment","source":"inferred"}`, "No event to infer the deployment"},
		{"no run to infer", `{"type":"cancel-flow-run"}`, "No flow run could be inferred"},
		{
			"a deployment that is gone", `{"type":"pause-deployment","source":"selected","deployment_id":"` + nobody + `"}`,
			"Unexpected status from 'pause-deployment' action: 404",
		},
		{"a pool that is gone", `{"type":"pause-work-pool","work_pool_id":"` + nobody + `"}`, "Work pool " + nobody + " not found"},
		{
			"a queue that is gone", `{"type":"pause-work-queue","work_queue_id":"` + nobody + `"}`,
			"Unexpected status from 'pause-work-queue' action: 404",
		},
		{
			"a block that is gone", `{"type":"send-notification","block_document_id":"` + nobody + `","subject":"s","body":"b"}`,
			"Unexpected status from 'send-notification' action: 404",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := setup(t).perform(tt.spec, nil); got.Failed != tt.want {
				t.Errorf("failed: %q, want %q", got.Failed, tt.want)
			}
		})
	}
}

func TestActionsChangeWhatTheEventIsAbout(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		spec  string
		check func(w *world, tx core.Tx) (any, error)
		want  any
	}{
		{`{"type":"do-nothing"}`, func(*world, core.Tx) (any, error) { return nil, nil }, nil}, //nolint:nilnil // nothing is expected
		{`{"type":"pause-deployment","source":"inferred"}`, func(w *world, tx core.Tx) (any, error) {
			d, err := tx.Deployment(w.deployment.ID)
			return d.Paused, err
		}, true},
		{`{"type":"pause-work-pool","source":"inferred"}`, func(w *world, tx core.Tx) (any, error) {
			p, err := tx.WorkPool(w.pool.ID)
			return p.IsPaused, err
		}, true},
		{`{"type":"pause-work-queue","source":"inferred"}`, func(w *world, tx core.Tx) (any, error) {
			q, err := tx.WorkQueue(*w.deployment.WorkQueueID)
			return q.IsPaused, err
		}, true},
		{`{"type":"pause-automation","source":"inferred"}`, func(w *world, tx core.Tx) (any, error) {
			a, err := tx.Automation(w.other)
			return a.Enabled, err
		}, false},
		{`{"type":"cancel-flow-run"}`, stateOfRun, "Cancelling: Cancelled by Automation 01a20365-9c00-7000-8000-000000000001"},
		{`{"type":"suspend-flow-run"}`, stateOfRun, "Suspended: Suspended by Automation 01a20365-9c00-7000-8000-000000000001"},
		{`{"type":"change-flow-run-state","state":"FAILED","name":"Bad","message":"m"}`, stateOfRun, "Bad: m"},
		{`{"type":"delete-flow-run"}`, func(w *world, tx core.Tx) (any, error) {
			_, err := tx.FlowRun(w.run.ID)
			return core.CodeOf(err), nil
		}, core.NotFound},
	} {
		t.Run(tt.spec, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			if got := w.perform(tt.spec, w.runEvent()); got.Failed != "" {
				t.Fatal(got.Failed)
			}
			w.must(w.engine.Store().View(t.Context(), ws, func(tx core.Tx) error {
				got, err := tt.check(w, tx)
				if diff := cmp.Diff(strings.ReplaceAll(textOf(tt.want), "01a20365-9c00-7000-8000-000000000001", core.NumberedID(noon(), 1).String()), textOf(got)); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				return err
			}))
		})
	}
}

func textOf(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func stateOfRun(w *world, tx core.Tx) (any, error) {
	run, err := tx.FlowRun(w.run.ID)
	if err != nil {
		return nil, err
	}
	return run.State.Name + ": " + *run.State.Message, nil
}

func TestARunOfADeploymentIsMadeOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	spec := `{"type":"run-deployment","source":"selected","deployment_id":"` + w.deployment.ID.String() + `","schedule_after":60,"parameters":{
		"typed":"{{ event.payload.n }}","text":"of {{ event.resource.name }}","list":["{{ event.payload.list }}"],
		"kind":{"__prefect_kind":"jinja","template":"{{ flow_run.name|upper }} {{ flow_run.state.name }}"}}}`
	result := w.perform(spec, w.runEvent())
	if result.Failed != "" {
		t.Fatal(result.Failed)
	}
	var runs []*core.FlowRun
	w.must(w.engine.Store().View(t.Context(), ws, func(tx core.Tx) (err error) {
		runs, err = tx.FilterFlowRuns(core.Query{Limit: 10})
		return err
	}))
	if len(runs) != 2 {
		t.Fatalf("%d runs, want the first and the automation's", len(runs))
	}
	made := runs[0]
	if made.ID == w.run.ID {
		made = runs[1]
	}
	if got, want := string(made.Parameters), `{"typed":5,"text":"of thing","list":[[1,2]],"kind":"RUN Running"}`; got != want {
		t.Errorf("parameters %s, want %s", got, want)
	}
	if at := made.State.Details.ScheduledTime; at == nil || !at.Equal(noon().Add(time.Minute)) {
		t.Errorf("scheduled for %v", at)
	}
	if !strings.Contains(string(made.CreatedBy), `"AUTOMATION"`) {
		t.Errorf("created by %s", made.CreatedBy)
	}
}

func TestTemplatesSeeTheEventAndItsThings(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for template, want := range map[string]string{
		"{{ event.event }} {{ event.payload.n + 1 }}":                                       "something.happened 6",
		"{{ event.resource.id }}":                                                           "prefect.flow-run." + w.run.ID.String(),
		"{{ event.resource['a.b'] }} {{ event.resource.labels.a.b }}":                       "deep deep",
		"{{ event.occurred.year }} {{ event.occurred }}":                                    "2026 2026-11-22 12:00:00+00:00",
		"{{ event.related[1].role }} {{ event.resource_in_role['work-pool'].id|length }}":   "work-pool 54",
		"{% for r in event.related if r.role == 'deployment' %}{{ r.id[:18] }}{% endfor %}": "prefect.deployment",
		"{{ flow_run.name }} {{ flow_run.state.type }} {{ flow_run.created.month }}":        "run RUNNING 11",
		"{{ deployment.name }} {{ work_pool.type }} {{ work_queue.name }}":                  "deployment process default",
		"{{ automation.name }} {{ firing.trigger_states[0] }} {{ firings|length }}":         "mine Triggered 1",
		"{{ events[0].event }} {{ labels.prefect.resource.id }}":                            "something.happened the-run",
		"{{ task_run.name }}{{ nothing.at.all }}":                                           "",
	} {
		t.Run(template, func(t *testing.T) {
			t.Parallel()
			var sent string
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				var body bytes.Buffer
				if _, err := body.ReadFrom(r.Body); err != nil {
					t.Error(err)
				}
				sent = body.String()
			}))
			defer server.Close()
			result := w.perform(`{"type":"call-webhook","block_document_id":"`+w.webhook(t, server.URL).String()+`","payload":`+textOf(template)+`}`,
				w.runEvent(), core.Label{Key: core.ResourceID, Value: "the-run"})
			if result.Failed != "" {
				t.Fatal(result.Failed)
			}
			if sent != want && sent != textOf(want) {
				t.Errorf("sent %q, want %q", sent, want)
			}
		})
	}
}

// webhook makes a block that calls the address.
func (w *world) webhook(t *testing.T, url string) core.ID {
	t.Helper()
	if err := w.engine.InstallBlockTypes(t.Context(), ws); err != nil {
		t.Fatal(err)
	}
	var kind *core.BlockType
	var schemas []*core.BlockSchema
	err := w.engine.Store().View(t.Context(), ws, func(tx core.Tx) (err error) {
		if kind, err = tx.BlockTypeBySlug("webhook"); err != nil {
			return err
		}
		schemas, err = tx.FilterBlockSchemas(core.On(core.EntityBlockSchema, core.Cond{Field: "block_type_id", Op: core.OpAny, Value: []core.ID{kind.ID}}))
		return err
	})
	if err != nil || len(schemas) == 0 {
		t.Fatalf("%d schemas of webhooks, %v", len(schemas), err)
	}
	doc, err := w.engine.CreateBlockDocument(t.Context(), ws, engine.NewBlockDocument{
		Name: "hook-" + core.NewID(noon()).String(), BlockTypeID: kind.ID, BlockSchemaID: schemas[0].ID, Data: json.RawMessage(`{"url":` + textOf(url) + `}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return doc.ID
}
