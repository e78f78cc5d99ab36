#!/usr/bin/env bash
# Makes the virtual environment .venv with the pinned Prefect client, and does
# nothing if it already holds what the pins say.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

pins=(test/compat/requirements.txt test/compat/constraints.txt)
stamp=.venv/pins

# usable PYTHON tells whether it can make a virtual environment for Prefect.
usable() {
	"$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null
}

# find_python prints the interpreter to use: LEAT_PYTHON if set, else Python
# 3.11, which the reference was recorded with, else any other that will do.
find_python() {
	local candidate
	for candidate in ${LEAT_PYTHON:-python3.11 python3 /usr/bin/python3 python3.12 python3.13 python3.10}; do
		if usable "$candidate"; then
			echo "$candidate"
			return
		fi
	done
	return 1
}

if [ -f "$stamp" ] && cat "${pins[@]}" | cmp -s - "$stamp" && .venv/bin/python -c '' 2>/dev/null; then
	exit 0
fi

if ! python=$(find_python); then
	debian_install "no Python from 3.10 to 3.13 with venv" python3 python3-venv
	python=$(find_python) || die "no usable Python found; set LEAT_PYTHON"
fi

note "making .venv with $("$python" --version) and $(head -n 1 "${pins[0]}")"
rm -rf .venv
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
	-r "${pins[0]}" -c "${pins[1]}" >&2
cat "${pins[@]}" >"$stamp"
