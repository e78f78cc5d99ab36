package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
)

const (
	// redrivePeriod is how long after its end an execution can be redriven.
	redrivePeriod = 14 * 24 * time.Hour
	// redriveTokens is how many client tokens of redrives are known, and
	// redriveTokenLife how long, as RedriveExecution documents it.
	redriveTokens    = 10
	redriveTokenLife = 15 * time.Minute
)

// Redrivable says whether an execution can be redriven, by itself or by its map
// run; if not, why is AWS' reason.
func (d *ExecutionDetails) Redrivable(now time.Time) (ok bool, why string) {
	switch {
	case d.Express && d.MapRunID == nil:
		return false, "Execution is EXPRESS and cannot be redriven"
	case d.Status == string(asl.Running):
		return false, "Execution is RUNNING and cannot be redriven"
	case d.Status == string(asl.Succeeded):
		return false, "Execution is SUCCEEDED and cannot be redriven"
	case d.Status == core.PendingRedrive:
		return false, "Execution is PENDING_REDRIVE and cannot be redriven"
	case d.Item < 0:
		return false, "Execution was replaced by a redrive of its Map Run"
	case d.Stopped != nil && now.Sub(*d.Stopped) > redrivePeriod:
		return false, "Execution redrivable period exceeded"
	case d.Machine == nil || d.Machine.Status == core.MachineDeleting:
		return false, "State machine is in DELETING status"
	case !d.Express && d.Events >= mostRedrivable(d.events):
		return false, "Execution history event limit exceeded"
	}
	return true, ""
}

// mostRedrivable is the length of a history that is too long to be redriven: it
// could hold nothing but the redrive and its end.
func mostRedrivable(limit int64) int64 {
	if limit <= 0 {
		limit = asl.DefaultEvents
	}
	return limit - 1
}

// checkRedrive refuses to redrive what cannot be redriven.
func (d *ExecutionDetails) checkRedrive(now time.Time) error {
	if d.MapRunID != nil {
		return core.Errorf(core.Conflict, "Execution was started by a Map Run; redrive the execution of the Map Run: '%s'", d.ARN).
			Because("ExecutionNotRedrivable")
	}
	if ok, why := d.Redrivable(now); !ok {
		return notRedrivable(why, d.ARN)
	}
	return nil
}

func notRedrivable(why, arn string) *core.Error {
	return core.Errorf(core.Conflict, "Execution Not Redrivable: '%s: %s'", why, arn).Because("ExecutionNotRedrivable")
}

// redriveToken is a client token with which an execution was redriven.
type redriveToken struct {
	Token string    `json:"token"`
	At    time.Time `json:"at"`
}

// RedriveExecution goes on with an execution where it failed, and returns when.
// A client token that redrove it lately gives the same answer again; "" is none.
// Step Functions: RedriveExecution.
func (e *Engine) RedriveExecution(ctx context.Context, ws core.WorkspaceID, arn, token string) (time.Time, error) {
	d, err := e.DescribeExecution(ctx, ws, arn)
	if err != nil {
		return time.Time{}, err
	}
	now := e.now()
	known, err := e.redrivesKnown(ctx, ws, d.RunID, now)
	if err != nil {
		return time.Time{}, err
	}
	for _, k := range known {
		if token != "" && k.Token == token {
			return k.At, nil
		}
	}
	if err := d.checkRedrive(now); err != nil {
		return time.Time{}, err
	}
	var with func(*core.ExecutionChange)
	if token != "" {
		known = append(known, redriveToken{token, now})
		spec, err := json.Marshal(known[max(0, len(known)-redriveTokens):])
		if err != nil {
			return time.Time{}, err
		}
		with = func(c *core.ExecutionChange) {
			c.Delete = append(c.Delete, keyTokens)
			c.Insert = append(c.Insert, &core.ExecutionAction{RunID: d.RunID, Key: keyTokens, Kind: core.ActionTokens, Created: now, Spec: spec})
		}
	}
	taken, err := e.advanceExecution(ctx, ws, d.RunID, with, asl.Input{Kind: asl.InputRedrive})
	if err == nil && !taken { // somebody else redrove it meanwhile
		return now, notRedrivable("Execution is RUNNING and cannot be redriven", arn)
	}
	return now, err
}

// redrivesKnown lists the client tokens that are still known.
func (e *Engine) redrivesKnown(ctx context.Context, ws core.WorkspaceID, runID core.ID, now time.Time) (known []redriveToken, err error) {
	err = e.store.View(ctx, ws, func(tx core.Tx) error {
		a, err := tx.ExecutionAction(runID, keyTokens)
		if err != nil {
			return ignoring(err)
		}
		return json.Unmarshal(a.Spec, &known)
	})
	for len(known) > 0 && now.Sub(known[0].At) > redriveTokenLife {
		known = known[1:]
	}
	return known, err
}
