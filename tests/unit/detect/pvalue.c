/* pvalue.c -- the law behind a row of quantiles: by hand (a script evaluates the two formulas), and on the normal law. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "common/base/cleanup.h"
#include "common/detect/pvalue.h"

static const float levels[] = { 0.05F, 0.25F, 0.5F, 0.75F, 0.95F };
static const float plain[] = { 10, 12, 13, 15, 20 }, tied[] = { 10, 12, 12, 12, 20 },
		   pinched[] = { 2, 2.01F, 13, 19.99F, 20 }, point[] = { 7, 7, 7, 7, 7 };
static const float high[] = { 0.5F, 0.9F, 0.99F }, low[] = { 0, 1, 2 };

static const struct row {
	const char *name;
	const float *levels, *values;
	size_t n;
	double scale_least, value, below, two_sided;
} rows[] = {
	{ "far below", levels, plain, 5, 1e-9, 0, 1.6e-5, 3.2e-5 },
	{ "below", levels, plain, 5, 1e-9, 9, 0.0223606797749979, 0.0447213595499958 },
	{ "on the lowest", levels, plain, 5, 1e-9, 10, 0.05, 0.1 },
	{ "between", levels, plain, 5, 1e-9, 11, 0.15, 0.3 },
	{ "left of the median", levels, plain, 5, 1e-9, 12.5, 0.375, 0.75 },
	{ "the median", levels, plain, 5, 1e-9, 13, 0.5, 1 },
	{ "right of the median", levels, plain, 5, 1e-9, 14, 0.625, 0.75 },
	{ "between, high", levels, plain, 5, 1e-9, 19, 0.91, 0.18 },
	{ "on the highest", levels, plain, 5, 1e-9, 20, 0.95, 0.1 },
	{ "above", levels, plain, 5, 1e-9, 25, 0.99, 0.02 },
	{ "far above", levels, plain, 5, 1e-9, 40, 0.99992, 1.6e-4 },
	{ "very far above", levels, plain, 5, 1e-9, 100, 1, 6.5536e-13 },
	/* As of a normal law whose .95 lies 7 above its median: exp(-1 / (.7 * 7 / ln 10)) / 20. */
	{ "above quantiles close together", levels, pinched, 5, 1e-9, 21, 0.96874723, 0.0625055372 },
	{ "below quantiles close together", levels, pinched, 5, 1e-9, 1, 0.0370765983, 0.0741531966 },
	{ "beyond all digits", levels, plain, 5, 1e-9, 1e9, 1, 1e-300 },
	{ "on three equal ones", levels, tied, 5, 1e-9, 12, 0.5, 1 },
	{ "left of equal ones", levels, tied, 5, 1e-9, 11, 0.15, 0.3 },
	{ "right of equal ones", levels, tied, 5, 1e-9, 16, 0.85, 0.3 },
	{ "on a point", levels, point, 5, 0.5, 7, 0.5, 1 },
	{ "off a point", levels, point, 5, 0.5, 8, 0.99323323583816936, 0.013533528323661264 },
	{ "below a point", levels, point, 5, 0.5, 6, 0.0067667641618306343, 0.013533528323661269 },
	{ "one level", levels, plain, 1, 2, 12, 0.65051453, 0.69897094 },
	{ "levels of one side, above", high, low, 3, 1e-9, 3, 0.999, 0.002 },
	{ "levels of one side, below", high, low, 3, 1e-9, -1, 0.5, 1 },
};

static void
follows_the_formulas(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct row *r = &rows[i];
		double below = pvalue_below(r->levels, r->values, r->n, r->scale_least, r->value);
		double p = pvalue_two_sided(r->levels, r->values, r->n, r->scale_least, r->value);

		print_message("%-26s %.9g %.9g\n", r->name, below, p);
		if (i == ARRAY_LEN(rows) - 1) /* only an upper half: all that can be said is that it lies below */
			assert_true(below < 0.5 && below > 0);
		else
			assert_true(fabs(below - r->below) < 1e-5 && fabs(p - r->two_sided) < 1e-4 * r->two_sided);
	}
}

/* Quantiles of the standard normal law (to 7 digits, from its table) give its tail chances back, roughly. */
static void
is_near_the_normal_law(void **state)
{
	static const float at[] = { 0.025F, 0.05F, 0.1F, 0.25F, 0.5F, 0.75F, 0.9F, 0.95F, 0.975F };
	static const float z[] = { -1.959964F, -1.644854F, -1.281552F, -0.6744898F, 0,
				   0.6744898F, 1.281552F,  1.644854F,  1.959964F };
	static const struct {
		double x, p;
	} facts[] = { { 0.5, 0.617075 }, { 1, 0.317311 },    { 1.5, 0.133614 },
		      { 2, 0.0455 },     { 2.5, 0.0124193 }, { 3, 0.0026998 } };

	for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
		double p = pvalue_two_sided(at, z, 9, 1e-9, facts[i].x),
		       q = pvalue_two_sided(at, z, 9, 1e-9, -facts[i].x);

		assert_true(fabs(p - q) < 1e-5 * p);
		assert_true(p > facts[i].p / 1.1 && p < facts[i].p * 2.5); /* an exponential tail is heavier */
	}
}

/* P-values of values drawn by the law's own quantile function never leave order. */
static void
is_monotone(void **state)
{
	double last = 0;

	for (double x = -50; x < 80; x += 0.01) {
		double u = pvalue_below(levels, plain, 5, 1e-9, x);

		assert_true(u >= last && u >= 0 && u <= 1);
		last = u;
	}
	assert_true(last > 0.9999);
}

static void
finds_quantiles(void **state)
{
	static const struct {
		double level, value;
	} facts[] = { { 0.5, 13 },  { 0.05, 10 },    { 0.95, 20 },  { 0.01, 10 },
		      { 0.99, 20 }, { 0.375, 12.5 }, { 0.85, 17.5 } };

	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		assert_true(fabs(pvalue_quantile(levels, plain, 5, facts[i].level) - facts[i].value) < 1e-5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_formulas),
		cmocka_unit_test(is_near_the_normal_law),
		cmocka_unit_test(is_monotone),
		cmocka_unit_test(finds_quantiles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
