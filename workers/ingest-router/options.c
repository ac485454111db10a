/* options.c -- the table of the router's options. */
#include "workers/ingest-router/options.h"

#define AT(field) offsetof(struct router_options, field)

const struct option router_option_table[] = {
	/* key, type, field, default, min, max, unit or choices, what it does */
	{ "path.maps", OPTION_TEXT, AT(path_maps), FOREBAY_DATA_DIR "/pathmaps", 1, 4096, "",
	  "files and directories with path maps (*.json), comma separated; the first one that fits a message reads it" },
	{ "readings.topic", OPTION_TEXT, AT(readings_topic), "telemetry.readings", 1, 249, "", "where readings go" },
	{ "input.format", OPTION_CHOICE, AT(input_format), "auto", 0, 0, "auto|json|avro",
	  "what messages are; auto: Avro where a schema id is in the header or a zero byte in front, else JSON" },
	{ "message.max.bytes", OPTION_BYTES, AT(message_max_bytes), "1M", 16, 64 << 20, "bytes",
	  "a larger message is dead-lettered unread" },
	{ "message.max.values", OPTION_INT, AT(message_max_values), "10000", 1, 100000, "values",
	  "a message with more values, over all its event times, is dead-lettered" },
	{ "json.max.depth", OPTION_INT, AT(json_max_depth), "64", 1, 1000, "levels",
	  "objects and arrays inside each other" },
	{ "time.min", OPTION_TEXT, AT(time_min), "2000-01-01T00:00:00Z", 0, 64, "",
	  "an event time before this is refused: a clock that was never set; empty: any" },
	{ "time.future.max.ms", OPTION_INT, AT(time_future_max_ms), "86400000", 0, 3.2e12, "ms",
	  "an event time further than this after the time stamp of its Kafka record is refused" },
	{ "time.default", OPTION_CHOICE, AT(time_default), "none", 0, 0, "none|ingest",
	  "the event time of a message without one: none, it is dead-lettered; or the time stamp of its Kafka record. A path "
	  "map may say otherwise" },
};
const size_t router_option_count = sizeof(router_option_table) / sizeof(router_option_table[0]);

int
router_rules(const struct router_options *opt, struct mapping_rules *rules, struct err *err)
{
	const struct time_format any = { .form = TIME_AUTO };
	struct err why = ERR_INIT;

	*rules = (struct mapping_rules){
		/* An item without a value condemns its message, so there are at most as many items as values. */
		.limits = { .depth = (unsigned)opt->json_max_depth, .rows = 2 * (size_t)opt->message_max_values },
		.values_max = (size_t)opt->message_max_values,
		.time_min_us = INT64_MIN,
		.time_future_max_us = opt->time_future_max_ms * 1000,
		.time_default_ingest = opt->time_default == 1,
	};
	if (*opt->time_min && timestamp_parse(span_of(opt->time_min), &any, &rules->time_min_us, &why) < 0)
		return err_set(err, REASON_OPTION_INVALID, "time.min: %s", why.text);
	return 0;
}
