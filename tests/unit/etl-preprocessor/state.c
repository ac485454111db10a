/*
 * state.c -- the image of a state: the same for equal states, of a known layout; what is read back is either refused or can be
 * lived with.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "tests/unit/etl-preprocessor/harness.h"
#include "workers/etl-preprocessor/state.h"

#define SECOND INT64_C(1000000)

/* Of the state that layout_is_pinned makes. */
#define FINGERPRINT UINT64_C(0x471b104bb47ce908)
#define BYTES 861
#define HASH UINT64_C(0xa7935c2c616b724f)

static const struct cleaner_rule rule = {
	.order = { 5 * SECOND, 100 * SECOND, 100, REPEAT_FIRST },
	.count_late = true,
	.outlier = { OUTLIER_DROP, 3, 6, 0 },
	.step_us = SECOND,
	.resample = RESAMPLE_MEAN,
	.gap = { GAP_LINEAR, 10 },
	.gap_max_steps = 20,
	.window = { WINDOW_BY_COUNT, 10 },
};

static void
feed(struct cleaner *c, int64_t second, double value)
{
	const struct sample s = { .time_us = second * SECOND, .ingest_us = second * SECOND + 7, .value = value };
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(0);
	struct cleaner_count count = { 0 };

	harness_feed(&rule, c, &s, 1, 0, &out, &count);
}

/* With readings that wait, a doubtful one, a step at work, blank ones, a window begun. */
static void
fill(struct cleaner *c)
{
	for (int64_t second = 0; second < 36; second++)
		feed(c, second, second >= 28 && second < 30 ? 1000 : (double)(second % 4) / 4);
	feed(c, 500, 7);
	assert_true(c->order.waits && c->order.end - c->order.first >= 2 && c->n_blank >= 2 && c->has_step);
	assert_true(c->window.n >= 2 && c->has_value && c->order.first > 0);
}

static void
encode(const struct cleaner *c, struct buffer *bytes)
{
	bytes->len = 0;
	assert_int_equal(etl_state.encode(c, bytes), 0);
	assert_int_equal(bytes->len, etl_state.bytes(c));
}

enum part { CLEANER, ITEMS, BLANK, FLAGS };

/* One number that no series leads to. */
static const struct row {
	const char *name, *says;
	enum part part;
	size_t at, bytes;
	int64_t value;
} rows[] = {
#define OF(member) CLEANER, offsetof(struct cleaner, member), sizeof(((struct cleaner *)0)->member)
#define SECOND_OF(part, type, member) part, sizeof(type) + offsetof(type, member), sizeof(((type *)0)->member)
	{ "waiting readings out of order", "order.items", SECOND_OF(ITEMS, struct sample, time_us), 0 },
	{ "one waits that is late", "order.items", OF(order.released_us), 35 * SECOND },
	{ "one waits that is newer than the newest", "order.newest_us", OF(order.newest_us), 0 },
	{ "some wait, but none was seen", "order.newest_us", OF(order.started), false },
	{ "the newest is of no year", "order.newest_us", OF(order.newest_us), INT64_MAX },
	{ "the doubtful one is of no year", "order.doubtful", OF(order.doubtful.time_us), INT64_MIN },
	{ "a unit that has no name", "order.doubtful", OF(order.doubtful.unit), 2 },
	{ "a unit that has no name, waiting", "order.items", SECOND_OF(ITEMS, struct sample, unit), 2 },
	{ "the unit in force has no name", "unit", OF(unit_at), 1 },
	{ "no length of a step", "step_us", OF(step_us), 0 },
	{ "a negative length of a step", "step_us", OF(step_us), -1 },
	{ "a step of no year", "step", OF(step.number), INT64_MAX / 2 },
	{ "a step before the last", "step", OF(step.number), 0 },
	{ "flags of a step", "step", OF(step.flags), 8 },
	{ "readings of a step", "step", OF(step.readings.count), -1 },
	{ "the last value is of no year", "known", OF(known), INT64_MIN },
	{ "blank steps behind nothing", "blank", OF(has_value), false },
	{ "blank steps out of order", "blank", SECOND_OF(BLANK, struct step, number), 0 },
	{ "the window does not end at the last value", "window.first", OF(window.first), 1000 },
	{ "windows", "window.sequence", OF(window.sequence), -1 },
	{ "late readings", "window.tally", OF(window.tally.late), INT64_MAX },
	{ "ingested in no year", "window.tally", OF(window.tally.ingest_us), INT64_MAX },
	{ "flags of the window", "window.flags", FLAGS, 1, 1, 8 },
	{ "outliers in a row", "outlier.row", OF(outlier.row), INT64_MAX },
	{ "normal values", "outlier.normal", OF(outlier.normal.count), -2 },
#undef OF
#undef SECOND_OF
};

