#!/usr/bin/env bash
# Runs every test that this machine can run, and installs what is missing: the
# whole of `make test`. The last lines are go test's own.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

if [ "${1:-}" != --beside-postgres ]; then
	command -v go >/dev/null || die "Go is not installed: see go.mod for the version"
	# The race detector links with the C compiler.
	command -v "$(go env CC)" >/dev/null || debian_install "no C compiler" gcc libc6-dev
	scripts/venv.sh
	scripts/venv-sfn.sh
	exec scripts/with-postgres.sh scripts/test.sh --beside-postgres
fi

note "go vet"
go vet ./...
note "rules of the repository"
go test -run '^TestPolicy' .
note "Go tests, race detector on"
export LEAT_TEST_AWS_PYTHON="$PWD/.venv-sfn/bin/python"
make --no-print-directory test-unit
note "static build"
make --no-print-directory build
note "what AWS Step Functions answered"
LEAT_TEST_BINARY=bin/leat scripts/conformance.sh
note "real clients"
scripts/compat.sh
