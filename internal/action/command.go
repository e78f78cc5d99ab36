package action

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

// suspension is how long a suspended run waits before it fails. Prefect: SuspendFlowRun.
const suspension = time.Hour

func (t *task) pauseDeployment(ctx context.Context, pause bool) error {
	id, err := t.aim(ctx, t.fields.DeploymentID, "prefect.deployment", "deployment")
	if err != nil {
		return err
	}
	if err := t.Engine.PauseDeployment(ctx, t.ws, id, pause); err != nil {
		return err
	}
	t.detail("status_code", 200)
	return nil
}

func (t *task) pauseWorkPool(ctx context.Context, pause bool) error {
	id, err := t.chosen(t.fields.WorkPoolID, "prefect.work-pool", "work pool")
	if err != nil {
		return err
	}
	var pool *core.WorkPool
	err = t.Engine.Store().View(ctx, t.ws, func(tx core.Tx) (err error) {
		pool, err = tx.WorkPool(id)
		return err
	})
	if core.CodeOf(err) == core.NotFound {
		return failf("Work pool %s not found", id)
	}
	if err != nil {
		return err
	}
	if err := t.target(ctx, "prefect.work-pool."+id.String(), pool.Name); err != nil {
		return err
	}
	if err := t.Engine.UpdateWorkPool(ctx, t.ws, pool.Name, engine.WorkPoolChange{IsPaused: wire.Opt[bool]{Value: pause, Set: true}}); err != nil {
		return err
	}
	t.detail("status_code", 204)
	return nil
}

func (t *task) pauseWorkQueue(ctx context.Context, pause bool) error {
	id, err := t.aim(ctx, t.fields.WorkQueueID, "prefect.work-queue", "work queue")
	if err != nil {
		return err
	}
	change := engine.WorkQueueChange{IsPaused: wire.Opt[bool]{Value: pause, Set: true}}
	if err := t.Engine.UpdateWorkQueue(ctx, t.ws, engine.QueueRef{ID: id}, change); err != nil {
		return err
	}
	t.detail("status_code", 204)
	return nil
}

func (t *task) enableAutomation(ctx context.Context, enable bool) error {
	id, err := t.aim(ctx, t.fields.AutomationID, "prefect.automation", "automation")
	if err != nil {
		return err
	}
	if err := t.Engine.EnableAutomation(ctx, t.ws, id, &enable); err != nil {
		return err
	}
	t.detail("status_code", 204)
	return nil
}

// changeState cancels, suspends or changes a run.
func (t *task) changeState(ctx context.Context) error {
	id, err := t.aimAtRun(ctx)
	if err != nil {
		return err
	}
	out, err := t.Engine.SetFlowRunState(ctx, t.ws, id, engine.Proposal{State: t.newState(), Force: t.fields.Force, Client: engine.ServerClient()})
	if err != nil {
		return err
	}
	if out.Status == engine.Accept {
		t.detail("status_code", 201)
		return nil
	}
	t.detail("status_code", 200)
	return failf("Failed to set state: %s", out.Reason)
}

func (t *task) newState() core.State {
	now := t.Now().UTC().Truncate(time.Microsecond)
	s := core.State{ID: core.NewID(now), Timestamp: now}
	by := " by Automation " + t.spec.Automation.ID.String()
	message := ""
	switch t.fields.Type {
	case "cancel-flow-run":
		s.Type, message = core.Cancelling, "Cancelled"+by
	case "suspend-flow-run":
		s.Type, s.Name, message = core.Paused, "Suspended", "Suspended"+by
		until := now.Add(suspension)
		s.Details.PauseTimeout, s.Details.PauseReschedule = &until, true
	default:
		s.Type, message = t.fields.State, "State changed"+by
		if t.fields.Name != nil {
			s.Name = *t.fields.Name
		}
		if m := t.fields.Message; m != nil && *m != "" {
			message = *m
		}
	}
	if s.Name == "" {
		s.Name = s.Type.DefaultName()
	}
	s.Message = &message
	return s
}

func (t *task) resumeFlowRun(ctx context.Context) error {
	id, err := t.aimAtRun(ctx)
	if err != nil {
		return err
	}
	out, err := t.Engine.ResumeFlowRun(ctx, t.ws, id, nil, engine.ServerClient())
	if err != nil {
		return err
	}
	if out.Status != engine.Accept {
		return failf("Failed to resume flow run: %s", out.Reason)
	}
	return nil
}

func (t *task) deleteFlowRun(ctx context.Context) error {
	id, err := t.aimAtRun(ctx)
	if err != nil {
		return err
	}
	if err := t.Engine.DeleteFlowRun(ctx, t.ws, id); err != nil {
		return err
	}
	t.detail("status_code", 204)
	return nil
}
