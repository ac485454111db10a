/* options.c -- the table of every worker's options; docs/options.md is printed from it. */
#include "common/worker/options.h"

#define AT(field) offsetof(struct worker_options, field)

const struct option worker_option_table[] = {
	/* key, type, field, default, min, max, unit or choices, what it does */
	{ "bootstrap.servers", OPTION_TEXT, AT(bootstrap_servers), NULL, 1, 4096, "",
	  "brokers to start from, host:port, comma separated" },
	{ "group.id", OPTION_TEXT, AT(group_id), "", 0, 249, "", "consumer group; empty: forebay-<worker>" },
	{ "instance.id", OPTION_TEXT, AT(instance_id), "", 0, 200, "",
	  "name of this instance in the group, stable over restarts (the pod's name): it keeps its partitions while it restarts "
	  "within session.timeout.ms (with other topics than before it waits for the session's end), and finishes its own open "
	  "transaction at once; empty: a new random one each start" },
	{ "topics", OPTION_TEXT, AT(topics), "", 0, 4096, "",
	  "topics to read, comma separated; empty: the worker's own" },
	{ "side.topics", OPTION_TEXT, AT(side_topics), "", 0, 4096, "",
	  "side inputs, comma separated; empty: the worker's own" },
	{ "schema.registry.url", OPTION_SECRET, AT(schema_registry_url), "file:", 1, 4096, "",
	  "file: (ids pinned beside the schemas) or http(s)://… of a Confluent-compatible registry" },
	{ "schema.dir", OPTION_TEXT, AT(schema_dir), FOREBAY_DATA_DIR "/schemas", 1, 4096, "",
	  "directory of the *.avsc files" },
	{ "listen", OPTION_TEXT, AT(listen), ":8083", 0, 256, "",
	  "address of /health, /metrics and REST; empty: none" },
	{ "log.level", OPTION_TEXT, AT(log_level), "info", 1, 10, "", "trace, debug, info, warn or error" },
	{ "processing.guarantee", OPTION_CHOICE, AT(guarantee), "exactly_once_v2", 0, 0,
	  "exactly_once_v2|at_least_once",
	  "one transaction for outputs, dead letters and offsets, or the faster choice that may repeat records after a crash" },
	{ "commit.interval.ms", OPTION_INT, AT(commit_interval_ms), "100", 1, 60000, "ms",
	  "a transaction ends after this time at the latest, and as soon as there is nothing to read" },
	{ "transaction.timeout.ms", OPTION_INT, AT(transaction_timeout_ms), "0", 0, 900000, "ms",
	  "the broker gives an abandoned transaction up after this time, and whoever takes over waits for it that long; 0: a second less "
	  "than session.timeout.ms, so that it is gone when the worker is taken for dead" },
	{ "session.timeout.ms", OPTION_INT, AT(session_timeout_ms), "10000", 1000, 1800000, "ms",
	  "a silent worker loses its partitions after this time" },
	{ "max.poll.interval.ms", OPTION_INT, AT(max_poll_interval_ms), "300000", 1000, 86400000, "ms",
	  "a worker that does not ask for records for this long loses its partitions" },
	{ "shutdown.timeout.ms", OPTION_INT, AT(shutdown_timeout_ms), "10000", 0, 600000, "ms",
	  "after SIGTERM: time to finish and commit what was begun" },
	{ "watchdog.timeout.ms", OPTION_INT, AT(watchdog_timeout_ms), "120000", 1000, 86400000, "ms",
	  "the process ends itself (exit code 4) when its main loop stands still for this long" },
	{ "batch.max.records", OPTION_INT, AT(batch_max_records), "20000", 1, 1000000, "records",
	  "a transaction ends after so many input records" },
	{ "batch.max.bytes", OPTION_BYTES, AT(batch_max_bytes), "16M", 1024, 1e9, "bytes",
	  "… or so many bytes of input" },
	{ "queue.max.bytes", OPTION_BYTES, AT(queue_max_bytes), "64M", 1 << 20, 2e9, "bytes",
	  "what may be fetched ahead, and what may wait to be sent (each); librdkafka before 2.2 pauses for a second when the "
	  "first is full, so it should hold more than a second's input" },
	{ "errors.tolerance", OPTION_CHOICE, AT(tolerance), "all", 0, 0, "none|all",
	  "all: a poison record goes to the dead-letter topic; none: it stops the worker (Kafka Connect's default)" },
	{ "errors.retry.timeout", OPTION_INT, AT(retry_timeout_ms), "-1", -1, 1e12, "ms",
	  "how long trouble outside the record is retried; -1: for ever; after it the worker stops (exit code 2)" },
	{ "errors.retry.delay.max.ms", OPTION_INT, AT(retry_delay_max_ms), "10000", 1, 3600000, "ms",
	  "longest pause between two attempts" },
	{ "errors.deadletterqueue.topic.name", OPTION_TEXT, AT(dlq_topic), "", 0, 249, "", "empty: <input topic>.dlq" },
	{ "errors.log.enable", OPTION_BOOL, AT(errors_log), "true", 0, 0, "",
	  "log each dead letter with topic, partition, offset and reason" },
	{ "errors.log.include.messages", OPTION_BOOL, AT(errors_log_messages), "false", 0, 0, "",
	  "… and with the record's key" },
	{ "statistics.interval.ms", OPTION_INT, AT(statistics_interval_ms), "5000", 0, 3600000, "ms",
	  "how often the Kafka client's statistics become metrics; 0: never" },
	{ "until.caught.up", OPTION_BOOL, AT(until_caught_up), "false", 0, 0, "",
	  "read to where the topics end at the start, commit, and leave with exit code 0" },
	{ "run.id", OPTION_TEXT, AT(run_id), "live", 1, 100, "",
	  "name of a bounded run; its group is <group.id>.<run.id> and its states are its own" },
	{ "run.plan", OPTION_TEXT, AT(run_plan), "", 0, 4096, "",
	  "file with the offsets of a bounded run, a line per partition: <topic>.<partition> = <start>..<end>; it ends with exit "
	  "code 0 when all ends are committed" },
	{ "run.source.group", OPTION_TEXT, AT(run_source_group), "", 0, 249, "",
	  "group whose states a bounded run starts from and whose journal it follows; empty: the live group of this worker" },
	{ "run.outputs", OPTION_CHOICE, AT(run_outputs), "live", 0, 0, "live|shadow|none",
	  "where a bounded run writes: the live topics, <topic>.<run.id>, or nowhere (states alone)" },
};
const size_t worker_option_count = sizeof(worker_option_table) / sizeof(worker_option_table[0]);

