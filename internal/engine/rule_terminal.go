package engine

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/leat-dev/leat/internal/core"
)

// preventDuplicates refuses a transition that was made already: the client
// sent it again because it never got the answer.
func preventDuplicates(t *transition) {
	if t.from == nil || t.from.Details.TransitionID == nil || t.proposed.Details.TransitionID == nil {
		return
	}
	if *t.from.Details.TransitionID == *t.proposed.Details.TransitionID {
		t.refuse("This run has already made this state transition.")
	}
}

// guardTerminal says how a run that has ended may go on.
func guardTerminal(t *transition) {
	switch t.to {
	case core.Cancelling, core.Paused, core.Crashed:
		t.abort(fmt.Sprintf("Run is already in terminal state %s.", t.fromType))
		return
	case core.Scheduled, core.Pending, core.Running, core.Completed, core.Failed, core.Cancelled:
	}
	if t.fromType == core.Completed && persisted(t.from.Data) && !t.to.Terminal() {
		t.refuse("Run is already COMPLETED.")
		return
	}
	keepResult(t)
	if t.proposed == nil {
		return
	}
	if t.to == core.Scheduled && t.run.DeploymentID == nil && !isExecution(t.run) {
		t.abort("Cannot reschedule a run without an associated deployment.")
		return
	}
	if t.to.Terminal() || t.facts.NoRetryTypes {
		return
	}
	rescheduled := t.to == core.Scheduled
	t.before = append(t.before, func(p *core.RunPolicy) {
		no := false
		p.Resuming, p.PauseKeys, p.RetryType = &no, []string{}, nil
		if rescheduled {
			kind := retryReschedule
			p.RetryType = &kind
		}
	})
}

// Retry types, as the empirical policy names them.
const (
	retryReschedule = "reschedule"
	retryInProcess  = "in_process"
)

// keepResult refuses to replace a result that is kept somewhere by one that is not.
func keepResult(t *transition) {
	if t.fromType == core.Completed && t.to == core.Completed && persisted(t.from.Data) && !persisted(t.proposed.Data) {
		t.refuse("Cannot overwrite a COMPLETED state that carries persisted result data with one that does not.")
	}
}

// persisted reports whether a state's data tells of a result that can be read again.
func persisted(data json.RawMessage) bool {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || data[0] != '{' {
		return false
	}
	var kind struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &kind); err != nil {
		return true // an object whose type is no string is a result of some kind
	}
	return kind.Type != "unpersisted"
}

func guardCancelling(t *transition) {
	if t.to != core.Cancelled {
		t.refuse("Cannot transition flows that are cancelling to a state other than Cancelled.")
	}
}

// cancelWithoutInfrastructure ends a run at once when there is no process that
// could hear of its cancellation.
func cancelWithoutInfrastructure(t *transition) {
	switch {
	case t.fromType == core.Scheduled && (t.run.InfrastructurePID == nil || *t.run.InfrastructurePID == "" || t.from.Name == core.NameResuming):
		t.replace(t.fresh(core.Cancelled, ""), "Scheduled flow run has no infrastructure to terminate.")
	case t.fromType == core.Paused && t.from.Details.PauseReschedule:
		t.replace(t.fresh(core.Cancelled, ""), "Suspended flow run has no infrastructure to terminate.")
	}
}

// guardPending lets only one worker claim a run. A worker that renames its own
// claim (Submitting, InfrastructurePending) may do so.
func guardPending(t *transition) {
	if t.fromType == core.Pending && t.proposed.Name != t.from.Name && t.proposed.Name != core.Pending.DefaultName() {
		t.proposed.Details.ScheduledTime = t.from.Details.ScheduledTime
		t.proposed.Details.DeploymentConcurrencyLeaseID = t.from.Details.DeploymentConcurrencyLeaseID
		return
	}
	t.abort(fmt.Sprintf("This run is in a %s state and cannot transition to a PENDING state.", t.fromType))
}
