package asl_test

import (
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/value"
)

// historyOf runs a machine by inputs, a second apart.
func historyOf(t *testing.T, definition string, inputs ...asl.Input) (*asl.Machine, asl.Info, []*asl.Event) {
	t.Helper()
	m, ds := asl.Parse([]byte(definition), asl.Options{})
	if m == nil {
		t.Fatal(asl.DefinitionError(ds))
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	info := asl.Info{ExecutionARN: "arn:aws:states:us-east-1:000000000000:execution:m:x", Started: now, Input: value.Of("list", []any{int64(1)})}
	x := asl.New(m, info)
	var out []*asl.Event
	for _, in := range append([]asl.Input{{Kind: asl.InputStart}}, inputs...) {
		out = append(out, x.Step(now, in).Events...)
		now = now.Add(time.Second)
	}
	return m, info, out
}

func TestReplaysOfWhatCannotBe(t *testing.T) {
	t.Parallel()
	const task = `{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {}, "End": true}}}`
	m, info, history := historyOf(t, task, asl.Input{Kind: asl.InputSucceeded, Key: 2, Output: "fine"})
	if x, err := asl.Replay(m, info, history); err != nil || x.Status() != asl.Succeeded || x.Events() != int64(len(history)) {
		t.Fatal(err)
	}
	other, _, _ := historyOf(t, strings.ReplaceAll(task, `"T"`, `"U"`))
	if _, err := asl.Replay(other, info, history); err == nil || !strings.Contains(err.Error(), "event 2 (TaskStateEntered): it differs") {
		t.Error(err)
	}
	if _, err := asl.Replay(m, info, append(history[:4:4], history[5:]...)); err == nil || !strings.Contains(err.Error(), "nothing that the machine waits for leads to it") {
		t.Error(err)
	}
	if _, err := asl.Replay(m, info, history[:2]); err == nil || !strings.Contains(err.Error(), "one more: TaskScheduled") {
		t.Error(err)
	}
	x, err := asl.Replay(m, info, nil)
	if err != nil || x.Events() != 0 {
		t.Error(err)
	}

	const run = `{"StartAt": "M", "States": {"M": {"Type": "Map", "ItemsPath": "$.list", "ResultSelector": {"n.$": "States.ArrayLength($)"},
		"ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}, "End": true}}}`
	m, info, history = historyOf(t, run, asl.Input{Kind: asl.InputRunStarted, Key: 2, Text: "arn"}, asl.Input{Kind: asl.InputSucceeded, Key: 2, Output: []any{}})
	if _, err := asl.Replay(m, info, history); err == nil || !strings.Contains(err.Error(), `the result of the map run of the state "M" is not in the history`) {
		t.Error(err)
	}
}

func TestAWorkerThatTakesATaskIsToldOnce(t *testing.T) {
	t.Parallel()
	const activity = `{"StartAt": "T", "States": {"T": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:000000000000:activity:a", "End": true}}}`
	taken := asl.Input{Kind: asl.InputWorker, Key: 2, Text: "w"}
	_, _, history := historyOf(t, activity, taken, taken)
	if last := history[len(history)-1]; len(history) != 4 || last.Type != "ActivityStarted" {
		t.Errorf("%d events, the last %s", len(history), last.Type)
	}
}
