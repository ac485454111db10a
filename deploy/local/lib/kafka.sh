# kafka.sh -- Apache Kafka as one KRaft process, broker and controller in one.
# shellcheck shell=bash

KAFKA_VERSION=$(pom_version kafka)
KAFKA_LIBS=$CACHE/kafka-$KAFKA_VERSION/libs
# The compiler is left at its full, because benchmarks run against this broker.  The serial collector starts
# a little faster than G1 and takes less CPU from the workers on small machines.
KAFKA_HEAP=${KAFKA_HEAP:--Xmx768m -Xms256m}
KAFKA_JAVA=(java -XX:+UseSerialGC -XX:-UsePerfData -Djava.awt.headless=true -cp "$KAFKA_LIBS/*")

kafka_needs() { need java mvn; }
kafka_address() { echo "127.0.0.1:$(port kafka)"; }
kafka_signal() { echo TERM; }

kafka_spawn() {
	local home=$DIR/kafka heap

	jars_ready "kafka-$KAFKA_VERSION" kafka_fetch
	kafka_properties >"$home/server.properties"
	[[ -f $(kafka_data)/meta.properties ]] || kafka_format
	read -ra heap <<<"$KAFKA_HEAP"
	spawn kafka "${KAFKA_JAVA[@]}" "${heap[@]}" -XX:+ExitOnOutOfMemoryError \
		-Dorg.slf4j.simpleLogger.showDateTime=true \
		-Dorg.slf4j.simpleLogger.dateTimeFormat="yyyy-MM-dd'T'HH:mm:ss.SSSXXX" \
		-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaConfig=warn \
		-Dorg.slf4j.simpleLogger.log.state.change.logger=warn \
		kafka.Kafka "$home/server.properties"
}

kafka_data() { echo "${KAFKA_DATA:-$DIR/kafka/data}"; }

kafka_fetch() { maven dependency:copy-dependencies -DoutputDirectory="$1/libs"; }

kafka_format() {
	local id
	id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'kr')
	"${KAFKA_JAVA[@]}" -Dorg.slf4j.simpleLogger.defaultLogLevel=warn kafka.tools.StorageTool format \
		--ignore-formatted --cluster-id "${id%==}" --config "$DIR/kafka/server.properties" >>"$DIR/kafka/log" 2>&1 ||
		die "kafka: its folder could not be formatted:"$'\n'"$(tail -n 5 "$DIR/kafka/log")"
}

# For tests: KAFKA_DATA puts the records elsewhere (a file system that can be filled); KAFKA_PROXIED="LISTEN:ADVERTISED ..."
# adds listeners whose clients are sent to another port, where a proxy stands between them and us.
kafka_listeners() {	# kafka_listeners listen|advertise|protocols
	local pair n=0

	for pair in ${KAFKA_PROXIED:-}; do
		n=$((n + 1))
		case $1 in
		listen) printf ',PROXIED%d://127.0.0.1:%s' "$n" "${pair%:*}" ;;
		advertise) printf ',PROXIED%d://127.0.0.1:%s' "$n" "${pair#*:}" ;;
		protocols) printf ',PROXIED%d:PLAINTEXT' "$n" ;;
		esac
	done
}

# What is not a default has its reason beside it.
kafka_properties() {
	cat <<-END
	process.roles=broker,controller
	node.id=1
	controller.quorum.voters=1@127.0.0.1:$(port controller)
	controller.listener.names=CONTROLLER
	listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT$(kafka_listeners protocols)
	listeners=PLAINTEXT://127.0.0.1:$(port kafka),CONTROLLER://127.0.0.1:$(port controller)$(kafka_listeners listen)
	advertised.listeners=PLAINTEXT://127.0.0.1:$(port kafka)$(kafka_listeners advertise)
	log.dirs=$(kafka_data)

	# One node: nothing to replicate to, and few partitions to load when a coordinator comes up.
	default.replication.factor=1
	offsets.topic.replication.factor=1
	offsets.topic.num.partitions=8
	transaction.state.log.replication.factor=1
	transaction.state.log.min.isr=1
	transaction.state.log.num.partitions=8
	share.coordinator.state.topic.replication.factor=1
	share.coordinator.state.topic.min.isr=1
	share.coordinator.state.topic.num.partitions=8

	# A topic nobody declared is a mistake; 2 MiB is what the workers' own limits are tested against.
	auto.create.topics.enable=false
	message.max.bytes=2097152
	replica.fetch.max.bytes=2097152

	# Tests use short time-outs: no wait for a second member, sessions from 1 s, dead transactions swept each second.
	group.initial.rebalance.delay.ms=0
	group.min.session.timeout.ms=1000
	transaction.abort.timed.out.transaction.cleanup.interval.ms=1000

	# After SIGKILL the controller refuses the broker until its old session ends: 9 s by default, 3 s here.
	broker.session.timeout.ms=3000
	broker.heartbeat.interval.ms=500

	# The default, 128 MiB, is taken from the heap at start.
	log.cleaner.dedupe.buffer.size=16777216
	END
}

# Metadata, version 1, correlation 1, client "stack", no topics.  The answer's third word is the number of
# brokers: none until this one has registered.
kafka_answers() {
	local request='\0\0\0\x13\0\x03\0\x01\0\0\0\x01\0\x05stack\0\0\0\0' brokers

	# shellcheck disable=SC2059 # the request is the format
	brokers=$(
		exec 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$(port kafka)" && printf "$request" >&3 &&
			timeout 2 head -c 12 <&3 | od -An -j8 -tu1 | tr -d ' '
	) || return 1
	[[ $brokers == 0001 ]]
}

# kafka_tool TOOL ARG...: a short name is one of org.apache.kafka.tools and is told where the broker is;
# a full class name gets exactly what is written.
kafka_tool() {
	(($# > 0)) || die "kafka needs a tool, e.g.: stack kafka TopicCommand --list"
	local tool=$1
	shift
	case $tool in
	org.* | kafka.*) ;;
	*) set -- --bootstrap-server "$(kafka_address)" "$@"; tool=org.apache.kafka.tools.$tool ;;
	esac
	exec "${KAFKA_JAVA[@]}" -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn "$tool" "$@"
}
