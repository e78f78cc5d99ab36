package compat

import (
	"context"
	"fmt"
	"net/url"
	"os/exec"
)

// createDatabase makes a database on the admin database's server with psql,
// and returns its URL and what drops it.
func createDatabase(ctx context.Context, admin, name string) (string, func() error, error) {
	u, err := url.Parse(admin)
	if err != nil {
		return "", nil, fmt.Errorf("LEAT_TEST_POSTGRES: %w", err)
	}
	if err := psql(ctx, admin, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	u.Path = "/" + name
	drop := func() error {
		return psql(context.WithoutCancel(ctx), admin, "DROP DATABASE "+name+" WITH (FORCE)")
	}
	return u.String(), drop, nil
}

func psql(ctx context.Context, url, statement string) error {
	out, err := exec.CommandContext(ctx, "psql", "--no-psqlrc", "--quiet", "--dbname", url, "--command", statement).CombinedOutput()
	if err != nil {
		return fmt.Errorf("psql: %s: %w: %s", statement, err, out)
	}
	return nil
}
