/* options.c -- the table of the sink's options. */
#include "workers/sink-writer/options.h"

#define AT(field) offsetof(struct sink_options, field)

const struct option sink_option_table[] = {
	/* key, type, field, default, min, max, unit or choices, what it does */
	{ "postgres.uri", OPTION_SECRET, AT(postgres_uri), NULL, 1, 4096, "",
	  "postgresql://user:password@host:port/database?name=value; several hosts for a fail-over with "
	  "target_session_attrs=read-write. A pooler in between must pool sessions, not transactions" },
	{ "postgres.connect.timeout.ms", OPTION_INT, AT(connect_timeout_ms), "10000", 100, 600000, "ms",
	  "how long one attempt to connect may take, all hosts of the URI together" },
	{ "sink.mapping", OPTION_TEXT, AT(mapping), FOREBAY_DATA_DIR "/sink.properties", 1, 4096, "",
	  "file that says which topic becomes which table" },
	{ "table.partition.interval", OPTION_CHOICE, AT(partition_interval), "month", 0, 0, "day|month|year",
	  "span of the partitions that are made for tables split by time, where the mapping does not say it; a change "
	  "counts from the next partition on" },
	{ "table.partition.new.max", OPTION_INT, AT(partition_new_max), "24", 0, 1000, "partitions",
	  "how many new partitions one batch may make per table; rows of further ones, as a device's broken clock may send "
	  "them, live in the default partition" },
};
const size_t sink_option_count = sizeof(sink_option_table) / sizeof(sink_option_table[0]);
