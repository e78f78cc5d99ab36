package engine

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

// transitionRow is a row of testdata/transitions; its README describes them.
type transitionRow struct {
	Case     string    `json:"case"`
	Call     string    `json:"call"`
	Run      rowRun    `json:"run"`
	Proposed *rowState `json:"proposed"`
	Force    bool      `json:"force"`
	Facts    struct {
		Limit        *int   `json:"limit"`
		Strategy     string `json:"strategy"`
		ActiveSlots  int    `json:"active_slots"`
		UserAgent    string `json:"user_agent"`
		Lease        string `json:"lease"`
		APIVersion   string `json:"api_version"`
		FlowState    string `json:"flow_state"`
		FlowRunCount int    `json:"flow_run_count"`
		Cache        string `json:"cache"`
	} `json:"facts"`
	Status       string          `json:"status"`
	Reason       string          `json:"reason"`
	DelaySeconds int             `json:"delay_seconds"`
	State        json.RawMessage `json:"state"`
	After        struct {
		RunCount        int            `json:"run_count"`
		Policy          map[string]any `json:"policy"`
		StartTime       *string        `json:"start_time"`
		EndTime         json.RawMessage
		RunTime         string `json:"run_time"`
		FlowRunRunCount int    `json:"flow_run_run_count"`
	} `json:"after"`
}

type rowRun struct {
	State                  *rowState  `json:"state"`
	RunCount               int        `json:"run_count"`
	StartTime              *int       `json:"start_time"`
	EndTime                *int       `json:"end_time"`
	NextScheduledStartTime *int       `json:"next_scheduled_start_time"`
	Policy                 *rowPolicy `json:"policy"`
	Deployment             bool       `json:"deployment"`
	Subflow                bool       `json:"subflow"`
	InfrastructurePID      *string    `json:"infrastructure_pid"`
	FlowRunRunCount        int        `json:"flow_run_run_count"`
}

type rowPolicy struct {
	Retries    *int            `json:"retries"`
	RetryDelay json.RawMessage `json:"retry_delay"`
	PauseKeys  []string        `json:"pause_keys"`
	Resuming   *bool           `json:"resuming"`
	RetryType  *string         `json:"retry_type"`
}

type rowState struct {
	Type    core.StateType  `json:"type"`
	Name    string          `json:"name"`
	Message *string         `json:"message"`
	Data    json.RawMessage `json:"data"`
	Details struct {
		ScheduledTime   *int     `json:"scheduled_time"`
		PauseTimeout    *int     `json:"pause_timeout"`
		PauseReschedule bool     `json:"pause_reschedule"`
		PauseKey        *string  `json:"pause_key"`
		TransitionID    *core.ID `json:"transition_id"`
		Lease           string   `json:"deployment_concurrency_lease_id"`
		Retriable       *bool    `json:"retriable"`
		Deferred        *bool    `json:"deferred"`
		CacheKey        *string  `json:"cache_key"`
		RefreshCache    *bool    `json:"refresh_cache"`
	} `json:"details"`
}

var rowNow = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func at(offset *int) *time.Time {
	if offset == nil {
		return nil
	}
	t := rowNow.Add(time.Duration(*offset) * time.Second)
	return &t
}

func (r *rowState) state(timestamp time.Time) *core.State {
	if r == nil {
		return nil
	}
	s := &core.State{ID: core.NewID(timestamp), Type: r.Type, Name: r.Name, Timestamp: timestamp, Message: r.Message, Data: r.Data}
	if s.Name == "" {
		s.Name = s.Type.DefaultName()
	}
	if string(s.Data) == "null" {
		s.Data = nil
	}
	d := r.Details
	s.Details = core.StateDetails{
		ScheduledTime: at(d.ScheduledTime), PauseTimeout: at(d.PauseTimeout), PauseReschedule: d.PauseReschedule,
		PauseKey: d.PauseKey, TransitionID: d.TransitionID, Retriable: d.Retriable,
		Deferred: d.Deferred, CacheKey: d.CacheKey, RefreshCache: d.RefreshCache,
	}
	if s.Type == core.Scheduled && s.Details.ScheduledTime == nil {
		s.Details.ScheduledTime = &timestamp
	}
	if d.Lease != "" {
		id := core.ID{0xaa}
		s.Details.DeploymentConcurrencyLeaseID = &id
	}
	return s
}

func (r rowRun) flowRun() *core.FlowRun {
	run := &core.FlowRun{
		ID: core.NewID(rowNow), RunCount: r.RunCount, InfrastructurePID: r.InfrastructurePID,
		State: r.State.state(rowNow.Add(-time.Second)), StartTime: at(r.StartTime), EndTime: at(r.EndTime),
		NextScheduledStartTime: at(r.NextScheduledStartTime), ExpectedStartTime: &rowNow,
	}
	if r.State == nil {
		run.ExpectedStartTime = nil
	}
	run.Policy = r.Policy.policy()
	id := core.NewID(rowNow)
	if r.Deployment {
		run.DeploymentID = &id
	}
	if r.Subflow {
		run.ParentTaskRunID = &id
	}
	return run
}

func (p *rowPolicy) policy() core.RunPolicy {
	if p == nil {
		return core.RunPolicy{}
	}
	return core.RunPolicy{
		Retries: p.Retries, RetryDelay: p.RetryDelay, PauseKeys: p.PauseKeys, Resuming: p.Resuming, RetryType: p.RetryType,
	}
}

