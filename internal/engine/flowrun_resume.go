package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/jsonschema"
)

// ResumeOutcome is what became of the wish to resume a run.
type ResumeOutcome struct {
	Outcome
	// Asked is false when the run was not paused, so that no rule was asked.
	Asked bool
}

// ResumeFlowRun lets a paused run go on, with the input that it waits for when
// it waits for one, or returns a NotFound error. Prefect REST: POST /flow_runs/{id}/resume.
func (e *Engine) ResumeFlowRun(ctx context.Context, ws core.WorkspaceID, id core.ID, input json.RawMessage, c Client) (ResumeOutcome, error) {
	var out ResumeOutcome
	err := e.store.Update(ctx, ws, func(tx core.Tx) error {
		out = ResumeOutcome{}
		run, err := tx.FlowRun(id)
		if err != nil {
			return err
		}
		out.Run = run
		if !run.State.Is(core.Paused) {
			out.Decision = Decision{Status: Abort, Reason: "Cannot resume a flow run that is not paused."}
			return nil
		}
		out.Asked = true
		now := e.now()
		key, reason, err := checkInput(tx, run, input)
		if err != nil {
			return err
		}
		if reason != "" {
			out.Decision = Decision{Status: Reject, Reason: reason}
			return nil
		}
		if out.Outcome, err = e.propose(tx, now, run, Proposal{State: resumed(run.State, now), Client: c}); err != nil {
			return err
		}
		if out.Status != Accept || key == "" {
			return nil
		}
		if _, err := tx.DeleteFlowRunInput(run.ID, key); err != nil {
			return err
		}
		if len(input) == 0 {
			input = json.RawMessage("{}")
		}
		return tx.InsertFlowRunInput(&core.FlowRunInput{ID: core.NewID(now), Created: now, Updated: now, FlowRunID: run.ID, Key: key, Value: string(input)})
	})
	return out, err
}

// checkInput validates the input against the schema that the pause left. It
// returns the key to keep the input under, "" when none is waited for, and the
// reason why the input will not do.
func checkInput(tx core.Tx, run *core.FlowRun, input json.RawMessage) (key, reason string, err error) {
	var keyset struct {
		Response string `json:"response"`
		Schema   string `json:"schema"`
	}
	if raw := run.State.Details.RunInputKeyset; len(raw) == 0 {
		return "", "", nil
	} else if err := json.Unmarshal(raw, &keyset); err != nil {
		return "", "", err
	}
	schema, err := tx.FlowRunInput(run.ID, keyset.Schema)
	if missing(err) {
		return "", "Run input schema not found.", nil
	}
	if err != nil {
		return "", "", err
	}
	if !json.Valid([]byte(schema.Value)) {
		return "", "Run input schema is not valid JSON.", nil
	}
	if len(input) == 0 {
		input = json.RawMessage("{}")
	}
	if err := jsonschema.Validate(input, []byte(schema.Value), jsonschema.Options{}); err != nil {
		return "", "Reason: " + err.Error(), nil //nolint:nilerr // the refusal is the result
	}
	return keyset.Response, "", nil
}

// resumed is the state proposed for a paused run that goes on: a suspended run
// is scheduled again, since its process has ended; another runs on.
func resumed(paused *core.State, now time.Time) core.State {
	s := newState(core.Running, now)
	if paused.Details.PauseReschedule {
		s.Type, s.Name = core.Scheduled, core.NameResuming
		s.Details.ScheduledTime = &now
	}
	return s
}
