/*
 * avro.c -- any bytes as a framed value: as JSON by the writer's schema, and as each of our records.  What can be read as
 * a record can be written, and what was written is read and written as the same bytes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/record/aggregate.h"
#include "common/record/alert.h"
#include "common/record/anomaly.h"
#include "common/record/codec.h"
#include "common/record/forecast.h"
#include "common/record/reading.h"
#include "common/record/registry.h"
#include "common/record/score.h"
#include "common/record/series.h"
#include "tests/fuzz/target.h"

static const struct {
	const struct record_type *type;
	const char *topic;
} types[] = {
	{ &reading_record, "telemetry.readings" },
	{ &series_record, "telemetry.series" },
	{ &aggregate_record, "telemetry.aggregates" },
	{ &forecast_record, "forecasts" },
	{ &score_record, "scores" },
	{ &alert_record, "alerts" },
	{ &anomaly_record, "anomalies" },
};

#define TYPES (sizeof(types) / sizeof(types[0]))

static struct {
	struct registry *registry;
	struct codec *codecs[TYPES];
	struct arena *arena;
	struct buffer json, first, second;
} world;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct err err = ERR_INIT;

	if (registry_new("file:", SOURCE_DIR "/schemas", &world.registry, &err) < 0)
		target_broken(err.text);
	for (size_t i = 0; i < TYPES; i++)
		if (codec_new(world.registry, types[i].type, types[i].topic, &world.codecs[i], &err) < 0)
			target_broken(err.text);
	world.arena = arena_new(65536, 1 << 20);
	world.json.max = 1 << 20;
	return 0;
}

static void
round_trip(struct codec *codec, struct span value, struct span schema_id)
{
	_Alignas(16) char record[1024];
	struct err err = ERR_INIT;

	arena_reset(world.arena);
	world.first.len = world.second.len = 0;
	if (codec_decode(codec, value, schema_id, world.arena, record, &err) < 0) {
		if (err_class(&err) != ERR_RECORD)
			target_broken(err.text);
		return;
	}
	if (codec_encode(codec, record, &world.first, &err) < 0 ||
	    codec_decode(codec, buffer_span(&world.first), SPAN_NONE, world.arena, record, &err) < 0 ||
	    codec_encode(codec, record, &world.second, &err) < 0)
		target_broken(err.text);
	if (!span_equal(buffer_span(&world.first), buffer_span(&world.second)))
		target_broken("written twice, it is not the same");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span value = { (const char *)data, size }, header = SPAN_NONE;
	struct err err = ERR_INIT;

	/* 0x02: five bytes of header, then the bare body; 0x03: seventeen. */
	if (size > 6 && data[0] == 2) {
		header = (struct span){ value.ptr + 1, 5 };
		value = (struct span){ value.ptr + 6, size - 6 };
	} else if (size > 18 && data[0] == 3) {
		header = (struct span){ value.ptr + 1, 17 };
		value = (struct span){ value.ptr + 18, size - 18 };
	}
	world.json.len = 0;
	if (codec_to_json(world.registry, value, header, &world.json, &err) < 0 && err_class(&err) != ERR_RECORD &&
	    err.reason != REASON_NO_MEMORY) /* more JSON than this buffer's maximum */
		target_broken(err.text);
	for (size_t i = 0; i < TYPES; i++)
		round_trip(world.codecs[i], value, header);
	return 0;
}
