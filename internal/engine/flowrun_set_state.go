package engine

import (
	"context"
	"encoding/json"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Proposal is a state that somebody wants a run to be in.
type Proposal struct {
	State core.State
	// Force skips the rules of conduct.
	Force bool
	// Client is who proposes.
	Client Client
	// Worker is the worker that proposes, when it says so.
	Worker string
	// ofExecution tells that the run's own execution proposes.
	ofExecution bool
	// LateMarker tells that the server's own late marker proposes.
	LateMarker bool
}

// Outcome is what became of a proposal.
type Outcome struct {
	Decision
	// Run is the run afterwards; its State is what the proposer is told.
	Run *core.FlowRun
}

// initialLease is how long a deployment's slot is kept for a run that was
// claimed and has not started, when the deployment gives no grace period.
const initialLease = 300 * time.Second

// pinnedLease is the lease of a client that never renews it.
const pinnedLease = 100 * 365 * 24 * time.Hour

// SetFlowRunState proposes a state for the run, or returns a NotFound error.
// Prefect REST: POST /flow_runs/{id}/set_state.
func (e *Engine) SetFlowRunState(ctx context.Context, ws core.WorkspaceID, id core.ID, p Proposal) (Outcome, error) {
	var out Outcome
	err := e.store.Update(ctx, ws, func(tx core.Tx) error {
		run, err := tx.FlowRun(id)
		if err != nil {
			return err
		}
		out, err = e.propose(tx, e.now(), run, p)
		return err
	})
	return out, err
}

// propose decides and writes in the caller's transaction. The run was read in it.
func (e *Engine) propose(tx core.Tx, now time.Time, run *core.FlowRun, p Proposal) (Outcome, error) {
	facts, limit, err := e.facts(tx, now, run, p)
	if err != nil {
		return Outcome{}, err
	}
	state := p.State
	state.ID, state.Timestamp = core.NewID(now), now
	if state.Type == core.Scheduled && state.Details.ScheduledTime == nil {
		state.Details.ScheduledTime = &now
	}
	steered := !p.ofExecution && isExecution(run)
	if steered {
		if steered, err = steer(tx, now, run, &state); err != nil {
			return Outcome{}, err
		}
	}
	from, was := run.State, run.Times()
	d := Decide(run, state, facts)
	if d.Slot != SlotKeep {
		if err := changeSlot(tx, now, run, d, limit); err != nil {
			return Outcome{}, err
		}
	}
	if !d.Apply(run) {
		return Outcome{d, run}, nil
	}
	run.Updated = now
	if d.State == nil {
		return Outcome{d, run}, tx.UpdateFlowRun(run)
	}
	finishState(run)
	if run.State.Type == core.Pending && p.Worker != "" {
		run.ClaimedBy = &p.Worker
	}
	if err := tx.SetFlowRunState(run, was); err != nil {
		return Outcome{}, err
	}
	if steered {
		if err := control(tx, now, run, from); err != nil {
			return Outcome{}, err
		}
	}
	var fromType core.StateType
	if from != nil {
		fromType = from.Type
	}
	e.observe(fromType, run.State.Type)
	return Outcome{d, run}, announceFlowRun(tx, run, from, now)
}

// facts gathers what the rules may ask; limit is the deployment's, or nil.
func (e *Engine) facts(tx core.Tx, now time.Time, run *core.FlowRun, p Proposal) (Facts, *deploymentLimit, error) {
	f := Facts{
		Now: now, Force: p.Force, SlotWait: e.slotWait, LateMarker: p.LateMarker,
		KeepsLeases: p.Client.KeepsLeases(), NoRetryTypes: !p.Client.knowsRetryTypes(),
	}
	if p.State.Type == core.Paused && p.State.Details.PauseKey == nil {
		f.PauseKey = core.NewID(now).String()
	}
	if run.DeploymentID == nil {
		return f, nil, nil
	}
	f.DeploymentGone = run.DeploymentName == nil
	if !p.Force && takes(p) {
		var err error
		if f.Schedule, err = ruling(tx, now, run); err != nil {
			return f, nil, err
		}
	}
	if run.ConcurrencyLimitID == nil || !asksForSlot(p) {
		return f, nil, nil
	}
	limit, err := readDeploymentLimit(tx, now, run)
	if err != nil || limit == nil {
		return f, nil, err
	}
	f.Limit = &limit.facts
	return f, limit, nil
}

// takes reports whether the proposal is that of somebody who will carry the run out.
func takes(p Proposal) bool { return p.State.Type == core.Pending || p.State.Type == core.Running }

// asksForSlot reports whether the proposal is one that a limit has a say in.
func asksForSlot(p Proposal) bool {
	return takes(p) || p.LateMarker
}

// deploymentLimit is the limit that a deployment's runs share.
type deploymentLimit struct {
	facts LimitFacts
	name  string
	// lease is how long a slot is kept for a run that does not renew it.
	lease time.Duration
}

// readDeploymentLimit returns nil when the limit is gone or not enforced.
func readDeploymentLimit(tx core.Tx, now time.Time, run *core.FlowRun) (*deploymentLimit, error) {
	l, err := tx.ConcurrencyLimit(*run.ConcurrencyLimitID, now)
	if core.CodeOf(err) == core.NotFound {
		return nil, nil
	}
	if err != nil || !l.Active {
		return nil, err
	}
	var options struct {
		Strategy string   `json:"collision_strategy"`
		Grace    *float64 `json:"grace_period_seconds"`
	}
	if len(run.ConcurrencyOptions) > 0 {
		if err := json.Unmarshal(run.ConcurrencyOptions, &options); err != nil {
			return nil, err
		}
	}
	d := &deploymentLimit{
		name: l.Name, lease: initialLease,
		facts: LimitFacts{Max: l.Limit, Free: l.ActiveSlots(now) < l.Limit, CancelNew: options.Strategy == "CANCEL_NEW"},
	}
	if options.Grace != nil {
		d.lease = time.Duration(*options.Grace * float64(time.Second))
	}
	if run.State != nil && run.State.Details.DeploymentConcurrencyLeaseID != nil {
		lease, err := tx.ConcurrencyLease(*run.State.Details.DeploymentConcurrencyLeaseID)
		if err != nil && core.CodeOf(err) != core.NotFound {
			return nil, err
		}
		d.facts.LeaseAlive = err == nil && lease.Expires.After(now)
	}
	return d, nil
}

// changeSlot does what the decision asks for about the deployment's slot, and
// names a new lease in the state that is about to be written.
func changeSlot(tx core.Tx, now time.Time, run *core.FlowRun, d Decision, limit *deploymentLimit) error {
	var lease *core.ID
	if run.State != nil {
		lease = run.State.Details.DeploymentConcurrencyLeaseID
	}
	switch d.Slot {
	case SlotKeep:
	case SlotTake:
		got, err := acquireSlots(tx, now, AcquireSlots{
			Names: []string{limit.name}, Slots: 1, Lease: limit.lease, Holder: &core.LeaseHolder{Type: "flow_run", ID: run.ID},
		})
		if err != nil {
			return err
		}
		d.State.Details.DeploymentConcurrencyLeaseID = got.LeaseID
	case SlotRenew:
		return tx.SetLeaseExpiry(*lease, now.Add(limit.lease))
	case SlotPin:
		return tx.SetLeaseExpiry(*lease, now.Add(pinnedLease))
	case SlotRelease:
		if lease == nil {
			return nil
		}
		tx.Wake(core.TopicScheduledRuns)
		return releaseLease(tx, now, *lease)
	}
	return nil
}
