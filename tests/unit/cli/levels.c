/* Levels that are asked for beside those of the mean: what is forecast, what is printed, and the mean. */
#include "cli/levels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

static const double usual[] = { 0.1, 0.5, 0.9 };

static const struct row {
	const char *name;
	double asked[4];
	size_t n_asked, n; /* n: of both together */
	size_t places[4];
} rows[] = {
	{ "the usual ones", { 0.1, 0.5, 0.9 }, 3, 3, { 0, 1, 2 } },
	{ "one of them", { 0.9 }, 1, 3, { 2 } },
	{ "one beyond", { 0.99 }, 1, 4, { 3 } },
	{ "one before, one between, one of them", { 0.05, 0.4, 0.5 }, 3, 5, { 0, 2, 3 } },
};

/* A quantile function to look at. */
static double
quantile(double level)
{
	return 10 + 3 * level * level;
}

static void
the_mean_is_the_same_whichever_are_asked_for(void **state)
{
	double expected = quantile(0.1) * 0.3 + quantile(0.5) * 0.4 + quantile(0.9) * 0.3, row[ENSEMBLE_LEVELS_MAX];
	struct levels l;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];

		levels_join(r->asked, r->n_asked, usual, ARRAY_LEN(usual), &l);
		if (l.n != r->n || l.n_asked != r->n_asked)
			fail_msg("%s: %zu levels, %zu asked for", r->name, l.n, l.n_asked);
		for (size_t k = 0; k < l.n_asked; k++)
			if (l.asked[k] != r->places[k] || l.all[l.asked[k]] != r->asked[k])
				fail_msg("%s: place %zu is %zu", r->name, k, l.asked[k]);
		for (size_t k = 0; k < l.n; k++) {
			assert_true(k == 0 || l.all[k] > l.all[k - 1]);
			row[k] = quantile(l.all[k]);
		}
		if (fabs(levels_mean(&l, row) - expected) > 1e-12)
			fail_msg("%s: mean %.17g", r->name, levels_mean(&l, row));
	}
}

static void
too_many_are_forecast_alone(void **state)
{
	double asked[ENSEMBLE_LEVELS_MAX], row[ENSEMBLE_LEVELS_MAX];
	struct levels l;

	for (size_t i = 0; i < ENSEMBLE_LEVELS_MAX; i++)
		asked[i] = (double)(i + 1) / 100;
	levels_join(asked, ENSEMBLE_LEVELS_MAX - 2, usual, ARRAY_LEN(usual), &l); /* .1 is one of them */
	assert_int_equal(l.n, ENSEMBLE_LEVELS_MAX);
	assert_int_equal(l.n_mean, ARRAY_LEN(usual));
	levels_join(asked, ENSEMBLE_LEVELS_MAX, usual, ARRAY_LEN(usual), &l);
	assert_int_equal(l.n, ENSEMBLE_LEVELS_MAX);
	assert_int_equal(l.n_asked, ENSEMBLE_LEVELS_MAX);
	assert_int_equal(l.n_mean, ENSEMBLE_LEVELS_MAX);
	for (size_t i = 0; i < l.n; i++)
		row[i] = 7;
	assert_true(fabs(levels_mean(&l, row) - 7) < 1e-12);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mean_is_the_same_whichever_are_asked_for),
		cmocka_unit_test(too_many_are_forecast_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
