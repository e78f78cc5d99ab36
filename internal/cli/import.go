package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/importer"
)

func importCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "import PATH", Short: "Copy an export, or a live Prefect server, into leat", Args: args("PATH"),
		Long: `Copy an export, a file or a directory that leat export wrote, into leat. A second
import brings only what is new or changed; what is newer in leat stays.`,
		Example: "  leat import ./export\n  leat import export.jsonl.gz --only blocks,variables\n  leat import prefect --from http://old-server:4200/api",
	}
	f := copyFlags(env, cmd)
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		return f.run(cmd, func(ctx context.Context, o importer.Options) (*importer.Report, error) {
			return importer.ImportFiles(ctx, given[0], f.target(), o)
		})
	}
	cmd.AddCommand(importPrefectCommand(env))
	return cmd
}

// copyOptions are the flags of the commands that copy.
type copyOptions struct {
	env       *Env
	to        string
	only      []string
	noHistory bool
	since     string
	dryRun    bool
	paused    bool
	report    string
	workers   int
}

// copyFlags gives a command the flags of all imports.
func copyFlags(env *Env, cmd *cobra.Command) *copyOptions {
	f := &copyOptions{env: env}
	cmd.Flags().SortFlags = false
	cmd.Flags().StringVar(&f.to, "to", "", "leat's API (default PREFECT_API_URL)")
	f.shared(cmd)
	cmd.Flags().BoolVar(&f.paused, "paused", false, "store deployments that are new to leat as paused, so that their schedules make no runs yet")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "read and count, and write nothing")
	return f
}

// shared are the flags of imports and exports.
func (f *copyOptions) shared(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&f.only, "only", nil, "only these kinds, such as flows,deployments,blocks,flow_runs")
	cmd.Flags().BoolVar(&f.noHistory, "no-history", false, "leave out runs, logs, artifacts and events")
	cmd.Flags().StringVar(&f.since, "since", "", "only history since then: an age like 30d or 12h, or a time")
	cmd.Flags().StringVar(&f.report, "report", "", "write the whole report as JSON into this file")
	cmd.Flags().IntVar(&f.workers, "workers", 4, "how many requests may be under way at once")
}

// target is the server that is written.
func (f *copyOptions) target() importer.Source {
	url := f.to
	if url == "" {
		url = f.env.getenv("PREFECT_API_URL")
	}
	if url == "" {
		url = defaultURL
	}
	return importer.Source{URL: url, Key: f.env.getenv("PREFECT_API_KEY"), AuthString: f.env.getenv("PREFECT_API_AUTH_STRING")}
}

// options reads the flags.
func (f *copyOptions) options() (importer.Options, error) {
	o := importer.Options{
		NoHistory: f.noHistory, DryRun: f.dryRun, Paused: f.paused, Workers: f.workers, Now: f.env.Now, Version: f.env.Version,
		Progress: func(text string) { f.env.note("%s", text) },
	}
	if f.workers < 1 || f.workers > 64 {
		return o, usagef("--workers is from 1 to 64")
	}
	var err error
	if o.Only, err = importer.ParseKinds(f.only); err != nil {
		return o, usageError{err}
	}
	if f.since != "" {
		if o.Since, err = moment(f.since, f.env.Now()); err != nil {
			return o, usageError{err}
		}
	}
	return o, nil
}

// moment reads an age like 30d or 12h, or a time.
func moment(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if age, err := time.ParseDuration(text); err == nil && age >= 0 {
		return now.Add(-age), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is neither an age like 30d or 12h nor a time like 2026-11-22", text)
}

// run copies and shows the report, also that of a copy that broke off.
func (f *copyOptions) run(cmd *cobra.Command, do func(context.Context, importer.Options) (*importer.Report, error)) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	r, err := do(cmd.Context(), o)
	if r == nil {
		return err
	}
	if f.report != "" {
		text, jsonErr := json.MarshalIndent(r, "", "  ")
		if jsonErr == nil {
			jsonErr = os.WriteFile(f.report, append(text, '\n'), 0o600)
		}
		err = errors.Join(err, jsonErr)
	}
	if shown := r.WriteText(f.env.Stdout); shown != nil {
		return shown
	}
	if err != nil {
		return fmt.Errorf("%w\nWhat was copied stays; the same command goes on from there", err)
	}
	if f.dryRun {
		f.env.say("Nothing was written.")
	}
	return nil
}
