# ports.sh -- the stack's ports: chosen once, recorded in DIR/ports, the same for as long as the folder lives.
#
# From 20000 to 29999: below the range from which Linux gives out ports for outgoing connections, so that
# none of those takes a service's port while the service is down.
# shellcheck shell=bash

PORT_NAMES=(kafka controller postgres redis registry registry_management)

# port NAME
port() { sed -n "s/^$1=//p" "$DIR/ports"; }

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# ports_choose FILE: complete or not at all; of two starts at once the first to link its choice wins.
ports_choose() {
	local file=$1 name number draft taken=" "

	draft=$(mktemp "$file.XXXXXX")
	for name in "${PORT_NAMES[@]}"; do
		while :; do
			number=$((20000 + SRANDOM % 10000))
			[[ $taken != *" $number "* ]] && port_is_free "$number" && break
		done
		taken+="$number "
		echo "$name=$number"
	done >"$draft"
	ln "$draft" "$file" 2>/dev/null || true
	rm "$draft"
}
