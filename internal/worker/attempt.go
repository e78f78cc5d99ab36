package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/launch"
	"github.com/leat-dev/leat/internal/wire"
)

// attempt is the execution of one flow run by this worker.
type attempt struct {
	w    *Worker
	run  client.FlowRun
	over chan struct{} // closed when nothing is left to do

	// What execute alone uses.
	transition core.ID // of the last state proposed before the launch
	identifier string  // of the job, once the launcher has it

	mu         sync.Mutex
	launched   bool // the launcher has the job
	cancelling bool // the run is to be Cancelled: its end is no crash
	stopping   bool // the worker stops
}

func (a *attempt) log() *slog.Logger {
	return a.w.cfg.Log.With("flow_run_id", a.run.ID.String(), "flow_run", a.run.Name)
}

// execute claims the run, launches its job and waits for its end.
func (a *attempt) execute(ctx context.Context) {
	deployment, err := a.deployment(ctx)
	if err != nil {
		a.log().Warn("the run is left alone", "error", err)
		return
	}
	if a.isStopping() || !a.claim(ctx) {
		return
	}
	job, related, err := a.job(ctx, deployment)
	if err != nil {
		a.crashed(ctx, "The worker could not make the job: "+err.Error())
		return
	}
	submitted := a.w.emit("prefect.worker.submitted-flow-run", related, nil)
	a.announce(ctx)
	identifier, err := a.launch(ctx, job)
	switch {
	case errors.Is(err, errCancelled):
		return
	case errors.Is(err, errStopping):
		a.crashed(ctx, fmt.Sprintf("The worker %s was stopped before it had started the run.", a.w.cfg.Name))
		return
	case err != nil:
		a.crashed(ctx, "The worker could not start the job: "+err.Error())
		return
	}
	a.identifier = identifier
	a.log().Info("flow run started", "infrastructure_pid", identifier)
	if err := a.answered(ctx, func() error {
		return a.w.cfg.Client.UpdateFlowRun(ctx, a.run.ID, client.FlowRunUpdate{InfrastructurePID: wire.Some(identifier)})
	}); err != nil {
		a.log().Warn("storing the infrastructure_pid", "error", err)
	}
	exit, err := a.w.cfg.Launcher.Wait(ctx, a.run.ID.String())
	a.w.control.forget(a.run.ID)
	if err != nil {
		a.log().Error("the job is lost; its own process reports its state", "error", err)
		return
	}
	a.ended(ctx, exit)
	a.w.emit("prefect.worker.executed-flow-run", withExit(related, identifier, exit), &submitted)
}

// deployment reads the run's deployment; a run whose deployment is gone is cancelled.
func (a *attempt) deployment(ctx context.Context) (*client.Deployment, error) {
	if a.run.DeploymentID == nil {
		return nil, nil
	}
	d, err := a.w.cfg.Client.Deployment(ctx, *a.run.DeploymentID)
	if client.IsNotFound(err) {
		message := fmt.Sprintf("Deployment %s no longer exists, cancelled run.", a.run.DeploymentID)
		a.cancelled(ctx, message, true)
	}
	return &d, err
}

// claim proposes Pending and reports whether the run is ours. When the answer is
// lost it finds out: a run that the server believes to be ours would be started
// by nobody. The transition's id tells our claim from others'.
func (a *attempt) claim(ctx context.Context) bool {
	a.log().Info("claiming flow run")
	id := core.NewID(a.w.cfg.Now())
	a.transition = id
	var answer client.Orchestration
	asked := false
	err := a.answered(ctx, func() (err error) {
		if asked {
			now, err := a.w.cfg.Client.FlowRun(ctx, a.run.ID)
			if err != nil || !sameState(now.State, a.run.State) {
				answer = client.Orchestration{Status: "REJECT", State: now.State}
				return err
			}
		}
		asked = true
		answer, err = a.w.cfg.Client.SetFlowRunState(ctx, a.run.ID, client.StateCreate{
			Type: core.Pending, Details: client.StateDetails{TransitionID: &id},
		}, false)
		return err
	})
	if err != nil {
		a.log().Warn("the run could not be claimed", "error", err)
		return false
	}
	if a.madeBy(answer.State) {
		return true
	}
	if answer.State == nil || answer.State.Type != core.Pending || answer.Status != "ACCEPT" {
		a.log().Info("the run is not to be started", "status", answer.Status, "reason", answer.Details["reason"])
		return false
	}
	return true
}

func sameState(x, y *client.State) bool { return x != nil && y != nil && x.ID == y.ID }

