package engine

import (
	"fmt"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// maxCacheKey is the length of the longest cache key, in characters.
const maxCacheKey = 2000

// taskRunRules lists the policies of a task run whose client asks the server
// before each state. Tasks of Prefect 3 decide for themselves and only tell.
func taskRunRules() []rule {
	running := []core.StateType{core.Running}
	return []rule{
		{"answer from the cache", nil, running, answerFromCache},
		{"guard terminal states", terminal(), nil, guardTerminalTask},
		{"run tasks only in running flows", nil, running, guardEnclosingFlow},
		{"respect the limits of tags", nil, running, respectTagLimits},
		{"keep the scheduled time", []core.StateType{core.Scheduled}, []core.StateType{core.Pending}, keepScheduledTime},
		{"wait for the scheduled time", []core.StateType{core.Scheduled, core.Pending}, running, waitForScheduledTime},
		{"retry failed runs", running, []core.StateType{core.Failed}, retryFailedTask},
		{"name reruns", nil, running, nameRerun},
		{"refuse long cache keys", nil, []core.StateType{core.Completed}, guardCacheKey},
		{"release the slots of tags", running, others(core.Running, core.Cancelling), releaseSlot},
	}
}

// backgroundTaskRules lists the policies of a task run that a task worker
// takes: it belongs to no flow run, and only one worker may claim it.
func backgroundTaskRules() []rule {
	return []rule{
		{"let one worker claim a run", []core.StateType{core.Pending, core.Cancelling, core.Running, core.Cancelled}, []core.StateType{core.Pending}, guardPending},
		{"answer from the cache", nil, []core.StateType{core.Running}, answerFromCache},
		{"guard terminal states", terminal(), nil, guardTerminalTask},
		{"keep the parameters", []core.StateType{core.Scheduled, core.Pending}, []core.StateType{core.Pending, core.Running}, keepParameters},
		{"keep the scheduled time", []core.StateType{core.Scheduled}, []core.StateType{core.Pending}, keepScheduledTime},
		{"wait for the scheduled time", []core.StateType{core.Scheduled, core.Pending}, []core.StateType{core.Running}, waitForScheduledTime},
		{"retry failed runs", []core.StateType{core.Running}, []core.StateType{core.Failed}, retryFailedTask},
		{"name reruns", nil, []core.StateType{core.Running}, nameRerun},
		{"refuse long cache keys", nil, []core.StateType{core.Completed}, guardCacheKey},
	}
}

// decideTask says what becomes of a state proposed for the task run.
func decideTask(run *core.TaskRun, proposed core.State, facts Facts) Decision {
	t := &transition{task: run, from: run.State, to: proposed.Type, facts: facts, proposed: &proposed, status: Accept}
	switch {
	case proposed.Details.Deferred != nil && *proposed.Details.Deferred || run.State != nil && deferred(run.State) && run.FlowRunID == nil:
		return t.ask(backgroundTaskRules())
	case facts.Force:
		return t.ask([]rule{{"release the slots of tags", []core.StateType{core.Running}, others(core.Running, core.Cancelling), releaseSlot}})
	}
	return t.ask(taskRunRules())
}

func deferred(s *core.State) bool { return s.Details.Deferred != nil && *s.Details.Deferred }

func answerFromCache(t *transition) {
	c := t.facts.Task.Cached
	if c == nil || t.proposed.Details.RefreshCache != nil && *t.proposed.Details.RefreshCache {
		return
	}
	s := *c
	s.ID, s.Timestamp, s.Name = core.NewID(t.facts.Now), t.facts.Now, "Cached"
	t.replace(s, "Retrieved state from cache")
}

func guardTerminalTask(t *transition) {
	switch t.to {
	case core.Cancelling, core.Paused, core.Crashed:
		t.abort(fmt.Sprintf("Run is already %s.", t.fromType))
		return
	case core.Scheduled, core.Pending, core.Running, core.Completed, core.Failed, core.Cancelled:
	}
	if t.fromType == core.Completed && persisted(t.from.Data) {
		t.refuse("This run is already completed.")
		return
	}
	if t.to.Terminal() {
		return
	}
	t.task.RunCount = 0
	flow := t.facts.Task.FlowRun
	if t.to == core.Running && flow != nil && t.task.FlowRunRunCount < flow.RunCount {
		t.proposed.Name = core.NameRetrying
	}
}

// guardEnclosingFlow lets a task start only while its flow run is running.
func guardEnclosingFlow(t *transition) {
	flow := t.facts.Task.FlowRun
	if flow == nil || flow.State.Is(core.Running) {
		return
	}
	if !flow.State.Is(core.Paused) {
		t.abort("The enclosing flow must be running to begin task execution.")
		return
	}
	s := t.fresh(core.Paused, "")
	s.Name = "NotReady"
	s.Details.PauseTimeout, s.Details.PauseReschedule = flow.State.Details.PauseTimeout, flow.State.Details.PauseReschedule
	t.replace(s, fmt.Sprintf("The flow is paused, new tasks can execute after resuming flow run: %s.", flow.ID))
}

func respectTagLimits(t *transition) {
	f := t.facts.Task
	switch {
	case f.ZeroTag != "":
		t.abort(fmt.Sprintf("The concurrency limit on tag %q is 0 and will deadlock if the task tries to run again.", f.ZeroTag))
	case len(f.FullTags) > 0:
		t.status, t.delay, t.proposed = Wait, f.TagWait, nil
		t.reason = "Concurrency limit reached for tags: " + strings.Join(f.FullTags, ", ")
	default:
		t.slot = SlotTake
	}
}

func keepParameters(t *transition) {
	if t.proposed.Details.TaskParametersID == nil {
		t.proposed.Details.TaskParametersID = t.from.Details.TaskParametersID
	}
}

func retryFailedTask(t *transition) {
	if r := t.proposed.Details.Retriable; r != nil && !*r {
		return
	}
	p := t.task.Policy
	if p.Retries == nil || t.task.RunCount > *p.Retries {
		return
	}
	at := t.facts.Now.Add(time.Duration(p.Delay(t.task.RunCount) * float64(time.Second)))
	retry := t.fresh(core.Scheduled, "")
	retry.Name, retry.Message, retry.Data = core.NameAwaitingRetry, t.proposed.Message, t.proposed.Data
	retry.Details.ScheduledTime = &at
	t.replace(retry, "Retrying")
}

func nameRerun(t *transition) {
	switch {
	case t.task.RunCount == 0:
	case t.from != nil && t.from.Name == core.NameAwaitingRetry:
		t.proposed.Name = core.NameRetrying
	default:
		t.proposed.Name = "Rerunning"
	}
}

func guardCacheKey(t *transition) {
	if key := t.proposed.Details.CacheKey; key != nil && len([]rune(*key)) > maxCacheKey {
		t.status, t.reason = Reject, "Cache key exceeded maximum allowed length of 2000 characters."
	}
}
