#!/usr/bin/env bash
# Makes the virtual environment .venv-sfn with boto3 and what stands in for AWS
# in the replay of recordings, and does nothing if it already holds what the pins say.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

pins=test/conformance/requirements.txt
if cmp -s "$pins" .venv-sfn/pins; then
	exit 0
fi
note "making .venv-sfn with what $pins lists"
rm -rf .venv-sfn
"${LEAT_PYTHON:-python3}" -m venv .venv-sfn
.venv-sfn/bin/python -m pip install --quiet --disable-pip-version-check --no-input -r "$pins" >&2
cp "$pins" .venv-sfn/pins
