package engine

import (
	"math"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// guardLate lets only runs that wait for their time be marked late, and once.
func guardLate(t *transition) {
	if t.proposed.Name != core.NameLate {
		return
	}
	switch {
	case t.fromType != core.Scheduled:
		t.refuse("Only scheduled flows can be marked late.")
	case t.from.Name == core.NameLate:
		t.refuse("This flow run is already marked late.")
	}
}

// cancelLate ends a run that is late because its deployment's limit is full,
// where the deployment wants such runs cancelled.
func cancelLate(t *transition) {
	l := t.facts.Limit
	if t.facts.LateMarker && t.proposed.Name == core.NameLate && l != nil && l.CancelNew && !l.Free {
		t.replace(t.fresh(core.Cancelled, "Deployment concurrency limit reached."),
			"Deployment concurrency limit is full and uses the CANCEL_NEW strategy.")
	}
}

func keepScheduledTime(t *transition) {
	if t.proposed.Details.ScheduledTime == nil {
		t.proposed.Details.ScheduledTime = t.from.Details.ScheduledTime
	}
}

// waitForScheduledTime holds a run back until its time has come.
func waitForScheduledTime(t *transition) {
	if delay := secondsUntil(t.from.Details.ScheduledTime, t.facts.Now); delay > 0 {
		t.status, t.reason, t.delay, t.proposed = Wait, "Scheduled time is in the future", delay, nil
	}
}

// secondsUntil rounds as the reference does: whole seconds, and one more when
// half a second or more is left over.
func secondsUntil(at *time.Time, now time.Time) int {
	if at == nil || !at.After(now) {
		return 0
	}
	left := at.Sub(now)
	whole := left.Truncate(time.Second)
	return int(whole.Seconds()) + int(math.RoundToEven((left - whole).Seconds()))
}

// retryFailed gives a failed run another try while its policy has tries left.
func retryFailed(t *transition) {
	p := t.run.Policy
	if p.Retries == nil || t.run.RunCount > *p.Retries {
		t.after = append(t.after, func(p *core.RunPolicy) { p.RetryType = nil })
		return
	}
	at := t.facts.Now.Add(time.Duration(p.Delay(t.run.RunCount) * float64(time.Second)))
	retry := t.fresh(core.Scheduled, "")
	retry.Name, retry.Message, retry.Data = core.NameAwaitingRetry, t.proposed.Message, t.proposed.Data
	retry.Details.ScheduledTime = &at
	retry.Details.DeploymentConcurrencyLeaseID = t.from.Details.DeploymentConcurrencyLeaseID
	if !t.facts.NoRetryTypes {
		t.always = append(t.always, func(p *core.RunPolicy) {
			no, kind := false, retryInProcess
			p.Resuming, p.PauseKeys, p.RetryType = &no, []string{}, &kind
		})
	}
	t.inProcessRetry = true
	t.replace(retry, "Retrying")
}
