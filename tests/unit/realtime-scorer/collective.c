/* collective.c -- a group of a device: which readings it judges, which columns it has, and what a change of them does. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "workers/realtime-scorer/collective.h"

#define SECOND INT64_C(1000000)
#define METRICS 4

static const struct collective_rule rule = {
	.group = { .forest = { .trees = 30, .sample = 128, .columns = 1, .shingle = 1, .decay = 1.0 / 1280, .seed = 1 },
		   .warmup_rows = 60,
		   .episode = { .pending = 1e-2,
				.firing = 1e-3,
				.critical = 1e-5,
				.m = 1,
				.n = 1,
				.calm_ratio = 0.6,
				.calm_values = 5,
				.refractory_values = 50,
				.refire = 1.5,
				.state_span = 12 } },
	.order = { .jump_max_us = 10000 * SECOND, .late_max = 3 },
};

static struct groups
groups(const char *text)
{
	struct groups g;
	struct err err = ERR_INIT;

	if (groups_parse(text, &g, &err) < 0)
		fail_msg("%s", err.text);
	return g;
}

/* A letter of SET is a metric; in upper case it is of bad quality.  a and b move together, c is against them, d is noise. */
static struct reading
reading_of(const char *set, int64_t second, struct reading_value values[METRICS])
{
	double common = 4 * random_uniform(1, 1, (uint64_t)second) - 2;
	struct reading r = { .device = SPAN("d"), .event_us = second * SECOND, .values = values };

	for (; *set; set++) {
		static const char names[] = "abcdABCD";
		size_t i = (size_t)(strchr(names, *set) - names), metric = i % METRICS;
		double noise = 0.1 * random_normal(2, metric, (uint64_t)second);

		values[r.n_values++] = (struct reading_value){
			.metric = { names + metric, 1 },
			.value = i >= METRICS  ? NAN
				 : metric == 3 ? 10 * noise
				 : metric == 2 ? noise - common
					       : common + noise,
			.quality = i >= METRICS ? QUALITY_NULL : QUALITY_GOOD,
		};
	}
	return r;
}

