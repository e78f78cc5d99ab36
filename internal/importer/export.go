package importer

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// Export writes what a server knows into files: one of each kind and a
// prefect.yaml in a directory, or all rows in one file if the path ends with
// .jsonl or .jsonl.gz. Secrets are written readably.
func Export(ctx context.Context, from Source, path string, o Options) (*Report, error) {
	source, err := newAPI(from, o.Version)
	if err != nil {
		return nil, err
	}
	if err := source.check(ctx); err != nil {
		return nil, err
	}
	files, err := newFileSink(path)
	if err != nil {
		return nil, err
	}
	r, err := fromServer(ctx, source, files, path, o)
	if err == nil && !isFile(path) && o.wants(Deployments) {
		err = exportYAML(ctx, source, filepath.Join(path, "prefect.yaml"))
	}
	return r, errors.Join(err, files.close())
}

// exportYAML writes the deployments as the prefect command reads them.
func exportYAML(ctx context.Context, source *api, path string) error {
	text, err := deploymentsYAML(ctx, source)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
