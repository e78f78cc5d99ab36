package engine

import (
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Status is the answer to a proposed state.
type Status string

// The answers.
const (
	// Accept: the proposed state became the run's state.
	Accept Status = "ACCEPT"
	// Reject: another state became or remains the run's state.
	Reject Status = "REJECT"
	// Wait: nothing changed; propose again after Delay.
	Wait Status = "WAIT"
	// Abort: nothing changed and the proposer should stop.
	Abort Status = "ABORT"
)

// Facts is what rules know beyond the run and the proposal. Rules read no
// clock and no database.
type Facts struct {
	Now time.Time
	// Force skips the rules of conduct; what protects results and slots remains.
	Force bool
	// PauseKey stands for the key of a pause whose proposer gave none.
	PauseKey string
	// Limit is the concurrency limit of the run's deployment; nil when there is none.
	Limit *LimitFacts
	// DeploymentGone tells that the run's deployment was deleted.
	DeploymentGone bool
	// SlotWait is how long a run waits for a slot before it asks again.
	SlotWait time.Duration
	// KeepsLeases tells that the proposer renews the lease of its slot (Prefect
	// 3.4.11 and later, leat's own clients).
	KeepsLeases bool
	// NoRetryTypes tells that the proposer does not know retry types (API before 0.8.4).
	NoRetryTypes bool
	// LateMarker tells that the server itself marks the run late.
	LateMarker bool
	// Schedule is what the policy of the run's schedule says of taking it; nil when it has none.
	Schedule *Ruling
	// Task is what rules of task runs ask; nil for flow runs.
	Task *TaskFacts
}

// TaskFacts is what rules know of a task run's surroundings.
type TaskFacts struct {
	// FlowRun is the enclosing run; nil for a task that runs by itself.
	FlowRun *core.FlowRun
	// Cached is the newest living result under the proposed cache key, or nil.
	Cached *core.State
	// ZeroTag names a tag of the task whose limit is 0.
	ZeroTag string
	// FullTags are tags of the task whose limits have no free slot.
	FullTags []string
	// TagWait is how many seconds to wait for such a slot.
	TagWait int
}

// LimitFacts is the state of a deployment's concurrency limit.
type LimitFacts struct {
	// Max is the number of slots.
	Max int
	// Free tells that a slot can be taken.
	Free bool
	// CancelNew cancels runs that find no slot; else they wait.
	CancelNew bool
	// LeaseAlive tells that the lease named by the run's state still holds its slot.
	LeaseAlive bool
}

// SlotChange is what a decision asks for about the deployment's slot.
type SlotChange int

// The changes of slots.
const (
	SlotKeep SlotChange = iota
	// SlotTake takes a slot; the lease's id goes into the new state.
	SlotTake
	// SlotRenew makes the lease last its whole time again.
	SlotRenew
	// SlotPin makes the lease last until it is released, for clients that do not renew it.
	SlotPin
	// SlotRelease gives the slot back.
	SlotRelease
)

// Decision is what becomes of a proposal.
type Decision struct {
	Status Status
	Reason string
	// Delay is in seconds, for Wait.
	Delay int
	// State is to be written; nil when the run keeps its state.
	State *core.State
	// prepare and amend change the run's policy before and after the state
	// enters its books: entering Running looks at the policy.
	prepare, amend []func(*core.RunPolicy)
	Slot           SlotChange
}

// transition is what the rules work on: either run or task is set.
type transition struct {
	run      *core.FlowRun
	task     *core.TaskRun
	from     *core.State
	fromType core.StateType // "" for a run without a state
	to       core.StateType
	facts    Facts

	// proposed is replaced by rules that reject; nil when nothing will be written.
	proposed *core.State
	status   Status
	reason   string
	delay    int
	slot     SlotChange
	// before and after hold changes of the policy that take effect only when the
	// pair of types that the rule saw is what happens in the end.
	before, after []func(*core.RunPolicy)
	// always holds changes of the policy that take effect whatever happens.
	always []func(*core.RunPolicy)
	// inProcessRetry tells that the run waits for its retry within its process.
	inProcessRetry bool
}

// rule is one small policy. It applies to transitions from one of the types to
// one of the types; nil stands for all.
type rule struct {
	name     string
	from, to []core.StateType
	apply    func(*transition)
}

// flowRunRules lists the policies of a flow run in the order in which they
// see a proposal. A rule that replaces the proposal by a state of another
// type, or by nothing, is the last one that is asked.
func flowRunRules() []rule {
	return []rule{
		{"keep the lease of the deployment's slot", nil, nil, keepLease},
		{"prevent duplicate transitions", nil, nil, preventDuplicates},
		{"guard terminal states", terminal(), nil, guardTerminal},
		{"let cancelling runs end only cancelled", []core.StateType{core.Cancelling}, nil, guardCancelling},
		{"cancel runs without infrastructure at once", []core.StateType{core.Scheduled, core.Paused}, []core.StateType{core.Cancelling}, cancelWithoutInfrastructure},
		{"let one worker claim a run", []core.StateType{core.Pending, core.Cancelling, core.Running, core.Cancelled}, []core.StateType{core.Pending}, guardPending},
		{"keep the schedule's policy", []core.StateType{core.Scheduled}, []core.StateType{core.Pending, core.Running}, keepPolicy},
		{"check the slot when the run starts", []core.StateType{core.Pending}, []core.StateType{core.Running}, checkSlot},
		{"take a slot of the deployment", others(core.Pending, core.Running, core.Cancelling), []core.StateType{core.Pending}, takeSlot},
		{"pin the slots of clients that do not renew", []core.StateType{core.Pending}, []core.StateType{core.Running, core.Cancelling}, pinSlot},
		{"mark only scheduled runs late", nil, []core.StateType{core.Scheduled}, guardLate},
		{"cancel late runs that find no slot", []core.StateType{core.Scheduled}, []core.StateType{core.Scheduled}, cancelLate},
		{"guard pauses", nil, []core.StateType{core.Paused}, guardPause},
		{"guard resuming", []core.StateType{core.Paused}, nil, guardResume},
		{"keep the scheduled time", []core.StateType{core.Scheduled}, []core.StateType{core.Pending}, keepScheduledTime},
		{"wait for the scheduled time", []core.StateType{core.Scheduled, core.Pending}, []core.StateType{core.Running}, waitForScheduledTime},
		{"retry failed runs", []core.StateType{core.Running}, []core.StateType{core.Failed}, retryFailed},
		{"release the slot", []core.StateType{core.Running, core.Cancelling, core.Pending}, nil, releaseSlot},
	}
}

// forcedRules lists what holds even for a forced transition.
func forcedRules() []rule {
	return []rule{
		{"keep results", terminal(), terminal(), keepResult},
		{"cancel runs without infrastructure at once", []core.StateType{core.Scheduled, core.Paused}, []core.StateType{core.Cancelling}, cancelWithoutInfrastructure},
		{"release the slot", []core.StateType{core.Running, core.Cancelling, core.Pending}, nil, releaseSlot},
	}
}

func terminal() []core.StateType {
	return []core.StateType{core.Completed, core.Failed, core.Cancelled, core.Crashed}
}

// others lists all state types but the given ones.
func others(not ...core.StateType) []core.StateType {
	return slices.DeleteFunc(core.StateTypes(), func(t core.StateType) bool { return slices.Contains(not, t) })
}

// Decide says what becomes of a state proposed for the run.
func Decide(run *core.FlowRun, proposed core.State, facts Facts) Decision {
	t := &transition{run: run, from: run.State, to: proposed.Type, facts: facts, proposed: &proposed, status: Accept}
	if facts.Force {
		return t.ask(forcedRules())
	}
	return t.ask(flowRunRules())
}

// ask lets the rules see the proposal one after the other.
func (t *transition) ask(rules []rule) Decision {
	if t.from != nil {
		t.fromType = t.from.Type
	}
	for _, r := range rules {
		if t.concerns(r) {
			r.apply(t)
		}
	}
	return t.decision()
}

// concerns reports whether the rule is asked: its types match and the proposal
// is still of the type that it started with.
func (t *transition) concerns(r rule) bool {
	in := func(types []core.StateType, s core.StateType) bool { return types == nil || slices.Contains(types, s) }
	return t.proposed != nil && t.proposed.Type == t.to && in(r.from, t.fromType) && in(r.to, t.to)
}

func (t *transition) decision() Decision {
	d := Decision{Status: t.status, Reason: t.reason, Delay: t.delay, State: t.proposed, amend: t.always}
	switch {
	case t.proposed == nil:
	case t.proposed.Type == t.to:
		d.Slot = t.slot
		d.prepare, d.amend = t.before, append(t.after, t.always...)
	default:
		d.Slot = slotAfterReplacement(t)
	}
	return d
}

// Apply makes the decision the run's: its state, its books, its policy. It
// reports whether anything in the run changed.
func (d Decision) Apply(run *core.FlowRun) bool { return d.apply(flowRunClockwork(run)) }

func (d Decision) apply(c clockwork) bool {
	c.policy.PauseKeys = slices.Clone(c.policy.PauseKeys)
	for _, change := range d.prepare {
		change(c.policy)
	}
	if d.State != nil {
		c.advance(d.State)
	}
	for _, change := range d.amend {
		change(c.policy)
	}
	return d.State != nil || len(d.amend) > 0
}

// refuse keeps the run's state.
func (t *transition) refuse(reason string) {
	t.status, t.reason, t.proposed = Reject, reason, nil
}

// replace makes another state the run's state.
func (t *transition) replace(s core.State, reason string) {
	t.status, t.reason, t.proposed = Reject, reason, &s
}

// abort keeps the run's state and tells the proposer to stop.
func (t *transition) abort(reason string) {
	t.status, t.reason, t.proposed = Abort, reason, nil
}

// fresh returns a new state of the type with its default name.
func (t *transition) fresh(kind core.StateType, message string) core.State {
	s := newState(kind, t.facts.Now)
	if message != "" {
		s.Message = &message
	}
	return s
}
