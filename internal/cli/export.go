package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/importer"
)

func exportCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "export --to PATH", Short: "Copy what leat knows into files, or into a Prefect server", Args: args(),
		Long: `Copy what leat knows into a directory: a file of JSON lines for each kind and a
prefect.yaml of the deployments; or into one file, if its name ends with .jsonl or
.jsonl.gz. leat import reads both. Secrets of blocks are written readably, so only
you may read the files.`,
		Example: "  leat export --to ./export\n  leat export --to export.jsonl.gz --since 30d\n  leat export prefect --to http://new-server:4200/api",
	}
	f := &copyOptions{env: env}
	cmd.Flags().SortFlags = false
	var path string
	var active bool
	cmd.Flags().StringVar(&path, "to", "", "the directory, or the file (needed)")
	cmd.Flags().StringVar(&f.to, "from", "", "leat's API (default PREFECT_API_URL)")
	f.shared(cmd)
	cmd.Flags().BoolVar(&active, "include-active", false, "also runs that have not ended, as they are now")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if path == "" {
			return usagef("--to is missing: a directory, or a file like export.jsonl.gz")
		}
		return f.run(cmd, func(ctx context.Context, o importer.Options) (*importer.Report, error) {
			o.IncludeActive = active
			return importer.Export(ctx, f.target(), path, o)
		})
	}
	cmd.AddCommand(exportPrefectCommand(env))
	return cmd
}
