/* mass.c -- values that a series keeps coming back to: what they are, where quantiles beside them go, what a panel makes of it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/random.h"
#include "common/forecast/accuracy.h"
#include "common/forecast/mass.h"
#include "common/forecast/panel.h"

#define N 400
#define HORIZON 12
#define LEVELS 9

/* ---- histories ---- */

static double
rare_ones(uint64_t t)
{
	return random_uniform(1, 0, t) < .05 ? 1 : 0;
}

static double
showers(uint64_t t)
{
	return t % 4 == 1 ? 0.3 + random_uniform(2, 0, t) : -0.0;
}

static double
switched(uint64_t t)
{
	return t / 25 % 2 ? 7 : 2;
}

static double
saturated(uint64_t t)
{
	return fmin(100, 95 + 8 * random_uniform(3, 0, t));
}

static double
climbing(uint64_t t)
{
	return (double)(t / 100); /* 0 in the first quarter, 3 in the last */
}

static double
continuous(uint64_t t)
{
	return random_normal(4, 0, t);
}

static double
constant(uint64_t t)
{
	return 5;
}

static double
wide_counts(uint64_t t)
{
	return floor(20 * random_uniform(5, 0, t));
}

static double
with_holes(uint64_t t)
{
	return t % 3 ? NAN : rare_ones(t);
}

static double
unknown(uint64_t t)
{
	return NAN;
}

static void
write(double (*of)(uint64_t t), size_t n, double *history)
{
	for (size_t t = 0; t < n; t++)
		history[t] = of(t);
}

/* ---- what is found ---- */