// madeBy reports whether the state is the last that this attempt proposed before
// the launch.
func (a *attempt) madeBy(s *client.State) bool {
	return s != nil && s.Type == core.Pending && s.Details.TransitionID != nil && *s.Details.TransitionID == a.transition
}

// ours reports whether the run has not passed to another worker meanwhile.
func (a *attempt) ours(run *client.FlowRun) bool {
	if a.identifier != "" {
		return run.InfrastructurePID != nil && *run.InfrastructurePID == a.identifier
	}
	return a.madeBy(run.State)
}

// announce says on the run who executes it.
func (a *attempt) announce(ctx context.Context) {
	pool := a.w.workPool()
	labels := map[string]string{
		"prefect.worker.name": a.w.cfg.Name, "prefect.worker.type": a.w.cfg.Type,
		"prefect.work-pool.name": pool.Name, "prefect.work-pool.id": pool.ID.String(),
	}
	if err := a.w.cfg.Client.AddFlowRunLabels(ctx, a.run.ID, labels); err != nil {
		a.log().Warn("labelling the run", "error", err)
	}
	// A run that the server no longer gives to us stays as the claim left it.
	name, id := "Submitting", core.NewID(a.w.cfg.Now())
	answer, err := a.w.cfg.Client.SetFlowRunState(ctx, a.run.ID, client.StateCreate{
		Type: core.Pending, Name: &name, Details: client.StateDetails{TransitionID: &id},
	}, false)
	if err == nil && answer.Status == "ACCEPT" {
		a.transition = id
	}
}

var (
	errCancelled = errors.New("cancelled before it was started")
	errStopping  = errors.New("the worker stops")
)

// launch starts the job, unless the run was cancelled meanwhile.
func (a *attempt) launch(ctx context.Context, job launch.Job) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.cancelling:
		return "", errCancelled
	case a.stopping:
		return "", errStopping
	}
	job.Env = append(job.Env, a.w.control.register(a.run.ID)...)
	identifier, err := a.w.cfg.Launcher.Start(ctx, job)
	a.launched = err == nil
	return identifier, err
}

// ended says what the end of the job means for its run.
func (a *attempt) ended(ctx context.Context, exit launch.Exit) {
	a.mu.Lock()
	cancelling, stopping := a.cancelling, a.stopping
	a.mu.Unlock()
	switch {
	case exit.OK():
		a.log().Info("flow run ended")
	case cancelling:
	case stopping:
		a.crashed(ctx, fmt.Sprintf("The worker %s was stopped and ended the run's process. %s", a.w.cfg.Name, exit))
	default:
		a.crashed(ctx, exit.String())
	}
}

// crashed proposes Crashed; the server refuses when the run has reported its
// end. While the server can't be reached it tries again, unless the run has
// passed to another worker.
func (a *attempt) crashed(ctx context.Context, why string) {
	accepted, asked := false, false
	err := a.answered(ctx, func() error {
		if asked {
			if run, err := a.w.cfg.Client.FlowRun(ctx, a.run.ID); err != nil || !a.ours(&run) {
				return err
			}
		}
		asked = true
		answer, err := a.w.cfg.Client.SetFlowRunState(ctx, a.run.ID, client.StateCreate{Type: core.Crashed, Message: &why}, false)
		accepted = err == nil && answer.Status == "ACCEPT"
		return err
	})
	a.complain(core.Crashed, err)
	if accepted {
		a.log().Error("flow run crashed", "reason", why)
	}
}

// cancelled proposes Cancelled.
func (a *attempt) cancelled(ctx context.Context, why string, force bool) {
	_, err := a.w.cfg.Client.SetFlowRunState(ctx, a.run.ID, client.StateCreate{Type: core.Cancelled, Message: &why}, force)
	a.complain(core.Cancelled, err)
}

// complain logs that a state could not be reported.
func (a *attempt) complain(state core.StateType, err error) {
	switch {
	case client.IsNotFound(err):
		a.log().Debug("the run was deleted")
	case err != nil:
		a.log().Error("reporting the run's state", "state", string(state), "error", err)
	}
}

// stop ends the job because the worker stops.
func (a *attempt) stop(ctx context.Context) {
	a.mu.Lock()
	launched := a.launched
	a.stopping = true
	a.mu.Unlock()
	if launched {
		a.kill(ctx)
	}
}

func (a *attempt) isStopping() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.stopping
}

func (a *attempt) kill(ctx context.Context) {
	err := a.w.cfg.Launcher.Kill(ctx, a.run.ID.String(), a.w.cfg.Grace)
	if err != nil && !errors.Is(err, launch.ErrNotFound) {
		a.log().Error("ending the job", "error", err)
	}
}
