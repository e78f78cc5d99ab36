package engine

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// followWindow is how far apart two states of a run may be for the later
// one's event to say that it follows the earlier one's.
const followWindow = 5 * time.Minute

// flowRunEvent tells that the run went from one state, nil for none, to its
// present one. The event's id is the state's, so that it is told once.
func flowRunEvent(run *core.FlowRun, from *core.State, parent *core.TaskRun, now time.Time) *core.Event {
	s := run.State
	e := &core.Event{
		ID: s.ID, Occurred: s.Timestamp, Received: now,
		Event: "prefect.flow-run." + s.Name,
		Resource: core.Labels{
			{Key: core.ResourceID, Value: "prefect.flow-run." + run.ID.String()},
			{Key: core.ResourceName, Value: run.Name},
			{Key: "prefect.run-count", Value: strconv.Itoa(run.RunCount)},
			{Key: "prefect.state-message", Value: deref(s.Message)},
			{Key: "prefect.state-name", Value: s.Name},
			{Key: "prefect.state-timestamp", Value: s.Timestamp.Format("2006-01-02T15:04:05.000000-07:00")},
			{Key: "prefect.state-type", Value: string(s.Type)},
		},
		Related: flowRunRelated(run, parent),
		Payload: statePayload(from, s),
	}
	if from != nil && s.Timestamp.Sub(from.Timestamp) < followWindow {
		id := from.ID
		e.Follows = &id
	}
	return e
}

func flowRunRelated(run *core.FlowRun, parent *core.TaskRun) []core.Labels {
	out := []core.Labels{related("prefect.flow."+run.FlowID.String(), "flow", run.FlowName)}
	if parent != nil {
		out = append(out, related("prefect.task-run."+parent.ID.String(), "task-run", parent.Name))
	}
	if run.DeploymentID != nil && run.DeploymentName != nil {
		out = append(out, related("prefect.deployment."+run.DeploymentID.String(), "deployment", *run.DeploymentName))
	}
	if run.WorkQueueID != nil && run.WorkQueueName != nil {
		out = append(out, related("prefect.work-queue."+run.WorkQueueID.String(), "work-queue", *run.WorkQueueName))
	}
	if run.WorkPoolID != nil && run.WorkPoolName != nil {
		pool := related("prefect.work-pool."+run.WorkPoolID.String(), "work-pool", *run.WorkPoolName)
		out = append(out, append(pool, core.Label{Key: "prefect.work-pool.type", Value: deref(run.WorkPoolType)}))
	}
	all := slices.Concat(run.FlowTags, run.DeploymentTags, run.Tags)
	slices.Sort(all)
	for _, tag := range slices.Compact(all) {
		out = append(out, core.Labels{{Key: core.ResourceID, Value: "prefect.tag." + tag}, {Key: core.ResourceRole, Value: "tag"}})
	}
	return out
}

// related is an entry of an event's list of related resources.
func related(id, role, name string) core.Labels {
	return core.Labels{{Key: core.ResourceID, Value: id}, {Key: core.ResourceRole, Value: role}, {Key: core.ResourceName, Value: name}}
}

// statePayload is the payload of a state change's event.
func statePayload(from, to *core.State) json.RawMessage {
	b := []byte(`{"intended":{"from":`)
	if from == nil {
		b = append(b, `null,"to":"`+string(to.Type)+`"},"initial_state":null,"validated_state":`...)
	} else {
		b = append(b, `"`+string(from.Type)+`","to":"`+string(to.Type)+`"},"initial_state":`...)
		b = append(append(b, stateSummary(from)...), `,"validated_state":`...)
	}
	return append(append(b, stateSummary(to)...), '}')
}

func stateSummary(s *core.State) json.RawMessage {
	pairs := []string{"type", string(s.Type), "name", s.Name}
	if s.Message != nil && *s.Message != "" {
		pairs = append(pairs, "message", *s.Message)
	}
	if s.Type == core.Paused {
		pairs = append(pairs, "pause_reschedule", strconv.FormatBool(s.Details.PauseReschedule))
	}
	return object(pairs...)
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
