package engine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// The labels of a run that a state of a state machine asked for.
const (
	labelExecution = "leat.execution.arn"
	labelState     = "leat.execution.state"
	labelCall      = "leat.execution.call"
)

// CallID names the call of an execution's action. A call that is made again has
// the same name.
func CallID(a *core.ExecutionAction) string { return fmt.Sprintf("%s:%d", a.RunID, a.Key) }

// CallerLabels are the labels of a run that a state asks for. At its end the run
// wakes the action that the call, a CallID, is of.
func CallerLabels(executionARN, state, call string) json.RawMessage {
	return object(labelExecution, executionARN, labelState, state, labelCall, call)
}

// wakeCaller has the end of a run looked at by the state that waits for it.
func wakeCaller(tx core.Tx, run *core.FlowRun, now time.Time) error {
	if !run.State.Type.Terminal() || !bytes.Contains(run.Labels, []byte(labelCall)) {
		return nil
	}
	var labels map[string]any
	if err := json.Unmarshal(run.Labels, &labels); err != nil {
		return nil //nolint:nilerr // labels are the users' own: nobody is to be woken
	}
	call, _ := labels[labelCall].(string)
	execution, number, _ := strings.Cut(call, ":")
	runID, err := core.ParseID(execution)
	key, notANumber := strconv.ParseInt(number, 10, 64)
	if err != nil || notANumber != nil {
		return nil //nolint:nilerr // as above
	}
	a, err := tx.ExecutionAction(runID, key)
	if err != nil || a.Kind != core.ActionTask || len(a.Watch) == 0 {
		return ignoring(err)
	}
	a.Owner, a.Due = "", &now
	return tx.UpdateExecutionAction(a)
}
