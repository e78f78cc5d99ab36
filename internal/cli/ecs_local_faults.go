package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/ecslocal"
)

func ecsLocalFaultsCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "faults [NAME=VALUE...]", Short: "Show or change the troubles that a running local ECS makes",
		Long: `Show the troubles that a running local ECS makes, and change those that are named:
` + strings.Join(ecslocal.FaultNames(), ", ") + `.
A count below zero goes on until it is changed.

--interrupt takes a task away as Spot does: SIGTERM, and SIGKILL two minutes later.`,
		Example: "  leat ecs-local faults no-capacity=1\n  leat ecs-local faults --interrupt '*' --after 10\n  leat ecs-local faults --reset",
	}
	url := cmd.Flags().String("url", "", "the local ECS (AWS_ENDPOINT_URL; default http://127.0.0.1:4599)")
	interrupt := cmd.Flags().String("interrupt", "", "a task's id or ARN, or * for all tasks on FARGATE_SPOT")
	after := cmd.Flags().Float64("after", 120, "seconds between SIGTERM and SIGKILL of an interrupted task")
	reset := cmd.Flags().Bool("reset", false, "end all troubles first")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		base := *url
		if base == "" {
			base = env.getenv("AWS_ENDPOINT_URL_ECS", "AWS_ENDPOINT_URL")
		}
		if base == "" {
			base = "http://127.0.0.1:4599"
		}
		base = strings.TrimSuffix(base, "/") + "/_leat/faults"
		if *reset {
			if _, err := callFaults(cmd.Context(), http.MethodDelete, base, nil); err != nil {
				return err
			}
		}
		answer, err := callFaults(cmd.Context(), http.MethodGet, base, nil)
		if err != nil {
			return err
		}
		faults := answer.Faults
		for _, text := range given {
			if err := faults.Set(text); err != nil {
				return usageError{err}
			}
		}
		if len(given) > 0 || *interrupt != "" {
			change := struct {
				ecslocal.Faults
				Interrupt string  `json:"interrupt,omitempty"`
				After     float64 `json:"interruptSeconds"`
			}{faults, *interrupt, *after}
			if answer, err = callFaults(cmd.Context(), http.MethodPost, base, change); err != nil {
				return err
			}
		}
		out := json.NewEncoder(env.Stdout)
		out.SetIndent("", "  ")
		return out.Encode(answer)
	}
	return cmd
}

// faultsAnswer is what the route of faults answers.
type faultsAnswer struct {
	Faults      ecslocal.Faults `json:"faults"`
	Interrupted []string        `json:"interrupted"`
	Message     string          `json:"message,omitempty"`
}

func callFaults(ctx context.Context, method, url string, in any) (faultsAnswer, error) {
	var answer faultsAnswer
	var body io.Reader = http.NoBody
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return answer, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return answer, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := new(http.Client).Do(req)
	if err != nil {
		return answer, fmt.Errorf("local ECS: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer); err != nil {
		return answer, fmt.Errorf("%s is no local ECS: %w", url, err)
	}
	if resp.StatusCode != http.StatusOK {
		return answer, fmt.Errorf("local ECS: %s", answer.Message)
	}
	return answer, nil
}
