#!/usr/bin/env bash
# Runs the suite of real clients with the Python of .venv, on Postgres too where
# LEAT_TEST_POSTGRES names a database server, and then random calls to leat and
# to the reference side by side. Arguments go to go test.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

# Root can give clients machines of their own, whose network the tests cut; for
# others these tests are skipped.
if [ "$(id -u)" -eq 0 ] && ! command -v ip >/dev/null; then
	debian_install "no \`ip\` for network namespaces" iproute2
fi

export LEAT_TEST_PYTHON="${LEAT_TEST_PYTHON:-$PWD/.venv/bin/python}"
export DO_NOT_TRACK=1
# -count=1: the result also depends on programs that the test cache can't see.
# -parallel: the tests wait more than they compute.
go test -count=1 -parallel 6 -timeout 22m "$@" ./test/compat/...
# What is known of the reference's schemas is what the installed one says.
go test -count=1 -run TestThePinOfTheReferencesSchemasIsFresh ./internal/api/prefect3
# Beside the other one, the reference answers so late that it refuses.
go test -count=1 -timeout 10m "$@" ./test/differential/...
# The local ECS with the aws command line, boto3 and, where one answers, Docker.
go test -count=1 -timeout 10m "$@" ./test/ecslocal/...
