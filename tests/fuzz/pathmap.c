/* pathmap.c -- any bytes as a path map; one that loads reads a message of many shapes without harm. */
#include "tests/fuzz/target.h"
#include "workers/ingest-router/mapping.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mapping_rules rules = { .limits = { .depth = 64, .rows = 1000 },
					     .values_max = 1000,
					     .time_future_max_us = INT64_MAX };
	const struct raw_message message = {
		.topic = SPAN("t"),
		.key = SPAN("k"),
		.json = SPAN(
		    "{\"d\":\"x\",\"t\":1,\"a\":[{\"d\":1,\"v\":\"2\",\"n\":\"p\"},3,\"4\",null],\"m\":{\"x\":1,\"y\":{\"v\":true}},\"v\":7}"),
		.ingest_us = 1,
	};
	CLEANUP(pathmaps_free) struct pathmaps *maps = NULL;
	CLEANUP(arena_free) struct arena *arena = arena_new(4096, 0);
	struct err err = ERR_INIT;
	struct mapped mapped;

	if (pathmaps_parse("fuzz", (struct span){ (const char *)data, size }, &maps, &err) < 0) {
		if (err.reason != REASON_FILE_INVALID)
			target_broken(err.text);
		return 0;
	}
	if (mapping_apply(maps, &rules, &message, arena, &mapped, &err) < 0 && err_class(&err) != ERR_RECORD)
		target_broken(err.text);
	return 0;
}
