// Package compat holds the tests in which the unmodified Prefect 3 Python
// client, CLI and workers, boto3 and the AWS command line use a running server.
// It has no code of its own: everything is in its tests, and README.md says how
// to run them.
package compat
