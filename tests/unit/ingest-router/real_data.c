/*
 * real_data.c -- public data sets through the path maps of the house, as `forebay publish` sends them: every row becomes
 * a reading that holds exactly what the row says, or is refused for its true reason; the numbers of both are known.
 * FOREBAY_TEST_DATA names the folder (default ../shared/data beside the sources); without it the test is skipped.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/buffer.h"
#include "workers/ingest-router/mapping.h"

#define COLUMNS_MAX 10
#define INGEST_US INT64_C(1767225600000000)

struct column {
	const char *name, *metric; /* metric NULL: not a value */
	double divisor;
};

static const struct set {
	const char *file, *fields; /* constant members, ended by a comma */
	char separator;
	struct column columns[COLUMNS_MAX];
	int readings, bad_values, time_missing, time_syntax, time_range, no_value;
} sets[] = {
	/* numbers counted with awk: rows of data, start and header lines, impossible times, sentinels */
	{ "ulb_wsn/library1_R1.txt.gz",
	  "\"source\":\"ulb_wsn\",",
	  ' ',
	  { { "time", NULL, 0 },
	    { "node", NULL, 0 },
	    { "sequence", NULL, 0 },
	    { "temperature_internal", "temperature_internal", 1 },
	    { "voltage", "voltage", 1 },
	    { "humidity", "humidity", 1 },
	    { "temperature", "temperature", 1 },
	    { "par", "light_par", 1 },
	    { "tsr", "light_tsr", 1 } },
	  7563,
	  0,
	  0,
	  0,
	  0,
	  0 },
	{ "ulb_wsn/library1_R2.txt.gz",
	  "\"source\":\"ulb_wsn\",",
	  ' ',
	  { { "time", NULL, 0 },
	    { "node", NULL, 0 },
	    { "sequence", NULL, 0 },
	    { "temperature_internal", "temperature_internal", 1 },
	    { "voltage", "voltage", 1 },
	    { "humidity", "humidity", 1 },
	    { "temperature", "temperature", 1 },
	    { "par", "light_par", 1 },
	    { "tsr", "light_tsr", 1 } },
	  11110,
	  0,
	  0,
	  0,
	  0,
	  0 },
	{ "ulb_wsn/no5_out.txt.gz",
	  "\"source\":\"ulb_wsn\",",
	  ' ',
	  { { "time", NULL, 0 },
	    { "node", NULL, 0 },
	    { "sequence", NULL, 0 },
	    { "temperature_internal", "temperature_internal", 1 },
	    { "voltage", "voltage", 1 },
	    { "humidity", "humidity", 1 },
	    { "temperature", "temperature", 1 },
	    { "par", "light_par", 1 },
	    { "tsr", "light_tsr", 1 } },
	  21938,
	  383,
	  0,
	  0,
	  0,
	  0 },
	{ "hast_lora/three_nodes_Sensor_data_raw.csv.gz",
	  "\"source\":\"hast_lora\",",
	  ',',
	  { { "Node", NULL, 0 },
	    { "Message", NULL, 0 },
	    { "Time", NULL, 0 },
	    { "Battery V", "battery", 100 },
	    { "Last TX Dur ms", "tx_duration", 100 },
	    { "Temp C", "temperature", 100 },
	    { "Hum %", "humidity", 100 } },
	  72237,
	  229,
	  5082,
	  206,
	  13,
	  0 },
	{ "hast_lora/freezer_Sensor_data_raw.csv.gz",
	  "\"source\":\"hast_lora\",",
	  ',',
	  { { "Node", NULL, 0 },
	    { "Message", NULL, 0 },
	    { "Time", NULL, 0 },
	    { "Battery V", "battery", 100 },
	    { "Last TX Dur ms", "tx_duration", 100 },
	    { "Temp C", "temperature", 100 },
	    { "Hum %", "humidity", 100 } },
	  29201,
	  0,
	  25,
	  25,
	  0,
	  0 },
	{ "hast_lora/gateway_log_node2_2021-06-14.txt.gz",
	  "\"source\":\"hast_lora_gateway\",",
	  ',',
	  { { "arrival", NULL, 0 }, { "data", NULL, 0 } },
	  4478,
	  0,
	  0,
	  0,
	  0,
	  0 },
	{ "nab/data/realTraffic/TravelTime_387.csv",
	  "\"source\":\"nab\",\"series\":\"realTraffic/TravelTime_387\",",
	  ',',
	  { { "timestamp", NULL, 0 }, { "value", "value", 1 } },
	  2500,
	  0,
	  0,
	  1,
	  0,
	  0 },
	{ "nab/data/realKnownCause/machine_temperature_system_failure.csv",
	  "\"source\":\"nab\",\"series\":\"machine\",",
	  ',',
	  { { "timestamp", NULL, 0 }, { "value", "value", 1 } },
	  22695,
	  0,
	  0,
	  1,
	  0,
	  0 },
	{ "pjm_hourly/DUQ_hourly.csv.gz",
	  "\"source\":\"pjm_hourly\",\"region\":\"DUQ\",",
	  ',',
	  { { "Datetime", NULL, 0 }, { "DUQ_MW", "load", 1 } },
	  119068,
	  0,
	  0,
	  1,
	  0,
	  0 },
};

struct tally {
	int readings, bad_values, time_missing, time_syntax, time_range, no_value, other;
};

