#!/usr/bin/env bash
# Fails if `go generate` changes a file or `go mod tidy` would change go.mod or
# go.sum. It compares with the files as they are, committed or not.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

# digest prints a line for each file that git does not ignore.
digest() { git ls-files -z --cached --others --exclude-standard | sort -zu | xargs -0 sha256sum 2>/dev/null || true; }

before=$(digest)
go generate ./...
if ! diff <(printf '%s\n' "$before") <(digest); then
	die "go generate changed the files above: keep the new ones"
fi
# -e: the tests of a dependency's dependency may not be had, and we do not need them.
tidy=$(go mod tidy -e -diff 2>/dev/null || true)
[ -z "$tidy" ] || die "go.mod is not tidy: run go mod tidy -e"$'\n'"$tidy"
