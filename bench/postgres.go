package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
)

// usePostgres finds the database server of LEAT_TEST_POSTGRES: its address, its
// programs and its process, whose CPU counts.
func (b *bench) usePostgres(address string) error {
	if address == "" {
		return errors.New("for Postgres set LEAT_TEST_POSTGRES, or run through scripts/with-postgres.sh --durable")
	}
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil || u.Hostname() != "127.0.0.1" {
		return fmt.Errorf("%s: Postgres must be at 127.0.0.1 with its port named", u.Redacted())
	}
	b.postgresURL = u
	b.cluster, err = listenerOf(port, "postgres")
	return err
}

// createDatabase makes an empty database and returns its address as the product
// wants it.
func (b *bench) createDatabase(ctx context.Context, product, name string) (string, error) {
	tool, err := postgresTool("createdb")
	if err != nil {
		return "", err
	}
	if out, err := exec.CommandContext(ctx, tool, "--maintenance-db="+b.postgresURL.String(), name).CombinedOutput(); err != nil { //nolint:gosec // our own arguments
		return "", fmt.Errorf("createdb: %w: %s", err, out)
	}
	b.databases = append(b.databases, name)
	u := *b.postgresURL
	u.Path = "/" + name
	if product == reference {
		u.Scheme, u.RawQuery = "postgresql+asyncpg", ""
	}
	return u.String(), nil
}

// dropDatabases removes what createDatabase made.
func (b *bench) dropDatabases(ctx context.Context) {
	tool, err := postgresTool("dropdb")
	if err != nil {
		return
	}
	for _, name := range b.databases {
		out, err := exec.CommandContext(ctx, tool, "--force", "--if-exists", "--maintenance-db="+b.postgresURL.String(), name).CombinedOutput() //nolint:gosec // our own arguments
		if err != nil {
			b.note("dropdb %s: %v: %s", name, err, out)
		}
	}
}

// postgresTool finds one of Postgres' programs: Debian keeps them out of PATH.
func postgresTool(name string) (string, error) {
	if found, err := exec.LookPath(name); err == nil {
		return found, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("%s is not installed", name)
	}
	return slices.Max(found), nil
}
