#!/usr/bin/env bash
# Starts a server on the embedded database, runs the sample flow through it with
# the real Prefect client, shows the run, and serves until Ctrl-C.
#
#	LEAT_PORT  port to listen on (4200)
#	LEAT_HOME  folder of the database (.cache/leat, so that a demonstration
#	           never writes into the database of ~/.leat)
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

leat=$PWD/bin/leat
port=${LEAT_PORT:-4200}
url=http://127.0.0.1:$port
export LEAT_HOME="${LEAT_HOME:-$PWD/.cache/leat}"
# The user's own Prefect profile must neither be read nor changed.
export PREFECT_HOME="$PWD/.cache/prefect"
export PREFECT_API_URL="$url/api"
export DO_NOT_TRACK=1

[ -x "$leat" ] || die "bin/leat is missing: run make build"
mkdir -p "$LEAT_HOME" "$PREFECT_HOME"
scripts/venv.sh

# healthy tells whether a server answers at the address.
healthy() {
	.venv/bin/python - "$PREFECT_API_URL/health" 2>/dev/null <<-'PY'
		import sys, urllib.request
		with urllib.request.urlopen(sys.argv[1], timeout=2) as answer:
		    sys.exit(answer.read().strip() != b"true")
	PY
}

if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
	die "port $port is in use: choose another by LEAT_PORT=…"
fi

log=$LEAT_HOME/server.log
"$leat" server start --host 127.0.0.1 --port "$port" >"$log" 2>&1 </dev/null &
server=$!

# stop ends the server, which finishes what it has acknowledged.
stop() {
	trap - EXIT INT TERM
	kill -TERM "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
}
trap stop EXIT
trap 'stop; exit 130' INT
trap 'stop; exit 143' TERM

ready=
for try in {1..150}; do
	kill -0 "$server" 2>/dev/null || break
	if healthy; then
		ready=yes
		break
	fi
	sleep 0.2
done
[ -n "$ready" ] || die "the server did not get ready:"$'\n'"$(cat "$log")"
note "leat serves $url/api, log in $log"

note "examples/python/hello.py, run by the Prefect client"
run=$(.venv/bin/python examples/python/hello.py)

note "leat run ls"
"$leat" run ls
note "leat run show $run"
"$leat" run show "$run"
note "leat run logs $run"
"$leat" run logs "$run"

cat <<-END

	The run's address: $url/api/flow_runs/$run
	Another terminal:  export PREFECT_API_URL=$url/api
	Ctrl-C stops the server.
END
wait "$server"
