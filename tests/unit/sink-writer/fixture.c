/* fixture.c -- inputs are made by hand, and so are their headers: "name=value" in input.message. */
#include "tests/unit/sink-writer/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct postgres fixture_server;

/* The loop's; here a record has one header. */
struct span
input_header(const struct input *in, const char *name)
{
	const struct span *header = in->message;
	size_t n = strlen(name);

	if (!header || header->len <= n || strncmp(header->ptr, name, n) != 0 || header->ptr[n] != '=')
		return SPAN_NONE;
	return (struct span){ header->ptr + n + 1, header->len - n - 1 };
}

int
fixture_group_setup(void **state)
{
	(void)state;
	postgres_start(&fixture_server);
	return 0;
}

int
fixture_group_teardown(void **state)
{
	(void)state;
	postgres_wipe(&fixture_server);
	return 0;
}

static void
open_sink(struct fixture *f, const char *mapping, const char *instance)
{
	struct err err = ERR_INIT;

	f->arena = arena_new(65536, 65536);
	f->sink.options =
	    (struct sink_options){ .postgres_uri = fixture_server.uri,
				   .connect_timeout_ms = 5000,
				   .mapping = strdup(mapping ? mapping : postgres_source("deploy/sink.properties")),
				   .partition_interval = PERIOD_MONTH,
				   .partition_new_max = 3 };
	if (sink_init(&f->sink, "g", instance, NULL, &err) < 0)
		fail_msg("sink: %s", err.text);
}

int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = ERR_INIT;
	int64_t offset;

	f->look = postgres_store(&fixture_server, 1);
	open_sink(f, NULL, "first");
	if (sink_claim(&f->sink, READINGS, 0, 0, &offset, &err) < 0)
		fail_msg("claim: %s", err.text);
	*state = f;
	return 0;
}

int
fixture_teardown(void **state)
{
	struct fixture *f = *state;

	free(f->sink.options.mapping);
	sink_clear(&f->sink);
	store_free(f->look);
	arena_free(f->arena);
	free(f);
	return 0;
}

void
fixture_rival(struct fixture *f, const char *mapping)
{
	f->look = postgres_store(&fixture_server, 0);
	open_sink(f, mapping, "second");
}

struct input *
fixture_input(struct fixture *f, const char *topic, int32_t partition, int64_t offset)
{
	struct input *in = arena_zalloc(f->arena, sizeof(*in));

	*in = (struct input){
		.topic = topic, .partition = partition, .offset = offset, .timestamp_us = 1700000000000000
	};
	in->key = SPAN("d");
	in->value = SPAN("bytes");
	return in;
}

void
fixture_reading(struct fixture *f, int64_t offset, int64_t event_us, size_t n, struct span text)
{
	struct reading_value values[64] = { 0 };
	struct reading r = { .device = SPAN("d"),
			     .event_us = event_us,
			     .ingest_us = 5,
			     .source = SPAN("test"),
			     .values = values,
			     .n_values = n };
	struct err err = ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		values[i].metric = arena_copy(f->arena, span_of(arena_printf(f->arena, "m%zu", i)));
		values[i].value = (double)offset;
	}
	if (text.ptr && n > 0) {
		values[n - 1].text = text;
		values[n - 1].value = NAN;
		values[n - 1].quality = QUALITY_NOT_A_NUMBER;
	}
	if (load_add(&f->sink.load, fixture_input(f, READINGS, 0, offset), &r, &err) < 0)
		fail_msg("load_add: %s", err.text);
}

int
fixture_commit(struct fixture *f, int64_t next, struct err *err)
{
	const struct position position = { READINGS, 0, next };

	return sink_commit(&f->sink, &position, 1, NULL, 0, err);
}

void
fixture_done(struct fixture *f, int64_t next)
{
	struct err err = ERR_INIT;

	if (sink_flush(&f->sink, &err) < 0 || fixture_commit(f, next, &err) < 0)
		fail_msg("commit: %s: %s", err_reason_name(err.reason), err.text);
}

long long
fixture_number(struct fixture *f, const char *sql)
{
	return postgres_number(f->look, sql);
}
