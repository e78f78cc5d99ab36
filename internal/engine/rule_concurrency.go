package engine

import (
	"github.com/leat-dev/leat/internal/core"
)

// keepLease carries the lease of the deployment's slot from state to state.
func keepLease(t *transition) {
	starts := t.fromType == core.Pending && t.to == core.Running
	if t.from != nil && (starts || t.proposed.Details.DeploymentConcurrencyLeaseID == nil) {
		t.proposed.Details.DeploymentConcurrencyLeaseID = t.from.Details.DeploymentConcurrencyLeaseID
	}
}

// takeSlot lets a run be claimed only while its deployment's limit has a slot.
func takeSlot(t *transition) {
	if t.run.DeploymentID == nil {
		return
	}
	if t.facts.DeploymentGone {
		t.abort("Deployment not found.")
		return
	}
	l := t.facts.Limit
	switch {
	case l == nil:
	case l.Max == 0:
		t.abort("The deployment concurrency limit is 0. The flow will deadlock if submitted again.")
	case l.Free:
		t.slot = SlotTake
	case l.CancelNew:
		t.replace(t.fresh(core.Cancelled, "Deployment concurrency limit reached."), "Deployment concurrency limit reached.")
	default:
		at := t.facts.Now.Add(t.facts.SlotWait)
		wait := t.fresh(core.Scheduled, "")
		wait.Name, wait.Details.ScheduledTime = core.NameAwaitingConcurrencySlot, &at
		t.replace(wait, "Deployment concurrency limit reached.")
	}
}

// checkSlot makes sure that a run which starts still holds its slot: its
// infrastructure may have taken longer than the lease lasts.
func checkSlot(t *transition) {
	l := t.facts.Limit
	if l == nil || !t.facts.KeepsLeases || t.from.Details.DeploymentConcurrencyLeaseID == nil {
		return
	}
	switch {
	case l.LeaseAlive:
		t.slot = SlotRenew
	case l.Free:
		t.slot = SlotTake
	default:
		t.replace(t.fresh(core.Cancelled, "Deployment concurrency slot lost during provisioning - no slots available to continue execution"),
			"Deployment concurrency limit reached after lease expiry.")
	}
}

// pinSlot keeps the slot of a client that does not know that it should renew it.
func pinSlot(t *transition) {
	if !t.facts.KeepsLeases && t.from.Details.DeploymentConcurrencyLeaseID != nil {
		t.slot = SlotPin
	}
}

// releaseSlot gives the slot back when a run leaves the states that hold one.
func releaseSlot(t *transition) {
	if !holdsSlot(t.to) {
		t.slot = SlotRelease
	}
}

// slotAfterReplacement does the same for a state that replaced the proposal. A
// slot that was to be taken for the proposal is not, and a run that waits for
// its retry within its process keeps its slot.
func slotAfterReplacement(t *transition) SlotChange {
	if holdsSlot(t.fromType) && !holdsSlot(t.proposed.Type) && !t.inProcessRetry {
		return SlotRelease
	}
	return SlotKeep
}

func holdsSlot(s core.StateType) bool {
	return s == core.Running || s == core.Cancelling || s == core.Pending
}
