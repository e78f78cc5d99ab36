package engine

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/value"
)

// What an execution is in the domain: a flow run whose task runs are the visits
// of its states.

// isExecution reports whether the run is an execution of a state machine: its
// infrastructure is the execution's ARN.
func isExecution(run *core.FlowRun) bool {
	return run.InfrastructurePID != nil && strings.HasPrefix(*run.InfrastructurePID, "arn:") && strings.Contains(*run.InfrastructurePID, ":states:")
}

// visitID is the task run of a visit. It follows from the run and the visit, so
// that it need not be stored.
func visitID(runID core.ID, v *asl.Visit) core.ID {
	number := int64(binary.BigEndian.Uint64(runID[8:])>>8) ^ v.Entered<<20
	return core.NumberedID(v.Began, number)
}

// visitRuns are the task runs of the visits that a step began or ended.
func visitRuns(row *core.Execution, res *asl.Result, now time.Time) []*core.TaskRun {
	ended := map[int64]bool{}
	for _, v := range res.Visits {
		if !v.Ended.IsZero() {
			ended[v.Entered] = true
		}
	}
	runs := make([]*core.TaskRun, 0, len(res.Visits))
	seen := map[int64]bool{}
	for _, v := range res.Visits {
		if v.Ended.IsZero() && ended[v.Entered] || seen[v.Entered] && !v.Ended.IsZero() {
			continue // it began and ended in one step
		}
		seen[v.Entered] = !v.Ended.IsZero()
		runs = append(runs, visitRun(row, v, now))
	}
	return runs
}

func visitRun(row *core.Execution, v *asl.Visit, now time.Time) *core.TaskRun {
	id, runID := visitID(row.RunID, v), row.RunID
	began := v.Began
	r := &core.TaskRun{
		ID: id, Created: began, Updated: now, Name: v.State.Name, FlowRunID: &runID, TaskKey: v.State.Name,
		DynamicKey: strconv.FormatInt(v.Entered, 10), Tags: []string{}, TaskInputs: json.RawMessage("{}"), RunCount: 1 + v.Attempts,
		FlowRunRunCount: 1 + row.Redrives, ExpectedStartTime: &began, StartTime: &began,
	}
	s := newState(core.Running, began)
	if !v.Ended.IsZero() {
		ended := v.Ended
		r.EndTime, r.TotalRunTime = &ended, ended.Sub(began)
		switch {
		case v.Aborted:
			s = newState(core.Cancelled, ended)
		case v.Failure != nil:
			s = newState(core.Failed, ended)
			s.Message = messageOf(*v.Failure)
		default:
			s = newState(core.Completed, ended)
		}
	}
	s.Details.TaskRunID, s.Details.FlowRunID = &id, &runID
	r.State = &s
	return r
}

// maxMessage bounds a failure's text in a state; the whole is in the history.
const maxMessage = 4000

func messageOf(f asl.Failure) *string {
	text := f.Error
	if f.Cause != "" {
		text += ": " + f.Cause
	}
	if len(text) > maxMessage {
		text = text[:maxMessage] + " …"
	}
	return &text
}

// endState is the state of a run whose execution has ended.
func endState(res *asl.Result) core.State {
	switch res.Status {
	case asl.Succeeded:
		return core.NewState(core.Completed, nil)
	case asl.Aborted:
		return core.NewState(core.Cancelled, messageOf(res.Failure))
	case asl.TimedOut:
		text := "the execution took longer than its TimeoutSeconds"
		return core.State{Type: core.Failed, Name: "TimedOut", Message: &text}
	case asl.Failed, asl.Running:
	}
	return core.NewState(core.Failed, messageOf(res.Failure))
}

const logger = "leat.states"

// endLogs are the lines that a run's log has of how its execution ended.
func endLogs(row *core.Execution, res *asl.Result, now time.Time) []*core.Log {
	level, text := 20, "the execution succeeded"
	if res.Status != asl.Succeeded {
		level, text = 40, "the execution ended as "+string(res.Status)
		if m := messageOf(res.Failure); *m != "" {
			text += ": " + *m
		}
	}
	id := row.RunID
	logs := make([]*core.Log, 0, 1)
	for _, v := range res.Visits {
		if v.Failure == nil {
			continue
		}
		task := visitID(row.RunID, v)
		logs = append(logs, &core.Log{
			Created: now, Timestamp: now, Name: logger, Level: 40, FlowRunID: &id, TaskRunID: &task,
			Message: fmt.Sprintf("%s state %q failed: %s", v.State.Type, v.State.Name, *messageOf(*v.Failure)),
		})
	}
	return append(logs, &core.Log{Created: now, Timestamp: now, Name: logger, Level: level, Message: text, FlowRunID: &id})
}

// executionParameters are an execution's input as a run's parameters, which are an object.
func executionParameters(input any, text string) json.RawMessage {
	if _, ok := input.(*value.Object); ok {
		return json.RawMessage(text)
	}
	return json.RawMessage(`{"input":` + text + `}`)
}
