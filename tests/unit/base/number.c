/* number.c -- decimals: verdicts as a table, values against strtod. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/random.h"
#include "common/base/number.h"

static const struct row {
	const char *text;
	char point;
	enum number_verdict verdict;
	double value;
} rows[] = {
	{ "0", '.', NUMBER_OK, 0 },
	{ "-0.5", '.', NUMBER_OK, -0.5 },
	{ " +21.5\r\n", '.', NUMBER_OK, 21.5 },
	{ "21,5", ',', NUMBER_OK, 21.5 },
	{ "21,5", '.', NUMBER_NONE, 0 },
	{ "21.5", ',', NUMBER_NONE, 0 },
	{ "1.234,5", ',', NUMBER_NONE, 0 },
	{ ".5", '.', NUMBER_OK, 0.5 },
	{ "5.", '.', NUMBER_OK, 5 },
	{ "007", '.', NUMBER_OK, 7 },
	{ "3.65E+01", '.', NUMBER_OK, 36.5 },
	{ "1e400", '.', NUMBER_OK, INFINITY },
	{ "-1e400", '.', NUMBER_OK, -INFINITY },
	{ "1e-400", '.', NUMBER_OK, 0 },
	{ "1e99999999999999999999", '.', NUMBER_OK, INFINITY },
	{ "0e99999999999999999999", '.', NUMBER_OK, 0 },
	{ "", '.', NUMBER_EMPTY, 0 },
	{ " \t", '.', NUMBER_EMPTY, 0 },
	{ "NaN", '.', NUMBER_NOT_FINITE, 0 },
	{ "-Infinity", '.', NUMBER_NOT_FINITE, 0 },
	{ "inf", '.', NUMBER_NOT_FINITE, 0 },
	{ "infinite", '.', NUMBER_NONE, 0 },
	{ ".", '.', NUMBER_NONE, 0 },
	{ "-", '.', NUMBER_NONE, 0 },
	{ "+-1", '.', NUMBER_NONE, 0 },
	{ "1e", '.', NUMBER_NONE, 0 },
	{ "1e+", '.', NUMBER_NONE, 0 },
	{ "0x20", '.', NUMBER_NONE, 0 },
	{ "1 2", '.', NUMBER_NONE, 0 },
	{ "12V", '.', NUMBER_NONE, 0 },
	{ "1.2.3", '.', NUMBER_NONE, 0 },
};

static void
gives_verdict_and_value(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct decimal d;
		enum number_verdict verdict = decimal_parse(span_of(rows[i].text), rows[i].point, &d);

		if (verdict != rows[i].verdict || (verdict == NUMBER_OK && decimal_double(&d) != rows[i].value))
			fail_msg("\"%s\": verdict %d, not %d", rows[i].text, verdict, rows[i].verdict);
	}
}

static void
check_against_strtod(const char *text)
{
	double expected = strtod(text, NULL), value;
	struct decimal d;

	assert_int_equal(decimal_parse(span_of(text), '.', &d), NUMBER_OK);
	value = decimal_double(&d);
	if (memcmp(&value, &expected, sizeof(value)) != 0)
		fail_msg("%s: %a, strtod says %a", text, value, expected);
}

/* Hard cases: midpoints, the edges of the range, more digits than a double has. */
static void
rounds_as_strtod(void **state)
{
	static const char *const hard[] = {
		"9007199254740993",
		"9007199254740992.999999999999999999999",
		"9007199254740993.000000000000000000000000000000000000000001",
		"1.7976931348623157e308",
		"1.7976931348623158e308",
		"1.7976931348623159e308",
		"4.9406564584124654e-324",
		"2.4703282292062327e-324",
		"2.4703282292062328e-324",
		"2.2250738585072011e-308",
		"0.1000000000000000055511151231257827021181583404541015625",
		"0.10000000000000001942890293094023945741355419158935546875",
		"18446744073709551615",
		"18446744073709551616",
		"123456789012345678901234567890",
		"0.000000000000000000000000000000000000000000000000000000000001",
		"1000000000000000000000000000000000000000000000000000000000000",
		"3.141592653589793238462643383279502884197",
		"1e22",
		"1e23",
		"8.5e-27",
		"100000000000000000000e-20",
	};
	char text[2000] = "1.";

	for (size_t i = 0; i < ARRAY_LEN(hard); i++)
		check_against_strtod(hard[i]);
	memset(text + 2, '0', 1500);
	check_against_strtod(text);
	text[1502] = '1';
	check_against_strtod(text);
	/* 1 + 2^-53 exactly, the midpoint above 1, and a hair above it. */
	snprintf(text, sizeof(text), "1.%s", "00000000000000011102230246251565404236316680908203125");
	check_against_strtod(text);
	for (size_t n = strlen(text); n < 1900; n++)
		text[n] = '0';
	check_against_strtod(text);
	text[1899] = '1';
	check_against_strtod(text);
}

static void
rounds_as_strtod_at_random(void **state)
{
	for (uint64_t i = 0; i < 200000; i++) {
		uint64_t bits = random_u64(1, 1, i), how = random_u64(1, 2, i);
		char text[80];
		double value;

		memcpy(&value, &bits, sizeof(value));
		if (i % 4 == 0 && isfinite(value))
			snprintf(text, sizeof(text), "%.17g", value);
		else if (i % 4 == 1)
			snprintf(text, sizeof(text), "%.*g", (int)(15 + how % 3), (double)bits / 1e12);
		else if (i % 4 == 2)
			snprintf(text, sizeof(text), "%llu.%llue%d", (unsigned long long)(bits >> (how % 64)),
				 (unsigned long long)(how >> (bits % 60)), (int)(how % 700) - 350);
		else
			snprintf(text, sizeof(text), "%llue%d", (unsigned long long)bits >> (how % 24),
				 (int)(how % 60) - 30);
		check_against_strtod(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_verdict_and_value),
		cmocka_unit_test(rounds_as_strtod),
		cmocka_unit_test(rounds_as_strtod_at_random),
	};

	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
