/*
 * state.c -- the image of a track: the same for equal ones, of a known layout; what is read back is either refused or can be
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
#include "workers/batch-forecaster/state.h"
#include "workers/batch-forecaster/track.h"

#define SECOND INT64_C(1000000)

/* Of the state that layout_is_pinned makes. */
#define FINGERPRINT UINT64_C(0x5724d0edaf595c1d)
#define BYTES 626
#define HASH UINT64_C(0x344cb5f4da65773a)

static const struct history_rule rule = { 40, 5 };

/* Six values from step AT, one of them unknown. */
static void
append(struct track *t, int64_t at)
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
	assert_int_equal(history_append(&rule, &t->history, &s, &verdict, &err), 0);
}

static void
encode(const struct track *h, struct buffer *bytes)
{
	bytes->len = 0;
	assert_int_equal(forecaster_state.encode(h, bytes), 0);
	assert_int_equal(bytes->len, forecaster_state.bytes(h));
}

/* Something of everything beside the history. */
static void
enrich(struct track *t)
{
	static const double combined[] = { 1, 2, 3.5 }, members[3 * PANEL_MEMBERS] = { 1, 2, 3, 0, 2, 4 },
			    rival[] = { 0, 1, 2 };
	const struct adopted_parts parts = { SPAN("net"), SPAN("v1"), SPAN("v2") };
	const struct owed_row row = { .origin_us = 12 * SECOND,
				      .start_us = 14 * SECOND,
				      .step = 2,
				      .awake = 3,
				      .scale = 2.5,
				      .n_levels = 3,
				      .combined = combined,
				      .sent = combined,
				      .members = members,
				      .rival = rival };
	struct model m = { .name = SPAN("net"), .version = SPAN("v1"), .status = MODEL_LIVE };
	struct panelist learnt = { .ensemble = { .seen = { 7, 8 } } };
	struct err err = ERR_INIT;

	learnt.ensemble.regret[1][2][1] = .25F;
	learnt.calibration.shift[0][1] = -.5F;
	assert_int_equal(adopted_new(&parts, &t->adopted, &err), 0);
	assert_int_equal(learnt_pack((struct learnt_size){ 2, 3, 2 }, &learnt, &t->learnt, &err), 0);
	assert_int_equal(owed_new(&row, t->adopted, &t->owed[0], &err), 0);
	assert_int_equal(owed_new(&row, NULL, &t->owed[2], &err), 0);
	t->watch = (struct watch){ { 3, 1.5, .5 }, { .5, 0, .25, 0 }, { 4, 0, 5, 0 } };
	assert_int_equal(roster_told(&t->roster, &m, &err), 0);
	m.version = SPAN("v2");
	m.status = MODEL_CANARY;
	m.canary_share = .25;
	assert_int_equal(roster_told(&t->roster, &m, &err), 0);
}

/* Wherever the points lie, and whoever else sees them. */
static void
equal_states_are_equal_bytes(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0), other = BUFFER_INIT(0);
	struct track h = { 0 }, copy = { 0 }, read = { 0 };
	struct err err = ERR_INIT;

	for (int64_t at = 0; at < 90; at += 6)
		append(&h, at);
	enrich(&h);
	assert_int_equal(h.history.n, rule.max_steps);
	assert_true(h.history.first > 0);
	encode(&h, &bytes);
	assert_int_equal(track_copy(&copy, &h), 0);
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
	track_clear(&read);
	track_clear(&h);
	encode(&copy, &bytes); /* untouched */
	assert_true(history_values(&copy.history)[copy.history.n - 1] == 89.0 / 4);
	track_clear(&copy);
}

static const struct row {
	const char *name, *says;
	size_t at, bytes;
	int64_t value;
} rows[] = {
	{ "no length of a step", "steps of 0", offsetof(struct track, history.step_us), 8, 0 },
	{ "a negative length", "steps of -1", offsetof(struct track, history.step_us), 8, -1 },
	{ "ends in no year", "ends at", offsetof(struct track, history.end_us), 8, INT64_MIN },
	{ "ingested in no year", "ingested", offsetof(struct track, history.ingest_us), 8, INT64_MAX },
};

static void
refuses(void **state)
{
	const struct row *row = *state;
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	struct track h = { 0 }, read = { 0 };
	const struct track zero = { 0 };
	struct err err = ERR_INIT;

	append(&h, 0);
	memcpy((char *)&h + row->at, &row->value, row->bytes);
	encode(&h, &bytes);
	assert_int_equal(forecaster_state.decode(buffer_span(&bytes), &read, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	assert_non_null(strstr(err.text, row->says));
	assert_memory_equal(&read, &zero, sizeof(zero));
	track_clear(&h);
}

static void
refuses_infinities(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	const double values[] = { 1, -INFINITY };
	struct track h = { .history = { .end_us = 5, .step_us = 1 } }, read = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(history_restore(&h.history, values, 2, &err), 0);
	encode(&h, &bytes);
	assert_int_equal(forecaster_state.decode(buffer_span(&bytes), &read, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	track_clear(&h);
}

static void
set_checksum(struct buffer *bytes)
{
	uint32_t crc = image_crc32c((struct span){ bytes->ptr, bytes->len - 4 });

	for (size_t i = 0; i < 4; i++)
		bytes->ptr[bytes->len - 4 + i] = (char)(crc >> (8 * i));
}

/* What the worker does with a state: windows, judgement, another image. */
static void
live_with(struct track *t)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	static const struct page_hinkley_rule drift = { 5, .5, 5, 1 };
	struct panelist learnt;
	struct owed_room room;

	append(t, 12);
	append(t, 24);
	learnt_unpack(t->learnt, (struct learnt_size){ 2, 3, 2 }, &learnt);
	for (size_t b = 0; b < ENSEMBLE_BUCKETS_MAX; b++) {
		struct owed_row row = t->owed[b] ? owed_look(t->owed[b], &room) : (struct owed_row){ 0 };

		watch_add(&t->watch, &drift, b, row.scale);
		history_at(&t->history, row.start_us);
	}
	encode(t, &bytes);
	track_clear(t);
}

/* Any byte changed, the checksum right: refused, or it can be lived with (under the sanitizers). */
static void
any_lie(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	struct track h = { 0 };
	size_t lived = 0;

	append(&h, 0);
	append(&h, 6);
	enrich(&h);
	encode(&h, &bytes);
	for (uint64_t turn = 0; turn < 4000; turn++) {
		size_t at = 20 + (size_t)(random_uniform(1, 1, turn) * (double)(bytes.len - 24));
		struct track read = { 0 };
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
	track_clear(&h);
}

/*
 * States are in databases.  Where this fails their layout has changed, or the meaning of it: pin it anew, and raise the version in
 * state.c unless image_translate() does right by the states that are there.
 */
static void
layout_is_pinned(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	struct track h = { 0 };
	struct err err = ERR_INIT;

	append(&h, 0);
	enrich(&h);
	h.history.pending = true;
	encode(&h, &bytes);
	if (image_fingerprint(forecaster_state.image) != FINGERPRINT || bytes.len != BYTES ||
	    random_hash(buffer_span(&bytes)) != HASH)
		fail_msg("fingerprint 0x%016" PRIx64 ", %zu bytes, hash 0x%016" PRIx64 ": see above",
			 image_fingerprint(forecaster_state.image), bytes.len, random_hash(buffer_span(&bytes)));
	bytes.ptr[30] ^= 1;
	assert_int_equal(forecaster_state.decode(buffer_span(&bytes), &(struct track){ 0 }, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	track_clear(&h);
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
