package engine

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// NewTaskRun describes a task run to be made over HTTP.
type NewTaskRun struct {
	// Run holds what the client says; ID is made when it is zero.
	Run core.TaskRun
	// State is the first state; nil stands for Pending.
	State *core.State
}

// CreateTaskRun makes a task run, or returns the one that its flow run has
// under the same keys, and reports which. An unknown flow run is a Conflict.
// Prefect REST: POST /task_runs/.
func (e *Engine) CreateTaskRun(ctx context.Context, ws core.WorkspaceID, in NewTaskRun) (*core.TaskRun, bool, error) {
	var out *core.TaskRun
	var created bool
	err := e.store.Update(ctx, ws, func(tx core.Tx) error {
		now, run := e.now(), in.Run
		out, created = &run, false
		var flow *core.FlowRun
		if run.FlowRunID != nil {
			var err error
			if flow, err = tx.FlowRun(*run.FlowRunID); missing(err) {
				return integrityConflict()
			} else if err != nil {
				return err
			}
		}
		if old, err := tx.TaskRunByKey(run.FlowRunID, run.TaskKey, run.DynamicKey); !missing(err) {
			out = old
			return err
		}
		created = true
		run.Created, run.Updated = now, now
		if run.ID.IsZero() {
			run.ID = core.NewID(now)
		}
		if run.Name == "" {
			run.Name = runName(run.ID)
		}
		if flow != nil {
			run.Labels = mergeObjects(flow.Labels, object("prefect.flow-run.id", flow.ID.String()), run.Labels)
		}
		state := firstState(now, in.State)
		setTaskState(&run, &state)
		if state.Type == core.Scheduled {
			tx.Wake(core.TopicTaskQueue)
		}
		return tx.InsertTaskRun(&run)
	})
	return out, created, err
}

// setTaskState makes s the task run's state.
func setTaskState(run *core.TaskRun, s *core.State) {
	id := run.ID
	s.Details.TaskRunID, s.Details.FlowRunID = &id, run.FlowRunID
	taskRunClockwork(run).advance(s)
}

// TaskOutcome is what became of a proposal for a task run.
type TaskOutcome struct {
	Decision
	Run *core.TaskRun
}

// SetTaskRunState proposes a state for the task run, or returns a NotFound error.
// Prefect REST: POST /task_runs/{id}/set_state.
func (e *Engine) SetTaskRunState(ctx context.Context, ws core.WorkspaceID, id core.ID, p Proposal) (TaskOutcome, error) {
	var out TaskOutcome
	err := e.store.Update(ctx, ws, func(tx core.Tx) error {
		run, err := tx.TaskRun(id)
		if err != nil {
			return err
		}
		now := e.now()
		facts, err := taskFacts(tx, now, run, p)
		if err != nil {
			return err
		}
		out, err = e.proposeTask(tx, now, run, p, facts)
		return err
	})
	return out, err
}

func (e *Engine) proposeTask(tx core.Tx, now time.Time, run *core.TaskRun, p Proposal, facts Facts) (TaskOutcome, error) {
	state := firstState(now, &p.State)
	d := decideTask(run, state, facts)
	if d.State == nil {
		return TaskOutcome{d, run}, nil
	}
	if err := e.changeTagSlots(tx, now, run, d.Slot); err != nil {
		return TaskOutcome{}, err
	}
	setTaskState(run, d.State)
	run.Updated = now
	if flow := facts.Task.FlowRun; d.State.Type == core.Running && flow != nil && !p.Force {
		run.FlowRunRunCount = flow.RunCount
	}
	if d.State.Type == core.Completed && d.State.Details.CacheKey != nil && d.State.Name != "Cached" {
		if err := tx.CacheTaskState(*d.State.Details.CacheKey, d.State); err != nil {
			return TaskOutcome{}, err
		}
	}
	if d.State.Type == core.Scheduled && run.FlowRunID == nil {
		tx.Wake(core.TopicTaskQueue)
	}
	return TaskOutcome{d, run}, tx.SetTaskRunState(run)
}

func taskFacts(tx core.Tx, now time.Time, run *core.TaskRun, p Proposal) (Facts, error) {
	f := Facts{Now: now, Force: p.Force, Task: &TaskFacts{}}
	if run.FlowRunID != nil {
		flow, err := tx.FlowRun(*run.FlowRunID)
		if err != nil && !missing(err) {
			return f, err
		}
		f.Task.FlowRun = flow
	}
	if p.State.Type != core.Running || p.Force {
		return f, nil
	}
	if key := p.State.Details.CacheKey; key != nil {
		cached, err := tx.CachedTaskState(*key, now)
		if err != nil && !missing(err) {
			return f, err
		}
		f.Task.Cached = cached
	}
	return f, tagFacts(tx, now, run, f.Task)
}

func tagFacts(tx core.Tx, now time.Time, run *core.TaskRun, f *TaskFacts) error {
	if len(run.Tags) == 0 || run.FlowRunID == nil {
		return nil
	}
	limits, err := tx.ConcurrencyLimits(core.LimitSelect{Names: tagLimitNames(run.Tags)}, now)
	if err != nil {
		return err
	}
	for _, l := range limits {
		tag := l.Name[len(core.TagLimitPrefix):]
		switch {
		case !l.Active:
		case l.Limit == 0:
			f.ZeroTag = tag
		case l.ActiveSlots(now) >= l.Limit:
			f.FullTags = append(f.FullTags, tag)
			f.TagWait = max(f.TagWait, int(min(l.AvgSlotOccupancySeconds, l.MaxWait())))
		}
	}
	return nil
}

func tagLimitNames(tags []string) []string {
	names := make([]string, len(tags))
	for i, tag := range tags {
		names[i] = core.TagLimitPrefix + tag
	}
	return names
}

// changeTagSlots takes or gives back the slots of the run's tags. They are
// held by a lease with the run's own id.
func (e *Engine) changeTagSlots(tx core.Tx, now time.Time, run *core.TaskRun, change SlotChange) error {
	if len(run.Tags) == 0 || run.FlowRunID == nil {
		return nil
	}
	switch change {
	case SlotTake:
		_, err := acquireSlots(tx, now, AcquireSlots{
			Names: tagLimitNames(run.Tags), Slots: 1, Lease: pinnedLease, LeaseID: run.ID,
			Holder: &core.LeaseHolder{Type: "task_run", ID: run.ID},
		})
		return err
	case SlotRelease:
		return releaseLease(tx, now, run.ID)
	case SlotKeep, SlotRenew, SlotPin:
	}
	return nil
}
