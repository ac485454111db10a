# registry.sh -- Apicurio Registry, a server that speaks the Confluent schema registry API.  In memory: what
# was registered is gone with the process.
# shellcheck shell=bash

REGISTRY_VERSION=$(pom_version apicurio)
REGISTRY_HOME=$CACHE/apicurio-$REGISTRY_VERSION

registry_needs() { need java mvn tar curl; }
registry_address() { echo "http://127.0.0.1:$(port registry)/apis/ccompat/v7"; }
registry_signal() { echo TERM; }
registry_answers() { curl -fs -m 2 -o /dev/null "$(registry_address)/subjects"; }

registry_spawn() {
	jars_ready "apicurio-$REGISTRY_VERSION" registry_fetch
	mkdir -p "$DIR/registry/tmp"
	# Ids: as Confluent counts them, one for a schema's content, not one for each version of a subject.
	spawn registry env APICURIO_STORAGE_KIND=sql java -Xmx512m -XX:+UseSerialGC -XX:-UsePerfData \
		-Djava.io.tmpdir="$DIR/registry/tmp" \
		-Dquarkus.http.host=127.0.0.1 -Dquarkus.http.port="$(port registry)" \
		-Dquarkus.management.host=127.0.0.1 -Dquarkus.management.port="$(port registry_management)" \
		-Dapicurio.ccompat.legacy-id-mode.enabled=false \
		-jar "$REGISTRY_HOME/apicurio-registry-app-$REGISTRY_VERSION-runner.jar"
}

registry_fetch() {
	maven -P registry dependency:copy -DoutputDirectory="$1" &&
		tar -xzf "$1/apicurio-registry-app-$REGISTRY_VERSION-all.tar.gz" -C "$1" &&
		rm "$1/apicurio-registry-app-$REGISTRY_VERSION-all.tar.gz"
}
