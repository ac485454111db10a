/* bad_input.c -- the corpus in tests/data/bad-input: every message gets the reason that its index says, and only that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <jansson.h>
#include <cmocka.h>

#include "common/record/codec.h"
#include "common/record/registry.h"
#include "workers/ingest-router/intake.h"
#include "workers/ingest-router/mapping.h"

#define INGEST_US INT64_C(1767225600000000) /* 2026-01-01 */

struct line {
	struct registry *registry;
	struct codec *codec;
	struct pathmaps *maps;
	struct intake intake;
	struct arena *arena;
};

static int
set_up(void **state)
{
	struct line *l = calloc(1, sizeof(*l));
	struct err err = ERR_INIT;

	*state = l;
	if (!l || registry_new("file:", SOURCE_DIR "/schemas", &l->registry, &err) < 0 ||
	    codec_new(l->registry, &reading_record, "telemetry.readings", &l->codec, &err) < 0 ||
	    pathmaps_load(SOURCE_DIR "/deploy/pathmaps/default.json," SOURCE_DIR "/deploy/pathmaps/batch.json",
			  &l->maps, &err) < 0) {
		print_error("%s\n", err.text);
		return -1;
	}
	intake_init(&l->intake, INPUT_AUTO, 1 << 20, l->registry);
	l->arena = arena_new(1 << 16, 1 << 16);
	return l->arena ? 0 : -1;
}

static int
tear_down(void **state)
{
	struct line *l = *state;

	arena_free(l->arena);
	intake_clear(&l->intake);
	pathmaps_free(l->maps);
	codec_free(l->codec);
	registry_free(l->registry);
	free(l);
	return 0;
}

static void
append_file(struct buffer *b, const char *name)
{
	char path[1024], bytes[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", BAD_INPUT_DIR, name);
	file = fopen(path, "re");
	assert_non_null(file);
	for (size_t n; (n = fread(bytes, 1, sizeof(bytes), file)) > 0;)
		assert_int_equal(buffer_append(b, bytes, n), 0);
	fclose(file);
}

static void
append_made(struct buffer *b, json_t *make)
{
	const char *prefix = "", *repeat = "", *suffix = "";
	int times = 0;

	assert_int_equal(json_unpack(make, "{s?s, s:s, s:i, s?s !}", "prefix", &prefix, "repeat", &repeat, "times",
				     &times, "suffix", &suffix),
			 0);
	buffer_text(b, prefix);
	for (int i = 0; i < times; i++)
		assert_int_equal(buffer_text(b, repeat), 0);
	buffer_text(b, suffix);
}

static struct span
bytes_of_hex(const char *hex, char *to)
{
	size_t n = 0;

	for (unsigned byte; hex && sscanf(hex + 2 * n, "%2x", &byte) == 1; n++)
		to[n] = (char)byte;
	return hex ? (struct span){ to, n } : SPAN_NONE;
}

/* As router_record() does it, up to the bytes. */
static int
process(struct line *l, struct span value, struct span schema_id, struct err *err)
{
	const struct mapping_rules rules = { .limits = { .depth = 64, .rows = 20000 },
					     .values_max = 10000,
					     .time_min_us = INT64_C(946684800000000),
					     .time_future_max_us = INT64_C(86400000000) };
	struct raw_message message = { .topic = SPAN("telemetry.raw"), .key = SPAN("k"), .ingest_us = INGEST_US };
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(0);
	struct mapped mapped;

	arena_reset(l->arena);
	if (intake_json(&l->intake, value, schema_id, &message.json, err) < 0 ||
	    mapping_apply(l->maps, &rules, &message, l->arena, &mapped, err) < 0)
		return -1;
	for (size_t i = 0; i < mapped.n; i++)
		if (codec_encode(l->codec, &mapped.readings[i], &out, err) < 0)
			return -1;
	return 0;
}

static void
check(struct line *l, json_t *row)
{
	const char *file = NULL, *reason = NULL, *what = NULL, *header = NULL;
	json_t *make = NULL, *value = NULL;
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT(0);
	struct err err = ERR_INIT;
	char id[32];
	char *exact;
	int bad;

	assert_int_equal(json_unpack(row, "{s?s, s?o, s?o, s?s, s:s, s:s !}", "file", &file, "make", &make, "value",
				     &value, "header", &header, "reason", &reason, "what", &what),
			 0);
	assert_int_equal((file != NULL) + (make != NULL) + (value != NULL), 1);
	if (file)
		append_file(&text, file);
	if (make)
		append_made(&text, make);
	/* A copy of exactly this size lets the sanitizer see a read beyond the end. */
	exact = malloc(text.len ? text.len : 1);
	assert_non_null(exact);
	if (text.len)
		memcpy(exact, text.ptr, text.len);
	bad = process(l, value ? SPAN_NONE : (struct span){ exact, text.len }, bytes_of_hex(header, id), &err);
	free(exact);
	if (strcmp(err_reason_name(err.reason), reason) != 0 || bad != (err.reason ? -1 : 0))
		fail_msg("%s: %s (%s), not %s", file ? file : what, err_reason_name(err.reason), err.text, reason);
}

static void
gets_the_reason_of_its_index(void **state)
{
	FILE *index = fopen(BAD_INPUT_DIR "/index.jsonl", "re");
	json_error_t error;
	json_t *row;
	int n = 0;

	assert_non_null(index);
	while ((row = json_loadf(index, JSON_DISABLE_EOF_CHECK, &error)) != NULL) {
		check(*state, row);
		json_decref(row);
		n++;
	}
	fclose(index);
	assert_true(n > 90);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gets_the_reason_of_its_index),
	};

	return cmocka_run_group_tests_name("bad_input", tests, set_up, tear_down);
}