func readRows(t *testing.T, name string) []transitionRow {
	t.Helper()
	b, err := os.ReadFile("testdata/transitions/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var rows []transitionRow
	if err := json.Unmarshal(b, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func (r *transitionRow) facts() Facts {
	f := Facts{Now: rowNow, Force: r.Force, PauseKey: "<uuid>", SlotWait: 30 * time.Second, KeepsLeases: true}
	if ua := r.Facts.UserAgent; ua != "" {
		f.KeepsLeases = ParseClient(ua, "").KeepsLeases()
	}
	f.NoRetryTypes = r.Facts.APIVersion == "0.8.3"
	if r.Facts.Limit != nil {
		f.Limit = &LimitFacts{
			Max: *r.Facts.Limit, Free: r.Facts.ActiveSlots < *r.Facts.Limit, CancelNew: r.Facts.Strategy == "CANCEL_NEW",
			LeaseAlive: !strings.HasPrefix(r.Facts.Lease, "lost"),
		}
	}
	return f
}

// TestDecideAgreesWithTheReference replays every recorded transition.
func TestDecideAgreesWithTheReference(t *testing.T) {
	t.Parallel()
	for _, row := range readRows(t, "flow_run.json") {
		t.Run(row.Case, func(t *testing.T) {
			t.Parallel()
			run, facts := row.Run.flowRun(), row.facts()
			if row.Call == "create" {
				facts.Force = true
			}
			var proposed core.State
			if row.Call == "resume" {
				if !run.State.Is(core.Paused) {
					return // refused before the rules: TestResume
				}
				proposed = resumed(run.State, rowNow)
			} else {
				proposed = *row.Proposed.state(rowNow)
			}
			d := Decide(run, proposed, facts)
			got := []any{string(d.Status), d.Reason}
			if diff := cmp.Diff([]any{row.Status, row.Reason}, got); diff != "" {
				t.Fatalf("answer (-reference +ours):\n%s", diff)
			}
			if d.Delay < row.DelaySeconds-1 || d.Delay > row.DelaySeconds+1 {
				t.Errorf("delay %d, want about %d", d.Delay, row.DelaySeconds)
			}
			d.Apply(run)
			row.compareState(t, d.State)
			row.compareRun(t, run.RunCount, run.Policy, run.StartTime, run.State)
		})
	}
}

func (r *transitionRow) compareState(t *testing.T, s *core.State) {
	t.Helper()
	if string(r.State) == `"current"` {
		if s != nil {
			t.Errorf("wrote %s %s, want the state kept", s.Type, s.Name)
		}
		return
	}
	var want rowState
	r.decodeState(&want)
	if s == nil {
		t.Fatalf("state kept, want %s %s", want.Type, want.Name)
	}
	if s.Type != want.Type || s.Name != want.Name {
		t.Errorf("state %s %s, want %s %s", s.Type, s.Name, want.Type, want.Name)
	}
	if diff := cmp.Diff(want.Message, s.Message); diff != "" {
		t.Errorf("message (-reference +ours):\n%s", diff)
	}
	offset := func(at *time.Time) any {
		if at == nil {
			return nil
		}
		return int(at.Sub(rowNow).Round(time.Second).Seconds())
	}
	for _, c := range []struct {
		name string
		want *int
		got  any
	}{{"scheduled_time", want.Details.ScheduledTime, offset(s.Details.ScheduledTime)}, {"pause_timeout", want.Details.PauseTimeout, offset(s.Details.PauseTimeout)}} {
		var w any
		if c.want != nil {
			w = *c.want
		}
		g, isInt := c.got.(int)
		if wi, ok := w.(int); ok && isInt && g-wi <= 1 && wi-g <= 1 {
			continue
		}
		if w != c.got {
			t.Errorf("%s %v, want %v", c.name, c.got, w)
		}
	}
}

// decodeState reads the recorded state; "current" and null leave it alone.
func (r *transitionRow) decodeState(into *rowState) { _ = json.Unmarshal(r.State, into) }

func (r *transitionRow) compareRun(t *testing.T, runCount int, p core.RunPolicy, start *time.Time, s *core.State) {
	t.Helper()
	if runCount != r.After.RunCount {
		t.Errorf("run count %d, want %d", runCount, r.After.RunCount)
	}
	if r.After.StartTime != nil && (start == nil || s == nil || !start.Equal(s.Timestamp)) {
		t.Errorf("start time %v, want the state's", start)
	}
	got := map[string]any{}
	if p.Resuming != nil && *p.Resuming {
		got["resuming"] = true
	}
	if len(p.PauseKeys) > 0 {
		keys := slices.Clone(p.PauseKeys)
		slices.Sort(keys)
		list := []any{}
		for _, k := range keys {
			list = append(list, k)
		}
		got["pause_keys"] = list
	}
	if p.RetryType != nil {
		got["retry_type"] = *p.RetryType
	}
	want := map[string]any{}
	for _, k := range []string{"resuming", "pause_keys", "retry_type"} {
		if v, ok := r.After.Policy[k]; ok {
			want[k] = v
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policy (-reference +ours):\n%s", diff)
	}
}
