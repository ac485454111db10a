/* stream.c -- the stream's clock as a list of stories, and what late, repeated and far-ahead values may not change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "workers/realtime-scorer/stream.h"

#define SECOND_US INT64_C(1000000)

static const struct stream_rule rule = {
	.detector = { .members = 1u << DETECTOR_SCALAR | 1u << DETECTOR_FORECAST,
		      .slots = 24,
		      .warmup_values = 60,
		      .episode = { .pending = 1e-3,
				   .firing = 1e-4,
				   .critical = 1e-6,
				   .m = 2,
				   .n = 3,
				   .calm_ratio = 0.6,
				   .calm_values = 5,
				   .refractory_values = 100,
				   .refire = 1.5,
				   .state_span = 12 } },
	.order = { .jump_max_us = 100 * SECOND_US, .late_max = 3 },
};

static struct stream_score
add(struct stream *s, const struct stream_rule *r, double value, int64_t event_us)
{
	struct stream_score score;
	struct err err = ERR_INIT;

	if (stream_add(s, r, 1, value, event_us, &score, &err) < 0)
		fail_msg("%s", err.text);
	return score;
}

/* Seconds in, kinds out: 't' taken, 'l' late, 'a' ahead, 'r' repeated. */
static const struct row {
	const char *name;
	int64_t seconds[12];
	const char *kinds;
} rows[] = {
	{ "in order", { 1, 2, 3, 50, 150 }, "ttttt" },
	{ "before 1970", { -50, -40, -40, -30 }, "ttrt" },
	{ "repeated", { 1, 1, 2, 2, 2, 3 }, "trtrrt" },
	{ "late", { 10, 5, 11, 6, 12 }, "tltlt" },
	{ "late, then the newest again", { 10, 5, 10, 11 }, "tlrt" },
	{ "three late ones in a row are late, the fourth sets the clock", { 500, 1, 2, 3, 4, 5 }, "tllltt" },
	{ "not in a row", { 50, 1, 2, 51, 3, 4, 52 }, "tlltllt" },
	{ "repetitions do not count as late", { 50, 1, 50, 2, 50, 3, 50, 51 }, "tlrlrlrt" },
	{ "one stamp in the future is not believed", { 1, 2, 5000, 3, 4 }, "ttatt" },
	{ "the next one confirms a gap", { 1, 2, 5000, 5001, 5002 }, "ttatt" },
	{ "two wild stamps do not confirm each other", { 1, 2, 9000, 5000, 3 }, "ttaat" },
	{ "nor far apart", { 1, 2, 5000, 9000, 9001 }, "ttaat" },
	{ "a wild stamp repeated", { 1, 2, 5000, 5000, 3 }, "ttart" },
	{ "the first of all was in the future", { 9000, 1, 2, 3, 4, 5 }, "tllltt" },
};

static void
tells_the_time(void **state)
{
	const struct row *row = *state;
	struct stream s = { 0 };

	for (size_t i = 0; row->kinds[i]; i++) {
		static const char letters[ORDER_KINDS] = {
			[ORDER_TAKEN] = 't', [ORDER_LATE] = 'l', [ORDER_AHEAD] = 'a', [ORDER_REPEATED] = 'r'
		};
		struct stream_score score = add(&s, &rule, 1, row->seconds[i] * SECOND_US);

		if (letters[score.kind] != row->kinds[i])
			fail_msg("value %zu (%d s): %c instead of %c", i, (int)row->seconds[i], letters[score.kind],
				 row->kinds[i]);
	}
	stream_clear(&s);
}

static struct held *
forecast_at(int64_t origin_us, double median)
{
	double levels[] = { 0.05, 0.5, 0.95 }, values[] = { median - 1, median, median + 1 };
	const struct forecast f = { .origin_us = origin_us,
				    .step_us = 1000 * SECOND_US,
				    .levels = levels,
				    .n_levels = 3,
				    .values = values,
				    .n_steps = 1 };
	struct err err = ERR_INIT;
	struct held *h = NULL;

	assert_int_equal(held_new(&f, 1, 3, &h, &err), 0);
	return h;
}

static void
newest_forecast_wins(void **state)
{
	struct stream s = { 0 };

	stream_hold(&s, forecast_at(5 * SECOND_US, 5));
	stream_hold(&s, forecast_at(4 * SECOND_US, 4));
	assert_true(add(&s, &rule, 5, 6 * SECOND_US).outlook.expected == 5);
	stream_hold(&s, forecast_at(5 * SECOND_US, 6)); /* made anew */
	assert_true(add(&s, &rule, 5, 7 * SECOND_US).outlook.expected == 6);
	stream_hold(&s, forecast_at(7 * SECOND_US, 7));
	assert_true(add(&s, &rule, 5, 8 * SECOND_US).outlook.expected == 7);
	assert_false(add(&s, &rule, 5, 6 * SECOND_US).forecast);
	stream_clear(&s);
	assert_null(s.forecast);
}

/* Late and ahead: scored against forecast and past, nothing learned.  Repeated: nothing at all. */
static void
learns_only_what_is_new(void **state)
{
	struct stream s = { 0 };
	struct detector before;
	struct stream_score late, ahead;
	int i;

	for (i = 1; i <= 2000; i++)
		add(&s, &rule, 20 + random_normal(1, 1, (uint64_t)i), i * SECOND_US);
	stream_hold(&s, forecast_at(0, 20));
	before = s.detector;
	add(&s, &rule, 20, 2000 * SECOND_US);
	late = add(&s, &rule, 60, 900 * SECOND_US);
	ahead = add(&s, &rule, 20, 99999 * SECOND_US);
	assert_memory_equal(&s.detector, &before, sizeof(before));
	assert_true(late.kind == ORDER_LATE && late.forecast && late.outlook.p < 1e-9);
	assert_true(late.verdict.p_value < 1e-5 && late.verdict.action == EPISODE_NOTHING);
	assert_true(ahead.kind == ORDER_AHEAD && !ahead.forecast && ahead.verdict.p_value > 0.1);
	stream_clear(&s);
}

/* A copy is a state of its own: what happens to one does not touch the other, and both can be cleared. */
static void
copies_are_apart(void **state)
{
	struct stream a = { 0 }, b = { 0 };

	stream_hold(&a, forecast_at(0, 1));
	add(&a, &rule, 1, SECOND_US);
	assert_int_equal(stream_copy(&b, &a), 0);
	add(&b, &rule, 2, 2 * SECOND_US);
	stream_hold(&b, forecast_at(SECOND_US, 9));
	assert_true(a.detector.scalar.count == 1 && b.detector.scalar.count == 2);
	stream_clear(&b);
	assert_true(add(&a, &rule, 2, 2 * SECOND_US).outlook.expected == 1);
	stream_clear(&a);
	print_message("%zu bytes a stream, and its forecast\n", sizeof(struct stream));
	assert_true(sizeof(struct stream) <= 2048);
}

int
main(void)
{
	struct CMUnitTest tests[ARRAY_LEN(rows) + 3];
	size_t n = 0;

	for (; n < ARRAY_LEN(rows); n++)
		tests[n] = (struct CMUnitTest){ .name = rows[n].name,
						.test_func = tells_the_time,
						.initial_state = (void *)(uintptr_t)&rows[n] };
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(newest_forecast_wins);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(learns_only_what_is_new);
	tests[n++] = (struct CMUnitTest)cmocka_unit_test(copies_are_apart);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
