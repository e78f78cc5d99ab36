package engine

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Prefixes of the events that leat reads more out of than it stores.
const (
	taskRunEvent   = "prefect.task-run."
	heartbeatEvent = "prefect.flow-run.heartbeat"
)

// RecordEvents stores events that clients sent, in one transaction with what
// they tell: states of task runs, and signs of life of flow runs. It returns
// after the commit, so that its caller can confirm them. Events may come again
// and in any order. Prefect REST: WS /events/in, POST /events.
func (e *Engine) RecordEvents(ctx context.Context, ws core.WorkspaceID, events []*core.Event) error {
	now := e.now()
	var runs []*core.TaskRun
	alive := map[core.ID]bool{}
	for _, ev := range events {
		ev.Received = now
		if run := taskRunOf(ev, now); run != nil {
			runs = append(runs, run)
		}
		if id, beat, ok := signOfLife(ev); ok {
			alive[id] = alive[id] || beat
		}
	}
	beats := make([]core.Heartbeat, 0, len(alive))
	for id, beat := range alive {
		beats = append(beats, core.Heartbeat{FlowRunID: id, At: now, Beat: beat})
	}
	err := e.store.Update(ctx, ws, func(tx core.Tx) error {
		if err := tx.InsertEvents(events); err != nil {
			return err
		}
		if err := tx.RecordTaskRuns(runs); err != nil {
			return err
		}
		return tx.TouchFlowRuns(beats)
	})
	if err == nil && len(events) > 0 {
		e.observeEvents(len(events), e.now().Sub(events[len(events)-1].Occurred))
	}
	return err
}

// RecordLogs stores lines, which are signs of life as well. Prefect REST: POST /logs/.
func (e *Engine) RecordLogs(ctx context.Context, ws core.WorkspaceID, logs []*core.Log) error {
	now := e.now()
	seen := map[core.ID]bool{}
	var beats []core.Heartbeat
	for _, l := range logs {
		l.Created = now
		if l.FlowRunID != nil && !seen[*l.FlowRunID] {
			seen[*l.FlowRunID] = true
			beats = append(beats, core.Heartbeat{FlowRunID: *l.FlowRunID, At: now})
		}
	}
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		if err := tx.InsertLogs(logs); err != nil {
			return err
		}
		return tx.TouchFlowRuns(beats)
	})
}

// signOfLife says of which flow run an event is a sign of life, and whether it
// is a heartbeat proper. Only what the run's own process sends counts.
func signOfLife(ev *core.Event) (id core.ID, beat, ok bool) {
	if ev.Event == heartbeatEvent {
		id, ok = idAfter(ev.Resource.Get(core.ResourceID), "prefect.flow-run.")
		return id, true, ok
	}
	if !strings.HasPrefix(ev.Event, taskRunEvent) {
		return id, false, false
	}
	id, ok = relatedFlowRun(ev)
	return id, false, ok
}

func relatedFlowRun(ev *core.Event) (core.ID, bool) {
	for _, r := range ev.Related {
		if r.Get(core.ResourceRole) == "flow-run" {
			return idAfter(r.Get(core.ResourceID), "prefect.flow-run.")
		}
	}
	return core.ID{}, false
}

func idAfter(resource, prefix string) (core.ID, bool) {
	rest, ok := strings.CutPrefix(resource, prefix)
	if !ok {
		return core.ID{}, false
	}
	id, err := core.ParseID(rest)
	return id, err == nil
}