static struct collective_score
add_reading(struct collective *c, const struct group_rule *which, const struct reading *r)
{
	struct collective_score s = { .kind = COLLECTIVE_OUTSIDE };
	struct err err = ERR_INIT;

	if (collective_concerns(which, r) && collective_add(c, &rule, which, 7, r, &s, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

static struct collective_score
add(struct collective *c, const struct group_rule *which, const char *set, int64_t second)
{
	struct reading_value values[METRICS];
	const struct reading r = reading_of(set, second, values);

	return add_reading(c, which, &r);
}

static size_t
add_many(struct collective *c, const struct group_rule *which, const char *set, int64_t from, int64_t to)
{
	size_t judged = 0;

	for (int64_t i = from; i < to; i++)
		judged += add(c, which, set, i).kind == COLLECTIVE_JUDGED;
	return judged;
}

/* Which readings a group of a, b, c judges; how many of its columns are missing. */
static const struct row {
	const char *name, *set;
	enum collective_kind kind;
	int missing;
} rows[] = {
	{ "all", "abc", COLLECTIVE_JUDGED, 0 },
	{ "another order, and another metric", "dcab", COLLECTIVE_JUDGED, 0 },
	{ "one is missing", "ac", COLLECTIVE_JUDGED, 1 },
	{ "one is bad", "abC", COLLECTIVE_JUDGED, 1 },
	{ "two are missing", "b", COLLECTIVE_OUTSIDE, 0 },
	{ "two are bad", "aBC", COLLECTIVE_OUTSIDE, 0 },
	{ "nothing to do with it", "d", COLLECTIVE_OUTSIDE, 0 },
};

static void
judges(void **state)
{
	const struct row *row = *state;
	struct groups g = groups("g=a,b,c");
	struct collective c = { 0 };
	struct collective_score s;
	int missing = 0;

	add_many(&c, &g.rules[0], "abc", 0, 100);
	s = add(&c, &g.rules[0], row->set, 100);
	assert_int_equal(s.kind, row->kind);
	for (size_t i = 0; s.kind == COLLECTIVE_JUDGED && i < columns_count(s.columns); i++)
		missing += isnan(s.row[i]) != 0;
	assert_int_equal(missing, row->missing);
	if (s.kind == COLLECTIVE_JUDGED)
		assert_true(s.verdict.judged && s.verdict.p_value > 1e-4);
	collective_clear(&c);
	groups_clear(&g);
}

/* Values that are usual each by itself, but not together; the columns to blame are named. */
static void
sees_what_no_column_shows(void **state)
{
	struct groups g = groups("g=a,b,c,d");
	struct collective c = { 0 };
	struct reading_value values[METRICS];
	struct reading r = reading_of("abcd", 1000, values);
	struct collective_score s;
	size_t opened = 0;
	double share;

	for (int64_t i = 0; i < 1000; i++)
		opened += add(&c, &g.rules[0], "abcd", i).verdict.action == EPISODE_OPENED;
	assert_true(opened <= 4);
	values[0].value = values[1].value = values[2].value = 1.5; /* the third should be -1.5 */
	s = add_reading(&c, &g.rules[0], &r);
	assert_int_equal(s.kind, COLLECTIVE_JUDGED);
	print_message("score %g, p %g\n", s.verdict.score, s.verdict.p_value);
	assert_true(s.verdict.p_value < 1e-2 && s.verdict.explained);
	share = s.verdict.shares[3].high + s.verdict.shares[3].low;
	for (int i = 0; i < 3; i++)
		assert_true(s.verdict.shares[i].high + s.verdict.shares[i].low > share);
	collective_clear(&c);
	groups_clear(&g);
}

static void
says_nothing_out_of_order(void **state)
{
	struct groups g = groups("g=a,b,c");
	struct collective c = { 0 };

	add_many(&c, &g.rules[0], "abc", 0, 100);
	assert_int_equal(add(&c, &g.rules[0], "abc", 99).kind, COLLECTIVE_REPEATED);
	assert_int_equal(add(&c, &g.rules[0], "abc", 50).kind, COLLECTIVE_LATE);
	assert_int_equal(add(&c, &g.rules[0], "abc", 99999).kind, COLLECTIVE_AHEAD);
	assert_int_equal(add(&c, &g.rules[0], "abc", 100).kind, COLLECTIVE_JUDGED);
	collective_clear(&c);
	groups_clear(&g);
}

/* All that come good in the first readings, in the order of their bytes. */
static void
learns_columns(void **state)
{
	struct groups g = groups("*");
	struct collective c = { 0 };
	struct collective_score s;

	for (int64_t i = 0; i < COLLECTIVE_LEARN; i++)
		assert_int_equal(add(&c, &g.rules[0], i % 2 ? "cD" : "a", i).kind, COLLECTIVE_LEARNING);
	s = add(&c, &g.rules[0], "ca", COLLECTIVE_LEARN);
	assert_int_equal(s.kind, COLLECTIVE_JUDGED);
	assert_int_equal(columns_count(s.columns), 2);
	assert_true(span_equal(columns_name(s.columns, 0), SPAN("a")));
	assert_int_equal(add(&c, &g.rules[0], "cb", COLLECTIVE_LEARN + 1).kind, COLLECTIVE_JUDGED); /* half of them */
	assert_int_equal(add(&c, &g.rules[0], "bd", COLLECTIVE_LEARN + 2).kind, COLLECTIVE_OUTSIDE);
	collective_clear(&c);
	groups_clear(&g);
}

/* A device that changes its metrics: for a while nothing is said, then the new ones are learnt, and are the columns. */
static void
learns_columns_anew(void **state)
{
	static const struct {
		const char *before, *after;
		size_t columns, judged; /* of COLLECTIVE_ODD - 1 readings */
	} changes[] = {
		{ "ab", "cd", 2, 0 },                   /* others */
		{ "ab", "abc", 3, COLLECTIVE_ODD - 1 }, /* one more */
		{ "abcd", "d", 1, 0 },                  /* most are gone */
		{ "d", "abc", 3, 0 },                   /* there was only one */
	};

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct groups g = groups("*");
		struct collective c = { 0 };
		int64_t second = 100 + COLLECTIVE_ODD;

		add_many(&c, &g.rules[0], changes[i].before, 0, 100);
		assert_int_equal(add_many(&c, &g.rules[0], changes[i].after, 100, second - 1), changes[i].judged);
		for (; c.learning == COLLECTIVE_LEARN; second++)
			add(&c, &g.rules[0], changes[i].after, second);
		for (int k = 1; k < COLLECTIVE_LEARN; k++, second++)
			assert_int_equal(add(&c, &g.rules[0], changes[i].after, second).kind, COLLECTIVE_LEARNING);
		assert_int_equal(columns_count(c.columns), changes[i].columns);
		assert_int_equal(add(&c, &g.rules[0], changes[i].after, second).kind,
				 changes[i].columns < 2 ? COLLECTIVE_OUTSIDE : COLLECTIVE_JUDGED);
		collective_clear(&c);
		groups_clear(&g);
	}
}

/* The configuration has changed since the state was stored: it begins anew, learns, and an alert that was open can end. */
static void
follows_the_configuration(void **state)
{
	struct groups before = groups("g=a,b,c"), after = groups("g=a,b,c,d"), all = groups("g=*");
	struct collective c = { 0 };
	struct reading_value values[METRICS];
	struct reading r = reading_of("abcd", 200, values);
	bool closed = false;

	add_many(&c, &before.rules[0], "abcd", 0, 200);
	for (size_t i = 0; i < METRICS; i++)
		values[i].value = 50;
	assert_int_equal(add_reading(&c, &before.rules[0], &r).verdict.action, EPISODE_OPENED);
	for (int64_t i = 201; i < 300; i++) {
		struct collective_score s = add(&c, &after.rules[0], "abcd", i);

		assert_int_equal(s.kind, COLLECTIVE_JUDGED);
		assert_int_equal(columns_count(s.columns), 4);
		closed |= s.verdict.action == EPISODE_CLOSED;
	}
	assert_true(closed);
	assert_int_equal(add_many(&c, &all.rules[0], "ab", 300, 350), 50 - COLLECTIVE_LEARN);
	assert_int_equal(columns_count(c.columns), 2);
	collective_clear(&c);
	groups_clear(&before);
	groups_clear(&after);
	groups_clear(&all);
}

/* A metric with the name of the group would have the same identity: there, the group is silent. */
static void
gives_way_to_a_metric_of_its_name(void **state)
{
	struct groups g = groups("g=a,b; *");
	struct reading_value values[] = { { .metric = SPAN("a") },
					  { .metric = SPAN("b") },
					  { .metric = SPAN("group:g") } };
	const struct reading r = { .device = SPAN("d"), .values = values, .n_values = 3 };
	struct collective c = { 0 };

	assert_false(collective_concerns(&g.rules[0], &r));
	assert_true(collective_concerns(&g.rules[1], &r));
	add_reading(&c, &g.rules[1], &r);
	assert_int_equal(columns_count(c.columns), 2); /* and a group is no column */
	collective_clear(&c);
	groups_clear(&g);
}

/* A copy goes its own way. */
static void
copies(void **state)
{
	struct groups g = groups("g=a,b,c");
	struct collective c = { 0 }, copy;
	struct err err = ERR_INIT;

	add_many(&c, &g.rules[0], "abc", 0, 300);
	assert_int_equal(collective_copy(&copy, &c, &err), 0);
	for (int64_t i = 300; i < 400; i++) {
		struct collective_score a = add(&c, &g.rules[0], "abc", i), b = add(&copy, &g.rules[0], "abc", i);

		assert_true(a.verdict.score == b.verdict.score && a.verdict.p_value == b.verdict.p_value);
	}
	add_many(&copy, &g.rules[0], "ab", 400, 500);
	collective_clear(&copy);
	assert_int_equal(add_many(&c, &g.rules[0], "abc", 400, 500), 100);
	collective_clear(&c);
	groups_clear(&g);
}

int
main(void)
{
	struct CMUnitTest tests[7 + ARRAY_LEN(rows)] = {
		cmocka_unit_test(sees_what_no_column_shows),
		cmocka_unit_test(says_nothing_out_of_order),
		cmocka_unit_test(learns_columns),
		cmocka_unit_test(learns_columns_anew),
		cmocka_unit_test(follows_the_configuration),
		cmocka_unit_test(gives_way_to_a_metric_of_its_name),
		cmocka_unit_test(copies),
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		tests[7 + i] = (struct CMUnitTest){ rows[i].name, judges, NULL, NULL, (void *)(uintptr_t)&rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
