/* group_state.c -- the image of a group: what is read back goes on to the bit, or is refused, or can be lived with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "workers/realtime-scorer/state.h"

#define SECOND INT64_C(1000000)

static const struct collective_rule group_rule = {
	.group = { .forest = { .trees = 5, .sample = 16, .columns = 1, .shingle = 1, .decay = 0.01, .seed = 1 },
		   .warmup_rows = 30,
		   .episode = { .pending = 1e-2,
				.firing = 1e-3,
				.critical = 1e-6,
				.m = 1,
				.n = 1,
				.calm_ratio = 0.6,
				.calm_values = 5,
				.refractory_values = 50,
				.refire = 1.5,
				.state_span = 12 } },
	.order = { .jump_max_us = 100 * SECOND, .late_max = 3 },
};

static void
encode_state(const struct scored *s, struct buffer *bytes)
{
	bytes->len = 0;
	assert_int_equal(scorer_state.encode(s, bytes), 0);
	assert_int_equal(bytes->len, scorer_state.bytes(s));
}

static void
set_checksum(struct buffer *bytes)
{
	uint32_t crc = image_crc32c((struct span){ bytes->ptr, bytes->len - 4 });

	for (size_t i = 0; i < 4; i++)
		bytes->ptr[bytes->len - 4 + i] = (char)(crc >> (8 * i));
}

static void
feed_group(struct collective *c, const struct groups *g, int64_t from, int64_t to)
{
	for (int64_t i = from; i < to; i++) {
		struct reading_value values[] = {
			{ .metric = SPAN("flow"), .value = random_normal(1, 1, (uint64_t)i) },
			{ .metric = SPAN("level"),
			  .value = random_normal(1, 2, (uint64_t)i) + (i % 100 > 97 ? 20 : 0) },
		};
		const struct reading r = {
			.device = SPAN("d"), .event_us = i * SECOND, .values = values, .n_values = 2
		};
		struct collective_score score;
		struct err err = ERR_INIT;

		if (collective_add(c, &group_rule, &g->rules[0], 7, &r, &score, &err) < 0)
			fail_msg("%s", err.text);
	}
}

/* Of a group that learns its columns: after none, few and many readings. */
static struct scored
fill_group(int64_t readings)
{
	struct scored s = { .collective = calloc(1, sizeof(*s.collective)) };
	struct groups g;
	struct err err = ERR_INIT;

	assert_int_equal(groups_parse("*", &g, &err), 0);
	feed_group(s.collective, &g, 0, readings);
	groups_clear(&g);
	return s;
}

static void
groups_are_read_back(void **state)
{
	static const int64_t readings[] = { 0, 5, COLLECTIVE_LEARN + 3, 200 };
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0), other = BUFFER_INIT(0);
	struct groups g;
	struct err err = ERR_INIT;

	assert_int_equal(groups_parse("*", &g, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(readings); i++) {
		struct scored s = fill_group(readings[i]), copy, read = { 0 };

		assert_int_equal(scorer_state.copy(&copy, &s), 0);
		encode_state(&s, &bytes);
		assert_int_equal(scorer_state.decode(buffer_span(&bytes), &read, &err), 0);
		for (int64_t at = readings[i]; at < readings[i] + 300; at += 50) {
			feed_group(s.collective, &g, at, at + 50);
			feed_group(copy.collective, &g, at, at + 50);
			feed_group(read.collective, &g, at, at + 50);
			encode_state(&s, &bytes);
			encode_state(&copy, &other);
			assert_true(span_equal(buffer_span(&bytes), buffer_span(&other)));
			encode_state(&read, &other);
			assert_true(span_equal(buffer_span(&bytes), buffer_span(&other)));
		}
		scorer_state.clear(&s);
		scorer_state.clear(&copy);
		scorer_state.clear(&read);
	}
	groups_clear(&g);
}

/* Any byte changed, the checksum right: refused, or it can be lived with (under the sanitizers). */
static void
any_lie_about_a_group(void **state)
{
	CLEANUP(buffer_clear) struct buffer bytes = BUFFER_INIT(0);
	struct scored s = fill_group(200);
	size_t lived = 0;
	struct groups g;
	struct err err = ERR_INIT;

	assert_int_equal(groups_parse("*", &g, &err), 0);
	encode_state(&s, &bytes);
	for (uint64_t turn = 0; turn < 6000; turn++) {
		size_t at = 20 + (size_t)(random_uniform(1, 1, turn) * (double)(bytes.len - 24));
		struct scored read = { 0 };
		char was = bytes.ptr[at];

		bytes.ptr[at] = (char)random_u64(2, 2, turn);
		set_checksum(&bytes);
		err_clear(&err);
		if (scorer_state.decode(buffer_span(&bytes), &read, &err) == 0) {
			lived++;
			if (read.collective)
				feed_group(read.collective, &g, 200, 230);
			scorer_state.clear(&read);
		} else {
			assert_int_equal(err.reason, REASON_STATE_CORRUPT);
			assert_null(read.collective);
		}
		bytes.ptr[at] = was;
	}
	print_message("%zu of 6000 could be lived with\n", lived);
	assert_true(lived > 100 && lived < 6000);
	scorer_state.clear(&s);
	groups_clear(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_are_read_back),
		cmocka_unit_test(any_lie_about_a_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
