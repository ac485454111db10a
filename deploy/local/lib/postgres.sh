# postgres.sh -- a PostgreSQL instance of our own; clusters of the system are neither used nor touched.
# shellcheck shell=bash

# The newest one installed.
POSTGRES_BIN=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)

# What stands before a command so that it runs as a user PostgreSQL accepts: the server refuses root.  setpriv
# becomes the command, so the pid recorded is the server's.
POSTGRES_AS=()
if ((EUID == 0)); then
	POSTGRES_USER=postgres
	id -u "$POSTGRES_USER" >/dev/null 2>&1 || POSTGRES_USER=nobody
	POSTGRES_AS=(setpriv --reuid "$POSTGRES_USER" --regid "$(id -g "$POSTGRES_USER")" --clear-groups)
fi

postgres_needs() { [[ -x $POSTGRES_BIN/postgres ]] || die "no /usr/lib/postgresql/*/bin/postgres: run deploy/packages run"; }
postgres_address() { echo "postgresql://forebay@127.0.0.1:$(port postgres)/forebay"; }
postgres_signal() { echo INT; }		# "fast": open sessions are ended, not awaited
postgres_answers() { "$POSTGRES_BIN/pg_isready" -q -t 2 -h 127.0.0.1 -p "$(port postgres)"; }

postgres_spawn() {
	local data

	[[ -e $DIR/postgres/data ]] || postgres_create
	data=$(realpath "$DIR/postgres/data")		# the way through DIR may be closed to the server
	postgres_release "$data"
	spawn postgres env -C "$data" "${POSTGRES_AS[@]}" "$POSTGRES_BIN/postgres" -D "$data" \
		-c listen_addresses=127.0.0.1 -c port="$(port postgres)" -c unix_socket_directories= \
		-c max_connections=60 -c shared_buffers=256MB -c timezone=UTC -c log_timezone=UTC \
		-c log_line_prefix='%m [%p] %u@%d '
}

# The cluster with user and database forebay, complete or not at all.
postgres_create() {
	local home=$DIR/postgres place

	# Below a folder that the server's user cannot pass, e.g. /root, only a link stays here; wipe follows it.
	# For tests: POSTGRES_HOME is a folder elsewhere, on a file system that can be filled; who names it deletes it.
	place=${POSTGRES_HOME:-$home}
	"${POSTGRES_AS[@]}" test -x "$place" || place=$(mktemp -d /var/tmp/forebay-postgres.XXXXXX)
	[[ $place == "$home" ]] || chmod 711 "$place"

	rm -rf "$place/data.new"
	mkdir -m 700 "$place/data.new"
	((EUID != 0)) || chown "$POSTGRES_USER": "$place/data.new"
	(
		cd /		# not every working folder is open to that user
		"${POSTGRES_AS[@]}" "$POSTGRES_BIN/initdb" --no-sync -U forebay --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
			-D "$place/data.new" &&
			echo 'CREATE DATABASE forebay' | "${POSTGRES_AS[@]}" "$POSTGRES_BIN/postgres" --single -D "$place/data.new" postgres
	) >>"$home/log" 2>&1 || die "postgres: initdb failed:"$'\n'"$(tail -n 5 "$home/log")"
	mv "$place/data.new" "$place/data"
	[[ $place == "$home" ]] || ln -s "$place/data" "$home/data"
}

# postgres_release DATA.  After SIGKILL a new server takes the old one's postmaster.pid for a living rival as
# long as the old one is a zombie, which may be for ever where process 1 does not care.  Servers stand in their
# data folder for life: once nobody stands there the file is stale.  Sessions that outlive their server a little
# are waited for.
postgres_release() {
	local data=$1 deadline=$((SECONDS + 10))

	while grep -qxF "$data" <(readlink /proc/[0-9]*/cwd 2>/dev/null); do
		((SECONDS < deadline)) || return 0	# let the server say what it thinks
		sleep 0.05
	done
	rm -f "$data/postmaster.pid"
}

# What lies outside the stack's folder goes with it.
postgres_wipe() {
	local data

	data=$(readlink "$DIR/postgres/data") || return 0
	[[ $data != /var/tmp/forebay-postgres.*/data ]] || rm -rf "${data%/data}"
}
