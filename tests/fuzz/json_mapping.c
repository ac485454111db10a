/*
 * json_mapping.c -- any bytes as a raw message: the scanner must agree with jansson, and what the path maps make of it
 * must be a reading that its codec takes.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/record/registry.h"
#include "tests/fuzz/target.h"
#include "tests/unit/ingest-router/oracle.h"
#include "workers/ingest-router/mapping.h"

static struct {
	struct registry *registry;
	struct codec *codec;
	struct pathmaps *maps;
	struct arena *arena;
	struct buffer out;
} line;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err err = ERR_INIT;

	if (registry_new("file:", SOURCE_DIR "/schemas", &line.registry, &err) < 0 ||
	    codec_new(line.registry, &reading_record, "telemetry.readings", &line.codec, &err) < 0 ||
	    pathmaps_load(SOURCE_DIR "/deploy/pathmaps", &line.maps, &err) < 0)
		target_broken(err.text);
	line.arena = arena_new(65536, 1 << 20);
	return 0;
}

static void
check_reading(const struct reading *r)
{
	struct err err = ERR_INIT;

	if (r->n_values == 0 || r->device.len == 0 || r->device.len > NAME_MAX_BYTES)
		target_broken("a reading without values or device");
	for (size_t i = 0; i < r->n_values; i++) {
		const struct reading_value *v = &r->values[i];

		if ((v->quality == QUALITY_GOOD) != (bool)isfinite(v->value) ||
		    (v->quality == QUALITY_GOOD) != !v->text.ptr)
			target_broken("value, quality and text do not fit together");
		if (v->text.len > BAD_TEXT_MAX)
			target_broken("a text that is too long");
	}
	line.out.len = 0;
	/* Only a metric that comes twice is left to the codec. */
	if (codec_encode(line.codec, r, &line.out, &err) < 0 && !strstr(err.text, "twice"))
		target_broken(err.text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mapping_rules rules = { .limits = { .depth = ORACLE_DEPTH, .rows = 2000 },
					     .values_max = 1000,
					     .time_min_us = INT64_MIN,
					     .time_future_max_us = INT64_MAX,
					     .time_default_ingest = size % 2 };
	const struct raw_message message = { .topic = SPAN("telemetry.raw"),
					     .key = { (const char *)data, size < 20 ? size : 20 },
					     .json = { (const char *)data, size },
					     .ingest_us = 1 };
	char why[ORACLE_WHY] = "";
	struct err err = ERR_INIT;
	struct mapped mapped;

	if (!oracle_agrees(message.json, why))
		target_broken(why);
	arena_reset(line.arena);
	if (mapping_apply(line.maps, &rules, &message, line.arena, &mapped, &err) < 0) {
		if (err_class(&err) != ERR_RECORD)
			target_broken(err.text);
		return 0;
	}
	for (size_t i = 0; i < mapped.n; i++)
		check_reading(&mapped.readings[i]);
	return 0;
}
