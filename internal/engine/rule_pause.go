package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/core"
)

// guardPause lets only a running run pause, and each pause of it only once: a
// run that starts over after a suspension meets the same pauses again.
func guardPause(t *transition) {
	verb := "pause"
	if t.proposed.Name == core.NameSuspended {
		verb = "suspend"
	}
	if t.fromType != core.Running {
		t.refuse(fmt.Sprintf("Cannot %s flows that are not currently running.", verb))
		return
	}
	key := t.facts.PauseKey
	if t.proposed.Details.PauseKey != nil {
		key = *t.proposed.Details.PauseKey
	}
	if slices.Contains(t.run.Policy.PauseKeys, key) {
		t.refuse(fmt.Sprintf("This %s has already fired.", verb))
		return
	}
	if t.proposed.Details.PauseReschedule {
		if t.run.ParentTaskRunID != nil {
			t.abort(fmt.Sprintf("Cannot %s subflows.", verb))
			return
		}
		if t.run.DeploymentID == nil {
			t.abort(fmt.Sprintf("Cannot %s flows without a deployment.", verb))
			return
		}
	}
	t.after = append(t.after, func(p *core.RunPolicy) { p.PauseKeys = append(p.PauseKeys, key) })
}

// guardResume says how a paused run may go on.
func guardResume(t *transition) {
	t.always = append(t.always, func(p *core.RunPolicy) {
		yes := true
		p.Resuming = &yes
	})
	if !t.to.Terminal() && t.to != core.Running && t.to != core.Scheduled && t.to != core.Cancelling {
		t.refuse(fmt.Sprintf("This run cannot transition to the StateType.%s state from the StateType.%s state.", t.to, t.fromType))
		return
	}
	name := strings.ToLower(t.proposed.Name)
	if t.from.Details.PauseReschedule && t.run.DeploymentID == nil {
		t.refuse(fmt.Sprintf("Cannot reschedule a %s flow run without a deployment.", name))
		return
	}
	if end := t.from.Details.PauseTimeout; t.to != core.Cancelling && end != nil && end.Before(t.facts.Now) {
		t.replace(t.fresh(core.Failed, fmt.Sprintf("The flow was %s and never resumed.", name)),
			"The flow run pause has timed out and can no longer resume.")
	}
}
