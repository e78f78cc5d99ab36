#!/usr/bin/env bash
# Makes the environments of LocalStack and moto that bench compares Step
# Functions with, in .cache/bench, and does nothing for one that already holds
# what its pins say. LEAT_BENCH_PYTHON names the Python to use.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

# usable PYTHON tells whether it runs both: LocalStack needs 3.12.
usable() {
	"$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 12) <= sys.version_info < (3, 14))' 2>/dev/null
}

python=
for candidate in ${LEAT_BENCH_PYTHON:-python3.13 python3.12 python3}; do
	if usable "$candidate"; then
		python=$candidate
		break
	fi
done
[ -n "$python" ] || die "no Python 3.12 or 3.13 with venv found; set LEAT_BENCH_PYTHON"

for product in localstack moto; do
	dir=.cache/bench/$product
	pins=bench/$product.txt
	if cmp -s "$pins" "$dir/pins" && "$dir/bin/python" -c '' 2>/dev/null; then
		continue
	fi
	note "making $dir with $("$python" --version) and $pins"
	rm -rf "$dir"
	"$python" -m venv "$dir"
	"$dir/bin/python" -m pip install --quiet --disable-pip-version-check --no-input -r "$pins" >&2
	cp "$pins" "$dir/pins"
done
