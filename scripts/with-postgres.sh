#!/usr/bin/env bash
# Runs a command beside a private Postgres and ends it afterwards:
#
#	scripts/with-postgres.sh [--durable] COMMAND [ARGUMENT...]
#
# LEAT_TEST_POSTGRES holds its URL. A value that is already set is used as it
# is, and nothing is started. With --durable commits reach the disk, as a
# benchmark needs; tests do without, since they end leat and not Postgres.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

durable=off
if [ "${1:-}" = --durable ]; then
	durable=on
	shift
fi
[ $# -gt 0 ] || die "usage: with-postgres.sh [--durable] COMMAND [ARGUMENT...]"

if [ -n "${LEAT_TEST_POSTGRES:-}" ]; then
	exec "$@"
fi

# find_bin prints the directory of Postgres' programs, the newest if there are
# several: Debian keeps them out of PATH.
find_bin() {
	local found
	found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
	if [ -n "$found" ] && [ -x "$found/initdb" ]; then
		echo "$found"
	elif found=$(command -v initdb); then
		dirname "$found"
	else
		return 1
	fi
}

if ! bin=$(find_bin); then
	debian_install "no Postgres found" postgresql
	bin=$(find_bin) || die "no Postgres found after its installation"
fi

# Postgres refuses to run as root, so root hands it to an ordinary user.
as_user=()
dir=$(mktemp -d /tmp/leat-postgres.XXXXXX)
if [ "$(id -u)" -eq 0 ]; then
	user=postgres
	id "$user" >/dev/null 2>&1 || user=nobody
	as_user=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups)
	chown "$user" "$dir"
fi

postgres_pid=
command_pid=

# stop ends what this script started. SIGINT is Postgres' fast shutdown.
stop() {
	trap - EXIT INT TERM
	if [ -n "$command_pid" ]; then
		kill -TERM -- "-$command_pid" 2>/dev/null || true
		wait "$command_pid" 2>/dev/null || true
	fi
	if [ -n "$postgres_pid" ]; then
		kill -INT "$postgres_pid" 2>/dev/null || true
		wait "$postgres_pid" 2>/dev/null || true
	fi
	rm -rf "$dir"
}
trap stop EXIT
trap 'stop; exit 130' INT
trap 'stop; exit 143' TERM

locale=C
if locale -a 2>/dev/null | grep -qix 'C\.utf-\?8'; then
	locale=C.UTF-8
fi
(cd "$dir" && "${as_user[@]}" "$bin/initdb" --pgdata="$dir/data" --username=leat --auth=trust \
	--encoding=UTF8 --locale="$locale" --no-sync) >"$dir/initdb.log" 2>&1 ||
	die "initdb: $(cat "$dir/initdb.log")"

# start_postgres PORT starts the server and waits until it takes connections;
# it fails if the server ends instead, as when somebody took the port.
start_postgres() {
	local port=$1
	# Without job control the shell starts background commands with SIGINT
	# ignored; Postgres sets its own handler.
	(cd "$dir" && exec "${as_user[@]}" "$bin/postgres" -D "$dir/data" -k "$dir" -p "$port" \
		-c listen_addresses=127.0.0.1 -c max_connections=400 \
		-c fsync=$durable -c synchronous_commit=$durable -c full_page_writes=$durable) \
		>"$dir/postgres.log" 2>&1 </dev/null &
	postgres_pid=$!
	local try
	for try in {1..150}; do
		if "$bin/pg_isready" --quiet --host=127.0.0.1 --port="$port"; then
			# Somebody else's server may have answered while ours was failing.
			kill -0 "$postgres_pid" 2>/dev/null &&
				[ "$(sed -n 4p "$dir/data/postmaster.pid" 2>/dev/null)" = "$port" ] && return 0
		fi
		kill -0 "$postgres_pid" 2>/dev/null || break
		sleep 0.2
	done
	kill -INT "$postgres_pid" 2>/dev/null || true
	wait "$postgres_pid" 2>/dev/null || true
	postgres_pid=
	return 1
}

port=
for attempt in 1 2 3; do
	port=$((20000 + RANDOM % 12000))
	start_postgres "$port" && break
	port=
done
[ -n "$port" ] || die "Postgres does not start: $(cat "$dir/postgres.log")"
"$bin/createdb" --host=127.0.0.1 --port="$port" --username=leat leat

export LEAT_TEST_POSTGRES="postgres://leat@127.0.0.1:$port/leat?sslmode=disable"
note "Postgres $("$bin/postgres" --version | awk '{print $3}') at $LEAT_TEST_POSTGRES"

# In the background, so that a signal to this script is handled at once, and in
# a process group of its own, so that it ends with all that it started.
set -m
"$@" </dev/null &
command_pid=$!
set +m
status=0
wait "$command_pid" || status=$?
command_pid=
exit "$status"
