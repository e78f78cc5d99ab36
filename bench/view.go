package main

import (
	"context"
	_ "embed" // for the flow
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed mapped.py
var mappedFlow []byte

// viewTime bounds one run of the flow.
const viewTime = 5 * time.Minute

// viewed runs a flow with mapped tasks by the real client and takes the time
// that the flow's call needs.
func viewed(tasks int) func(context.Context, *bench, target) (sample, error) {
	return func(ctx context.Context, b *bench, t target) (sample, error) {
		python := b.python
		if python == "" {
			return sample{}, fmt.Errorf("the real client is needed: name its Python by -reference")
		}
		s, err := b.server(ctx, t)
		if err != nil {
			return sample{}, err
		}
		home, err := os.MkdirTemp(b.dir, "client.")
		if err != nil {
			return sample{}, err
		}
		script := filepath.Join(home, "mapped.py")
		if err := os.WriteFile(script, mappedFlow, 0o600); err != nil {
			return sample{}, err
		}
		ctx, cancel := context.WithTimeout(ctx, viewTime)
		defer cancel()
		cmd := exec.CommandContext(ctx, python, script, strconv.Itoa(tasks)) //nolint:gosec // the program is the user's choice
		cmd.Dir = home
		cmd.Env = append(cleanEnvironment(), "PREFECT_API_URL=http://"+s.addr+"/api", "PREFECT_HOME="+home, "DO_NOT_TRACK=1",
			"PREFECT_LOGGING_LEVEL=ERROR")
		var stderr strings.Builder
		cmd.Stderr = &stderr
		before, start := s.usage(), time.Now()
		out, err := cmd.Output()
		if err != nil {
			return sample{}, fmt.Errorf("the flow failed: %w\n%s", err, stderr.String())
		}
		seconds, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
		if err != nil {
			return sample{}, fmt.Errorf("the flow printed %q", out)
		}
		return sample{Values: map[string]float64{
			"flow, s": seconds, "client's process, s": time.Since(start).Seconds(), "server CPU, s": s.usage().cpu - before.cpu,
		}}, nil
	}
}
