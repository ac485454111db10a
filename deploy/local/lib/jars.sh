# jars.sh -- what Maven fetches, copied once into .cache at the top of the checkout and shared by all stacks.
# shellcheck shell=bash

CACHE=$TOP/.cache

# pom_version NAME: <NAME.version> of pom.xml, the only place where versions are written.
pom_version() { sed -n "s:.*<$1\.version>\(.*\)</.*:\1:p" "$HERE/pom.xml"; }

# jars_ready FOLDER FETCH: sees to it that .cache/FOLDER exists, made by FETCH FOLDER.new and renamed when whole.
jars_ready() {
	local folder=$CACHE/$1 fetch=$2

	[[ ! -d $folder ]] || return 0
	mkdir -p "$CACHE"
	(
		exec 8>"$CACHE/.lock"
		flock 8
		[[ ! -d $folder ]] || exit 0		# another stack was faster
		say "fetching $1 with Maven, once"
		rm -rf "$folder.new"
		mkdir "$folder.new"
		"$fetch" "$folder.new" >"$CACHE/.fetch.log" 2>&1 8>&- || {
			say "fetching $1 failed:"$'\n'"$(grep -m 3 ERROR "$CACHE/.fetch.log" || tail -n 3 "$CACHE/.fetch.log")"
			exit 1
		}
		mv "$folder.new" "$folder"
	)
}

maven() { mvn -q -B -f "$HERE/pom.xml" "$@"; }
