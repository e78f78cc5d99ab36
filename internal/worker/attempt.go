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
	a.log().Info("flow run started", "infrastructure_pid", identifier)
	if err := a.w.cfg.Client.UpdateFlowRun(ctx, a.run.ID, client.FlowRunUpdate{InfrastructurePID: wire.Some(identifier)}); err != nil {
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
		a.propose(ctx, core.Cancelled, "", message, true)
	}
	return &d, err
}

// claim proposes Pending and reports whether the run is ours.
func (a *attempt) claim(ctx context.Context) bool {
	a.log().Info("claiming flow run")
	answer, err := a.w.cfg.Client.SetFlowRunState(ctx, a.run.ID, client.StateCreate{Type: core.Pending}, false)
	if err != nil {
		a.log().Warn("the run could not be claimed", "error", err)
		return false
	}
	if answer.State == nil || answer.State.Type != core.Pending || answer.Status != "ACCEPT" {
		a.log().Info("the run is not to be started", "status", answer.Status, "reason", answer.Details["reason"])
		return false
	}
	return true
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
	a.propose(ctx, core.Pending, "Submitting", "", false)
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

// crashed proposes Crashed; the server refuses when the run has reported its end.
func (a *attempt) crashed(ctx context.Context, why string) {
	if a.propose(ctx, core.Crashed, "", why, false) {
		a.log().Error("flow run crashed", "reason", why)
	}
}

// propose proposes a state and reports whether it was accepted.
func (a *attempt) propose(ctx context.Context, state core.StateType, name, message string, force bool) bool {
	proposal := client.StateCreate{Type: state}
	if name != "" {
		proposal.Name = &name
	}
	if message != "" {
		proposal.Message = &message
	}
	answer, err := a.w.cfg.Client.SetFlowRunState(ctx, a.run.ID, proposal, force)
	switch {
	case client.IsNotFound(err):
		a.log().Debug("the run was deleted")
	case err != nil:
		a.log().Error("reporting the run's state", "state", string(state), "error", err)
	}
	return err == nil && answer.Status == "ACCEPT"
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
