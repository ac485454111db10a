# process.sh -- processes known by their record: DIR/<service>/pid holds "PID BIRTH".
#
# A pid alone proves nothing: after a crash or a reboot the number may belong to somebody else.  Pid and
# birth (ticks from boot to its start, and which boot) name one process for ever, so nothing is signalled
# unless both still agree.
# shellcheck shell=bash

# birth PID: fails for a process that is gone, or is a zombie waiting for a parent that never asks.
birth() {
	local stat fields

	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	read -ra fields <<<"${stat##*) }"	# the name before it may hold blanks and parentheses
	[[ ${fields[0]} != [ZX] ]] || return 1
	echo "${fields[19]}@$(</proc/sys/kernel/random/boot_id)"
}

# spawn SERVICE COMMAND...: in a session of its own, so it survives the shell and the terminal it came from.
# The child records itself before it becomes COMMAND: no moment when it runs and nobody knows its pid.
spawn() {
	local service=$1 self
	shift

	forget "$service"
	(
		self=$BASHPID		# inside $(...) it would be another's
		echo "$self $(birth "$self")" >"$DIR/$service/pid"
		cd "$DIR/$service" || exit
		close_inherited
		exec setsid "$@"
	) </dev/null >>"$DIR/$service/log" 2>&1 &
	# Wait for the record, else the next look would take it for dead.
	until [[ -s $DIR/$service/pid ]]; do sleep 0.01; done
}

# A lock or a pipe of the caller that a service kept open would never be released.
close_inherited() {
	local fd
	for fd in "/proc/$BASHPID/fd/"*; do
		fd=${fd##*/}
		((fd <= 2 || fd == 255)) || exec {fd}>&-	# 255 is bash's own, and closes itself
	done
}

pid_of() {
	local pid rest
	read -r pid rest <"$DIR/$1/pid" && echo "$pid"
}

alive() {
	local pid recorded

	read -r pid recorded 2>/dev/null <"$DIR/$1/pid" || return 1
	[[ $recorded && $(birth "$pid") == "$recorded" ]]
}

forget() { rm -f "$DIR/$1/pid"; }

# await_end SERVICE SECONDS
await_end() {
	local deadline=$((SECONDS + $2))
	while alive "$1"; do
		((SECONDS < deadline)) || return 1
		sleep 0.05
	done
}

# kill_family PID: the process and its children.  Suspended first, so that it cannot make another meanwhile.
kill_family() {
	local pid=$1 children=

	kill -s STOP "$pid"
	children=$(cat "/proc/$pid/task/"*/children 2>/dev/null) || true
	# shellcheck disable=SC2086 # a list of pids
	kill -s KILL "$pid" $children 2>/dev/null || true
}

# need COMMAND...: says which group of packages brings what is missing.
need() {
	local command
	for command in "$@"; do
		command -v "$command" >/dev/null || die "$command is missing: run deploy/packages run"
	done
}
