package worker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/launch"
)

// engineModule is the Python module that executes the run that PREFECT__FLOW_RUN_ID names.
const engineModule = "prefect.engine"

// job makes the run's job from the pool's template, and lists what its events
// are related to.
func (a *attempt) job(ctx context.Context, deployment *client.Deployment) (launch.Job, []core.Labels, error) {
	flow, err := a.w.cfg.Client.Flow(ctx, a.run.FlowID)
	if err != nil {
		return launch.Job{}, nil, err
	}
	configuration, err := a.configuration(ctx, deployment)
	if err != nil {
		return launch.Job{}, nil, err
	}
	env, err := a.environment(configuration, flow, deployment)
	if err != nil {
		return launch.Job{}, nil, err
	}
	job := launch.Job{Run: a.run.ID.String(), Env: env, Output: a.w.cfg.Output}
	if stream, ok := configuration["stream_output"].(bool); ok && !stream {
		job.Output = nil
	}
	dir := text(configuration["working_dir"])
	switch {
	case a.w.cfg.Containers:
		job.Container, err = a.container(configuration)
	case a.w.cfg.Tasks:
		job.Task, err = a.task(configuration)
		job.Env = secretless(env, configuration)
	case dir != "":
		job.Dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return launch.Job{}, nil, err
	}
	command, _ := configuration["command"].(string)
	if strings.TrimSpace(command) == "" {
		job.Command = []string{python(env), "-m", engineModule}
		if a.w.remote() {
			job.Command = []string{"prefect", "flow-run", "execute"}
		}
	} else if job.Command, err = launch.SplitCommand(command); err != nil {
		return launch.Job{}, nil, fmt.Errorf("command %s: %w", command, err)
	}
	return job, related(&a.run, deployment, flow), nil
}

// configuration fills the pool's base job template with the job variables of
// deployment and run.
func (a *attempt) configuration(ctx context.Context, deployment *client.Deployment) (map[string]any, error) {
	template, err := decodeObject(a.w.workPool().BaseJobTemplate)
	if err != nil {
		return nil, fmt.Errorf("base job template: %w", err)
	}
	given := map[string]any{}
	if deployment != nil {
		if given, err = decodeObject(deployment.JobVariables); err != nil {
			return nil, fmt.Errorf("job variables of the deployment: %w", err)
		}
	}
	own, err := decodeObject(a.run.JobVariables)
	if err != nil {
		return nil, fmt.Errorf("job variables of the run: %w", err)
	}
	deploymentEnv, both := given["env"].(map[string]any)
	maps.Copy(given, own)
	if runEnv, ok := own["env"].(map[string]any); ok && both {
		given["env"] = overlay(deploymentEnv, runEnv)
	}
	configuration := configure(template, given, a.w.lookupEnv)
	r := &resolver{c: a.w.cfg.Client, pattern: placeholder()}
	resolved, err := r.resolve(ctx, configuration)
	if err != nil {
		return nil, err
	}
	configuration, _ = resolved.(map[string]any)
	return configuration, nil
}

func (w *Worker) lookupEnv(name string) (string, bool) {
	value, ok := "", false
	for _, v := range w.cfg.Environ {
		if rest, found := strings.CutPrefix(v, name+"="); found {
			value, ok = rest, true
		}
	}
	return value, ok
}

// environment is that of the worker, then what the run's process has to know,
// then what the job's configuration sets; null there takes away what the worker
// would have told.
func (a *attempt) environment(configuration map[string]any, flow client.Flow, deployment *client.Deployment) ([]string, error) {
	server := a.w.cfg.Client.URL()
	if a.w.cfg.Containers {
		server = reachableURL(server, text(configuration["network_mode"]))
	}
	told := map[string]any{
		"PREFECT_API_URL": server, "PREFECT__FLOW_RUN_ID": a.run.ID.String(), "PREFECT__FLOW_ID": a.run.FlowID.String(),
		"PREFECT__FLOW_NAME": flow.Name, "PREFECT__WORKER_NAME": a.w.cfg.Name,
	}
	if deployment != nil {
		told["PREFECT__DEPLOYMENT_ID"], told["PREFECT__DEPLOYMENT_NAME"] = deployment.ID.String(), deployment.Name
	}
	switch own := configuration["env"].(type) {
	case nil:
	case map[string]any:
		maps.Copy(told, own)
	default:
		return nil, errors.New("env of the job's configuration is not an object")
	}
	env := map[string]string{}
	for _, v := range a.w.inherited() {
		if name, value, ok := strings.Cut(v, "="); ok {
			env[name] = value
		}
	}
	for name, value := range told {
		if value != nil {
			env[name] = plain(value)
		}
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list, nil
}

// related lists what a run's events are related to: deployment, flow, run and
// their tags. Prefect: events prefect.worker.*-flow-run.
func related(run *client.FlowRun, deployment *client.Deployment, flow client.Flow) []core.Labels {
	var list []core.Labels
	tags := append(slices.Clone(flow.Tags), run.Tags...)
	if deployment != nil {
		list = append(list, resource("deployment", deployment.ID, deployment.Name))
		tags = append(tags, deployment.Tags...)
	}
	list = append(list, resource("flow", flow.ID, flow.Name), resource("flow-run", run.ID, run.Name))
	slices.Sort(tags)
	for _, tag := range slices.Compact(tags) {
		list = append(list, core.Labels{
			{Key: "prefect.resource.id", Value: "prefect.tag." + tag},
			{Key: "prefect.resource.role", Value: "tag"},
		})
	}
	return list
}

// python is the interpreter of an environment: many systems have only python3.
func python(env []string) string {
	for _, v := range env {
		path, ok := strings.CutPrefix(v, "PATH=")
		if !ok {
			continue
		}
		for _, dir := range filepath.SplitList(path) {
			for _, name := range []string{"python", "python3"} {
				if file, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
					return file
				}
			}
		}
	}
	return "python"
}
