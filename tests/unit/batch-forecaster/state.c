/*
 * state.c -- the image of a history: the same for equal ones, of a known layout; what is read back is either refused or can be
 * lived with.
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/forecast/naive.h"
#include "workers/batch-forecaster/history.h"
#include "workers/batch-forecaster/state.h"

#define SECOND INT64_C(1000000)

/* Of the state that layout_is_pinned makes. */
#define FINGERPRINT UINT64_C(0x8b57d9f90c9d1c17)
#define BYTES 109
#define HASH UINT64_C(0xe3efc06f5f20d5cc)

static const struct history_rule rule = { 40, 5 };

/* Six values from step AT, one of them unknown. */
static void
append(struct history *h, int64_t at)
{
	double target[6];
	struct series s = { .unit = SPAN("Cel"),
			    .start_us = at * SECOND,
			    .step_us = SECOND,
			    .target = target,
			    .n_target = 6,
			    .ingest_us = at * SECOND };
	enum history_verdict verdict;
	struct err err = ERR_INIT;

	for (int i = 0; i < 6; i++)
		target[i] = i == 4 ? NAN : (double)(at + i) / 4;
	assert_int_equal(history_append(&rule, h, &s, &verdict, &err), 0);
}

static void
encode(const struct history *h, struct buffer *bytes)
{
	bytes->len = 0;
	assert_int_equal(forecaster_state.encode(h, bytes), 0);
	assert_int_equal(bytes->len, forecaster_state.bytes(h));
}

/* Wherever the points lie, and whoever else sees them. */
static void
equal_states_are_equal_bytes(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0), other = BUFFER_INIT(0);
	struct history h = { 0 }, copy = { 0 }, read = { 0 };
	struct err err = ERR_INIT;

	for (int64_t at = 0; at < 90; at += 6)
		append(&h, at);
	assert_int_equal(h.n, rule.max_steps);
	assert_true(h.first > 0);
	encode(&h, &bytes);
	assert_int_equal(history_copy(&copy, &h), 0);
	assert_int_equal(forecaster_state.decode(buffer_span(&bytes), &read, &err), 0);
	encode(&read, &other);
	assert_true(span_equal(buffer_span(&bytes), buffer_span(&other)));
	for (int64_t at = 90; at < 300; at += 6) { /* in an array of its own, then moved a few times */
		append(&h, at);
		append(&read, at);
		encode(&h, &other);
		buffer_clear(&bytes);
		encode(&read, &bytes);
		assert_true(span_equal(buffer_span(&bytes), buffer_span(&other)));
	}
	history_clear(&read);
	history_clear(&h);
	encode(&copy, &bytes); /* untouched */
	assert_true(history_values(&copy)[copy.n - 1] == 89.0 / 4);
	history_clear(&copy);
}

static const struct row {
	const char *name, *says;
	size_t at, bytes;
	int64_t value;
} rows[] = {
	{ "no length of a step", "steps of 0", offsetof(struct history, step_us), 8, 0 },
	{ "a negative length", "steps of -1", offsetof(struct history, step_us), 8, -1 },
	{ "ends in no year", "ends at", offsetof(struct history, end_us), 8, INT64_MIN },
	{ "ingested in no year", "ingested", offsetof(struct history, ingest_us), 8, INT64_MAX },
};

static void
refuses(void **state)
{
	const struct row *row = *state;
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	struct history h = { 0 }, read = { 0 };
	const struct history zero = { 0 };
	struct err err = ERR_INIT;

	append(&h, 0);
	memcpy((char *)&h + row->at, &row->value, row->bytes);
	encode(&h, &bytes);
	assert_int_equal(forecaster_state.decode(buffer_span(&bytes), &read, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	assert_non_null(strstr(err.text, row->says));
	assert_memory_equal(&read, &zero, sizeof(zero));
	history_clear(&h);
}

static void
refuses_infinities(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	const double values[] = { 1, -INFINITY };
	struct history h = { .end_us = 5, .step_us = 1 }, read = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(history_restore(&h, values, 2, &err), 0);
	encode(&h, &bytes);
	assert_int_equal(forecaster_state.decode(buffer_span(&bytes), &read, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	history_clear(&h);
}

static void
set_checksum(struct buffer *bytes)
{
	uint32_t crc = image_crc32c((struct span){ bytes->ptr, bytes->len - 4 });

	for (size_t i = 0; i < 4; i++)
		bytes->ptr[bytes->len - 4 + i] = (char)(crc >> (8 * i));
}

/* What the worker does with a history: one more window, then a forecast. */
static void
live_with(struct history *h)
{
	static const int64_t seasons[] = { 6 };
	const struct naive_rule naive = { .seasons = seasons, .n_seasons = 1, .residuals = 12, .residuals_min = 2 };
	const double levels[] = { .1, .5, .9 };
	double values[12];
	enum naive_basis basis;
	struct err err = ERR_INIT;

	append(h, 12);
	append(h, 24);
	assert_int_equal(naive_forecast(&naive, history_values(h), h->n, 4, levels, 3, values, &basis, &err), 0);
	history_clear(h);
}

/* Any byte changed, the checksum right: refused, or it can be lived with (under the sanitizers). */
static void
any_lie(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	struct history h = { 0 };
	size_t lived = 0;

	append(&h, 0);
	append(&h, 6);
	encode(&h, &bytes);
	for (uint64_t turn = 0; turn < 4000; turn++) {
		size_t at = 20 + (size_t)(random_uniform(1, 1, turn) * (double)(bytes.len - 24));
		struct history read = { 0 };
		char was = bytes.ptr[at];
		struct err err = ERR_INIT;

		bytes.ptr[at] = (char)random_u64(2, 2, turn);
		set_checksum(&bytes);
		if (forecaster_state.decode(buffer_span(&bytes), &read, &err) == 0) {
			lived++;
			live_with(&read);
		} else {
			assert_int_equal(err.reason, REASON_STATE_CORRUPT);
		}
		bytes.ptr[at] = was;
	}
	assert_true(lived > 100 && lived < 4000);
	history_clear(&h);
}

/* States are in databases.  Where this fails, their meaning has changed: raise the version in state.c. */
static void
layout_is_pinned(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	struct history h = { 0 };
	struct err err = ERR_INIT;

	append(&h, 0);
	h.pending = true;
	encode(&h, &bytes);
	if (image_fingerprint(forecaster_state.image) != FINGERPRINT || bytes.len != BYTES ||
	    random_hash(buffer_span(&bytes)) != HASH)
		fail_msg("fingerprint 0x%016" PRIx64 ", %zu bytes, hash 0x%016" PRIx64 ": raise the version",
			 image_fingerprint(forecaster_state.image), bytes.len, random_hash(buffer_span(&bytes)));
	bytes.ptr[30] ^= 1;
	assert_int_equal(forecaster_state.decode(buffer_span(&bytes), &(struct history){ 0 }, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	history_clear(&h);
}

int
main(void)
{
	struct CMUnitTest tests[4 + ARRAY_LEN(rows)] = { cmocka_unit_test(equal_states_are_equal_bytes),
							 cmocka_unit_test(refuses_infinities),
							 cmocka_unit_test(any_lie),
							 cmocka_unit_test(layout_is_pinned) };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[4 + i] = (struct CMUnitTest){ rows[i].name, refuses, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