// taskRunPayload is the payload of a task run's event, as the SDK sends it.
type taskRunPayload struct {
	ValidatedState *struct {
		Type    core.StateType  `json:"type"`
		Name    string          `json:"name"`
		Message *string         `json:"message"`
		Data    json.RawMessage `json:"data"`
		Details eventDetails    `json:"state_details"`
	} `json:"validated_state"`
	TaskRun *struct {
		Name                   string          `json:"name"`
		TaskKey                string          `json:"task_key"`
		DynamicKey             string          `json:"dynamic_key"`
		CacheKey               *string         `json:"cache_key"`
		CacheExpiration        *eventTime      `json:"cache_expiration"`
		TaskVersion            *string         `json:"task_version"`
		Policy                 core.RunPolicy  `json:"empirical_policy"`
		Tags                   []string        `json:"tags"`
		Labels                 json.RawMessage `json:"labels"`
		TaskInputs             json.RawMessage `json:"task_inputs"`
		RunCount               int             `json:"run_count"`
		FlowRunRunCount        int             `json:"flow_run_run_count"`
		ExpectedStartTime      *eventTime      `json:"expected_start_time"`
		NextScheduledStartTime *eventTime      `json:"next_scheduled_start_time"`
		StartTime              *eventTime      `json:"start_time"`
		EndTime                *eventTime      `json:"end_time"`
		TotalRunTime           float64         `json:"total_run_time"`
	} `json:"task_run"`
}

// eventDetails reads state details with the looser forms of times that events carry.
type eventDetails struct{ core.StateDetails }

// UnmarshalJSON implements json.Unmarshaler. Details that cannot be read are
// left out: the state itself must not be lost for them.
func (d *eventDetails) UnmarshalJSON(data []byte) error {
	_ = json.Unmarshal(data, &d.StateDetails)
	return nil
}

// eventTime is a time in an event's payload.
type eventTime struct{ t time.Time }

// UnmarshalJSON implements json.Unmarshaler.
func (e *eventTime) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &e.t) }

func (e *eventTime) ptr() *time.Time {
	if e == nil || e.t.IsZero() {
		return nil
	}
	t := e.t.UTC().Truncate(time.Microsecond)
	return &t
}

// taskRunOf reads the task run and its state out of an event that the SDK
// orchestrated by itself; nil when it is another event, or one that tells too
// little to be recorded. The event's id is the state's.
func taskRunOf(ev *core.Event, now time.Time) *core.TaskRun {
	if !strings.HasPrefix(ev.Event, taskRunEvent) || ev.Resource.Get("prefect.orchestration") != "client" {
		return nil
	}
	id, ok := idAfter(ev.Resource.Get(core.ResourceID), taskRunEvent)
	if !ok {
		return nil
	}
	var p taskRunPayload
	if err := json.Unmarshal(ev.Payload, &p); err != nil || p.ValidatedState == nil || p.TaskRun == nil || !p.ValidatedState.Type.Valid() {
		return nil
	}
	k, v := p.TaskRun, p.ValidatedState
	at, err := time.Parse(time.RFC3339Nano, ev.Resource.Get("prefect.state-timestamp"))
	if err != nil {
		at = ev.Occurred
	}
	run := &core.TaskRun{
		ID: id, Created: now, Updated: now, Name: k.Name, TaskKey: k.TaskKey, DynamicKey: k.DynamicKey, CacheKey: k.CacheKey,
		CacheExpiration: k.CacheExpiration.ptr(), TaskVersion: k.TaskVersion, Policy: k.Policy, Tags: k.Tags, Labels: k.Labels,
		TaskInputs: k.TaskInputs, RunCount: k.RunCount, FlowRunRunCount: k.FlowRunRunCount, ExpectedStartTime: k.ExpectedStartTime.ptr(),
		NextScheduledStartTime: k.NextScheduledStartTime.ptr(), StartTime: k.StartTime.ptr(), EndTime: k.EndTime.ptr(),
		TotalRunTime: time.Duration(k.TotalRunTime * float64(time.Second)),
	}
	if flowRunID, ok := relatedFlowRun(ev); ok {
		run.FlowRunID = &flowRunID
	}
	name := v.Name
	if name == "" {
		name = v.Type.DefaultName()
	}
	run.State = &core.State{
		ID: ev.ID, Type: v.Type, Name: name, Timestamp: at.UTC().Truncate(time.Microsecond), Message: v.Message, Details: v.Details.StateDetails,
	}
	if string(v.Data) != "null" {
		run.State.Data = v.Data
	}
	run.State.Details.TaskRunID, run.State.Details.FlowRunID = &id, run.FlowRunID
	return run
}
