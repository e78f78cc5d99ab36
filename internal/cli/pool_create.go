package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
)

func poolCreateCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "create POOL", Short: "Create a work pool", Args: args("POOL"),
		Example: "  leat pool create local\n  leat pool create batch --type docker --concurrency-limit 10",
	}
	kind := cmd.Flags().String("type", "process", "what its workers run flows in: process, docker, kubernetes, ecs, …")
	limit := cmd.Flags().Int("concurrency-limit", -1, "how many runs may be under way at once (default: any number)")
	paused := cmd.Flags().Bool("paused", false, "let workers get no runs until it is resumed")
	description := cmd.Flags().String("description", "", "text for people")
	template := cmd.Flags().String("base-job-template", "", "JSON file of the base job template (default: the type's own)")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		c, err := env.api("")
		if err != nil {
			return err
		}
		pool := client.WorkPoolCreate{Name: client.PoolName(given[0]), Type: *kind, IsPaused: *paused}
		if *limit >= 0 {
			pool.ConcurrencyLimit = limit
		}
		if *description != "" {
			pool.Description = description
		}
		var job json.RawMessage
		if *template != "" {
			job, err = readJSON(*template)
		} else {
			job, err = c.DefaultJobTemplate(cmd.Context(), *kind)
			if err == nil && job == nil {
				err = fmt.Errorf("the server knows no pools of type %q: name a template by --base-job-template FILE, or another type", *kind)
			}
		}
		if err != nil {
			return err
		}
		pool.BaseJobTemplate = client.JobTemplate(job)
		made, err := c.CreateWorkPool(cmd.Context(), pool)
		if client.IsStatus(err, http.StatusConflict) {
			return fmt.Errorf("there is a work pool %q already; leat pool show %s shows it", given[0], given[0])
		}
		if err != nil {
			return err
		}
		env.say("Work pool %s of type %s is created", made.Name, made.Type)
		env.say("Start a worker for it:  leat worker start --pool %s", made.Name)
		return nil
	}
	return cmd
}

func readJSON(file string) (json.RawMessage, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if !json.Valid(data) {
		return nil, fmt.Errorf("%s is not JSON", file)
	}
	return data, nil
}
