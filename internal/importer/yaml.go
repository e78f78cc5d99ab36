package importer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/wire"
)

// deploymentsYAML writes the deployments of a server as a prefect.yaml. Values
// are written as JSON, which is YAML too.
func deploymentsYAML(ctx context.Context, source *api) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("# Deployments as they were exported; prefect deploy --all makes them again.\nname: export\nprefect-version: 3.8.8\n\ndeployments:\n")
	err := source.list(ctx, "/deployments/filter", object{"sort": "NAME_ASC"}, func(rows []json.RawMessage) error {
		for _, raw := range rows {
			var d client.Deployment
			if err := json.Unmarshal(raw, &d); err != nil {
				return err
			}
			if err := writeDeployment(&out, &d); err != nil {
				return fmt.Errorf("deployment %s: %w", d.Name, err)
			}
		}
		return nil
	})
	return out.Bytes(), err
}

func writeDeployment(out *bytes.Buffer, d *client.Deployment) error {
	pool := object{}
	if d.WorkPoolName != nil {
		pool = object{"name": d.WorkPoolName, "work_queue_name": d.WorkQueueName, "job_variables": d.JobVariables}
	}
	schedules := []object{}
	for _, s := range d.Schedules {
		var entry object
		if err := json.Unmarshal(s.Schedule, &entry); err != nil {
			return err
		}
		entry["active"], entry["parameters"] = s.Active, s.Parameters
		if s.Slug != nil {
			entry["slug"] = *s.Slug
		}
		schedules = append(schedules, entry)
	}
	var limit any
	if d.GlobalConcurrencyLimit != nil {
		limit = d.GlobalConcurrencyLimit.Limit
		if len(d.ConcurrencyOptions) > 0 && string(d.ConcurrencyOptions) != "null" {
			var options object
			if err := json.Unmarshal(d.ConcurrencyOptions, &options); err != nil {
				return err
			}
			limit = merge(options, object{"limit": d.GlobalConcurrencyLimit.Limit})
		}
	}
	start := "- "
	for _, field := range []struct {
		key   string
		value any
	}{
		{"name", d.Name},
		{"version", d.Version},
		{"tags", d.Tags},
		{"description", d.Description},
		{"entrypoint", d.Entrypoint},
		{"parameters", d.Parameters},
		{"enforce_parameter_schema", d.EnforceParameterSchema},
		{"work_pool", pool},
		{"schedules", schedules},
		{"concurrency_limit", limit},
		{"pull", d.PullSteps},
	} {
		value, err := wire.Marshal(field.value)
		if err != nil {
			return err
		}
		if string(value) == "null" {
			continue
		}
		fmt.Fprintf(out, "%s%s: %s\n", start, field.key, value)
		start = "  "
	}
	return nil
}