static void
lie(struct cleaner *c, const struct row *row)
{
	char *const parts[] = { (char *)c, (char *)(c->order.items + c->order.first), (char *)c->blank,
				(char *)c->window.flags };
	char *at = parts[row->part] + row->at;

	if (row->bytes == 1)
		*at = (char)row->value;
	else
		memcpy(at, &row->value, sizeof(row->value));
}

static void
refuses(void **state)
{
	const struct row *row = *state;
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	struct cleaner c = { 0 }, read = { 0 };
	const struct cleaner zero = { 0 };
	struct err err = ERR_INIT;

	fill(&c);
	lie(&c, row);
	encode(&c, &bytes);
	assert_int_equal(etl_state.decode(buffer_span(&bytes), &read, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	assert_non_null(strstr(err.text, row->says));
	assert_memory_equal(&read, &zero, sizeof(zero));
	cleaner_clear(&c);
}

/* Copies, grown arrays and what is left in memory that is not used any more: all the same bytes. */
static void
equal_states_are_equal_bytes(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0), other = BUFFER_INIT(0);
	struct cleaner c = { 0 }, copy = { 0 }, read = { 0 };
	struct err err = ERR_INIT;

	fill(&c);
	feed(&c, 37, 1); /* the doubtful one was wild: it is still there, but dead */
	assert_true(!c.order.waits && c.order.doubtful.time_us == 500 * SECOND);
	encode(&c, &bytes);
	assert_int_equal(cleaner_copy(&copy, &c), 0);
	copy.order.doubtful = (struct sample){ 0 };
	encode(&copy, &other);
	assert_true(span_equal(buffer_span(&bytes), buffer_span(&other)));
	assert_int_equal(etl_state.decode(buffer_span(&bytes), &read, &err), 0);
	feed(&c, 60, 3);
	feed(&read, 60, 3);
	encode(&c, &bytes);
	encode(&read, &other);
	assert_true(span_equal(buffer_span(&bytes), buffer_span(&other)));
	cleaner_clear(&c);
	cleaner_clear(&copy);
	cleaner_clear(&read);
}

/* Put aside at any moment and put back at any later one, it is what it was, and goes on like that. */
static void
put_aside_and_back(void **state)
{
	static const struct span units[] = { SPAN("C"), SPAN("degrees Celsius"), SPAN(""), SPAN("K") };
	CLEANUP(buffer_clear) struct buffer was = BUFFER_INIT(0), is = BUFFER_INIT(0), out = BUFFER_INIT(0);
	struct cleaner_count count = { 0 };
	struct err err = ERR_INIT;
	struct cleaner c = { 0 };
	int64_t second = 0;

	for (uint64_t turn = 0; turn < 600; turn++) {
		void *aside = malloc(sizeof(c) + etl_state.room(&c));
		int64_t back = second;

		assert_non_null(aside);
		etl_state.save(&c, aside);
		encode(&c, &was);
		for (uint64_t i = 0, n = random_u64(1, turn, 0) % 40; i < n; i++) {
			uint64_t r = random_u64(1, turn, i + 1);
			int64_t late = r % 11 ? 0 : 30, wild = r % 97 ? 0 : 5000;
			const struct sample s = { .time_us = (second + (int64_t)(r % 5) - late + wild) * SECOND,
						  .value = r % 7 ? (double)(r % 4) : 1000 };

			second += r % 100 ? 1 + (int64_t)(r % 3) : 50;
			assert_int_equal(cleaner_add(&rule, &c, &s, units[(second / 50 + (int64_t)turn) % 4],
						     harness_print, &out, &count, &err),
					 0);
		}
		if (turn % 2) {
			etl_state.restore(&c, aside);
			encode(&c, &is);
			assert_true(span_equal(buffer_span(&was), buffer_span(&is)));
			second = back;
		}
		free(aside);
	}
	assert_true(c.window.sequence > 100 && count.outliers && count.late && count.wild);
	cleaner_clear(&c);
}

static void
set_checksum(struct buffer *bytes)
{
	uint32_t crc = image_crc32c((struct span){ bytes->ptr, bytes->len - 4 });

	for (size_t i = 0; i < 4; i++)
		bytes->ptr[bytes->len - 4 + i] = (char)(crc >> (8 * i));
}

/* Any byte changed, the checksum right: refused, or it can be lived with (under the sanitizers). */
static void
any_lie(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	struct cleaner c = { 0 };
	size_t lived = 0;

	fill(&c);
	encode(&c, &bytes);
	for (uint64_t turn = 0; turn < 4000; turn++) {
		size_t at = 20 + (size_t)(random_uniform(1, 1, turn) * (double)(bytes.len - 24));
		struct cleaner read = { 0 };
		char was = bytes.ptr[at];
		struct err err = ERR_INIT;

		bytes.ptr[at] = (char)random_u64(2, 2, turn);
		set_checksum(&bytes);
		if (etl_state.decode(buffer_span(&bytes), &read, &err) == 0) {
			lived++;
			for (int64_t second = 36; second < 90; second++)
				feed(&read, second, 1);
			cleaner_clear(&read);
		} else {
			assert_int_equal(err.reason, REASON_STATE_CORRUPT);
		}
		bytes.ptr[at] = was;
	}
	assert_true(lived > 100 && lived < 4000);
	cleaner_clear(&c);
}

/* Another step.ms since the state was stored: what was begun is finished in its own steps. */
static void
another_step(void **state)
{
	struct cleaner_rule other = rule;
	CLEANUP(buffer_clear) struct buffer out = BUFFER_INIT(0);
	struct cleaner_count count = { 0 };
	struct cleaner c = { 0 };

	other.step_us = 2 * SECOND;
	for (int64_t second = 0; second < 14; second++)
		feed(&c, second, (double)second);
	assert_int_equal(c.window.n, 8); /* 0 to 7; 8 is at work, 9 to 13 wait */
	for (int64_t second = 14; second < 40; second++) {
		const struct sample s = { .time_us = second * SECOND, .value = (double)second };

		harness_feed(&other, &c, &s, 1, 0, &out, &count);
	}
	buffer_append(&out, "", 1);
	assert_string_equal(
	    out.ptr, "#0 @0: 0 1 2 3 4 5 6 7 8 | 9 readings, 8000007 us ingested; "
		     "#1 @4: 9 10.5 12.5 14.5 16.5 18.5 20.5 22.5 24.5 26.5 | 19 readings, 13000007 us ingested; ");
	cleaner_clear(&c);
}

/*
 * States are in databases.  Where this fails their layout has changed, or the meaning of it: pin it anew, and raise the version in
 * state.c unless image_translate() does right by the states that are there.
 */
static void
layout_is_pinned(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	struct cleaner c = { 0 };
	struct err err = ERR_INIT;

	encode(&c, &bytes);
	print_message("%zu bytes, nothing seen\n", bytes.len);
	fill(&c);
	encode(&c, &bytes);
	if (image_fingerprint(etl_state.image) != FINGERPRINT || bytes.len != BYTES ||
	    random_hash(buffer_span(&bytes)) != HASH)
		fail_msg("fingerprint 0x%016" PRIx64 ", %zu bytes, hash 0x%016" PRIx64 ": see above",
			 image_fingerprint(etl_state.image), bytes.len, random_hash(buffer_span(&bytes)));
	assert_int_equal(image_fingerprint_of(buffer_span(&bytes)), FINGERPRINT);
	bytes.ptr[30] ^= 1;
	assert_int_equal(etl_state.decode(buffer_span(&bytes), &(struct cleaner){ 0 }, &err), -1);
	assert_int_equal(err.reason, REASON_STATE_CORRUPT);
	cleaner_clear(&c);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 5];
	size_t n = 0;

	for (; n < ARRAY_LEN(rows); n++)
		tests[n] = (struct CMUnitTest){ rows[n].name, refuses, NULL, NULL, (void *)(uintptr_t)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(equal_states_are_equal_bytes);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(put_aside_and_back);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(any_lie);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(another_step);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(layout_is_pinned);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
