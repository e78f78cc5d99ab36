package cli

import (
	"io"

	"github.com/spf13/cobra"
)

func serverStatusCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{Use: "status", Short: "Show whether the server answers, and its version", Args: args()}
	out := addOutput(env, cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := env.api("")
		if err != nil {
			return err
		}
		began := env.Now()
		healthy, err := c.Health(cmd.Context())
		if err != nil {
			return err
		}
		answered := env.Now().Sub(began)
		version, err := c.ServerVersion(cmd.Context())
		if err != nil {
			return err
		}
		status := struct {
			URL        string  `json:"url"`
			Healthy    bool    `json:"healthy"`
			APIVersion string  `json:"api_version"`
			Seconds    float64 `json:"answer_seconds"`
		}{c.URL(), healthy, version, answered.Seconds()}
		well := "yes"
		if !healthy {
			well = "no"
		}
		err = out.show(status, func(w io.Writer) {
			fields(w, "Address", c.URL(), "Healthy", well, "API of Prefect", version, "Answered in", answered.Round(10_000).String())
		})
		if err == nil && !healthy {
			return exitError(exitFailure)
		}
		return err
	}
	return cmd
}