/* Cut LINE into cells, in place; a cell in double quotes keeps its separators. */
static int
split(char *line, char separator, char *cells[COLUMNS_MAX])
{
	int n = 0;

	for (char *p = line; p && n < COLUMNS_MAX; n++) {
		char *end;

		if (*p == '"') {
			cells[n] = p + 1;
			end = strchr(p + 1, '"');
			assert_non_null(end);
			*end = '\0';
			p = strchr(end + 1, separator);
		} else {
			cells[n] = p;
			p = strchr(p, separator);
		}
		if (p)
			*p++ = '\0';
	}
	return n;
}

static void
row_json(const struct set *set, char *const cells[], int n, struct buffer *out)
{
	out->len = 0;
	buffer_printf(out, "{%s", set->fields);
	for (int i = 0; i < n; i++) {
		const char *name = i < COLUMNS_MAX && set->columns[i].name ? set->columns[i].name : "more";

		buffer_printf(out, "%s\"%s\":", i ? "," : "", name);
		buffer_json_string(out, span_of(cells[i]));
	}
	buffer_text(out, "}");
}

/* Every cell that is a value stands in the reading, exactly, or as text with a quality. */
static void
check_values(const struct set *set, char *const cells[], int n, const struct reading *r, struct tally *tally)
{
	for (int i = 0; i < n; i++) {
		const struct reading_value *v = r->values, *end = v + r->n_values;
		char *comma;

		if (!set->columns[i].metric)
			continue;
		while (v < end && !span_equal(v->metric, span_of(set->columns[i].metric)))
			v++;
		assert_true(v < end);
		if (v->quality != QUALITY_GOOD) {
			assert_true(span_equal(v->text, span_of(cells[i])));
			tally->bad_values++;
			continue;
		}
		comma = strchr(cells[i], ',');
		if (comma)
			*comma = '.';
		assert_true(v->value == strtod(cells[i], NULL) / set->columns[i].divisor);
	}
}

static void
map_row(const struct set *set, const struct pathmaps *maps, struct arena *arena, char *line, struct tally *tally)
{
	const struct mapping_rules rules = { .limits = { .depth = 8, .rows = 100 },
					     .values_max = 50,
					     .time_min_us = INT64_C(946684800000000),
					     .time_future_max_us = INT64_C(86400000000) };
	struct raw_message message = { .topic = SPAN("telemetry.raw"), .ingest_us = INGEST_US };
	CLEANUP(buffer_clear) struct buffer json = BUFFER_INIT(0);
	struct err err = ERR_INIT;
	struct mapped mapped;
	char *cells[COLUMNS_MAX];
	int n = split(line, set->separator, cells);

	row_json(set, cells, n, &json);
	message.json = buffer_span(&json);
	arena_reset(arena);
	if (mapping_apply(maps, &rules, &message, arena, &mapped, &err) == 0) {
		tally->readings++;
		check_values(set, cells, n, mapped.readings, tally);
		return;
	}
	switch (err.reason) {
	case REASON_TIME_MISSING: tally->time_missing++; break;
	case REASON_TIME_SYNTAX: tally->time_syntax++; break;
	case REASON_TIME_RANGE: tally->time_range++; break;
	case REASON_NO_VALUE: tally->no_value++; break;
	default: tally->other++; print_error("%.*s: %s\n", SPAN_ARG(message.json), err.text);
	}
}

static void
check_set(const struct set *set, const struct pathmaps *maps, struct arena *arena, const char *folder)
{
	struct tally t = { 0 };
	char *line = NULL, *command = NULL;
	size_t room = 0;
	FILE *in;

	assert_true(asprintf(&command, "gzip -dcf '%s/%s'", folder, set->file) > 0);
	in = popen(command, "re");
	assert_non_null(in);
	while (getline(&line, &room, in) > 0) {
		line[strcspn(line, "\r\n")] = '\0';
		if (*line)
			map_row(set, maps, arena, line, &t);
	}
	assert_int_equal(pclose(in), 0);
	free(line);
	free(command);
	print_message("%s: %d readings, %d bad values; %d TIME_MISSING, %d TIME_SYNTAX, %d TIME_RANGE, %d NO_VALUE\n",
		      set->file, t.readings, t.bad_values, t.time_missing, t.time_syntax, t.time_range, t.no_value);
	assert_int_equal(t.other, 0);
	assert_int_equal(t.readings, set->readings);
	assert_int_equal(t.bad_values, set->bad_values);
	assert_int_equal(t.time_missing, set->time_missing);
	assert_int_equal(t.time_syntax, set->time_syntax);
	assert_int_equal(t.time_range, set->time_range);
	assert_int_equal(t.no_value, set->no_value);
}

static void
every_row_arrives_or_is_refused_for_its_reason(void **state)
{
	CLEANUP(arena_free) struct arena *arena = arena_new(16384, 16384);
	CLEANUP(pathmaps_free) struct pathmaps *maps = NULL;
	const char *folder = getenv("FOREBAY_TEST_DATA");
	struct err err = ERR_INIT;

	if (!folder)
		folder = SOURCE_DIR "/../shared/data";
	if (access(folder, R_OK) < 0) {
		print_error("SKIPPED: no data at %s; FOREBAY_TEST_DATA names another folder\n", folder);
		skip();
	}
	if (pathmaps_load(SOURCE_DIR "/deploy/pathmaps", &maps, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		check_set(&sets[i], maps, arena, folder);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_arrives_or_is_refused_for_its_reason),
	};

	return cmocka_run_group_tests_name("real_data", tests, NULL, NULL);
}