#undef AT
#define AT(field) offsetof(struct state_options, field)

const struct option state_option_table[] = {
	{ "postgres.uri", OPTION_SECRET, AT(postgres_uri), "", 0, 4096, "",
	  "postgresql://user:password@host:port/database where states are kept" },
	{ "postgres.connect.timeout.ms", OPTION_INT, AT(connect_timeout_ms), "5000", 1, 600000, "ms",
	  "how long a connection attempt may take" },
	{ "checkpoint.store", OPTION_CHOICE, AT(store), "postgres", 0, 0, "postgres|none",
	  "none: states live in memory alone and are gone with the process" },
	{ "checkpoint.interval.ms", OPTION_INT, AT(interval_ms), "5000", 100, 3600000, "ms",
	  "a state that has changed is stored after this time" },
	{ "checkpoint.bytes.per.second", OPTION_BYTES, AT(bytes_per_second), "8M", 0, 1e12, "bytes/s",
	  "how much is written at most, the state that has waited longest first; 0: no limit" },
	{ "checkpoint.ladder", OPTION_TEXT, AT(ladder), "10m:6,1h:24,1d:7", 0, 200, "",
	  "older states that are kept, <period>:<how many>: one per key for each period, so that a replay can begin in the past; "
	  "empty: none" },
	{ "checkpoint.backlog.max.records", OPTION_INT, AT(backlog_max_records), "5000000", 1000, 1e15, "records",
	  "the worker pauses once so many records are in no stored state, as when PostgreSQL is away, and goes on at three quarters" },
	{ "recovery.max.records", OPTION_INT, AT(recovery_max_records), "1000000", 1, 1e15, "records",
	  "more records than this to fold again at a start are worth a warning" },
	{ "recovery.policy", OPTION_CHOICE, AT(recovery_policy), "fail", 0, 0, "fail|reset",
	  "when the records needed to rebuild a state were deleted or a stored state cannot be read: stop, or forget the states in "
	  "question with a record in fleet.audit" },
	{ "state.idle.ms", OPTION_INT, AT(idle_ms), "3600000", 1000, 1e13, "ms",
	  "states of keys that are silent for this long, by the time stamps of the records, leave memory; they come back from "
	  "PostgreSQL" },
	{ "state.max.bytes", OPTION_BYTES, AT(max_bytes), "1G", 1 << 20, 1e12, "bytes",
	  "when states take more memory, the ones silent longest leave it" },
	{ "state.key.max.bytes", OPTION_BYTES, AT(key_max_bytes), "1M", 256, 1e9, "bytes",
	  "a record that would make the state of its key larger is dead-lettered" },
};
const size_t state_option_count = sizeof(state_option_table) / sizeof(state_option_table[0]);