static void
finds(void **state)
{
	static const struct {
		const char *name;
		double (*of)(uint64_t t);
		size_t n, masses;
		double first, last;
		bool floor, ceiling; /* the first is one; the last is one */
	} rows[] = {
		{ "rare ones", rare_ones, N, 1, 0, 0, true, false },
		{ "showers", showers, N, 1, 0, 0, true, false },
		{ "two states", switched, N, 2, 2, 7, true, true },
		{ "saturated", saturated, N, 1, 100, 100, false, true },
		{ "counts that climb", climbing, N, 4, 0, 3, false, false },
		{ "continuous", continuous, N, 0, 0, 0, false, false },
		{ "constant", constant, N, 0, 0, 0, false, false },
		{ "counts of many kinds", wide_counts, N, 0, 0, 0, false, false },
		{ "holes", with_holes, N, 1, 0, 0, true, false },
		{ "nothing known", unknown, N, 0, 0, 0, false, false },
		{ "too few to say", rare_ones, 7, 0, 0, 0, false, false },
		{ "none", rare_ones, 0, 0, 0, 0, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double history[N];
		struct mass m;

		write(rows[i].of, rows[i].n, history);
		mass_find(history, rows[i].n, &m);
		if (m.n != rows[i].masses)
			fail_msg("%s: %zu masses", rows[i].name, m.n);
		if (!m.n)
			continue;
		if (m.points[0].at != rows[i].first || signbit(m.points[0].at) ||
		    m.points[m.n - 1].at != rows[i].last || m.points[0].is_floor != rows[i].floor ||
		    m.points[m.n - 1].is_ceiling != rows[i].ceiling)
			fail_msg("%s: from %g to %g, floor %d, ceiling %d", rows[i].name, m.points[0].at,
				 m.points[m.n - 1].at, m.points[0].is_floor, m.points[m.n - 1].is_ceiling);
	}
}

static void
moves_to_the_nearer(void **state)
{
	static const struct {
		double (*of)(uint64_t t);
		double from, to;
	} rows[] = {
		{ rare_ones, 1e-9, 0 }, { rare_ones, .4, 0 },     { rare_ones, .6, 1 },
		{ rare_ones, -.2, 0 },  { rare_ones, 1.4, 1.4 }, /* only what was a fifth is held above, too */
		{ switched, 4.4, 2 },   { switched, 4.6, 7 },     { switched, 8, 7 },
		{ switched, -1, 2 },    { saturated, 101, 100 },  { saturated, 97, 97 },
		{ saturated, 94, 94 },  { climbing, 1.4, 1 },     { climbing, 3.7, 3.7 }, /* it goes on */
		{ climbing, -.3, -.3 }, { continuous, .01, .01 }, { constant, 5.5, 5.5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double history[N], to;
		struct mass m;

		write(rows[i].of, N, history);
		mass_find(history, N, &m);
		to = mass_nearest(&m, rows[i].from);
		if (fabs(to - rows[i].to) > 1e-12)
			fail_msg("row %zu: %g went to %g, not %g", i, rows[i].from, to, rows[i].to);
	}
}

static void
keeps_the_order(void **state)
{
	static double (*const all[])(uint64_t t) = { rare_ones, showers, switched, saturated, climbing, with_holes };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		double history[N], last = -INFINITY;
		struct mass m;

		write(all[i], N, history);
		mass_find(history, N, &m);
		for (double x = -3; x < 105; x += .007) {
			double to = mass_nearest(&m, x);

			assert_true(to >= last);
			assert_true(mass_nearest(&m, to) >= to && mass_nearest(&m, to) <= to); /* there it stays */
			last = to;
		}
	}
}

/* ---- on the panel ---- */

static struct panel *
panel_of(struct panel_rule *rule)
{
	struct panel *p = NULL;
	struct err err = ERR_INIT;

	*rule = (struct panel_rule){ .horizon = HORIZON, .n_levels = LEVELS, .history_max = 1000, .calibrate = true };
	assert_int_equal(frequency_parse("1h", &rule->frequency, &err), 0);
	assert_int_equal(panel_members_parse("all", &rule->members, &err), 0);
	for (size_t q = 0; q < LEVELS; q++)
		rule->levels[q] = (double)(q + 1) / 10;
	if (panel_new(rule, NULL, NULL, &p, &err) < 0)
		fail_msg("%s", err.text);
	return p;
}

/*
 * A demand in one hour of twenty: nine in ten of all hours have none, so all deciles are 0, and 0 exactly, however often shifts
 * were told that something was missed; nothing that says less is lost than by saying 0 each time.
 */
static void
a_rare_demand_is_forecast_as_none(void **state)
{
	enum { START = 600, WINDOWS = 30 };
	static double values[START + WINDOWS * HORIZON], row[HORIZON * LEVELS], combined[HORIZON * LEVELS],
	    members[HORIZON * LEVELS * PANEL_MEMBERS];
	static const double none[HORIZON * LEVELS];
	static struct panelist learnt;
	struct panel_rule rule;
	struct panel *p = panel_of(&rule);
	struct panel_forecast f = { .values = row, .combined = combined, .members = members };
	struct accuracy ours = { 0 }, zeros = { 0 };
	size_t between = 0, below = 0;
	struct err err = ERR_INIT;

	(void)state;
	write(rare_ones, START + WINDOWS * HORIZON, values);
	for (size_t w = 0; w < WINDOWS; w++) {
		struct target t = { .values = values, .n = START + w * HORIZON };
		struct panel_request request = { &t, &learnt, 0, NULL };

		assert_int_equal(panel_forecast(p, &request, &f, 1, &err), 0);
		for (size_t i = 0; i < HORIZON * LEVELS; i++) {
			between += row[i] > 0 && row[i] < 1;
			below += row[i] < 0;
		}
		accuracy_add(&ours, rule.levels, LEVELS, values + t.n, row, HORIZON, NAN);
		accuracy_add(&zeros, rule.levels, LEVELS, values + t.n, none, HORIZON, NAN);
		for (size_t h = 0; h < HORIZON; h++)
			panel_learn(p, &learnt, h, f.awake, members + h * PANEL_MEMBERS * LEVELS, combined + h * LEVELS,
				    values[t.n + h], f.scale);
	}
	assert_true(between == 0 && below == 0);
	print_message("wQL %.3f, of zeros %.3f\n", accuracy_figures(&ours, rule.levels, LEVELS).wql,
		      accuracy_figures(&zeros, rule.levels, LEVELS).wql);
	assert_true(accuracy_figures(&ours, rule.levels, LEVELS).wql <
		    1.1 * accuracy_figures(&zeros, rule.levels, LEVELS).wql);
	panel_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(moves_to_the_nearer),
		cmocka_unit_test(keeps_the_order),
		cmocka_unit_test(a_rare_demand_is_forecast_as_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
