#!/usr/bin/env bash
# Replays the recordings of real Step Functions against a server built from this
# tree; see test/conformance/README.md. Arguments go to test/conformance/run.py,
# for example -k scenarios.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

if [ ! -d ../shared/sfn-conformance ]; then
	note "skipped: there are no recordings in ../shared/sfn-conformance"
	exit 0
fi

pins=test/conformance/requirements.txt
python=${LEAT_SFN_PYTHON:-}
if [ -z "$python" ]; then
	python=.venv-sfn/bin/python
	if ! cmp -s "$pins" .venv-sfn/pins; then
		note "making .venv-sfn with what $pins lists"
		rm -rf .venv-sfn
		"${LEAT_PYTHON:-python3}" -m venv .venv-sfn
		"$python" -m pip install --quiet --disable-pip-version-check --no-input -r "$pins" >&2
		cp "$pins" .venv-sfn/pins
	fi
fi

binary=${LEAT_TEST_BINARY:-bin/leat}
if [ -z "${LEAT_TEST_BINARY:-}" ]; then
	CGO_ENABLED=0 go build -trimpath -o "$binary" ./cmd/leat
fi
exec "$python" test/conformance/run.py --binary "$binary" "$@"
