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

python=${LEAT_SFN_PYTHON:-}
if [ -z "$python" ]; then
	scripts/venv-sfn.sh
	python=.venv-sfn/bin/python
fi

binary=${LEAT_TEST_BINARY:-bin/leat}
if [ -z "${LEAT_TEST_BINARY:-}" ]; then
	CGO_ENABLED=0 go build -trimpath -o "$binary" ./cmd/leat
fi
exec "$python" test/conformance/run.py --binary "$binary" "$@"
