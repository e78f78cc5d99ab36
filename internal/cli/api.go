package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

// api returns a client of the server that the environment names.
func (e *Env) api(worker string) (*client.Client, error) {
	url := e.getenv("PREFECT_API_URL")
	if url == "" {
		url = defaultURL
	}
	c, err := client.New(client.Config{
		URL: url, Key: e.getenv("PREFECT_API_KEY"), AuthString: e.getenv("PREFECT_API_AUTH_STRING"), Version: e.Version, WorkerName: worker,
	})
	if err != nil {
		return nil, fmt.Errorf("PREFECT_API_URL: %w", err)
	}
	return c, nil
}

// explain adds the way out to errors that have one.
func explain(err error) error {
	if _, ok := errors.AsType[*client.Unreachable](err); ok {
		return fmt.Errorf("%w\nStart a server by: leat server start   or name another: export PREFECT_API_URL=http://HOST:PORT/api", err)
	}
	return err
}

// prefixText is what the beginning of an id looks like.
var prefixText = regexp.MustCompile(`^[0-9a-fA-F-]{4,35}$`)

// searched is how many of the latest runs the beginning of an id is looked for in.
const searched = 2000

// findRun finds a flow run by its id, its name or the beginning of its id.
func findRun(ctx context.Context, c *client.Client, text string) (client.FlowRun, error) {
	if id, err := core.ParseID(text); err == nil {
		run, err := c.FlowRun(ctx, id)
		if client.IsNotFound(err) {
			return run, fmt.Errorf("flow run %s not found; leat run ls lists the runs", text)
		}
		return run, err
	}
	found, err := c.FlowRuns(ctx, client.Query{
		"flow_runs": object{"name": object{"any_": []string{text}}}, "sort": "EXPECTED_START_TIME_DESC", "limit": 10,
	})
	if err != nil {
		return client.FlowRun{}, err
	}
	if len(found) == 0 && prefixText.MatchString(text) {
		if found, err = runsByPrefix(ctx, c, strings.ToLower(text)); err != nil {
			return client.FlowRun{}, err
		}
	}
	switch len(found) {
	case 0:
		return client.FlowRun{}, fmt.Errorf("flow run %q not found: no run has this id or name, and no id of the latest %d begins so; leat run ls lists the runs", text, searched)
	case 1:
		return found[0], nil
	}
	var ids []string
	for i := range found {
		ids = append(ids, found[i].ID.String())
	}
	return client.FlowRun{}, fmt.Errorf("%q stands for several flow runs; name one by its id:\n  %s", text, strings.Join(ids, "\n  "))
}

func runsByPrefix(ctx context.Context, c *client.Client, prefix string) ([]client.FlowRun, error) {
	const page = 200
	var found []client.FlowRun
	for offset := 0; offset < searched; offset += page {
		runs, err := c.FlowRuns(ctx, client.Query{"sort": "EXPECTED_START_TIME_DESC", "limit": page, "offset": offset})
		if err != nil {
			return nil, err
		}
		for i := range runs {
			if strings.HasPrefix(runs[i].ID.String(), prefix) {
				found = append(found, runs[i])
			}
		}
		if len(runs) < page {
			break
		}
	}
	return found, nil
}

// findDeployment finds a deployment by FLOW/DEPLOYMENT or by its id.
func findDeployment(ctx context.Context, c *client.Client, text string) (client.Deployment, error) {
	if id, err := core.ParseID(text); err == nil {
		d, err := c.Deployment(ctx, id)
		return d, orNotFound(err, "deployment", text)
	}
	flow, name, ok := strings.Cut(text, "/")
	if !ok {
		return client.Deployment{}, usagef("%q is not the name of a deployment: it should look like FLOW/DEPLOYMENT; leat deployment ls lists them", text)
	}
	d, err := c.DeploymentByName(ctx, flow, name)
	return d, orNotFound(err, "deployment", text)
}

// orNotFound names what was not found and the command that lists what there is.
func orNotFound(err error, noun, name string) error {
	if client.IsStatus(err, http.StatusNotFound) {
		return fmt.Errorf("%s %q not found; leat %s ls lists what there is", noun, name, noun)
	}
	return err
}

// flowNames reads the names of the flows of things.
func flowNames[T any](ctx context.Context, c *client.Client, things []T, flow func(*T) core.ID) (map[core.ID]string, error) {
	names := map[core.ID]string{}
	var ids []string
	for i := range things {
		ids = append(ids, flow(&things[i]).String())
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	// The server gives at most 200 at once.
	for len(ids) > 0 {
		n := min(len(ids), 200)
		flows, err := c.Flows(ctx, client.Query{"flows": object{"id": object{"any_": ids[:n]}}})
		if err != nil {
			return nil, err
		}
		for _, f := range flows {
			names[f.ID] = f.Name
		}
		ids = ids[n:]
	}
	return names, nil
}

// object is a JSON object.
type object = map[string]any
